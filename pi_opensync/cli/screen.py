"""The text of `status`: a screenful, from what `status --json` holds. Pure."""

import time
from collections.abc import Iterator
from typing import Any

from pi_opensync import __version__, texts
from pi_opensync.cli.terminal import wrapped
from pi_opensync.daemon.pulse import STILL_AFTER
from pi_opensync.texts import shown

Report = dict[str, Any]
OF_BEFORE = "an older version wrote what is known of them; `watch` or `sync` goes on with it"
REASONS = 3  # of exclusions; `list --excluded` has them all

LABEL = 10  # signs before what is said
NO_DASHBOARD = (
    "none yet: `pi-opensync start` shows your own, on this machine; `pi-opensync login` is for OpenSync's"
)


def screen(report: Report, now: float, width: int | None = None, home: str = "") -> list[str]:
    """The lines; `width` of the terminal in signs, None for any; what is in `home` is shown from `~` on."""
    said = [
        *_about_all(report, home),
        *(line for place in report["places"] for line in _place(place, now)),
    ]
    lines = [f"pi-opensync {report['version']}"]
    for label, text in said:
        lines += wrapped(f"{label:{LABEL - 1}} {text}".rstrip(), width, LABEL)
    return lines


def age(seconds: float) -> str:
    seconds = max(seconds, 0.0)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _about_all(report: Report, home: str) -> Iterator[tuple[str, str]]:
    for root in report["roots"]:
        yield (
            "reads",
            f"{shown(_from_home(root['path'], home))}{'' if root['exists'] else '  (does not exist)'}",
        )
    for root in report.get("roots_refused", ()):
        yield "", f"{shown(root['path'])} is not followed: {shown(root['reason'])}"
    for name, meant in report["unknown_settings"].items():
        yield "setting", f"{shown(name)} does not exist" + (f"; did you mean {meant}?" if meant else "")
    if report["paused"]:
        until = report["paused"]["until"]
        end = "until `pi-opensync resume`" if until is None else f"until {_moment(until)}"
        yield "paused", f"by you, {end}"
    for each in report.get("budgets", ()):
        passed = ": it is passed" if each["is_passed"] else ""
        yield "budget", f"${each['spent']:,.2f} {each['time']}, of ${each['limit']:,.2f}{passed}"
    if not report["places"]:
        yield "dashboard", NO_DASHBOARD


def _from_home(path: str, home: str) -> str:
    below = path.removeprefix(home.rstrip("/") + "/")
    return f"~/{below}" if home and below != path else path


def _place(place: Report, now: float) -> Iterator[tuple[str, str]]:
    yield "", ""
    yield place["name"], _address(place)
    if not place.get("has_key", True):
        yield "key", "none; `pi-opensync login` asks for it"
    yield "running", _running(place, now)
    trouble = (place["pulse"] or {}).get("trouble")
    if trouble:
        yield "trouble", f"the state can not be written: {trouble}"
    if place.get("is_of_before"):
        yield "sessions", OF_BEFORE
    elif place["state"] is None:
        yield "sessions", "nothing has been read yet"
    else:
        yield from _state(place["state"], place["pause"], now)


def _address(place: Report) -> str:
    if place["dashboard"]:
        return f"{place['dashboard']['url']}; `pi-opensync serve --open` opens it"
    return place["url"] or "on this machine, not served now; `pi-opensync serve --open` shows it"


def _running(place: Report, now: float) -> str:
    running, pulse = place["running"], place["pulse"]
    if running is None:
        return f"no; `pi-opensync {'watch --local' if place['is_own'] else 'watch'}` keeps it up to date"
    line = f"{running['command']}, process {running['pid']}, for {age(now - running['since'])}"
    if pulse is not None and now - pulse["at"] >= STILL_AFTER:
        line += f"; NO SIGN OF LIFE for {age(now - pulse['at'])}"
    elif pulse is not None:
        line += f"; {_up_to_date(place['state'])}looked {age(now - pulse['at'])} ago"
        line += "" if pulse["watching"] == "events" else ", without events of the file system"
    if pulse is not None:
        line += f"; {texts.size(pulse['memory'])} of memory"
    if running["version"] != __version__:
        line += f"; still version {running['version']}: restart it"
    return line


def _up_to_date(state: Report | None) -> str:
    numbers = ("sessions_waiting", "messages_waiting", "bytes_behind")
    return "up to date, " if state is not None and not any(state[name] for name in numbers) else ""


def _state(state: Report, pause: Report | None, now: float) -> Iterator[tuple[str, str]]:
    yield "sessions", _counts(state, "sessions")
    yield "messages", _counts(state, "messages")
    if state["bytes_behind"]:
        yield "unread", f"{texts.size(state['bytes_behind'])} of pi's files"
    notes = (
        ("messages_by_others", "messages were there already, sent by pi-opensync-plugin"),
        ("messages_dropped", "messages were dropped by you"),
        ("transcripts_left_alone", "sessions from before the first start; `pi-opensync sync` sends them"),
        ("sessions_excluded", "sessions stay on this machine; `pi-opensync list --excluded` says why"),
        ("transcripts_unreadable", "files can not be read; `pi-opensync doctor` says why"),
        ("transcripts_odd", "files hold no session of pi's"),
        ("broken_lines", "lines hold no entry of pi's"),
    )
    for name, what in notes:
        if state[name]:
            yield "", f"{state[name]:,} {what}"
        if name == "sessions_excluded":
            yield from (("", f"  {shown(reason)}") for reason in state.get("excluded_because", ())[:REASONS])
        if name == "transcripts_odd":
            yield from (("", f"  {shown(path)}") for path in state.get("files_odd", ())[:REASONS])
    for kind, count in state["unknown_types"].items():
        yield "", f"{count:,} entries of a type that is not known: {shown(kind)}"
    if state["messages_parked"] or state["sessions_parked"]:
        yield "", "`pi-opensync queue list` shows what is set aside, and why"
    if pause is not None:
        yield "waiting", f"{pause['reason']}, for {age(now - pause['since'])}"
    last = state["last_success_at"]
    yield "sent", "nothing yet" if last is None else f"last {_ago(last, now)}"
    if state["last_error"]:
        yield "error", f"{_ago(state['last_error_at'], now)}: {state['last_error']}"


def _counts(state: Report, what: str) -> str:
    delivered, waiting, parked = (state[f"{what}_{name}"] for name in ("delivered", "waiting", "parked"))
    return f"{delivered:,} delivered, {waiting:,} waiting, {parked:,} set aside"


def _ago(moment: float | None, now: float) -> str:
    return "never" if moment is None else f"{age(now - moment)} ago"
