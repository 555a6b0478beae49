"""A session that somebody else wrote: it opens nothing, hangs nothing, and draws nothing on a terminal."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.harness import START, World, header, line, said, session_id
from tests.standin.backend import OpenSync

THEN = START - 86_400.0
ID = session_id("a")
NASTY = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp.\u2066x\u200f\x7f\x85\u2028\rgone\x08"
FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that `os.open` was asked for."""
    paths: list[str] = []
    real = os.open

    def record(path: object, *arguments: int, **options: object) -> int:
        paths.append(os.fsdecode(path))  # type: ignore[arg-type]  # whatever os.open takes
        return real(path, *arguments, **options)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(os, "open", record)
    return paths


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path / "world") as made:
        yield made


def outside(tmp_path: Path) -> Path:
    path = tmp_path / "outside"
    path.mkdir(exist_ok=True)
    (path / "theirs.jsonl").write_bytes(line(header("theirs", THEN)))
    return path


def a_file(_world: World, tmp_path: Path) -> str:
    return str(outside(tmp_path) / "theirs.jsonl")


def a_fifo(_world: World, tmp_path: Path) -> str:
    os.mkfifo(outside(tmp_path) / "pipe.jsonl")
    return str(tmp_path / "outside" / "pipe.jsonl")


def a_link_outwards(world: World, tmp_path: Path) -> str:
    world.path("link.jsonl").symlink_to(outside(tmp_path) / "theirs.jsonl")
    return str(world.path("link.jsonl"))


def a_linked_folder(world: World, tmp_path: Path) -> str:
    world.path("folder").symlink_to(outside(tmp_path))
    return str(world.path("folder") / "theirs.jsonl")


def dots(world: World, tmp_path: Path) -> str:
    return str(world.sessions / ".." / ".." / outside(tmp_path).name / "theirs.jsonl")


def no_jsonl(world: World, _tmp_path: Path) -> str:
    world.path("notes.txt").write_text("mine")
    return str(world.path("notes.txt"))


ELSEWHERE: list[Callable[[World, Path], str]] = [
    a_file,
    a_fifo,
    a_link_outwards,
    a_linked_folder,
    dots,
    no_jsonl,
    lambda _world, _folder: "/dev/zero",
    lambda _world, _folder: "/dev/stdin",
    lambda _world, _folder: "/etc/passwd",
    lambda _world, _folder: "/etc/passwd\0.jsonl",
    lambda _world, folder: f"{outside(folder)}/theirs.jsonl\0",
    lambda _world, folder: f"file://{outside(folder)}/theirs.jsonl",
    lambda _world, _folder: "\ud800.jsonl",
    lambda _world, _folder: "/" * 70_000 + "x.jsonl",
    lambda _world, _folder: "x" * 70_000 + ".jsonl",
    lambda _world, _folder: "",
    lambda _world, _folder: "..",
    lambda _world, _folder: "~/.ssh/id_rsa",
]


@pytest.mark.parametrize("place", ELSEWHERE)
def test_a_parent_outside_the_folders_is_not_opened(
    world: World, tmp_path: Path, opened: list[str], place: Callable[[World, Path], str]
) -> None:
    parent = place(world, tmp_path)
    head = header("a", THEN, parentSession=parent)
    text = (
        line(head)
        if "\ud800" not in parent
        else line(head | {"parentSession": "@"}).replace(b"@", b"\\ud800")
    )
    world.append("a.jsonl", text, said("user", "hi", THEN + 1))
    opened.clear()
    world.hint("a.jsonl")
    world.read()
    own, outside = str(world.sessions), (str(tmp_path / "outside"), "/dev", "/etc")
    assert {path for path in opened if path.startswith(own)} == {str(world.path("a.jsonl"))}
    assert [path for path in opened if path.startswith(outside) and not path.startswith(own)] == []
    world.deliver()
    assert world.texts(ID) == ["hi"]


def test_a_pipe_and_a_folder_below_the_roots_hang_nothing(world: World, opened: list[str]) -> None:
    os.mkfifo(world.path("pipe.jsonl"))
    world.path("folder.jsonl").mkdir()
    for name in ("pipe.jsonl", "folder.jsonl"):
        parent = str(world.path(name))
        world.append(
            f"{name}-child.jsonl", header(name, THEN, parentSession=parent), said("user", "hi", THEN)
        )
    world.sync()
    assert len(world.opensync.sessions) == 2
    assert opened


def test_a_session_that_is_its_own_parent_and_two_that_are_each_other_s(world: World) -> None:
    for name, parent in (("a", "a"), ("b", "c"), ("c", "b")):
        path = str(world.path(f"{parent}.jsonl"))
        world.append(f"{name}.jsonl", header(name, THEN, parentSession=path), said("user", name, THEN + 1))
    world.sync()
    assert len(world.opensync.messages) == 3


def test_what_logs_say_of_a_session_is_printable(world: World) -> None:
    nasty = NASTY.replace("/", "")
    world.append("a.jsonl", header("a", THEN, id=f"x{nasty}", cwd=f"/srv/{nasty}"))
    world.append("a.jsonl", said("user", nasty, THEN + 1))
    world.append("a.jsonl", {"type": f"odd{nasty}", "id": "e9", "timestamp": "2026-11-20T10:00:00Z"})
    world.sync()
    told = [str(value) for call in world.log.calls for value in (*call.args, *call.kwargs.values())]
    assert told
    assert [value for value in told if FORBIDDEN.search(value)] == []


COMMANDS = [
    ("preview", "a.jsonl"),
    ("sync", "--dry-run"),
    ("sync", "--yes", "--log-format", "text", "--debug"),
    ("status",),
    ("list",),
    ("queue", "list"),
    ("verify",),
    ("exclude", "list"),
]


def nasty_transcript(sessions: Path) -> None:
    call = {"type": "toolCall", "id": f"c{NASTY}", "name": f"tool{NASTY}", "arguments": {f"k{NASTY}": NASTY}}
    items = [
        header("a", THEN, id=f"x{NASTY}", cwd=f"/srv/{NASTY}"),
        said("user", NASTY, THEN + 1),
        said("assistant", "", THEN + 2, content=[{"type": "text", "text": NASTY}, call], model=f"m{NASTY}"),
        {"type": f"odd{NASTY}", "id": "e9", "timestamp": "2026-11-20T10:00:00Z"},
    ]
    (sessions / "a.jsonl").write_bytes(b"".join(map(line, items)))
    (sessions / f"n{NASTY.replace('/', '')}.jsonl").write_bytes(line(header("n", THEN, cwd=f"/srv/{NASTY}")))


@pytest.mark.slow
def test_no_command_prints_what_moves_a_terminal(cli: Cli, opensync: OpenSync) -> None:
    nasty_transcript(cli.home / "sessions")
    cli.variables |= {"PI_OPENSYNC_TOOL_CALLS": "true", "PI_OPENSYNC_EXCLUDE": f"/none/{NASTY}"}
    bad: dict[str, list[str]] = {}
    for command in COMMANDS:
        if command[0] == "verify":
            opensync.messages.clear()  # so that it has something to tell
        done = cli(*command)
        found = FORBIDDEN.findall(done.out + done.err)
        if found:
            bad[" ".join(command)] = sorted({ascii(char) for char in found})
    assert bad == {}
    assert opensync.sessions
