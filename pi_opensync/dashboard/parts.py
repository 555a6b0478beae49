"""What a stored message says: the words in its parts, whatever shape the plugin gave them."""

import json
import re
from dataclasses import dataclass
from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode
MAX_DEPTH = 64
# A word this long that stands in the text as well shows that the text tells of the tool's run.
_TELLING = 2
_LONGEST_RUN_MS = 10**12
_TEXT_KEYS = ("text", "content", "thinking", "output", "result", "value")
_NAME_KEYS = ("toolName", "name", "tool")
_ARGS_KEYS = ("args", "input", "arguments", "params", "parameters")
_RESULT_KEYS = ("result", "output")
# What plugins call these kinds instead; droid-sync and cursor-sync send `tool_use`.
_KINDS = {
    "tool_use": "tool-call",
    "tool-use": "tool-call",
    "tool_call": "tool-call",
    "function_call": "tool-call",
    "tool_result": "tool-result",
    "function_call_output": "tool-result",
    "reasoning": "thinking",
}
# A tool's run as one line, as cursor-sync sends it: `shell: npm install`.
_TOLD = re.compile(r"([A-Za-z][\w.-]{0,60}): (.+)", re.DOTALL)
# Stands for an image in its message's text, and says nothing where the image itself is shown.
IMAGE_LINE = re.compile(r"(?:\A|\n)\[image: image/[\w.+-]{1,40}, [\d.,]+ k?M?B\](?=\n|\Z)")


@dataclass(frozen=True, slots=True)
class StoredPart:
    """`content` is JSON as it was sent: most often a string, or an object for a tool call."""

    type: str
    content: Any

    @property
    def kind(self) -> str:
        """`text`, `tool-call`, `tool-result` or `thinking`, whatever the plugin calls it; else its type."""
        return _KINDS.get(self.type, self.type)

    @property
    def is_image(self) -> bool:
        return self.kind.startswith("image")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`result` is what came back, where a plugin sends it with the call."""

    name: str
    args: Any
    result: Any = None


def text_of(content: Any) -> str:
    """Return the text of a part: a string, `{text}`, `{content}`, a list of blocks; else its JSON."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(text for text in map(text_of, content) if text)
    if isinstance(content, dict):
        for key in _TEXT_KEYS:
            if isinstance(content.get(key), (str, list)):
                return text_of(content[key])
    return json.dumps(content, ensure_ascii=False, indent=2)


def call_of(content: Any) -> ToolCall:
    """Return the call of `{toolName | name, args | input | arguments}`, or of a line as `shell: make`.

    What was sent as JSON in a string, all of it or its arguments, is decoded.
    """
    content = _decoded(content)
    if isinstance(content, str) and (told := _TOLD.fullmatch(content)):
        return ToolCall(told[1], _decoded(told[2]))
    if not isinstance(content, dict):
        return ToolCall(name=text_of(content) or "tool", args=None)
    name = next((content[key] for key in _NAME_KEYS if isinstance(content.get(key), str)), "tool")
    result = next((content[key] for key in _RESULT_KEYS if content.get(key) is not None), None)
    args = next((content[key] for key in _ARGS_KEYS if content.get(key) is not None), None)
    if args is None:
        known = (*_NAME_KEYS, *_ARGS_KEYS, *_RESULT_KEYS)
        args = {key: value for key, value in content.items() if key not in known} or None
    return ToolCall(name, _decoded(args), result)


def _decoded(value: Any) -> Any:
    """Return the object that a string holds as JSON; anything else, or one nested too deeply, as it is."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            held = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return held if _is_within(held, MAX_DEPTH) else value
    return value


def _is_within(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [
            inner
            for item in level
            if isinstance(item, (dict, list))
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return True
    return False


def to_json(content: Any) -> str:
    return _encode(content).decode()


def whole_of(part: StoredPart) -> str:
    """Return all that a part holds as text, for a page of its own: of a call its arguments as JSON."""
    if part.kind != "tool-call":
        return text_of(part.content)
    call = call_of(part.content)
    args = [] if call.args is None else [to_json(call.args)]
    return "\n\n".join([*args, *_answer(call)]) or text_of(part.content)


def is_error(text: str, content: Any) -> bool:
    if isinstance(content, dict) and (content.get("isError") is True or content.get("is_error") is True):
        return True
    return text.startswith("[error]")


def duration_of(result: Any) -> int | None:
    """Return how long a tool ran, in ms, as the daemon notes it with the result."""
    ran = result.get("durationMs") if isinstance(result, dict) else None
    if isinstance(ran, int | float) and not isinstance(ran, bool) and 0 <= ran <= _LONGEST_RUN_MS:
        return round(ran)
    return None


def parts_to_show(text_content: str | None, parts: list[StoredPart]) -> list[tuple[int, StoredPart]]:
    """Return the parts of a message with their places; its text, at place -1, if no part says it.

    Some plugins send a tool's run as text and as parts, or thinking in the text and as a part: what has been
    said is not said twice.
    """
    text = text_content or ""
    shown: list[tuple[int, StoredPart]] = []
    if text.strip() and not any(part.kind == "text" for part in parts):
        words = [word.strip() for part in parts for word in _words_of(part)]
        if not any(len(word) >= _TELLING and word in text for word in words):
            shown.append((-1, StoredPart("text", text)))
    said = text
    for place, part in enumerate(parts):
        body = text_of(part.content)
        if part.kind == "thinking" and body.strip() and body.strip() in said:
            continue
        if part.kind == "text":
            if not body.strip():
                continue
            said = f"{said}\n{body}"
        shown.append((place, part))
    if not shown and text.strip():
        shown.append((-1, StoredPart("text", text)))
    return shown


def searchable(text_content: str | None, parts: list[StoredPart]) -> str:
    """Every word of a message, once: its text, its tools' names, arguments and results."""
    said_in = [part for part in parts if not part.is_image]
    words = [word for part in said_in for word in (_words_of(part) or [text_of(part.content)])]
    said = "\n".join(words)
    if text_content and text_content not in said:
        words.insert(0, text_content)
    return "\n".join(words)


def _words_of(part: StoredPart) -> list[str]:
    if part.kind == "tool-call":
        call = call_of(part.content)
        return [call.name, *_strings_in(call.args), *_answer(call)]
    if part.kind == "tool-result":
        return [text_of(part.content)]
    return []


def _answer(call: ToolCall) -> list[str]:
    return [text_of(call.result)] if call.result else []


def _strings_in(value: Any) -> list[str]:
    found: list[str] = []
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, (int, float)) and not isinstance(item, bool):
            found.append(str(item))
        elif isinstance(item, dict):
            stack.extend(reversed(item.values()))
        elif isinstance(item, list):
            stack.extend(reversed(item))
    return found
