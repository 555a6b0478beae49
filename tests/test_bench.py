"""The benchmarks run, and what does not depend on the machine stays what it should be."""

import asyncio
import json
import os
from math import ceil
from pathlib import Path

import pytest

from bench import backfill
from bench.__main__ import FIGURES, figure, main
from bench.backfill import MODES, Mode, expected_requests
from bench.counting import Counts, counted
from bench.rows import Row, Target, row, table
from pi_opensync.opensync.limits import MAX_BATCH
from pi_opensync.pi.tail import WINDOW
from pi_opensync.privacy.judge import Judge
from pi_opensync.store.readings import Readings
from tests.harness import START, World, header, line, said
from tests.machine.daemon import DaemonWorld, Deaf

pytestmark = pytest.mark.slow

TINY = 0.002
A = "a.jsonl"
LONG_AGO = START - 86_400
SERVER_DATES = {"PI_OPENSYNC_TIMESTAMPS": "server"}


def talk(name: str, messages: int) -> list[dict[str, object]]:
    """A header, and messages of 1 kB long ago."""
    texts = (f"message {number} " + "word " * 200 for number in range(messages))
    said_so = (said("user", text, LONG_AGO + number, f"{number:08d}") for number, text in enumerate(texts))
    return [header(name, LONG_AGO), *said_so]


def appended(world: World, *entries: dict[str, object]) -> Counts:
    """What the reading of an append costs."""
    path = world.append(A, *entries)
    with counted(world.engine.database.connection) as counts:
        world.engine.follow.hint(os.fsencode(path))
        world.read()
    return counts


def test_an_idle_minute_opens_no_transcript_and_asks_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pi_opensync.daemon.run.Watcher", Deaf)
    found: list[Counts] = []
    with DaemonWorld(tmp_path, monkeypatch) as world:
        for name in ("a", "b", "c"):
            world.append(f"{name}.jsonl", *talk(name, 3))

        async def minute() -> None:
            await asyncio.sleep(30)
            before = len(world.transport.log)
            with counted(world.engine.database.connection) as counts:
                await asyncio.sleep(60)
            found.append(counts)
            assert len(world.transport.log) == before

        world.watch(minute)
        assert len(world.opensync.messages) == 9
    (idle,) = found
    assert (idle.opens, idle.reads, idle.transactions) == (0, 0, 0)
    assert idle.statements > 0  # it did sweep


