"""Messages as the page draws them: text, thinking, and tool calls together with their results."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from markupsafe import Markup

from pi_opensync.dashboard.db.reading import Message
from pi_opensync.dashboard.parts import Part, ToolCall, call_of, is_error, text_of
from pi_opensync.dashboard.show.render import MAX_MARKDOWN, block, markdown, passages, plain
from pi_opensync.dashboard.show.visible import visible
from pi_opensync.sqlite import Row

MAX_SHOWN = 12_000
_MAX_ARGS = 40
_PAIR = 2
_MAX_HINT = 160
_MAX_INLINE = 120
_HINT_KEYS = [
    "command",
    "cmd",
    "path",
    "file_path",
    "filePath",
    "filename",
    "pattern",
    "query",
    "url",
    "description",
    "prompt",
    "title",
    "name",
]
_OLD_KEYS = ("oldText", "old_string", "old_str", "oldString", "old")
_NEW_KEYS = ("newText", "new_string", "new_str", "newString", "new")
_PATH_KEYS = ("path", "file_path", "filePath", "filename")
_COMMAND_KEYS = ("command", "cmd")


@dataclass(frozen=True, slots=True)
class Block:
    """`kind` is text, thinking, call, result or other; `rest` is where all of what was cut can be read."""

    kind: str
    html: Markup
    rest: str | None = None
    name: str = ""
    hint: str = ""
    result: "Block | None" = None
    error: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    message: Row
    blocks: list[Block]

    @property
    def id(self) -> str:
        return str(self.message["id"])


def card_of(message: Message) -> Card:
    base = f"/sessions/{message.row['session_id']}/messages/{message.row['id']}/parts"
    shown = [
        (part, f"{base}/{place if place >= 0 else 'text'}", result)
        for (place, part), result in _paired(message.shown)
    ]
    blocks: list[Block] = []
    for part, address, result in shown:
        if part.kind == "tool-call":
            answer = None if result is None else _result(result[1].content, f"{base}/{result[0]}")
            blocks.append(_call(part, address, answer))
        elif part.kind == "tool-result":
            blocks.append(_result(part.content, address))
        elif part.kind == "text":
            blocks += _text(text_of(part.content), address)
        elif part.kind == "thinking":
            blocks.append(_thinking(text_of(part.content), address))
        else:
            text, rest = _cut(text_of(part.content), MAX_SHOWN, address)
            blocks.append(Block("other", plain(text), rest, name=visible(part.type)))
    return Card(message.row, blocks)


def _paired(
    shown: Sequence[tuple[int, Part]],
) -> list[tuple[tuple[int, Part], tuple[int, Part] | None]]:
    """Each call with its result. One result after several calls is the last one's; several are in order."""
    pairs: list[tuple[tuple[int, Part], tuple[int, Part] | None]] = []
    index = 0
    while index < len(shown):
        calls = _run(shown, index, "tool-call")
        if not calls:
            pairs.append((shown[index], None))
            index += 1
            continue
        results = _run(shown, index + len(calls), "tool-result")
        unanswered = len(calls) - 1 if len(results) == 1 else 0
        for position, call in enumerate(calls):
            place = position - unanswered
            pairs.append((call, results[place] if 0 <= place < len(results) else None))
        pairs += [(result, None) for result in results[len(calls) :]]
        index += len(calls) + len(results)
    return pairs


def _run(shown: Sequence[tuple[int, Part]], start: int, kind: str) -> list[tuple[int, Part]]:
    end = start
    while end < len(shown) and shown[end][1].kind == kind:
        end += 1
    return list(shown[start:end])


def _text(text: str, address: str) -> list[Block]:
    cut, rest = _cut(text, MAX_MARKDOWN, address)
    if rest is not None:
        return [Block("text", plain(cut), rest)]
    return [
        Block("thinking" if passage.thinking else "text", markdown(passage.text))
        for passage in passages(text)
    ]


def _thinking(text: str, address: str) -> Block:
    cut, rest = _cut(text, MAX_MARKDOWN, address)
    return Block("thinking", markdown(cut) if rest is None else plain(cut), rest)


