"""A tool's call as it is drawn: its arguments, each as what it is, and what it changes in files."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from markupsafe import Markup

from pi_opensync.dashboard.parts import ToolCall
from pi_opensync.dashboard.show.diffs import Diff, between, numbered
from pi_opensync.dashboard.show.render import block
from pi_opensync.dashboard.show.visible import visible

MAX_SHOWN = 12_000
MAX_INLINE = 120
_MAX_ARGS = 40
_MAX_HINT = 160
_PAIR = 2
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
_CONTENT_KEYS = ("content", "contents", "text", "code")
_EDITORS = frozenset(("edit", "write", "multiedit", "apply_patch", "patch", "create", "str_replace"))


@dataclass(frozen=True, slots=True)
class DrawnCall:
    """`added` and `removed` count lines, None where no file is changed; `is_cut` if not all is shown."""

    html: Markup
    is_cut: bool
    is_edit: bool
    added: int | None = None
    removed: int | None = None


def drawn(call: ToolCall, diff: str | None) -> DrawnCall:
    """Draw a call; `diff` is what pi noted of the change that it made, with line numbers."""
    noted = numbered(diff[:MAX_SHOWN]) if diff else None
    changes = [noted] if noted else list(_changes(call.args))
    html, is_cut = _args(call.args, noted)
    is_edit = bool(changes) or call.name.lower() in _EDITORS
    if not changes:
        return DrawnCall(html, is_cut, is_edit)
    return DrawnCall(
        html,
        is_cut or bool(diff and len(diff) > MAX_SHOWN),
        is_edit,
        sum(change.added for change in changes),
        sum(change.removed for change in changes),
    )


def hint(call: ToolCall) -> str:
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


def _changes(args: Any) -> Iterator[Diff]:
    if not isinstance(args, dict):
        return
    if all(_changed_keys(args)):
        yield _change(args)
    for value in args.values():
        if _is_changes(value):
            yield from map(_change, value)


def _args(args: Any, noted: Diff | None) -> tuple[Markup, bool]:
    """Return the arguments, each as a command, a change, a file, a value; and whether they are cut."""
    if args is None:
        return (noted.drawn() if noted else Markup()), False
    if not isinstance(args, dict):
        text = args if isinstance(args, str) else _json(args)
        return block(text[:MAX_SHOWN]), len(text) > MAX_SHOWN
    path = next((args[key] for key in _PATH_KEYS if isinstance(args.get(key), str)), "")
    old_key, new_key = _changed_keys(args)
    pieces: list[Markup] = []
    is_cut = len(args) > _MAX_ARGS
    for key, value in list(args.items())[:_MAX_ARGS]:
        is_change = _is_changes(value) or (key in (old_key, new_key) and old_key and new_key)
        if is_change and noted:
            continue
        if key == new_key and old_key:
            continue
        if key == old_key and new_key:
            pieces.append(_row("change", _change(args).drawn()))
            is_cut = is_cut or max(len(args[old_key]), len(args[new_key])) > MAX_SHOWN
            continue
        if is_change:
            pieces.append(_row(key, Markup().join(_change(item).drawn() for item in value)))
            continue
        text, language = _text(key, value, path)
        is_cut = is_cut or len(text) > MAX_SHOWN
        pieces.append(_arg(key, text[:MAX_SHOWN], language))
    if noted:
        pieces.append(_row("change", noted.drawn()))
    return Markup('<dl class="args">{}</dl>').format(Markup().join(pieces)), is_cut


def _text(key: str, value: Any, path: str) -> tuple[str, str]:
    if value is None or isinstance(value, (bool, int, float)):
        return json.dumps(value), ""
    if not isinstance(value, str):
        return _json(value), "json"
    if key in _COMMAND_KEYS:
        return value, "bash"
    if key in _CONTENT_KEYS and path:
        return value.removesuffix("\n"), PurePosixPath(path.replace("\\", "/")).suffix.lstrip(".")[:12]
    return value, ""


def _arg(key: str, text: str, language: str) -> Markup:
    if language or "\n" in text or len(text) > MAX_INLINE:
        return _row(key, block(text, language))
    return _row(key, Markup("<code>{}</code>").format(visible(text)))


def _row(key: str, value: Markup) -> Markup:
    return Markup("<dt>{}</dt><dd>{}</dd>").format(visible(key)[:MAX_INLINE], value)


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


def _change(args: dict[str, Any]) -> Diff:
    old, new = (args[key] for key in _changed_keys(args))
    return between(old[:MAX_SHOWN], new[:MAX_SHOWN])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
