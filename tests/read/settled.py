"""The one judgement of all these tests: the server holds what the final files say, and nothing went wrong."""

import asyncio
import os
import shutil
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

from pi_opensync.inspect.comparison import differences
from pi_opensync.opensync.differences import Differences
from tests.harness import START, Snapshot, World, header, line, said, usage

A_DAY = 86_400.0
TICKS = count(1)
THEN = START - A_DAY  # long before the server's windows


def talk(name: str, *texts: str, at: float = THEN, **fields: Any) -> list[bytes]:
    """The lines of a session: its header, then users and assistants by turns, ten seconds apart.

    The entries' ids depend on the texts, so that the same words twice are the same entries.
    """
    return [line(header(name, at, **fields)), *turns(*texts, at=at)]


def turns(*texts: str, at: float = THEN, first: int = 0) -> list[bytes]:
    return [turn(text, number, at=at) for number, text in enumerate(texts, first)]


def turn(text: str, number: int, *, at: float = THEN) -> bytes:
    moment = at + 10 * (number + 1)
    entry_id = text.encode().hex()[:32]
    if number % 2 == 0:
        return line(said("user", text, moment, entry_id))
    return line(said("assistant", text, moment, entry_id, model="fake-1", provider="fake", usage=usage()))


def put(world: World, name: str, *pieces: bytes) -> Path:
    """Write the file in place, as pi rewrites: the same inode, truncated; its time always differs."""
    path = world.path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(b"".join(pieces))
    return another_time(path)


def put_over(world: World, name: str, *pieces: bytes) -> Path:
    """Write another file and rename it over this one."""
    path = world.path(name)
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(b"".join(pieces))
    another_time(beside)
    beside.replace(path)
    return path


def another_time(path: Path) -> Path:
    """A file's time may stand still for some milliseconds; that is not what these tests are about."""
    status = path.stat()
    moment = status.st_mtime_ns + next(TICKS) * 1_000_000
    os.utime(path, ns=(moment, moment))
    return path


def fresh(files: Path, folder: Path, *, tool_calls: bool = False) -> Snapshot:
    """What a new machine makes of these files on a new server."""
    with World(folder, tool_calls=tool_calls) as other:
        take_over(files, other)
        other.sync()
        assert other.side_effects() == {}
        assert other.tally().messages_waiting == 0, "a new machine does not send all that is there"
        return other.snapshot()


def settled(world: World, folder: Path, *, kept: Iterable[str] = ()) -> None:
    """Holds when the world has come to rest and its server equals the files.

    `kept` are the texts of messages that were delivered and then vanished from the files: they stay.
    """
    world.sync()
    asked = len(world.transport.log)
    world.step()
    assert len(world.transport.log) == asked, "something is sent although nothing changed"
    assert world.side_effects() == {}
    tally = world.tally()
    assert (tally.messages_waiting, tally.messages_parked, tally.sessions_waiting) == (0, 0, 0), tally
    calls = world.settings.sync_tool_calls
    wanted = fresh(world.sessions, folder, tool_calls=calls)
    rest, vanished = without_vanished(world.snapshot(), wanted)
    assert rest == wanted, f"{rest}\n{wanted}"
    assert sorted(vanished) == sorted(kept), (vanished, kept)
    for found in verified(world, folder / "verify"):
        assert (found.missing, found.different, found.duplicated) == ([], [], []), found
        assert not found.session_missing, found
        assert not found.session_different, found
        assert len(found.foreign) <= len(vanished)


def without_vanished(got: Snapshot, wanted: Snapshot) -> tuple[Snapshot, list[str]]:
    """The snapshot without the messages that are not wanted, and their texts."""
    ids = {
        message["externalId"] for session in wanted["sessions"].values() for message in session["messages"]
    }
    rest: dict[str, Any] = {}
    vanished: list[str] = []
    for name, session in got["sessions"].items():
        there = [message for message in session["messages"] if message["externalId"] in ids]
        vanished += [m["textContent"] for m in session["messages"] if m["externalId"] not in ids]
        gone = len(session["messages"]) - len(there)
        if name in wanted["sessions"]:
            rest[name] = {**session, "messages": there, "messageCount": session["messageCount"] - gone}
    return {"sessions": rest}, vanished


def verified(world: World, folder: Path) -> list[Differences]:
    """What `verify` finds: the files read by a new machine, held against the server."""
    with World(folder, tool_calls=world.settings.sync_tool_calls) as other:
        take_over(world.sessions, other)
        other.sweep()
        other.read()

        async def compare() -> list[Differences]:
            found = differences(
                world.engine.client, other.engine.database, only=None, server_dated=set(), server_ids={}
            )
            return [item async for item in found]

        runner: asyncio.Runner = world.runner
        return runner.run(compare())


def take_over(files: Path, other: World) -> None:
    """Give the other world these files."""
    other.sessions.rmdir()
    if files.is_dir():
        shutil.copytree(files, other.sessions, symlinks=True)
    else:
        other.sessions.mkdir()