def _result(content: Any, address: str) -> Block:
    text = text_of(content)
    cut, rest = _cut(text, MAX_SHOWN, address)
    return Block("result", plain(cut), rest, error=is_error(text, content))


def _call(part: Part, address: str, result: Block | None) -> Block:
    call = call_of(part.content)
    html, is_cut = _args(call.args)
    if result is None and call.result is not None:
        result = _result(call.result, address)
    return Block(
        "call",
        html,
        address if is_cut else None,
        name=visible(call.name)[:_MAX_INLINE],
        hint=_hint(call),
        result=result,
        error=result is not None and result.error,
    )


def _hint(call: ToolCall) -> str:
    """Return the one argument that tells most, on one line."""
    if isinstance(call.args, str):
        said = call.args
    elif isinstance(call.args, dict):
        values = [call.args.get(key) for key in _HINT_KEYS]
        texts = [
            value for value in [*values, *call.args.values()] if isinstance(value, str) and value.strip()
        ]
        said = texts[0] if texts else ""
    else:
        said = ""
    line = " ".join(visible(said[: 4 * _MAX_HINT]).split())
    return line if len(line) <= _MAX_HINT else line[: _MAX_HINT - 1] + "…"


def _args(args: Any) -> tuple[Markup, bool]:
    """Return a call's arguments, each as what it is: a command, a change, a file, a short value, JSON."""
    if args is None:
        return Markup(), False
    if not isinstance(args, dict):
        text = args if isinstance(args, str) else _json(args)
        return block(text[:MAX_SHOWN]), len(text) > MAX_SHOWN
    path = next((args[key] for key in _PATH_KEYS if isinstance(args.get(key), str)), "")
    old_key, new_key = _changed_keys(args)
    pieces: list[Markup] = []
    is_cut = len(args) > _MAX_ARGS
    for key, value in list(args.items())[:_MAX_ARGS]:
        if key == new_key and old_key:
            continue
        if key == old_key and new_key:
            key, text, language = "change", _change(args), "diff"  # noqa: PLW2901 - shown as one
        elif value is None or isinstance(value, (bool, int, float)):
            text, language = json.dumps(value), ""
        elif _is_changes(value):
            text, language = "\n@@\n".join(map(_change, value)), "diff"
        else:
            text = value if isinstance(value, str) else _json(value)
            language = _language(key, path, is_text=isinstance(value, str))
        is_cut = is_cut or len(text) > MAX_SHOWN
        pieces.append(_arg(key, text[:MAX_SHOWN], language))
    return Markup('<dl class="args">{}</dl>').format(Markup().join(pieces)), is_cut


def _arg(key: str, text: str, language: str) -> Markup:
    if language or "\n" in text or len(text) > _MAX_INLINE:
        value = block(text, language)
    else:
        value = Markup("<code>{}</code>").format(visible(text))
    return Markup("<dt>{}</dt><dd>{}</dd>").format(visible(key)[:_MAX_INLINE], value)


def _language(key: str, path: str, *, is_text: bool) -> str:
    if not is_text:
        return "json"
    if key in _COMMAND_KEYS:
        return "bash"
    if key in ("content", "contents", "text", "code") and path:
        return PurePosixPath(path.replace("\\", "/")).suffix.lstrip(".")[:12]
    return ""


def _changed_keys(args: dict[str, Any]) -> tuple[str, str]:
    """Return the names of the text before and of the text after; an empty one where there is none."""
    old = next((key for key in _OLD_KEYS if isinstance(args.get(key), str)), "")
    return old, next((key for key in _NEW_KEYS if isinstance(args.get(key), str)), "")


def _is_changes(value: Any) -> bool:
    """Whether a value is a list of changes and no more, as `edits` of pi's edit tool."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and all(_changed_keys(item)) and len(item) == _PAIR for item in value)
    )


def _change(args: dict[str, Any]) -> str:
    old, new = (args[key] for key in _changed_keys(args))
    removed = [f"-{line}" for line in old[:MAX_SHOWN].split("\n")] if old else []
    added = [f"+{line}" for line in new[:MAX_SHOWN].split("\n")] if new else []
    return "\n".join(removed + added)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _cut(text: str, limit: int, address: str) -> tuple[str, str | None]:
    return (text, None) if len(text) <= limit else (text[:limit], address)
