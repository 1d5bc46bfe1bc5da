/// The text of `config/antigravity.json`, so that the program runs without any file.
///
/// A test keeps the two the same, byte for byte.
let shippedConfiguration = #"""
    {
      "$schema": "./antigravity.schema.json",
      "version": 1,

      "listen": {
        "gateway": { "address": "${SIDECAR_GATEWAY:-0.0.0.0:4100}", "upstream": "litellm" },
        "admin": { "address": "127.0.0.1:4190", "token": "${SIDECAR_ADMIN_TOKEN:-}" }
      },

      "upstreams": {
        "litellm": { "kind": "litellm", "url": "${LITELLM_URL:-http://127.0.0.1:4000}" }
      },

      "models": [
        {
          "match": ["claude*-4-7*", "claude*-4-8*"],
          "encoding": "o200k_base", "tokenScale": 1.6,
          "contextTokens": 200000, "vision": true, "imageTokens": "claude4.7"
        },
        {
          "match": ["claude*", "anthropic/*"],
          "encoding": "o200k_base", "tokenScale": 1.25,
          "contextTokens": 200000, "vision": true, "imageTokens": "claude"
        },
        {
          "match": ["gemini-2*", "gemini/gemini-2*"],
          "encoding": "gemma", "contextTokens": 1048576, "vision": true, "imageTokens": "gemini2"
        },
        {
          "match": ["gemini*", "gemini/*"],
          "encoding": "gemma", "contextTokens": 1048576, "vision": true, "imageTokens": "gemini3"
        },
        {
          "match": ["gpt-5*-mini*"],
          "encoding": "o200k_base", "contextTokens": 400000, "vision": true, "imageTokens": "gpt5_mini"
        },
        {
          "match": ["gpt-5*-nano*"],
          "encoding": "o200k_base", "contextTokens": 400000, "vision": true, "imageTokens": "gpt5_nano"
        },
        {
          "match": ["gpt-5*"],
          "encoding": "o200k_base", "contextTokens": 400000, "vision": true, "imageTokens": "gpt5"
        },
        { "match": ["gpt-3.5*"], "encoding": "cl100k_base", "contextTokens": 16385, "vision": false },
        { "match": ["gpt-4", "gpt-4-0*"], "encoding": "cl100k_base", "contextTokens": 8192, "vision": false },
        { "match": ["gpt-4-turbo*"], "encoding": "cl100k_base", "contextTokens": 128000, "vision": true },
        { "match": ["gpt-4o*"], "encoding": "o200k_base", "contextTokens": 128000, "vision": true },
        { "match": ["gpt-4.1*"], "encoding": "o200k_base", "contextTokens": 1047576, "vision": true },
        { "match": ["gpt*"], "encoding": "o200k_base" },
        { "match": ["qwen2*", "*/qwen2*", "*/Qwen2*"], "encoding": "qwen2" },
        { "match": ["llama3*", "llama-3*", "*/llama-3*", "*/Llama-3*", "*/llama3*"], "encoding": "llama3" }
      ],

      "routes": [
        { "name": "tasks", "when": { "task": true }, "chain": ["$requested", "gemini-3-flash"] },
        { "name": "vision", "when": { "images": true, "vision": false }, "chain": ["gemini-3-flash", "gemini-3-pro"] },
        { "name": "claude", "when": { "model": ["claude*"] }, "chain": ["$requested", "gemini-3-pro"] }
      ],

      "fallback": {
        "on": [
          "rate_limited", "quota_exhausted", "overloaded", "upstream_fault", "timeout", "unreachable", "region_blocked"
        ],
        "stickySeconds": 600
      },

      "clip": {
        "maxContextTokens": 32000,
        "on": "fallback",
        "blockTokens": 4000,
        "reserveOutputTokens": 0,
        "oversized": "truncate",
        "pin": []
      },

      "breaker": {
        "rateLimitsToOpen": 1,
        "failuresToOpen": 5,
        "cooldownSeconds": 15,
        "maxCooldownSeconds": 30,
        "maxRetryAfterSeconds": 3600
      },

      "timeouts": {
        "connectSeconds": 5,
        "firstByteSeconds": 600,
        "firstTokenSeconds": 120,
        "idleSeconds": 120,
        "totalSeconds": 1800
      },

      "stream": { "onCut": "error" },

      "limits": {
        "maxBodyBytes": 67108864,
        "maxBufferedBytes": 268435456,
        "maxHeaderBytes": 65536,
        "maxConnections": 10000
      },

      "log": { "level": "info" }
    }

    """#
