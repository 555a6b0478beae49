"""A dashboard of two sessions, `verify` that reports on it, and what may befall a row."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pi_opensync.address import state_folder
from pi_opensync.cli import verify
from pi_opensync.errors import PartlyDone
from tests.harness import session_id
from tests.machine.daemon import Commands, DaemonWorld
from tests.read.settled import put, talk
from tests.standin.rows import Message

A = "a.jsonl"
ID = session_id("a")
TEXTS = ("one one one", "two two two", "three three", "four four four")
Report = dict[str, Any]
Ask = Callable[..., Report]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DaemonWorld]:
    with DaemonWorld(tmp_path / "world", monkeypatch) as made:
        put(made, A, *talk("a", *TEXTS))
        put(made, "b.jsonl", *talk("b", "uno", "due"))
        made.sync()
        made.clock.move(3600)
        Commands(made, monkeypatch)
        yield made


@pytest.fixture
def ask(world: DaemonWorld, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Runs `verify --json`; its report, held against its exit code."""

    def run(*, repair: bool = False, session: str | None = None) -> Report:
        capsys.readouterr()
        left = 0
        try:
            verify.run(repair=repair, session=session, as_json=True)
        except PartlyDone as error:
            left = error.exit_code
        report: Report = json.loads(capsys.readouterr().out)
        assert report["schema"] == 1
        assert left == (8 if report["differences"] else 0)
        assert world.side_effects() == {}
        return report

    return run


def message(world: DaemonWorld, number: int = 1) -> Message:
    return [row for row in world.opensync.messages.values() if row.session_external_id == ID][number]


def state_file(world: DaemonWorld) -> Path:
    return state_folder(world.settings.state_dir, world.settings.require_server()[0]) / "state.sqlite3"


def lose(world: DaemonWorld, row: Message) -> None:
    del world.opensync.messages[row.external_id]
    world.opensync.sessions[ID].message_count -= 1


def another(world: DaemonWorld, row: Message, **changes: Any) -> Message:
    """A row like this one under an id of its own."""
    values = {**vars(row), "id": "m" + "f" * 31, "external_id": f"{ID}-other", **changes}
    made = Message(**values)
    world.opensync.messages[made.external_id] = made
    world.opensync.sessions[ID].message_count += 1
    return made
