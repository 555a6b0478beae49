"""The text of `status`: a screenful, from what `status --json` holds. Pure."""

from typing import Any

from pi_opensync import __version__, texts
from pi_opensync.daemon.pulse import STILL_AFTER
from pi_opensync.texts import shown

Report = dict[str, Any]


def screen(report: Report, now: float) -> list[str]:
    lines = [
        f"pi-opensync {report['version']}",
        f"server    {report['server'] or _no_server(report)}",
        f"running   {_running(report, now)}",
    ]
    if report["dashboard"]:
        lines.append(f"yours     {report['dashboard']['url']}; `pi-opensync serve --open` opens it")
    trouble = (report["pulse"] or {}).get("trouble")
    if trouble:
        lines.append(f"trouble   the state can not be written: {trouble}")
    if report["paused"]:
        until = report["paused"]["until"]
        end = "until `pi-opensync resume`" if until is None else f"for another {age(until - now)}"
        lines.append(f"paused    by you, {end}")
    lines += [
        f"root      {shown(root['path'])}{'' if root['exists'] else '  (does not exist)'}"
        for root in report["roots"]
    ]
    lines += [
        f"          {shown(root['path'])} is not followed: {shown(root['reason'])}"
        for root in report.get("roots_refused", ())
    ]
    state = report["state"]
    return lines + (["Nothing has been read yet."] if state is None else _state(state, report["pause"], now))


def age(seconds: float) -> str:
    seconds = max(seconds, 0.0)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _no_server(report: Report) -> str:
    return "your own" if report["dashboard"] or report["state"] else "none: run `pi-opensync login`"


def _running(report: Report, now: float) -> str:
    running, pulse = report["running"], report["pulse"]
    if running is None:
        return "no"
    line = f"{running['command']}, process {running['pid']}, for {age(now - running['since'])}"
    if pulse is not None:
        moving = "moving" if now - pulse["at"] < STILL_AFTER else "NOT MOVING"
        line += f"; {moving}, looked {age(now - pulse['at'])} ago, by {pulse['watching']}"
        line += f"; {texts.size(pulse['memory'])}"
    if running["version"] != __version__:
        line += f"; still version {running['version']}: restart it"
    return line


def _state(state: Report, pause: Report | None, now: float) -> list[str]:
    lines = [
        _counts(state, "sessions"),
        _counts(state, "messages"),
        f"behind    {texts.size(state['bytes_behind'])}",
    ]
    notes = (
        ("messages_by_others", "messages were there already, sent by pi-opensync-plugin"),
        ("messages_dropped", "messages were dropped by you"),
        ("transcripts_left_alone", "transcripts stay until they change; `pi-opensync sync` takes them"),
        ("sessions_excluded", "transcripts are excluded"),
        ("transcripts_unreadable", "transcripts can not be read"),
        ("transcripts_without_session", "files hold no session of pi's"),
    )
    lines += [f"          {state[name]} {what}" for name, what in notes if state[name]]
    if pause is not None:
        lines.append(f"waiting   {pause['reason']}, for {age(now - pause['since'])}")
    lines.append(f"success   {_ago(state['last_success_at'], now)}")
    if state["last_error"]:
        lines.append(f"error     {_ago(state['last_error_at'], now)}: {state['last_error']}")
    if state["messages_parked"] or state["sessions_parked"]:
        lines.append("          `pi-opensync queue list` shows what is parked")
    if state["broken_lines"]:
        lines.append(f"broken    {state['broken_lines']} lines that hold no entry of pi's")
    return lines + [f"unknown   {shown(kind)}: {count}" for kind, count in state["unknown_types"].items()]


def _counts(state: Report, what: str) -> str:
    delivered, waiting, parked = (state[f"{what}_{name}"] for name in ("delivered", "waiting", "parked"))
    return f"{what}  {delivered} delivered, {waiting} waiting, {parked} parked"


def _ago(moment: float | None, now: float) -> str:
    return "never" if moment is None else f"{age(now - moment)} ago"
