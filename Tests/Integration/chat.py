"""Chats for the tests, and their size by an encoder that is not the sidecar's."""

import json
import random

import tiktoken

WORDS = (
    "the palette of this poster wants more air between heading and photograph so move the caption down a little "
    "bold serif grid margin column colour contrast print bleed proof draft client approves tomorrow morning Größe "
    "шрифт отступ цвет макет 字体 排版 layout vector export layer mask"
).split()

TOOL = {
    "type": "function",
    "function": {
        "name": "find_asset",
        "description": "Finds a picture by what it shows.",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
    },
}
SYSTEM = {
    "role": "system",
    "content": "You help a designer. Answer briefly. Typography: Inter 11/16 pt, never smaller.",
}

encoding = None


def tokens(text: str) -> int:
    """The length of a text in o200k_base, by tiktoken."""
    global encoding
    encoding = encoding or tiktoken.get_encoding("o200k_base")
    return len(encoding.encode(text, disallowed_special=()))


def prose(source: random.Random, words: int) -> str:
    return " ".join(source.choices(WORDS, k=words))


def turn(number: int, source: random.Random, words: int = 390) -> list[dict]:
    """A user's message and all that answers it; every third asks a tool on the way."""
    asked = {"role": "user", "content": f"Turn {number}: {prose(source, words // 2)}"}
    said = {"role": "assistant", "content": f"Answer {number}: {prose(source, words // 2)}"}
    if number % 3:
        return [asked, said]
    call = {
        "id": f"call_{number}",
        "type": "function",
        "function": {"name": "find_asset", "arguments": json.dumps({"query": prose(source, 12)})},
    }
    result = {"role": "tool", "tool_call_id": f"call_{number}", "content": json.dumps({"assets": prose(source, 40)})}
    return [asked, {"role": "assistant", "content": None, "tool_calls": [call]}, result, said]


def history(turns: int, words: int = 390, seed: int = 7) -> list[dict]:
    """A system message and that many whole turns."""
    source = random.Random(seed)
    return [SYSTEM] + [message for number in range(1, turns + 1) for message in turn(number, source, words)]


def openai_tokens(messages: list[dict]) -> int:
    """What an OpenAI chat counts: 3 a message, its texts, calls and results, and 3 for the reply."""
    return 3 + sum(3 + message_tokens(message) for message in messages)


def message_tokens(message: dict) -> int:
    content = message.get("content") or ""
    texts = [content] if isinstance(content, str) else [part.get("text", "") for part in content]
    for call in message.get("tool_calls", []):
        texts += [call["function"]["name"], call["function"]["arguments"]]
    return sum(tokens(text) for text in texts)


def gemini_tokens(body: dict) -> int:
    """The same of a Gemini request: every content and the system instruction count as a message."""
    contents = [*body["contents"], *([body["system_instruction"]] if "system_instruction" in body else [])]
    return 3 + sum(3 + sum(part_tokens(part) for part in content["parts"]) for content in contents)


def part_tokens(part: dict) -> int:
    total = tokens(part.get("text", ""))
    if call := part.get("functionCall") or part.get("function_call"):
        total += tokens(call["name"]) + tokens(json.dumps(call["args"], ensure_ascii=False))
    if result := part.get("functionResponse") or part.get("function_response"):
        total += tokens(json.dumps(result["response"], ensure_ascii=False))
    return total


def orphans(messages: list[dict]) -> list[str]:
    """Tool calls without a result and results without a call."""
    called = [call["id"] for message in messages for call in message.get("tool_calls", [])]
    answered = [message["tool_call_id"] for message in messages if message["role"] == "tool"]
    seen: set[str] = set()
    early = []
    for message in messages:
        seen |= {call["id"] for call in message.get("tool_calls", [])}
        if message["role"] == "tool" and message["tool_call_id"] not in seen:
            early.append(message["tool_call_id"])
    return early + [identifier for identifier in called if identifier not in answered]
