"""Log lines on stderr: for a person on a terminal, JSON elsewhere. Never content, never the key."""

import logging
import sys
from typing import Literal, TextIO

import structlog

LogFormat = Literal["auto", "text", "json"]


def configure(chosen: LogFormat = "auto", *, debug: bool = False, stream: TextIO | None = None) -> None:
    out = sys.stderr if stream is None else stream
    as_json = chosen == "json" or (chosen == "auto" and not out.isatty())
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=True)
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=out.isatty(), pad_event_to=0, exception_formatter=_no_locals
        )
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
            structlog.processors.format_exc_info if as_json else _as_is,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if debug else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )


def get() -> structlog.typing.FilteringBoundLogger:
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger


def shown(text: str) -> str:
    """Text of a transcript or a file name, safe for a terminal: control characters are written out."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def shown_path(path: bytes) -> str:
    return shown(path.decode("utf-8", "backslashreplace"))


def _as_is(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return event


_no_locals = structlog.dev.plain_traceback  # rich tracebacks print local variables, and so a key
