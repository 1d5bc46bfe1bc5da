"""The bodies of three provider APIs: answers, the events of streams, errors."""

import json


def text_of(model: str, scenario: dict) -> str:
    return scenario.get("text", f"This is the whole answer of {model}, from the first word to the last one.")


def pieces_of(model: str, scenario: dict) -> list[str]:
    text = text_of(model, scenario)
    count = max(1, scenario.get("chunks", 6))
    size = -(-len(text) // count)
    return [text[i : i + size] for i in range(0, len(text), size)]


class OpenAI:
    """The chat completions API."""

    error_statuses = {429: "rate_limit_exceeded", 400: "invalid_request_error", 401: "invalid_api_key"}

    def __init__(self, model: str) -> None:
        self.model = model

    def usage(self) -> dict:
        return {"prompt_tokens": 12, "completion_tokens": 16, "total_tokens": 28}

    def answer(self, scenario: dict) -> dict:
        message: dict = {"role": "assistant", "content": text_of(self.model, scenario)}
        finish = "stop"
        if scenario["kind"] == "tool":
            message = {"role": "assistant", "content": None, "tool_calls": [self.call(scenario)]}
            finish = "tool_calls"
        return {
            "id": "chatcmpl-provider", "object": "chat.completion", "created": 1760000000, "model": self.model,
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
            "usage": self.usage(),
        }  # fmt: skip

    def call(self, scenario: dict) -> dict:
        function = {"name": scenario["name"], "arguments": json.dumps(scenario["arguments"])}
        return {"id": "call_provider", "type": "function", "function": function}

    def chunk(self, delta: dict, finish: str | None = None) -> bytes:
        return event({
            "id": "chatcmpl-provider", "object": "chat.completion.chunk", "created": 1760000000, "model": self.model,
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
        })  # fmt: skip

    def opening(self, scenario: dict) -> list[bytes]:
        return [self.chunk({"role": "assistant", "content": ""})]

    def piece(self, text: str) -> bytes:
        return self.chunk({"content": text})

    def tool(self, scenario: dict) -> bytes:
        return self.chunk({"tool_calls": [{"index": 0, **self.call(scenario)}]})

    def closing(self, scenario: dict) -> list[bytes]:
        usage = {
            "id": "chatcmpl-provider", "object": "chat.completion.chunk", "created": 1760000000, "model": self.model,
            "choices": [], "usage": self.usage(),
        }  # fmt: skip
        finish = "tool_calls" if scenario["kind"] == "tool" else "stop"
        return [self.chunk({}, finish), event(usage), b"data: [DONE]\n\n"]

    def failure(self, status: int, message: str, code: str | None = None) -> dict:
        kind = code or self.error_statuses.get(status, "server_error")
        return {"error": {"message": message, "type": kind, "param": None, "code": kind}}

    def quota(self) -> tuple[int, dict]:
        message = "You exceeded your current quota, please check your plan and billing details."
        return 429, self.failure(429, message, "insufficient_quota")


class Anthropic:
    """The messages API."""

    error_types = {
        400: "invalid_request_error", 401: "authentication_error", 413: "request_too_large",
        429: "rate_limit_error", 500: "api_error", 529: "overloaded_error",
    }  # fmt: skip

    def __init__(self, model: str) -> None:
        self.model = model

    def message(self, content: list, stop: str | None) -> dict:
        return {
            "id": "msg_provider", "type": "message", "role": "assistant", "model": self.model, "content": content,
            "stop_reason": stop, "stop_sequence": None, "usage": {"input_tokens": 12, "output_tokens": 16},
        }  # fmt: skip

    def call(self, scenario: dict, arguments: dict) -> dict:
        return {"type": "tool_use", "id": "toolu_provider", "name": scenario["name"], "input": arguments}

    def answer(self, scenario: dict) -> dict:
        if scenario["kind"] == "tool":
            return self.message([self.call(scenario, scenario["arguments"])], "tool_use")
        return self.message([{"type": "text", "text": text_of(self.model, scenario)}], "end_turn")

    def named(self, name: str, **members: object) -> bytes:
        return f"event: {name}\n".encode() + event({"type": name, **members})

    def opening(self, scenario: dict) -> list[bytes]:
        block = self.call(scenario, {}) if scenario["kind"] == "tool" else {"type": "text", "text": ""}
        return [
            self.named("message_start", message=self.message([], None)),
            self.named("content_block_start", index=0, content_block=block),
            self.named("ping"),
        ]

    def delta(self, delta: dict) -> bytes:
        return self.named("content_block_delta", index=0, delta=delta)

    def piece(self, text: str) -> bytes:
        return self.delta({"type": "text_delta", "text": text})

    def tool(self, scenario: dict) -> bytes:
        return self.delta({"type": "input_json_delta", "partial_json": json.dumps(scenario["arguments"])})

    def closing(self, scenario: dict) -> list[bytes]:
        delta = {"stop_reason": "tool_use" if scenario["kind"] == "tool" else "end_turn", "stop_sequence": None}
        return [
            self.named("content_block_stop", index=0),
            self.named("message_delta", delta=delta, usage={"output_tokens": 16}),
            self.named("message_stop"),
        ]

    def failure(self, status: int, message: str) -> dict:
        return {"type": "error", "error": {"type": self.error_types.get(status, "api_error"), "message": message}}

    def quota(self) -> tuple[int, dict]:
        message = "Your credit balance is too low to access the Anthropic API."
        return 400, self.failure(400, message)


class Gemini:
    """generateContent and streamGenerateContent."""

    statuses = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}

    def __init__(self, model: str) -> None:
        self.model = model

    def content(self, parts: list, finish: str | None = "STOP") -> dict:
        candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if finish:
            candidate["finishReason"] = finish
        usage = {"promptTokenCount": 12, "candidatesTokenCount": 16, "totalTokenCount": 28}
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": self.model, "responseId": "provider"}

    def call(self, scenario: dict) -> dict:
        return {"functionCall": {"name": scenario["name"], "args": scenario["arguments"]}}

    def answer(self, scenario: dict) -> dict:
        if scenario["kind"] == "tool":
            return self.content([self.call(scenario)])
        return self.content([{"text": text_of(self.model, scenario)}])

    def opening(self, scenario: dict) -> list[bytes]:
        return []

    def piece(self, text: str) -> bytes:
        return event(self.content([{"text": text}], finish=None), end="\r\n\r\n")

    def tool(self, scenario: dict) -> bytes:
        return event(self.content([self.call(scenario)], finish=None), end="\r\n\r\n")

    def closing(self, scenario: dict) -> list[bytes]:
        return [event(self.content([{"text": ""}]), end="\r\n\r\n")]

    def failure(self, status: int, message: str, details: list | None = None) -> dict:
        error = {"code": status, "message": message, "status": self.statuses.get(status, "INTERNAL")}
        return {"error": error | ({"details": details} if details else {})}

    def quota(self) -> tuple[int, dict]:
        details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "21s"}]
        return 429, self.failure(429, "You exceeded your current quota. Please retry in 21.5s.", details)


def event(value: dict, end: str = "\n\n") -> bytes:
    return f"data: {json.dumps(value)}{end}".encode()
