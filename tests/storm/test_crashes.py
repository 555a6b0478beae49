"""A run may end at any call of a file, the database or the network: the next one finishes what it began."""

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from pi_opensync.sqlite import StoreUnavailable
from tests import forked
from tests.harness import World, header, line, result, said, usage
from tests.lengths import length, shortened
from tests.standin.backend import OpenSync
from tests.standin.server import running
from tests.storm import victim
from tests.storm.steps import SteppedTransport, Steps
from tests.storm.trial import Killed, cancel_all

pytestmark = [pytest.mark.slow, shortened]

START = 1_795_251_600.0
CONTENT = [
    header("s", START),
    said("user", "first", START + 1, "a1"),
    said("assistant", "second", START + 2, "a2", usage=usage(), calls=[("c1", "ls")]),
    result("c1", "files", START + 3),
    said("assistant", "third", START + 4, "a4", usage=usage()),
]


EVERY = length(1, 9)  # 1 ends a run at each call; odd, for each has two ends
Calls = set[str]  # the kinds of calls that may end the run: SQLite tells of a disk by errors of its own


def _write_transcripts(folder: Path) -> None:
    """A session, its fork, and one of version 1, whose entries have no ids to know a repeat by."""
    folder.mkdir(parents=True, exist_ok=True)
    old = [header("old", START), *(said("user", text, START + 20, usage=usage()) for text in "ab")]
    bare = ({key: item[key] for key in item if key not in ("version", "parentId")} for item in old)
    (folder / "old.jsonl").write_bytes(
        b"".join(line({key: item[key] for key in item if key != "id" or "cwd" in item}) for item in bare)
    )
    (folder / "one.jsonl").write_bytes(b"".join(line(item) for item in CONTENT))
    fork = header("f", START + 10, parentSession=str(folder / "one.jsonl"))
    (folder / "two.jsonl").write_bytes(
        b"".join(line(item) for item in [fork, *CONTENT[1:], said("user", "forked", START + 11, "b1")])
    )


def _expected(folder: Path, *, batch_keeps_dates: bool) -> object:
    with World(folder, tool_calls=True, batch_keeps_dates=batch_keeps_dates) as calm:
        _write_transcripts(calm.sessions)
        calm.sync()
        return calm.snapshot()


def _run_with(world: World, at: Callable[[int], None], *, calls: Calls) -> int:
    """Run until nothing is left or `at` ends it; how many steps it took. What is under way is forgotten."""
    steps = Steps(at)
    if "requests" in calls:
        world.wire.inner = SteppedTransport(steps, world.transport)
    kinds = {"files": "files" in calls, "statements": "statements" in calls}
    try:
        with steps.counted(world.engine.database, **kinds):
            world.sync()
    except (Killed, StoreUnavailable, OSError) as error:
        for raised in filter(None, (error, error.__context__)):
            raised.__traceback__ = None  # its frames hold statements that are half read
        world.engine.database._roll_back()
        world.engine.database.close()
        world.wire.inner = world.transport
        world.runner.run(cancel_all())
        world.start(backfill=True)
    return steps.taken


def _ending(number: int, error: BaseException) -> Callable[[int], None]:
    def at(step: int) -> None:
        if step == number:
            raise error

    return at


@pytest.mark.parametrize("batch_keeps_dates", [False, True])
@pytest.mark.parametrize(
    ("error", "calls"),
    [
        (Killed(), {"files", "statements", "requests"}),
        (apsw.exception_for(apsw.SQLITE_FULL), {"statements"}),
        (OSError(5, "Input/output error"), {"files", "requests"}),
    ],
    ids=["killed", "disk full", "input/output error"],
)
def test_a_run_may_end_at_any_call(
    tmp_path: Path, error: BaseException, calls: Calls, *, batch_keeps_dates: bool
) -> None:
    expected = _expected(tmp_path / "calm", batch_keeps_dates=batch_keeps_dates)
    number = taken = 0
    while taken >= number:
        number += EVERY
        folder = tmp_path / str(number)
        with World(folder, tool_calls=True, batch_keeps_dates=batch_keeps_dates, backfill=True) as world:
            _write_transcripts(world.sessions)
            taken = _run_with(world, _ending(number, error), calls=calls)
            world.sync()
            assert world.snapshot() == expected, f"after an end at call {number}"
            assert world.side_effects() == {}, f"after an end at call {number}"
    assert number > 30


@pytest.mark.parametrize("batch_keeps_dates", [False, True])
def test_a_process_may_vanish_at_any_call(tmp_path: Path, *, batch_keeps_dates: bool) -> None:
    expected = _expected(tmp_path / "calm", batch_keeps_dates=batch_keeps_dates)
    number, vanished = 0, True
    while vanished:
        number += STRIDE
        folder = tmp_path / str(number)
        _write_transcripts(folder / "sessions")
        opensync = OpenSync(now=_now, key=victim.key(), batch_keeps_dates=batch_keeps_dates)
        with running(opensync) as server:
            for at in (number, None):
                process = forked.process(victim.sync, folder, server.url, _now(), at)
                process.start()
                process.join(timeout=60)
                assert process.exitcode in (0, victim.VANISHED)
                vanished = vanished and (at is None or process.exitcode == victim.VANISHED)
        assert opensync.snapshot() == expected, f"after vanishing at call {number}"
        assert opensync.counters.lost_parts == 0
    assert number > 100


def _now() -> float:
    return START + 100_000


STRIDE = length(7, 27)  # every call is ended by an exception above; a sample of them by a process's end
