"""What one entry looks like on the dashboard, a function for each kind of entry. Pure."""

from typing import Any

import msgspec

from pi_opensync import texts
from pi_opensync.model import Content, Event, Options, Part, Role
from pi_opensync.pi import edits
from pi_opensync.pi.entries import MAX_JS_MILLISECONDS, Entry, milliseconds
from pi_opensync.pi.images import images
from pi_opensync.privacy.cleaner import Cleaner

SUMMARIES = {"compaction": "[Compaction summary]", "branch_summary": "[Branch summary]"}


def blocks_text(content: object, clean: Cleaner) -> str:
    """Text blocks and image lines one below the other; a plain string is its own text."""
    return "\n".join(text for text, _is_image in _blocks(content, clean))


def _blocks(content: object, clean: Cleaner) -> list[tuple[str, bool]]:
    """What is shown of each block, and whether it stands for an image."""
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    shown: list[tuple[str, bool]] = []
    for block in content if isinstance(content, list) else ():
        if not isinstance(block, dict):
            continue
        if block.get("type") == "text" and isinstance(block.get("text"), str):
            shown.append((clean(block["text"]), False))
        elif block.get("type") == "image":
            shown.append((clean(texts.image(block.get("mimeType"), block.get("data"))), True))
    return [(text, is_image) for text, is_image in shown if text]


def user(message: dict[str, Any], options: Options, clean: Cleaner) -> tuple[Content | None, str]:
    """What a prompt shows, and its words alone, without a line for an image."""
    shown = _blocks(message.get("content"), clean)
    words = "\n".join(text for text, is_image in shown if not is_image)
    said = "\n".join(text for text, _is_image in shown)
    return _text_content("user", said, images(message, options)), words


def summary(entry: Entry, clean: Cleaner) -> Content | None:
    text = entry.body.get("summary")
    if not isinstance(text, str) or not text:
        return None
    return _text_content("system", f"{SUMMARIES[entry.type]}\n\n{clean(text)}")


def custom(body: dict[str, Any], clean: Cleaner) -> Content | None:
    if body.get("display") is not True:
        return None
    return _text_content("system", blocks_text(body.get("content"), clean))


def result(message: dict[str, Any], options: Options, clean: Cleaner) -> Part:
    """What a tool gave back; with `extras` also the change that it made, and how long it ran."""
    text = blocks_text(message.get("content"), clean)
    if message.get("isError") is True:
        text = f"[error] {text}"
    if not options.extras:
        return Part("tool-result", text)
    noted = edits.change(message.get("details"), clean)
    ran = message.get("durationMs")
    if isinstance(ran, int | float) and not isinstance(ran, bool) and 0 <= ran <= MAX_JS_MILLISECONDS:
        return Part("tool-result", text, diff=noted, duration_ms=round(ran))
    return Part("tool-result", text, diff=noted)


def nested_calls(message: dict[str, Any], clean: Cleaner) -> tuple[Part, ...]:
    """The calls that a tool made itself (pi 1.5 and later, in code mode); pi keeps no results of them."""
    nested = message.get("nestedCalls")
    calls = nested.get("calls") if isinstance(nested, dict) else None
    parts: list[Part] = []
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict):
            parts.append(msgspec.structs.replace(_call(call, clean), call_id=None, answered=True))
            if call.get("status") == "error":
                parts.append(Part("tool-result", f"[error] {clean(string(call.get('error')))}".rstrip()))
    return tuple(parts)


def bash(message: dict[str, Any], clean: Cleaner) -> Content | None:
    """The user's own `!command`; None for `!!command`, which the user kept out."""
    if message.get("excludeFromContext") is True:
        return None
    command = clean(string(message.get("command")))
    output = clean(string(message.get("output")))
    code = message.get("exitCode")
    if isinstance(code, int) and not isinstance(code, bool) and code != 0:
        output = texts.lines(output, f"[exit code {code}]")
    call = Part("tool-call", {"toolName": "bash", "args": {"command": command}}, answered=True)
    parts = (Part("text", f"$ {command}"), call, Part("tool-result", output))
    return Content("tool", f"$ {command}\n{output}", parts)


def assistant(message: dict[str, Any], event: Event, options: Options, clean: Cleaner) -> Content | None:
    """`event` says when its entry was written, which model answered, and what it used."""
    blocks = message.get("content")
    if isinstance(blocks, str):
        blocks = [{"type": "text", "text": blocks}]
    shown = _Shown()
    for block in blocks if isinstance(blocks, list) else ():
        if not isinstance(block, dict):
            continue
        kind = block.get("type")
        if kind == "text":
            shown.say(clean(string(block.get("text"))))
        elif kind == "thinking" and options.sync_thinking:
            shown.think(clean(string(block.get("thinking"))))
        elif kind == "toolCall" and options.sync_tool_calls:
            shown.call(_call(block, clean))
    shown.say(_ending(message, clean))
    parts, text = shown.end()
    if not parts:
        return None
    started = milliseconds(message.get("timestamp"))
    duration = event.at - started if event.at is not None and started is not None else None
    return Content(
        "assistant",
        text,
        parts,
        model=event.model,
        usage=event.usage,
        duration_ms=duration if duration is not None and duration >= 0 else None,
    )


class _Shown:
    """An assistant's message as it grows: runs of text between calls, and all of the text."""

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._run = ""
        self._text = ""
        self._after_thinking = False

    def say(self, text: str) -> None:
        if text:
            self._add(text, thinking=False)

    def think(self, text: str) -> None:
        # Without the blank lines Markdown takes what follows for HTML.
        if text:
            self._add(f"<thinking>\n\n{text}\n\n</thinking>", thinking=True)

    def call(self, part: Part) -> None:
        self._close()
        self._parts.append(part)

    def end(self) -> tuple[tuple[Part, ...], str]:
        self._close()
        return tuple(self._parts), self._text

    def _add(self, text: str, *, thinking: bool) -> None:
        glue = "\n\n" if self._after_thinking else "\n"
        self._run += glue + text if self._run else text
        self._text += glue + text if self._text else text
        self._after_thinking = thinking

    def _close(self) -> None:
        if self._run:
            self._parts.append(Part("text", self._run))
            self._run = ""


def _text_content(role: Role, text: str, beside: tuple[Part, ...] = ()) -> Content | None:
    return Content(role, text, (Part("text", text), *beside)) if text else None


def _ending(message: dict[str, Any], clean: Cleaner) -> str:
    reason = message.get("stopReason")
    if reason == "aborted":
        return "[aborted]"
    if reason == "error":
        text = clean(string(message.get("errorMessage")))
        return f"[error: {text}]" if text else "[error]"
    return ""


def _call(block: dict[str, Any], clean: Cleaner) -> Part:
    args = block.get("arguments", {})
    if not isinstance(args, dict):
        args = {} if args is None else {"arguments": args}
    content = {
        "toolName": clean(string(block.get("name"))) or "unknown",
        "args": clean.json(args),
    }
    return Part("tool-call", content, call_id=texts.identifier(block.get("id")) or "")


def model_name(message: dict[str, Any], clean: Cleaner) -> str | None:
    """The model that answered, as it may be kept: where a router was asked, the one that it chose."""
    return short_name(message.get("responseModel"), clean) or short_name(message.get("model"), clean)


def short_name(value: object, clean: Cleaner) -> str | None:
    """A model's or a provider's name as it may be kept."""
    short = texts.name(value)
    return None if short is None else texts.one_line(clean(short)) or None


def string(value: object) -> str:
    return value if isinstance(value, str) else ""
