"""What a fork copied out of an excluded project stays here, however many forks lie between."""

from pathlib import Path

import pytest

from pi_opensync.read.union import COPIED
from tests.harness import World, header, line, said, session_id, usage
from tests.read.settled import THEN, put, settled, talk

PARENT, FORK, GRANDCHILD = "parent.jsonl", "fork.jsonl", "grandchild.jsonl"
SECRETS = ("the client's words", "an answer about the client")


@pytest.fixture
def client(tmp_path: Path) -> Path:
    folder = tmp_path / "client"
    folder.mkdir()
    return folder


def exclude(client: Path) -> None:
    (client / ".no-opensync").touch()


def own(text: str, at: float) -> list[bytes]:
    return [
        line(said("user", text, at, text.encode().hex()[-16:])),
        line(said("assistant", f"{text}, answered", at + 1, text.encode().hex()[-15:] + "a", usage=usage())),
    ]


def family(world: World, client: Path) -> dict[str, list[bytes]]:
    parent = talk("parent", *SECRETS, cwd=str(client))
    fork = [
        line(header("fork", THEN + 100, parentSession=str(world.path(PARENT)))),
        *parent[1:],
        *own("of the fork", THEN + 200),
    ]
    grandchild = [
        line(header("grandchild", THEN + 300, parentSession=str(world.path(FORK)))),
        *fork[1:],
        *own("of the grandchild", THEN + 400),
    ]
    return {PARENT: parent, FORK: fork, GRANDCHILD: grandchild}


def write(world: World, client: Path) -> None:
    for name, lines in family(world, client).items():
        put(world, name, *lines)


def leaked(world: World) -> bool:
    return any(secret in str(request.json) for request in world.transport.log for secret in SECRETS)


def test_only_what_came_after_leaves_with_forks(world: World, client: Path, elsewhere: Path) -> None:
    exclude(client)
    write(world, client)
    settled(world, elsewhere)
    assert not leaked(world)
    assert world.texts(session_id("fork")) == ["of the fork", "of the fork, answered"]
    assert world.texts(session_id("grandchild"))[-2:] == ["of the grandchild", "of the grandchild, answered"]
    assert world.titles()[session_id("fork")].endswith("of the fork")
    assert session_id("parent") not in world.opensync.sessions
    assert world.tally().left_out[COPIED] == 2 * len(SECRETS)


@pytest.mark.parametrize("order", [(PARENT, FORK, GRANDCHILD), (GRANDCHILD, FORK, PARENT)])
def test_it_does_not_matter_which_is_read_first(world: World, client: Path, order: tuple[str, ...]) -> None:
    exclude(client)
    write(world, client)
    for name in order:
        world.hint(name)
    world.read()
    world.deliver()
    world.sync()
    assert not leaked(world)


def test_an_exclusion_that_comes_later_takes_back_what_waits(world: World, client: Path) -> None:
    write(world, client)
    world.sweep()
    world.read()
    exclude(client)
    world.sync()
    assert not leaked(world)
    assert world.texts(session_id("fork")) == ["of the fork", "of the fork, answered"]


def test_an_exclusion_that_ends_gives_the_history_back(world: World, client: Path, elsewhere: Path) -> None:
    exclude(client)
    write(world, client)
    world.sync()
    (client / ".no-opensync").unlink()
    settled(world, elsewhere)
    assert world.texts(session_id("fork"))[:2] == list(SECRETS)
    assert COPIED not in world.tally().left_out


def test_a_parent_that_is_gone_and_was_excluded_stays_so(world: World, client: Path) -> None:
    exclude(client)
    files = family(world, client)
    put(world, PARENT, *files[PARENT])
    world.sync()
    world.path(PARENT).unlink()
    put(world, FORK, *files[FORK])
    world.sync()
    assert not leaked(world)
    assert world.texts(session_id("fork")) == ["of the fork", "of the fork, answered"]


def test_a_parent_named_beside_its_fork_is_found(world: World, client: Path) -> None:
    exclude(client)
    put(world, "deep/er/parent.jsonl", *talk("parent", *SECRETS, cwd=str(client)))
    fork = header("fork", THEN + 100, parentSession="../er/parent.jsonl")
    copied = talk("parent", *SECRETS, cwd=str(client))[1:]
    put(world, "deep/fork/fork.jsonl", line(fork), *copied, *own("of the fork", THEN + 200))
    world.sync()
    assert not leaked(world)
    assert world.texts(session_id("fork")) == ["of the fork", "of the fork, answered"]
