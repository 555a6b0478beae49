"""`pi-opensync redact`, `exclude`, `pause` and `resume`."""

import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pi_opensync import settings
from pi_opensync.daemon import build as engine
from pi_opensync.errors import ConfigurationError, PiOpensyncError, UsageError
from pi_opensync.privacy import pause as pausing
from pi_opensync.privacy.projects import pattern_for
from pi_opensync.privacy.redact import RULES, RULES_VERSION, OverBudget, Redactor
from pi_opensync.texts import shown

_SPAN = re.compile(r"(\d{1,6})\s*([smhdw])")
LONGEST_PAUSE = 10 * 365 * 86400.0
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def redact_test(file: Path | None) -> None:
    """Count what would be redacted of a file or of stdin, by rule; no value is shown."""
    redactor = engine.redactor(settings.load()) or Redactor()
    try:
        data = sys.stdin.buffer.read() if file is None else file.expanduser().read_bytes()
    except OSError as error:
        raise UsageError(f"{file} can not be read: {error.strerror}") from None
    found: Counter[str] = Counter()
    try:
        found.update(finding.rule for finding in redactor.scan(data.decode("utf-8", "replace"))[1])
    except OverBudget:
        raise PiOpensyncError("too costly to redact; a message of this text would be parked") from None
    for rule, count in sorted(found.items()):
        print(f"{count:6}  {rule}")
    print(f"{sum(found.values()):6}  in all")


def redact_rules() -> None:
    print(f"Rules, version {RULES_VERSION}")
    for rule in RULES:
        print(f"{rule.name:28} {rule.source}")


def exclude_list() -> None:
    chosen = settings.load()
    for name, patterns in (("include", chosen.include), ("exclude", chosen.exclude)):
        for pattern in patterns:
            print(f"{name}  {shown(pattern)}")
    if not chosen.include and not chosen.exclude:
        print("No project is excluded, but for folders that hold a file .no-opensync.")


def exclude_test(path: Path) -> None:
    project = os.path.abspath(path.expanduser())  # noqa: PTH100 - keeps links as they are
    reason = engine.policy(settings.load()).reason(project)
    print(f"{shown(project)}: {'is sent' if reason is None else shown(reason)}")


def exclude_add(text: str) -> None:
    pattern = add_exclusion(text)
    print(
        f"Excluded: {shown(pattern)}. What waits of it is taken back; what was sent stays on the dashboard."
    )


def add_exclusion(text: str) -> str:
    """Write it to the configuration file; returns the pattern that it became.

    Raises `ConfigurationError` where it can match no folder, or the file is not what counts.
    """
    pattern = _meant(text)
    _change_exclude(lambda patterns: patterns if pattern in patterns else [*patterns, pattern])
    return pattern


def exclude_remove(text: str) -> None:
    known = settings.load().exclude
    pattern = text if text in known else _meant(text)
    if pattern not in known:
        raise PiOpensyncError(f"{shown(text)} is not excluded", hint="see `pi-opensync exclude list`")
    _change_exclude(lambda patterns: [kept for kept in patterns if kept != pattern])
    print(f"No longer excluded: {shown(pattern)}")


def _meant(text: str) -> str:
    return pattern_for(text, here=os.getcwd(), home=str(Path.home()))  # noqa: PTH109 - a string


def _change_exclude(change: Callable[[list[str]], list[str]]) -> None:
    variable = settings.ENV_PREFIX + "EXCLUDE"
    if os.environ.get(variable):
        raise ConfigurationError(
            f"{variable} is set, and stands before the configuration file", hint=f"change or unset {variable}"
        )
    path = settings.config_path(os.environ)
    stored = settings.read_file(settings.file_in_use(os.environ))
    stored["exclude"] = change(list(settings.patterns(stored.get("exclude") or [])))
    settings.write_file(path, stored)


def pause(span: str | None) -> None:
    until = None if span is None else time.time() + _seconds(span)
    pausing.pause(settings.load().state_dir, until)
    end = "until `pi-opensync resume`"
    if until is not None:
        end = f"until {datetime.fromtimestamp(until, UTC).astimezone():%Y-%m-%d %H:%M}"
    print(f"Paused {end}. pi's sessions are still read; nothing is sent.")


def resume() -> None:
    print("Resumed." if pausing.resume(settings.load().state_dir) else "It was not paused.")


def _seconds(span: str) -> float:
    match = _SPAN.fullmatch(span.strip().lower())
    if match is None:
        raise UsageError(f"--for {span}: not a span of time", hint="use one such as 30m, 2h or 3d")
    seconds = float(match[1]) * _SECONDS[match[2]]
    if seconds > LONGEST_PAUSE:
        raise UsageError(f"--for {span}: longer than ten years", hint="without --for it lasts until `resume`")
    return seconds
