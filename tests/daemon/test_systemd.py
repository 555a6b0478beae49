"""Words to systemd over a real datagram socket, and the heart that says when it is alive."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pi_opensync.daemon.sd_notify import DELIVERY, INGEST, Heart, Notifier, watchdog_period


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    monkeypatch.chdir(tmp_path)  # a socket's name must be short
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as bound:
        bound.bind("notify")
        bound.settimeout(5)
        yield bound


def heard(listener: socket.socket) -> list[str]:
    listener.setblocking(False)
    words: list[str] = []
    try:
        while True:
            words.append(listener.recv(4096).decode())
    except BlockingIOError:
        return words


def test_every_word_arrives(listener: socket.socket) -> None:
    notifier = Notifier.of({"NOTIFY_SOCKET": "notify"})
    notifier.ready()
    notifier.status("3 messages\nwait")
    notifier.alive()
    notifier.stopping()
    assert heard(listener) == ["READY=1", "STATUS=3 messages wait", "WATCHDOG=1", "STOPPING=1"]


def test_the_same_status_is_said_once(listener: socket.socket) -> None:
    notifier = Notifier("notify")
    for text in ("nothing waits", "nothing waits", "1 waits", "nothing waits"):
        notifier.status(text)
    assert heard(listener) == ["STATUS=nothing waits", "STATUS=1 waits", "STATUS=nothing waits"]


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_an_abstract_socket_is_reached() -> None:
    name = f"pi-opensync-test-{os.getpid()}"
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as bound:
        bound.bind(f"\0{name}")
        Notifier(f"@{name}").ready()
        assert heard(bound) == ["READY=1"]


def test_a_manager_that_is_gone_or_does_not_listen_costs_nothing(listener: socket.socket) -> None:
    Notifier("gone").ready()
    Notifier(None).ready()
    Notifier.of({"NOTIFY_SOCKET": ""}).ready()
    notifier = Notifier("notify")
    for _ in range(10_000):  # far more than the socket's queue holds
        notifier.alive()
    assert heard(listener)


def test_the_heart_pings_when_both_loops_went_round() -> None:
    heart = Heart(30.0)
    assert not heart.beat(INGEST, 0.0)
    assert heart.beat(DELIVERY, 1.0)


@pytest.mark.parametrize(("alive", "stuck"), [(INGEST, DELIVERY), (DELIVERY, INGEST)])
def test_a_stuck_loop_stops_the_pings(alive: str, stuck: str) -> None:
    heart = Heart(30.0)
    heart.beat(stuck, 0.0)
    assert heart.beat(alive, 1.0)
    assert not any(heart.beat(alive, float(now)) for now in range(2, 1000))
    assert heart.beat(stuck, 1000.0)


def test_pings_are_not_more_frequent_than_they_need_be() -> None:
    heart = Heart(30.0)
    pings = [now for now in range(100) for part in (INGEST, DELIVERY) if heart.beat(part, float(now))]
    assert pings == [0, 30, 60, 90]


def test_where_nobody_waits_there_are_no_pings() -> None:
    heart = Heart(None)
    assert not any(heart.beat(part, float(now)) for now in range(100) for part in (INGEST, DELIVERY))


def test_the_period_is_a_third_of_what_systemd_allows_this_process() -> None:
    assert watchdog_period({"WATCHDOG_USEC": "120000000"}, 7) == 40.0
    assert watchdog_period({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "7"}, 7) == 40.0
    assert watchdog_period({"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "8"}, 7) is None
    assert watchdog_period({"WATCHDOG_USEC": "0"}, 7) is None
    assert watchdog_period({"WATCHDOG_USEC": "soon"}, 7) is None
    assert watchdog_period({}, 7) is None
