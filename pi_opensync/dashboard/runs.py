"""What the tools in a message did: which ran, which failed, which files they touched."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntFlag

from pi_opensync.dashboard.parts import StoredPart, ToolCall, call_of, duration_of, is_error, text_of

MAX_PATH = 1024  # characters
_PATH_KEYS = ("path", "file_path", "filePath", "filename")
_READING = ("read", "view", "open", "cat")
_WRITING = ("write", "edit", "create", "replace", "patch", "multiedit", "insert")


@dataclass(frozen=True, slots=True)
class Run:
    """One call of a tool; `failed` is None where no result came back, `duration_ms` where none is told."""

    call: ToolCall
    failed: bool | None
    duration_ms: int | None = None


class Touch(IntFlag):
    """What was done to a file."""

    READ = 1
    WRITTEN = 2


def runs_in(parts: Sequence[StoredPart]) -> Iterator[Run]:
    """Each call with its result. One result after several calls is the last one's; several are in order."""
    index = 0
    while index < len(parts):
        calls = _stretch(parts, index, "tool-call")
        if not calls:
            index += 1
            continue
        results = _stretch(parts, index + len(calls), "tool-result")
        unanswered = len(calls) - 1 if len(results) == 1 else 0
        for place, part in enumerate(calls):
            call = call_of(part.content)
            answer = place - unanswered
            if 0 <= answer < len(results):
                result = results[answer].content
                yield Run(call, is_error(text_of(result), result), duration_of(result))
            else:
                given = call.result
                yield Run(call, None if given is None else is_error(text_of(given), given))
        index += len(calls) + len(results)


def files_touched(runs: Sequence[Run]) -> dict[str, Touch]:
    """Return the paths that reading and writing tools were given, NFC and with slashes."""
    found: dict[str, Touch] = {}
    for run in runs:
        touch = _touch(run.call.name)
        if touch is None or run.failed or not isinstance(run.call.args, dict):
            continue
        for key in _PATH_KEYS:
            path = run.call.args.get(key)
            if isinstance(path, str) and path.strip() and "\n" not in path:
                name = unicodedata.normalize("NFC", path.strip().replace("\\", "/"))[:MAX_PATH]
                found[name] = found.get(name, touch) | touch
    return found


def _touch(tool: str) -> Touch | None:
    name = tool.lower()
    if any(word in name for word in _WRITING):
        return Touch.WRITTEN
    return Touch.READ if any(word in name for word in _READING) else None


def _stretch(parts: Sequence[StoredPart], start: int, kind: str) -> Sequence[StoredPart]:
    end = start
    while end < len(parts) and parts[end].kind == kind:
        end += 1
    return parts[start:end]
