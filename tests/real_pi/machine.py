"""A machine with pi and the daemon on it, for tests that hold the dashboard against what pi wrote."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cli, new_key, wait_until
from tests.real_pi.home import agent_dir
from tests.real_pi.process import Installed, RealPi, print_mode
from tests.standin.backend import OpenSync
from tests.standin.rows import Session
from tests.standin.server import running

REST = 60.0  # seconds until a session that rests was sent as it is; about 10 where nothing else runs

Entry = dict[str, Any]


def entries(transcript: Path) -> list[Entry]:
    return [json.loads(line) for line in transcript.read_bytes().splitlines()]


@dataclass
class Machine:
    """A home that pi and the daemon share: pi writes to its default folder, and is looked for there."""

    cli: Cli
    home: Path
    project: Path
    model_url: str

    def pi(
        self,
        version: Installed,
        *,
        extensions: Sequence[Path] = (),
        arguments: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
    ) -> RealPi:
        return RealPi(
            version,
            self.home,
            self.project,
            self.model_url,
            extensions=extensions,
            arguments=arguments,
            variables=variables,
        )

    def say_once(
        self,
        version: Installed,
        text: str,
        *,
        continue_last: bool = False,
        project: Path | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        print_mode(
            version,
            self.home,
            project or self.project,
            self.model_url,
            text,
            continue_last=continue_last,
            arguments=arguments,
        )

    @property
    def sessions(self) -> Path:
        return agent_dir(self.home) / "sessions"

    def transcripts(self) -> list[Path]:
        """Every file that is a session or pretends to be one."""
        return sorted(self.sessions.rglob("*.jsonl"))

    def of_session(self, session: str) -> list[Path]:
        return [path for path in self.transcripts() if entries(path)[0].get("id") == session]

    def paid(self, session: str | None = None) -> float:
        """US dollars that the requests of a session, or of all, cost: each once, in any number of files."""
        files = self.transcripts() if session is None else self.of_session(session)
        costs: dict[str, float] = {}
        for path in files:
            for entry in entries(path):
                message = entry.get("message", entry)
                if "usage" in message and message.get("role") != "toolResult" and "type" in entry:
                    costs[entry["id"]] = message["usage"]["cost"]["total"]
        return sum(costs.values())

    def in_one_go(self) -> dict[str, Any]:
        """What `sync`, with nothing known yet, puts on an empty dashboard of these transcripts."""
        with self.synced_anew() as (opensync, _variables):
            return opensync.snapshot()

    @contextmanager
    def synced_anew(self) -> Iterator[tuple[OpenSync, dict[str, str]]]:
        """An empty dashboard and an empty state after `sync`, and what a command is told of both."""
        opensync = OpenSync(now=time.time, key=new_key())
        self.cli.keys.append(opensync.key)
        with running(opensync) as server:
            variables = {
                "PI_OPENSYNC_CONVEX_URL": server.url,
                "PI_OPENSYNC_API_KEY": opensync.key,
                "PI_OPENSYNC_STATE_DIR": str(self.home / f"state-{server.url.rpartition(':')[2]}"),
            }
            done = self.cli("sync", "--yes", **variables)
            assert done.code == 0, done.err
            yield opensync, variables

    def wait_until_equal(self, opensync: OpenSync) -> None:
        """Until the dashboard shows what one run from nothing makes of the files, and finds it by its words.

        Sessions that rest are sent last, and the search of one that got another title comes after that.
        """
        wanted = self.in_one_go()
        try:
            wait_until(lambda: opensync.snapshot() == wanted, "the sessions as they are", REST)
        except AssertionError:
            assert opensync.snapshot() == wanted  # pytest shows the difference
            raise
        wait_until(lambda: self.differences() == [], "nothing that verify finds", REST)

    def differences(self) -> list[Any]:
        """What `verify` finds between the dashboard and the transcripts."""
        done = self.cli("verify", "--json")
        report = json.loads(done.out)
        assert done.code == (8 if report["differences"] else 0), done.err
        found: list[Any] = report["found"]
        return found


def texts(opensync: OpenSync, session: str | None = None) -> list[str]:
    """What a session's messages say, or those of all, oldest first."""
    rows = sorted(opensync.messages.values(), key=lambda row: row.created_at)
    return [row.text_content or "" for row in rows if session in (None, row.session_external_id)]


def wait_for_texts(opensync: OpenSync, *beginnings: str) -> None:
    def missing() -> list[str]:
        said = texts(opensync)
        return [text for text in beginnings if not any(text in one for one in said)]

    wait_until(lambda: not missing(), f"{beginnings} on the server", REST)


def child_sessions(opensync: OpenSync, kind: str, parent: str) -> list[Session]:
    start = f"[{kind}::{parent[:8]}] "
    return [row for row in opensync.sessions.values() if (row.title or "").startswith(start)]


def whole_cost(opensync: OpenSync) -> float:
    return sum(row.cost for row in opensync.sessions.values())


def same_money(amount: float) -> Any:
    return pytest.approx(amount, abs=1e-9)
