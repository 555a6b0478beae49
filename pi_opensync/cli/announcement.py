"""What is said before anything is uploaded: how many sessions, of which projects; who may read the key."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TextIO

from pi_opensync import configuration, logbook
from pi_opensync.cli import terminal
from pi_opensync.opensync.payloads import project_name
from pi_opensync.privacy.cleaner import Cleaner
from pi_opensync.read.select import Chosen
from pi_opensync.texts import counted, shown

NAMED = 8  # projects that are named


def warn_of_an_open_file() -> None:
    """The plugin's own file is used as it is, and not in silence where others may read its key."""
    path = configuration.open_plugin_file(os.environ)
    if path is not None:
        logbook.get().warning("others may read the key in the plugin's file", hint=f"chmod 600 {path}")


def announce(chosen: Sequence[Chosen], base_url: str, out: TextIO, clean: Cleaner) -> int:
    """Say what is about to be uploaded; returns how many sessions it is."""
    sessions = [item for item in chosen if item.header is not None]
    terminal.say(announcement(sessions, base_url, clean) if sessions else "No sessions to send.", out=out)
    return len(sessions)


def announcement(sessions: Sequence[Chosen], base_url: str, clean: Cleaner) -> str:
    headers = [item.header for item in sessions if item.header is not None]
    projects = sorted({project_shown(header.cwd, clean) for header in headers if header.cwd})
    begun = [header.timestamp for header in headers if header.timestamp]
    named = ", ".join([shown(name) for name in projects[:NAMED]] + ["..."] * (len(projects) > NAMED))
    oldest = f" since {datetime.fromtimestamp(min(begun) / 1000, UTC):%Y-%m-%d}" if begun else ""
    return (
        f"{counted(len(sessions), 'session')}{oldest}, of {counted(len(projects), 'project')} "
        f"({named or '-'}), to {base_url}"
    )


def project_shown(folder: str, clean: Cleaner) -> str:
    """The name of a project, with what is secret in it redacted."""
    return project_name(clean.or_withheld(folder))
