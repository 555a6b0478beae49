"""What one entry looks like on the dashboard, a function for each kind of entry.

Pure: the options and the way a string is cleaned come in, a message goes out.
"""

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from pi_opensync import texts
from pi_opensync.pi.entries import Entry, milliseconds
from pi_opensync.privacy.cleaner import Cleaner

Role = Literal["user", "assistant", "system", "tool"]


class Part(msgspec.Struct, frozen=True, array_like=True):
    """One drawn piece of a message. `content` is a string, or `{toolName, args}` of a tool-call.

    `call_id` is set on tool-calls; `answered` once the result stands behind the call.
    """

    type: Literal["text", "tool-call", "tool-result"]
    content: Any
    call_id: str | None = None
    answered: bool = False


class Content(msgspec.Struct, frozen=True):
    """What an entry shows, before it has an id: the fold gives that."""

    role: Role
    text: str
    parts: tuple[Part, ...]
    model: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    duration_ms: int | None = None
    extras: dict[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What of a session is shown; both off by default."""

    sync_tool_calls: bool = False
    sync_thinking: bool = False
    extras: bool = False  # what pi-opensync's own server shows beyond OpenSync: cost and cache of a turn


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and US dollars of one request to a model, as pi counted them."""

    prompt: int = 0
    completion: int = 0
    cost: float = 0.0
    cache_read: int = 0
    cache_write: int = 0


def usage_of(value: object) -> Usage | None:
    """Pi's `usage`, or None. The prompt is what was sent, cached or not."""
    if not isinstance(value, dict):
        return None
    cost = value.get("cost")
    return Usage(
        prompt=sum(_count(value.get(name)) for name in ("input", "cacheRead", "cacheWrite")),
        completion=_count(value.get("output")),
        cost=_dollars(cost.get("total")) if isinstance(cost, dict) else 0.0,
        cache_read=_count(value.get("cacheRead")),
        cache_write=_count(value.get("cacheWrite")),
    )


def content_of(entry: Entry, options: Options, clean: Cleaner) -> Content | None:
    """What the entry shows, or None where there is nothing to show. Tool results: see `result_text`."""
    if entry.type == "message":
        message = entry.body.get("message")
        return _message(message, entry, options, clean) if isinstance(message, dict) else None
    if entry.type == "custom_message":
        return _custom(entry.body, clean)
    if entry.type in SUMMARIES:
        return _summary(entry, clean)
    return None


def _message(message: dict[str, Any], entry: Entry, options: Options, clean: Cleaner) -> Content | None:
    role = message.get("role")
    if role == "user":
        return _text_content("user", blocks_text(message.get("content"), clean))
    if role == "assistant":
        return _assistant(message, entry, options, clean)
    if role == "bashExecution":
        return _bash(message, clean) if options.sync_tool_calls else None
    if role in ("custom", "hookMessage"):
        return _custom(message, clean)
    return None


def blocks_text(content: object, clean: Cleaner) -> str:
    """Text blocks and image lines one below the other; a plain string is its own text."""
    if isinstance(content, str):
        return clean(content)
    shown: list[str] = []
    for block in content if isinstance(content, list) else ():
        if not isinstance(block, dict):
            continue
        if block.get("type") == "text" and isinstance(block.get("text"), str):
            shown.append(clean(block["text"]))
        elif block.get("type") == "image":
            shown.append(clean(texts.image(block.get("mimeType"), block.get("data"))))
    return "\n".join(text for text in shown if text)


def result_text(message: dict[str, Any], clean: Cleaner) -> str:
    text = blocks_text(message.get("content"), clean)
    return f"[error] {text}" if message.get("isError") is True else text


def orphan_result(text: str) -> Content | None:
    """A tool's result that no call asked for, as a message of its own."""
    return Content("tool", text, (Part("tool-result", text),)) if text else None


def answer(content_parts: tuple[Part, ...], call_id: str, text: str) -> tuple[Part, ...]:
    """The parts with the result behind the latest unanswered call of that id."""
    for index in range(len(content_parts) - 1, -1, -1):
        part = content_parts[index]
        if part.type == "tool-call" and part.call_id == call_id and not part.answered:
            answered = msgspec.structs.replace(part, answered=True)
            result = Part("tool-result", text)
            return (*content_parts[:index], answered, result, *content_parts[index + 1 :])
    return content_parts


def open_calls(parts: tuple[Part, ...]) -> tuple[str, ...]:
    """The ids of the calls that wait for their results."""
    return tuple(part.call_id for part in parts if part.call_id is not None and not part.answered)


SUMMARIES = {"compaction": "[Compaction summary]", "branch_summary": "[Branch summary]"}


def _summary(entry: Entry, clean: Cleaner) -> Content | None:
    summary = entry.body.get("summary")
    if not isinstance(summary, str) or not summary:
        return None
    return _text_content("system", f"{SUMMARIES[entry.type]}\n\n{clean(summary)}")


def _custom(body: dict[str, Any], clean: Cleaner) -> Content | None:
    if body.get("display") is not True:
        return None
    return _text_content("system", blocks_text(body.get("content"), clean))


def _text_content(role: Role, text: str) -> Content | None:
    return Content(role, text, (Part("text", text),)) if text else None


def _bash(message: dict[str, Any], clean: Cleaner) -> Content:
    command = clean(_string(message.get("command")))
    output = clean(_string(message.get("output")))
    code = message.get("exitCode")
    if isinstance(code, int) and not isinstance(code, bool) and code != 0:
        output = texts.lines(output, f"[exit code {code}]")
    call = Part("tool-call", {"toolName": "bash", "args": {"command": command}}, answered=True)
    return Content("tool", f"$ {command}\n{output}", (call, Part("tool-result", output)))


def _assistant(message: dict[str, Any], entry: Entry, options: Options, clean: Cleaner) -> Content | None:
    blocks = message.get("content")
    if isinstance(blocks, str):
        blocks = [{"type": "text", "text": blocks}]
    parts: list[Part] = []
    shown: list[str] = []
    run: list[str] = []
    for block in blocks if isinstance(blocks, list) else ():
        if not isinstance(block, dict):
            continue
        text = _shown_text(block, options, clean)
        if text:
            run.append(text)
        elif block.get("type") == "toolCall" and options.sync_tool_calls:
            _close_run(run, shown, parts)
            parts.append(_call(block, clean))
    ending = _ending(message, clean)
    if ending:
        run.append(ending)
    _close_run(run, shown, parts)
    if not parts:
        return None
    usage = usage_of(message.get("usage"))
    started = milliseconds(message.get("timestamp"))
    duration = entry.timestamp - started if entry.timestamp is not None and started is not None else None
    return Content(
        "assistant",
        "\n".join(shown),
        tuple(parts),
        model=texts.name(message.get("model")),
        prompt_tokens=usage.prompt if usage else None,
        completion_tokens=usage.completion if usage else None,
        duration_ms=duration if duration is not None and duration >= 0 else None,
        extras=_extras(usage) if usage and options.extras else None,
    )


def _extras(usage: Usage) -> dict[str, float]:
    return {
        "cost": usage.cost,
        "cacheReadTokens": usage.cache_read,
        "cacheWriteTokens": usage.cache_write,
    }


def _shown_text(block: dict[str, Any], options: Options, clean: Cleaner) -> str:
    if block.get("type") == "text":
        return clean(_string(block.get("text")))
    if block.get("type") == "thinking" and options.sync_thinking:
        thinking = clean(_string(block.get("thinking")))
        return f"<thinking>\n{thinking}\n</thinking>" if thinking else ""
    return ""


def _close_run(run: list[str], shown: list[str], parts: list[Part]) -> None:
    if run:
        shown.extend(run)
        parts.append(Part("text", "\n".join(run)))
        run.clear()


def _ending(message: dict[str, Any], clean: Cleaner) -> str:
    reason = message.get("stopReason")
    if reason == "aborted":
        return "[aborted]"
    if reason == "error":
        text = clean(_string(message.get("errorMessage")))
        return f"[error: {text}]" if text else "[error]"
    return ""


def _call(block: dict[str, Any], clean: Cleaner) -> Part:
    args = block.get("arguments", {})
    if not isinstance(args, dict):
        args = {} if args is None else {"arguments": args}
    call_id = block.get("id")
    content = {
        "toolName": clean(_string(block.get("name"))) or "unknown",
        "args": clean.json(args),
    }
    return Part("tool-call", content, call_id=texts.identifier(call_id) or "")


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return round(value) if 0 < value <= texts.MAX_SAFE_INTEGER else 0


def _dollars(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if 0 < value < 1e9 else 0.0  # noqa: PLR2004 - a price beyond a billion is no price
