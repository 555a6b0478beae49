"""No command reads an excluded transcript past its header."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pi_opensync.cli import list as listing
from pi_opensync.cli import preview, status, sync, verify, watch
from pi_opensync.errors import PiOpensyncError
from pi_opensync.read.select import Wanted
from tests.harness import session_id
from tests.machine.daemon import Commands, DaemonWorld
from tests.read.settled import put, talk

WORDS = "the-plan-of-the-client"
LONG = 200_000  # characters; far more than a header
STEP = 512  # bytes that are read at a time to find the end of a header


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DaemonWorld]:
    with DaemonWorld(tmp_path / "world", monkeypatch) as made:
        Commands(made, monkeypatch)
        project = tmp_path / "client"
        project.mkdir()
        (project / ".no-opensync").touch()
        put(made, "a.jsonl", *talk("a", WORDS, "x" * LONG, cwd=str(project)))
        put(made, "b.jsonl", *talk("b", "one", "two"))
        yield made


@pytest.mark.parametrize(
    "command",
    [
        lambda: sync.run(Wanted(), dry_run=True, yes=True, log_format="json", debug=None),
        lambda: sync.run(Wanted(session="later"), dry_run=False, yes=True, log_format="json", debug=None),
        lambda: sync.run(Wanted(since=1), dry_run=False, yes=True, log_format="json", debug=None),
        lambda: watch.run(backfill=True, once=True, log_format="json", debug=None),
        lambda: listing.run(unsynced=False, excluded=False, parked=False, as_json=False),
        lambda: preview.run(session_id("a"), as_json=True),
        lambda: preview.run("later", as_json=True),
        lambda: verify.run(repair=True, session=None, as_json=True),
        lambda: status.run(as_json=True),
    ],
    ids=[
        "dry run",
        "one session",
        "since",
        "watch",
        "list",
        "preview",
        "preview another",
        "verify",
        "status",
    ],
)
def test_it_reads_no_more_than_the_header(
    world: DaemonWorld,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: Callable[[], None],
) -> None:
    excluded = world.path("a.jsonl")
    inode, ends = excluded.stat().st_ino, [0]
    real = os.pread

    def pread(descriptor: int, size: int, offset: int) -> bytes:
        data = real(descriptor, size, offset)
        if os.fstat(descriptor).st_ino == inode:
            ends.append(offset + len(data))
        return data

    monkeypatch.setattr(os, "pread", pread)
    with suppress(PiOpensyncError):
        command()
    header = excluded.read_bytes().index(b"\n")
    assert max(ends) <= header + STEP
    out = capsys.readouterr()
    assert WORDS not in out.out + out.err


def test_status_does_not_count_it_as_behind(world: DaemonWorld) -> None:
    watch.run(backfill=True, once=True, log_format="json", debug=None)
    with world.path("a.jsonl").open("ab") as file:
        file.write(b"x" * LONG)
    assert status.gather()["state"]["bytes_behind"] == 0
