"""What is said before history is uploaded: how many sessions, of which projects, from when."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TextIO

from pi_opensync.logs import shown
from pi_opensync.opensync.payloads import project_name
from pi_opensync.selection import Chosen

NAMED = 8  # projects that are named


def announce(chosen: Sequence[Chosen], base_url: str, out: TextIO) -> int:
    """Say what is about to be uploaded; returns how many sessions it is."""
    sessions = [item for item in chosen if item.header is not None]
    print(announcement(sessions, base_url) if sessions else "No sessions to send.", file=out)
    return len(sessions)


def announcement(sessions: Sequence[Chosen], base_url: str) -> str:
    headers = [item.header for item in sessions if item.header is not None]
    projects = sorted({project_name(header.cwd) for header in headers if header.cwd})
    begun = [header.timestamp for header in headers if header.timestamp]
    named = ", ".join([shown(name) for name in projects[:NAMED]] + ["..."] * (len(projects) > NAMED))
    oldest = f" since {datetime.fromtimestamp(min(begun) / 1000, UTC):%Y-%m-%d}" if begun else ""
    return (
        f"{_counted(len(sessions), 'session')}{oldest}, of {_counted(len(projects), 'project')} "
        f"({named or '-'}), to {base_url}"
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