def test_an_append_reads_its_own_bytes_the_4_kib_before_and_the_first_line(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        first, *entries = talk("a", 50)
        world.append(A, first, *entries)
        world.sync()
        more = said("user", "one more", world.clock.now())
        counts = appended(world, more)
        assert counts.read_bytes <= len(line(more)) + WINDOW + len(line(first))


def test_an_append_is_read_with_one_open_and_three_reads(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.append(A, *talk("a", 50))
        world.sync()
        counts = appended(world, said("user", "one more", world.clock.now()))
        assert counts.opens == 1
        assert counts.reads <= 3


def test_a_new_files_project_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str | None] = []
    really = Judge.reason

    def reason(judge: Judge, project: str | None) -> str | None:
        looked.append(project)
        return really(judge, project)

    with World(tmp_path) as world:
        world.append(A, *talk("a", 50))
        world.sweep()
        monkeypatch.setattr(Judge, "reason", reason)
        world.read()
    assert len(looked) == 1


def test_a_message_of_a_new_session_is_one_statement(tmp_path: Path) -> None:
    """Beside those of the file and its session, however many messages it has."""

    def statements(messages: int) -> int:
        with World(tmp_path / str(messages)) as world:
            world.append(A, *talk("a", messages))
            world.sweep()
            with counted(world.engine.database.connection) as counts:
                world.read()
            return counts.statements

    few, many = statements(10), statements(110)
    assert many - few <= 100 * 2  # the message, and that its entry was seen


def test_sessions_that_begin_alike_are_not_all_read_again_by_the_next(tmp_path: Path) -> None:
    first = said("user", "the same beginning", LONG_AGO, "00000001")

    def rows(sessions: int) -> int:
        with World(tmp_path / str(sessions)) as world:
            for number in range(sessions):
                world.append(f"{number}.jsonl", header(f"s{number}", LONG_AGO + number), first)
            world.sync()
            return len(Readings(world.engine.database).by_first_entry(f"00000001@{round(LONG_AGO * 1000)}"))

    assert rows(3) == rows(12) == 1


@pytest.mark.parametrize("lines", [1, 300])
def test_appended_lines_are_read_in_one_transaction(tmp_path: Path, lines: int) -> None:
    with World(tmp_path) as world:
        world.append(A, *talk("a", 5))
        world.sync()
        now = world.clock.now()
        assert appended(world, *(said("user", f"{n}", now + n) for n in range(lines))).transactions == 1


@pytest.mark.parametrize("lines", [1, 30])
def test_what_was_read_is_delivered_in_three_transactions(tmp_path: Path, lines: int) -> None:
    """Attempted, acknowledged, at rest."""
    with World(tmp_path) as world:
        world.append(A, *talk("a", 5))
        world.sync()
        world.append(A, *(said("user", f"{n}", world.clock.now() + n) for n in range(lines)))
        world.sweep()
        world.read()
        with counted(world.engine.database.connection) as counts:
            world.deliver()
        assert len(world.opensync.messages) == 5 + lines
        assert counts.transactions <= 3
        assert (counts.opens, counts.reads) == (0, 0)


def test_what_was_read_and_its_first_attempt_wait_for_the_disk_once(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.append(A, *talk("a", 5))
        world.sync()
        world.clock.move(60)
        path = world.append(A, said("user", "one more", world.clock.now()))

        async def read() -> None:
            world.engine.follow.hint(os.fsencode(path))
            world.engine.read_next()

        with counted(world.engine.database.connection) as counts:
            world.runner.run(read())
        assert counts.transactions == 1
        attempted = world.engine.database.rows(
            "SELECT attempted_digest IS wanted_digest FROM messages WHERE wanted IS NOT NULL "
            "UNION ALL SELECT attempted_digest IS wanted_digest FROM sessions"
        )
        assert 1 in [row[0] for row in attempted]


def test_sessions_that_are_sent_side_by_side_wait_for_the_disk_together(tmp_path: Path) -> None:
    """Three transactions of one: begun, the row's answer and the messages' attempt, theirs."""
    with World(tmp_path, batch_keeps_dates=True) as world:
        world.append(A, *talk("a", 5))
        world.sync()
        for name in "bcde":
            world.append(f"{name}.jsonl", *talk(name, 5))
        world.sweep()
        world.read()
        with counted(world.engine.database.connection) as counts:
            world.deliver()
        assert len(world.opensync.messages) == 25
        assert counts.transactions <= 4


@pytest.mark.parametrize(
    "mode", [mode for mode in MODES if mode.delay_ms], ids=lambda mode: mode.what.replace(" ", "-")
)
def test_a_backfill_takes_the_requests_that_it_must(tmp_path: Path, mode: Mode) -> None:
    sessions, each = 3, 250
    with World(
        tmp_path,
        batch_keeps_dates=mode.keeps_dates,
        timestamps="server" if dict(mode.variables) == SERVER_DATES else "transcript",
    ) as world:
        for number in range(sessions):
            world.append(f"{number}.jsonl", *talk(f"session {number}", each))
        world.sync()
        assert len(world.opensync.messages) == sessions * each
        assert world.opensync.counters.requests == expected_requests(mode, sessions, sessions * each)


def test_the_expected_requests_are_few_where_a_batch_is_right() -> None:
    kept, today, server = (mode for mode in MODES if mode.delay_ms)
    assert sum(expected_requests(kept, 200, 20_000).values()) == 1 + 200 + 201 + 1
    assert sum(expected_requests(today, 200, 20_000).values()) == 1 + 200 + 1 + 20_000
    assert sum(expected_requests(server, 200, 20_000).values()) == 1 + 200 + 200 * ceil(100 / MAX_BATCH)


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_runs_and_stands_beside_another(name: str, tmp_path: Path) -> None:
    rows = figure(name)(TINY, tmp_path / name)
    assert {each.figure for each in rows} == {name}
    assert all(each.beside and each.unit for each in rows)
    check = CHECKS.get(name)
    if check is not None:
        check({each.what: each for each in rows})


def check_backfill(rows: dict[str, Row]) -> None:
    for mode in MODES:
        counts = dict(rows[mode.what].counts)
        sessions, messages = round(counts.pop("sessions")), round(counts.pop("messages"))
        assert messages == sessions * backfill.TURNS * 2
        assert counts == expected_requests(mode, sessions, messages)


def check_quiet(rows: dict[str, Row]) -> None:
    """Known files that did not change are worth no request."""
    assert [each.counts["requests"] for each in rows.values() if each.counts] == [0]


def check_growth(rows: dict[str, Row]) -> None:
    (counts,) = (each.counts for each in rows.values() if each.counts)
    for name in ("opens", "reads", "transactions to read", "transactions to deliver"):
        assert counts[f"long {name}"] == counts[f"short {name}"]
    assert counts["long bytes read beyond the appended"] == pytest.approx(
        counts["short bytes read beyond the appended"], abs=8
    )


def check_latency(rows: dict[str, Row]) -> None:
    counts = rows["p50, again"].counts
    assert counts["appends"] == counts["arrived"] > 0


CHECKS = {
    "backfill": check_backfill,
    "start": check_quiet,
    "idle": check_quiet,
    "growth": check_growth,
    "latency": check_latency,
}


def test_results_come_as_a_table_and_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "results.json"
    main(["pieces", "--scale", str(TINY), "--json", str(file)])
    written = json.loads(file.read_text(encoding="utf-8"))
    assert (written["scale"], {each["figure"] for each in written["rows"]}) == (TINY, {"pieces"})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(written["rows"])
    assert {len(each) for each in lines} == {len(lines[0])}


@pytest.mark.parametrize("arguments", [["speed"], ["pieces", "--scale", "0"]])
def test_a_wrong_name_or_scale_is_a_mistake_of_the_user(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_a_target_is_met_by_the_value_or_by_the_ratio() -> None:
    slow = row("x", "a", 30.0, "ms", other=10.0, beside="b", target=Target(25.0))
    fast = row("x", "a", 30.0, "MB/s", other=10.0, beside="b", target=Target(3.0, most=False, of="ratio"))
    assert (slow.met, fast.met) == (False, True)
    assert "at least 3 times" in table([fast])
    assert row("x", "a", 1.0, "s", other=0.0, beside="b").met is None
