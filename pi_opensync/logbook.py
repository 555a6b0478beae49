"""Log lines on stderr: for a person on a terminal and in the journal, JSON elsewhere.

Never content, never the key.
"""

import logging
import os
import sys
from collections.abc import Mapping
from typing import Any, Literal, TextIO, cast

from pi_opensync.lean import without
from pi_opensync.texts import wants_colours

with without("greenlet", "pygments", "rich"):
    import structlog
    from structlog.typing import EventDict, Processor

LogFormat = Literal["auto", "text", "json"]
_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}


def configure(chosen: LogFormat = "auto", *, debug: bool = False, stream: TextIO | None = None) -> None:
    out = sys.stderr if stream is None else stream
    in_journal = chosen != "json" and is_journal(os.environ, out)
    as_json = not in_journal and (chosen == "json" or (chosen == "auto" and not out.isatty()))
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            *(_json() if as_json else _for_the_journal() if in_journal else _for_people(out)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if debug else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(out if stream is not None else cast("TextIO", _Stderr())),
        cache_logger_on_first_use=False,
    )


def is_journal(environment: Mapping[str, str], out: TextIO) -> bool:
    """Whether what is written there goes to systemd's journal (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        status = os.fstat(out.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return environment.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


class _Stderr:
    """The stderr of the moment: a progress bar puts itself before the real one."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def _json() -> list[Processor]:
    return [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=True),
    ]


def _for_people(out: TextIO) -> list[Processor]:
    on_terminal = out.isatty()
    stamp = "%H:%M:%S" if on_terminal else "%Y-%m-%d %H:%M:%S"
    return [
        structlog.processors.TimeStamper(fmt=stamp, utc=False),
        _console(colors=wants_colours(os.environ, on_terminal=on_terminal)),
    ]


def _for_the_journal() -> list[Processor]:
    """It knows the time itself, and reads a line's priority from its beginning (sd-daemon(3))."""
    console = _console(colors=False)

    def render(logger: Any, method: str, event: EventDict) -> str:
        priority = _PRIORITIES.get(event.pop("level"), 6)
        return "\n".join(f"<{priority}>{line}" for line in str(console(logger, method, event)).split("\n"))

    return [render]


def _console(*, colors: bool) -> Processor:
    return structlog.dev.ConsoleRenderer(
        colors=colors, pad_event_to=0, pad_level=False, exception_formatter=_no_locals
    )


def get() -> structlog.typing.FilteringBoundLogger:
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger


_no_locals = structlog.dev.plain_traceback  # rich tracebacks print local variables, and so a key
