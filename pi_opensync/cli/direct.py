"""Commands that run without typer where their options are plain: asked for often, or running for months.

typer takes 100 ms and 20 MB. Whatever is not plain here is left to it: help, errors, completion.
"""

import gc
import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

# By name, what an option sets: a keyword of the command's `run`, and its value or, where one follows, which.
Options = Mapping[str, tuple[str, Any]]
_JSON: Options = {"--json": ("as_json", True)}
_DEBUG: Options = {"--debug": ("debug", True), "--log-format": ("log_format", ("auto", "text", "json"))}
COMMANDS: Mapping[str, Options] = {
    "status": _JSON,
    "list": {
        "--unsynced": ("unsynced", True),
        "--excluded": ("excluded", True),
        "--set-aside": ("parked", True),
        "--parked": ("parked", True),
        **_JSON,
    },
    "usage": {
        "PERIOD": ("period", ("daily", "weekly", "monthly", "session", "statusline")),
        "--since": ("since", str),
        "--until": ("until", str),
        "--project": ("project", str),
        "--model": ("model", str),
        "--by": ("by", ("project", "model", "provider")),
        "--audit": ("audit", True),
        **_JSON,
    },
    "watch": {
        "--backfill": ("backfill", True),
        "--once": ("once", True),
        "--local": ("local", True),
        "--port": ("port", int),
        "--open": ("open_page", True),
        "--demo": ("demo", True),
        "--link": ("link", True),
        "--no-link": ("link", False),
        **_DEBUG,
    },
}
_PORTS = 65535


class NotPlainError(Exception):
    """A word that typer is to look at."""


def run(words: Sequence[str]) -> bool:
    """Run the command that these words call; False where they are not plain."""
    if not words or words[0] not in COMMANDS or "_PI_OPENSYNC_COMPLETE" in os.environ:
        return False
    try:
        given = understood(words)
    except NotPlainError:
        return False
    body = import_module(f"pi_opensync.cli.{words[0]}").run
    if words[0] == "watch":
        gc.freeze()  # what is loaded stays, and need not be looked at again for months
        gc.enable()
    body(**given)
    return True


def understood(words: Sequence[str]) -> dict[str, Any]:
    """What the words after a command's name say, by keyword. Raises `NotPlainError`."""
    options, rest = COMMANDS[words[0]], iter(words[1:])
    given: dict[str, Any] = {}
    for word in rest:
        if word.startswith("--") and word in options:
            keyword, value = options[word]
            given[keyword] = value if isinstance(value, bool) else _value(value, next(rest, ""))
        elif "PERIOD" in options and "period" not in given:
            given["period"] = _value(options["PERIOD"][1], word)
        else:
            raise NotPlainError(word)
    return given


def _value(wanted: Any, word: str) -> Any:
    if wanted is int:
        if word.isascii() and word.isdigit() and int(word) <= _PORTS:
            return int(word)
    elif word and not word.startswith("-") and (wanted is str or word in wanted):
        return word
    raise NotPlainError(word)
