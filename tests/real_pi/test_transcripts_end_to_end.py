"""Files that real versions of pi wrote, from bytes on disk to rows of the stand-in."""

import itertools
import json
import os
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.harness import TRANSCRIPTS, Snapshot, World, without_dates
from tests.lengths import length, shortened

pytestmark = pytest.mark.slow

FILES = {path.relative_to(TRANSCRIPTS): path.read_bytes() for path in sorted(TRANSCRIPTS.rglob("*.jsonl"))}
VERSIONS = sorted({name.parts[0] for name in FILES})
OPTIONS = [
    pytest.param({"tool_calls": calls, "thinking": thinking}, id=f"calls={calls},thinking={thinking}")
    for calls, thinking in itertools.product((False, True), repeat=2)
]
SERVERS = [
    pytest.param({}, id="today"),
    pytest.param({"batch_keeps_dates": True}, id="later"),
    pytest.param({"timestamps": "server"}, id="server-dates"),
]
Choice = dict[str, Any]


def whole(choice: Choice, files: Path = TRANSCRIPTS) -> Snapshot:
    """What comes of the files in one piece."""
    return deepcopy(_whole(tuple(sorted(choice.items())), files))


@cache
def _whole(choice: tuple[tuple[str, Any], ...], files: Path) -> Snapshot:
    with TemporaryDirectory() as folder:
        return taken_whole(Path(folder), dict(choice), files)


def taken_whole(folder: Path, choice: Choice, files: Path = TRANSCRIPTS) -> Snapshot:
    with World(folder, **choice) as world:
        world.place(files)
        world.sync()
        assert world.side_effects() == {}
        return world.snapshot()


def written_at(version: str) -> float:
    """When the last entry of these files was written, in seconds since the epoch."""
    last = [data.splitlines()[-1] for name, data in FILES.items() if name.parts[0] == version]
    return max(datetime.fromisoformat(json.loads(line)["timestamp"]).timestamp() for line in last)


def comparable(snapshot: Snapshot, choice: Choice) -> Snapshot:
    return without_dates(snapshot) if choice.get("timestamps") == "server" else snapshot


def pieces(random: Random, data: bytes) -> Iterator[bytes]:
    """The data in two to twelve pieces, cut anywhere: within a line, within a character."""
    cuts = sorted(random.randrange(len(data) + 1) for _ in range(random.randint(1, 11)))
    for start, stop in itertools.pairwise([0, *cuts, len(data)]):
        yield data[start:stop]


def interleaved(random: Random, files: dict[Path, bytes]) -> Iterator[tuple[Path, bytes]]:
    left = {name: list(pieces(random, data)) for name, data in files.items()}
    while left:
        name = random.choice(sorted(left))
        yield name, left[name].pop(0)
        if not left[name]:
            del left[name]


def live_a_little(world: World, name: Path, random: Random) -> None:
    """What may happen between two writes of pi's: a hint, a look, a delivery, time, another process."""
    chance = random.random()
    if chance < 0.3:
        return
    if chance < 0.5:
        world.hint(os.fspath(name))
    else:
        world.sweep()
    world.read()
    if chance < 0.8:
        world.deliver()
    if chance > 0.9:
        world.restart()
    world.clock.move(random.choice((0.0, 0.1, 1.0, 3.0, 12.0)))


def in_pieces(world: World, files: dict[Path, bytes], random: Random) -> None:
    for name, data in interleaved(random, files):
        world.append(os.fspath(name), data)
        live_a_little(world, name, random)
    world.sync()


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("server", SERVERS)
def test_a_second_run_from_nothing_changes_nothing_on_the_server(
    tmp_path: Path, options: Choice, server: Choice
) -> None:
    with World(tmp_path, **options, **server) as world:
        world.place(TRANSCRIPTS)
        world.sync()
        first, ids = world.snapshot(), set(world.opensync.messages)
        world.clock.move(3600)
        world.lose_state()
        world.sync()
        assert world.snapshot() == first
        assert set(world.opensync.messages) == ids
        assert world.tally().messages_delivered == len(ids)
        assert world.side_effects() == {}


@pytest.mark.parametrize("options", OPTIONS)
def test_a_second_run_from_nothing_into_an_empty_server_gives_the_same(
    tmp_path: Path, options: Choice
) -> None:
    assert whole(options) == taken_whole(tmp_path, options)


@pytest.mark.parametrize("options", OPTIONS)
def test_a_server_whose_batch_keeps_dates_ends_up_with_the_same(options: Choice) -> None:
    today = whole(options)
    assert whole({**options, "batch_keeps_dates": True}) == today
    undated = whole({**options, "timestamps": "server"})
    assert without_dates(undated) == without_dates(today)


@shortened
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("seed", range(length(10, 1)))
def test_all_transcripts_fed_in_random_pieces_give_the_same(
    tmp_path: Path, options: Choice, server: Choice, seed: int
) -> None:
    choice = {**options, **server}
    with World(tmp_path, **choice, backfill=False) as world:
        in_pieces(world, FILES, Random(seed))  # noqa: S311 - repeatable, and nothing is secret here
        assert world.side_effects() == {}
        assert comparable(world.snapshot(), choice) == comparable(whole(choice), choice)


@shortened
@pytest.mark.parametrize("version", VERSIONS)
@settings(max_examples=length(60, 4), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    random=st.randoms(use_true_random=False),
    options=st.fixed_dictionaries({"tool_calls": st.booleans(), "thinking": st.booleans()}),
    skew=st.floats(-30, 30),
)
def test_a_version_of_pi_read_while_it_writes_gives_the_same(
    tmp_path_factory: pytest.TempPathFactory, version: str, random: Random, options: Choice, skew: float
) -> None:
    """The clock stands where it stood when the files were written: the server's windows are open."""
    folder = tmp_path_factory.mktemp("world")
    files = {name: data for name, data in FILES.items() if name.parts[0] == version}
    with World(folder, **options, backfill=False, start=written_at(version), skew=skew) as world:
        in_pieces(world, files, random)
        assert world.side_effects() == {}
        snapshot = world.snapshot()
    assert snapshot == whole(options, TRANSCRIPTS / version)
