"""When the user is told something outside the terminal, and that the daemon does not wait for it."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pi_opensync.daemon import notices
from pi_opensync.daemon.following import how_it_stands
from pi_opensync.daemon.notices import AGAIN, LOOK, STUCK_AFTER, Look, Notice, Passed, due, stuck_for
from pi_opensync.daemon.notify import Messenger, attend
from pi_opensync.errors import ConfigurationError
from pi_opensync.settings import load
from tests.harness import START, World, header, said
from tests.standin.faults import ErrorBefore

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
HOUR = 3600.0


def told_of(look: Look, stuck: float = 0.0, told: dict[str, float] | None = None) -> list[Notice]:
    return due(look, stuck, told or {}, dashboard="OpenSync", zone=UTC)


def looks(minutes: int, waiting: int | None = 3, success: float | None = 1.0) -> list[Look]:
    return [Look(NOON + minute * LOOK, waiting, success) for minute in range(minutes)]


def stuck_after(seen: list[Look]) -> float:
    stuck, last = 0.0, None
    for look in seen:
        stuck, last = stuck_for(stuck, last, look), look
    return stuck


def test_nothing_is_told_while_all_is_well() -> None:
    assert told_of(Look(NOON, 0, NOON)) == []


def test_a_refused_key_is_told_at_once_with_what_to_do() -> None:
    (notice,) = told_of(Look(NOON, 3, None, is_refused=True), stuck=2 * HOUR)
    assert notice.kind == "key-refused"
    assert "pi-opensync login" in notice.text


@pytest.mark.parametrize(
    ("seen", "is_stuck"),
    [
        (looks(60), False),
        (looks(61), True),
        (looks(61, waiting=None), True),
        (looks(61, waiting=0), False),
        ([*looks(60), Look(NOON + 60 * LOOK, 3, NOON)], False),
        ([*looks(60), Look(NOON + 60 * LOOK, 3, 1.0, is_held=True)], False),
    ],
    ids=["59 minutes", "an hour", "state not writable", "nothing waits", "delivered meanwhile", "paused"],
)
def test_delivery_is_stuck_after_an_hour_without_any(seen: list[Look], is_stuck: bool) -> None:
    stuck = stuck_after(seen)
    assert (stuck >= STUCK_AFTER) is is_stuck
    assert [notice.kind for notice in told_of(seen[-1], stuck)] == ["stuck"] * is_stuck


def test_the_time_that_a_machine_slept_does_not_count() -> None:
    asleep = [Look(NOON, 3, 1.0), Look(NOON + 10 * HOUR, 3, 1.0)]
    assert stuck_after(asleep) == 2 * LOOK
    assert stuck_after([*reversed(asleep)]) == 0.0


def test_each_is_told_once_a_day() -> None:
    refused = Look(NOON, 1, None, is_refused=True)
    (notice,) = told_of(refused)
    told = {notice.key: NOON}
    assert told_of(Look(NOON + AGAIN - 1, 1, None, is_refused=True), told=told) == []
    assert told_of(Look(NOON + AGAIN, 1, None, is_refused=True), told=told) == [notice]
    assert told_of(Look(NOON - HOUR, 1, None, is_refused=True), told=told) == [notice]  # the clock was wrong


def test_a_budget_is_told_once_a_day_and_once_a_month() -> None:
    passed = (Passed("today", 12.5, 10), Passed("this month", 101, 100))
    day, month = told_of(Look(NOON, 0, NOON, passed=passed))
    assert day.text == "$12.50 spent today, of a budget of $10.00."
    told = {day.key: NOON, month.key: NOON}
    assert told_of(Look(NOON + 11 * HOUR, 0, NOON, passed=passed), told=told) == []
    tomorrow = told_of(Look(NOON + 24 * HOUR, 0, NOON, passed=passed), told=told)
    assert [notice.key for notice in tomorrow] == ["budget 2026-03-03"]


def test_what_was_told_outlasts_the_run_and_a_damaged_file_tells_it_again(tmp_path: Path) -> None:
    notices.tell(tmp_path, {"stuck OpenSync": NOON, "of long ago": 1.0}, NOON)
    assert notices.told(tmp_path) == {"stuck OpenSync": NOON}
    (tmp_path / notices.FILE).write_text("[")
    assert notices.told(tmp_path) == {}
    notices.tell(tmp_path / "not there", {"stuck OpenSync": NOON}, NOON)


async def tells(tmp_path: Path, seen: list[Look]) -> list[Notice]:
    """What is shown of these looks by one run."""
    shown: list[Notice] = []
    coming = list(reversed(seen))
    ended = asyncio.Event()

    async def look() -> Look:
        return coming.pop()

    async def show(notice: Notice) -> None:
        shown.append(notice)

    async def rest(seconds: float) -> None:
        assert seconds == LOOK
        if not coming:
            ended.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(attend(look, show, tmp_path, dashboard="OpenSync", rest=rest))
    await ended.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return shown


def test_a_run_tells_it_once_and_so_does_the_next(tmp_path: Path) -> None:
    seen = looks(70)
    assert [notice.kind for notice in asyncio.run(tells(tmp_path, seen))] == ["stuck"]
    assert asyncio.run(tells(tmp_path, seen)) == []


def test_it_is_told_once_too_where_that_can_not_be_written(tmp_path: Path) -> None:
    seen = [Look(NOON + minute * LOOK, 1, None, is_refused=True) for minute in range(5)]
    assert len(asyncio.run(tells(tmp_path / "not there", seen))) == 1


def program(tmp_path: Path, name: str, body: str) -> Path:
    path = tmp_path / name
    path.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{body}\n")
    path.chmod(0o700)
    return path


def test_the_users_command_hears_the_text_and_its_kind_and_no_key(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    own = program(tmp_path, "own", f"json.dump([sys.argv[1:], dict(os.environ)], open({str(heard)!r}, 'w'))")
    env = {"PATH": str(tmp_path), "PI_OPENSYNC_API_KEY": "osk_" + "k" * 20}
    messenger = Messenger((str(own), "--topic", "mine"), env, platform="linux")
    asyncio.run(messenger.show(Notice("stuck", "stuck OpenSync", "3 messages wait")))
    arguments, seen = json.loads(heard.read_text())
    assert arguments == ["--topic", "mine", "3 messages wait"]
    assert seen["NOTICE_KIND"] == "stuck"
    assert "PI_OPENSYNC_API_KEY" not in seen


def test_a_desktop_is_told_where_there_is_one(tmp_path: Path) -> None:
    sender = program(tmp_path, "notify-send", "")
    script = program(tmp_path, "osascript", "")
    env = {"PATH": str(tmp_path)}
    assert list(Messenger((), env, platform="linux").commands("text")) == []
    with_bus = env | {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/bus"}
    assert list(Messenger((), with_bus, platform="linux").commands("text")) == [
        [str(sender), "--app-name=pi-opensync", "pi-opensync", "text"]
    ]
    ((first, *_rest, text),) = Messenger((), env, platform="darwin").commands('say "x"')
    assert (first, text) == (str(script), 'say "x"')


@pytest.mark.parametrize(
    ("body", "reason"),
    [("time.sleep(600)", "longer than"), ("sys.exit(3)", "exit code 3"), (None, "No such file")],
    ids=["hangs", "fails", "missing"],
)
def test_a_command_that_hangs_or_fails_costs_a_log_line(
    tmp_path: Path, body: str | None, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "missing" if body is None else program(tmp_path, "own", body)
    messenger = Messenger((str(own), "a-topic"), dict(os.environ), platform="linux", within=0.5)
    asyncio.run(messenger.show(Notice("stuck", "stuck OpenSync", "3 messages wait")))
    printed = capfd.readouterr()
    assert reason in printed.out + printed.err
    assert "a-topic" not in printed.out + printed.err


def test_the_command_is_one_line_or_a_list_of_words(tmp_path: Path) -> None:
    env = {"PI_OPENSYNC_CONFIG": str(tmp_path / "config.json")}
    assert load(env).notify_command == ()
    given = load(env | {"PI_OPENSYNC_NOTIFY_COMMAND": "ntfy publish 'my topic'"})
    assert given.notify_command == ("ntfy", "publish", "my topic")
    (tmp_path / "config.json").write_text(json.dumps({"notifyCommand": ["ntfy", "publish"]}))
    assert load(env).notify_command == ("ntfy", "publish")
    with pytest.raises(ConfigurationError, match="PI_OPENSYNC_NOTIFY_COMMAND"):
        load(env | {"PI_OPENSYNC_NOTIFY_COMMAND": "ntfy 'open"})


def test_how_it_stands_is_what_delivery_met(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.append("a.jsonl", header("a", START), said("user", "hello", START))
        world.sweep()
        world.read()
        before = asyncio.run(how_it_stands(world.engine))
        assert (before.waiting, before.last_success_at, before.is_refused) == (1, None, False)
        world.fail(ErrorBefore(401, b'{"error":"Invalid API key"}'))
        world.deliver()
        assert asyncio.run(how_it_stands(world.engine)).is_refused
        world.fail(None)
        world.sync()
        after = asyncio.run(how_it_stands(world.engine, lambda: [Passed("today", 2, 1)]))
        assert (after.waiting, after.is_refused, len(after.passed)) == (0, False, 1)
        assert after.last_success_at is not None
