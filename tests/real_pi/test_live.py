"""`pi-opensync watch` as a process beside real versions of pi: what pi writes is on the server in moments."""

import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pi_opensync.pi.entries import milliseconds
from tests.conftest import new_key, wait_until
from tests.harness import World
from tests.real_pi.home import session_files
from tests.real_pi.machine import REST, Machine, entries
from tests.real_pi.process import Installed
from tests.standin.backend import OpenSync, Reply

pytest_plugins = ("tests.real_pi.fixtures",)

pytestmark = pytest.mark.slow

MOMENT = 5.0  # seconds from pi's write to the server; about 0.1 where nothing else runs


class Timed(OpenSync):
    """Notes when each message arrived first, in seconds since the epoch."""

    def __init__(self) -> None:
        super().__init__(now=time.time, key=new_key())
        self.arrived: dict[str, float] = {}

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        reply = super().handle(method, target, headers, body)
        for external_id in self.messages:
            self.arrived.setdefault(external_id, time.time())
        return reply


@pytest.fixture
def opensync() -> Timed:
    return Timed()


class Written:
    """Notes when each line of each transcript was seen on disk first, looking every few milliseconds."""

    def __init__(self, home: Path) -> None:
        self.at: dict[Path, list[float]] = {}
        self._home = home
        self._over = threading.Event()

    def look_on(self) -> None:
        while not self._over.wait(0.004):
            for path in session_files(self._home):
                seen = self.at.setdefault(path, [])
                seen += [time.time()] * (path.read_bytes().count(b"\n") - len(seen))

    def stop(self) -> None:
        self._over.set()


@contextmanager
def watched(home: Path) -> Iterator[Written]:
    written = Written(home)
    thread = threading.Thread(target=written.look_on, name="writes")
    thread.start()
    try:
        yield written
    finally:
        written.stop()
        thread.join()


def complete_at(written: Written) -> dict[str, float]:
    """When the last line of each user's and model's message, a tool's results included, was on disk."""
    at: dict[str, float] = {}
    for path, moments in written.at.items():
        session = ""
        calls: dict[str, str] = {}
        for entry, moment in zip(entries(path), moments, strict=True):
            if entry["type"] == "session":
                session = entry["id"]
            message = entry.get("message", {})
            if message.get("role") in ("user", "assistant"):
                key = f"{session}-{message['role']}-{message['timestamp']}"
                at[key] = moment
                blocks = message["content"] if isinstance(message["content"], list) else []
                calls |= {block["id"]: key for block in blocks if block["type"] == "toolCall"}
            elif message.get("role") == "toolResult":
                at[calls[message["toolCallId"]]] = moment
    return at


def latencies(opensync: Timed, written: Written) -> dict[str, float]:
    """Seconds from the last line of a message on disk to its first arrival."""
    ready = complete_at(written)
    return {key: moment - ready[key] for key, moment in opensync.arrived.items() if key in ready}


def wanted(folder: Path, machine: Machine) -> tuple[dict[str, Any], list[str]]:
    """What the server is to hold of these transcripts in the end, and the order of its messages."""
    with World(folder, tool_calls=True) as world:
        world.place(machine.sessions)
        world.sync()
        return world.snapshot(), list(world.opensync.messages)


def by_session(ids: list[str]) -> dict[str, list[str]]:
    sorted_ids = sorted(ids, key=lambda external_id: external_id[:36])
    return {name[:36]: [other for other in ids if other[:36] == name[:36]] for name in sorted_ids}


def own_cost(path: Path) -> float:
    header, *rest = entries(path)
    begun = milliseconds(header["timestamp"])
    own = [entry for entry in rest if (milliseconds(entry["timestamp"]) or 0) >= (begun or 0)]
    usages = [entry.get("message", entry).get("usage") for entry in own]
    return float(sum(usage["cost"]["total"] for usage in usages if usage))


def test_a_conversation_is_on_the_server_moments_after_pi_wrote_it(
    machine: Machine, opensync: Timed, real_pi_version: Installed, tmp_path: Path
) -> None:
    machine.sessions.mkdir(parents=True)
    with machine.cli.running("watch") as watch, watched(machine.home) as written:
        watch.wait_for("following")
        with machine.pi(real_pi_version) as pi:
            pi.prompt("First\nTOOL: echo one\nTOOL: echo two")
            parent = pi.session_file()
            pi.prompt("Second")
            pi.rename("A name")
            pi.compact()
            pi.fork(pi.fork_messages()[1]["entryId"])
            pi.prompt("Second, said otherwise\nTOOL: echo three")
            fork = pi.session_file()
        machine.say_once(real_pi_version, "Third", continue_last=True)

        snapshot, order = wanted(tmp_path / "wanted", machine)
        wait_until(lambda: set(order) == set(opensync.messages), "all messages on the server")
        wait_until(lambda: opensync.snapshot() == snapshot, "the sessions as they are", REST)
        assert watch.stop(signal.SIGTERM) == 0

    assert by_session(list(opensync.messages)) == by_session(order)
    waits = latencies(opensync, written)
    assert len(waits) >= 9
    assert max(waits.values()) < MOMENT

    first, second = entries(parent)[0]["id"], entries(fork)[0]["id"]
    shown = opensync.sessions[second]
    assert shown.title is not None
    assert shown.title.startswith(f"[Fork::{first[:8]}] ")
    assert opensync.sessions[first].title == "A name"
    texts = [message["textContent"] for message in snapshot["sessions"][second]["messages"]]
    assert texts[0].startswith("First")
    assert any(text.startswith("Second, said otherwise") for text in texts)
    assert 0 < shown.cost == pytest.approx(own_cost(fork))
    assert opensync.sessions[first].cost == pytest.approx(own_cost(parent))
    assert opensync.counters.lost_parts == 0
    assert opensync.counters.dropped_message_updates == 0
    assert opensync.counters.orphan_sessions == 0


def test_the_first_session_that_pi_ever_writes_on_a_machine_is_followed(
    machine: Machine, opensync: Timed, newest_pi: Installed
) -> None:
    with machine.cli.running("watch") as watch, watched(machine.home) as written:
        watch.wait_for("following")
        machine.say_once(newest_pi, "First")
        wait_until(lambda: len(opensync.messages) == 2, "both messages on the server")
        assert watch.stop(signal.SIGINT) == 0
    assert max(latencies(opensync, written).values()) < MOMENT


def test_a_tool_that_takes_long_shows_its_call_before_its_result(
    machine: Machine, opensync: Timed, newest_pi: Installed
) -> None:
    def parts() -> list[str]:
        return [part["type"] for message in list(opensync.messages.values()) for part in list(message.parts)]

    machine.sessions.mkdir(parents=True)
    with machine.cli.running("watch") as watch, machine.pi(newest_pi) as pi:
        watch.wait_for("following")
        pi.begin("Wait\nTOOL: until test -e go; do sleep 0.02; done; echo gone")
        wait_until(lambda: "tool-call" in parts(), "the call on the server")
        assert "tool-result" not in parts()
        (machine.project / "go").touch()
        pi.finish()
        wait_until(lambda: "tool-result" in parts(), "the result on the server")
        assert watch.stop() == 0
    assert opensync.counters.dropped_message_updates == 0
