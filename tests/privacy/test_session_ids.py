"""A session's id that the user chose and that holds a secret never leaves; the session keeps its place."""

import json
from pathlib import Path

from pi_opensync.fold import external_id
from pi_opensync.pi.parents import first_header
from pi_opensync.privacy.identifiers import public
from tests.conftest import Cli
from tests.harness import START, World, header, line, said
from tests.privacy.redact.samples import Maker
from tests.privacy.traces import everywhere as traces

THEN = START - 86_400.0
KEY = "sk-" + "ant-api03-" + Maker(91).url_safe(93) + "AA"


def test_it_is_replaced_and_stays_one_session(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.append("a.jsonl", header("a", THEN, id=KEY), said("user", "one", THEN + 1))
        world.sync()
        world.restart()
        world.append("a.jsonl", said("user", "two", THEN + 2))
        world.sync()
        (session,) = world.opensync.sessions.values()
        assert len(world.opensync.messages) == 2
        assert session.external_id.startswith(public(KEY))
        assert all(KEY not in text and KEY[:12] not in text for text in traces(world).values())


def test_a_fork_names_its_parent_by_what_stands_for_it(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        parent = world.append("p.jsonl", header("p", THEN, id=KEY), said("user", "one", THEN + 1))
        fork = header("f", THEN + 10, parentSession=str(parent))
        world.append("f.jsonl", fork, said("user", "two", THEN + 11))
        world.sync()
        assert f"[Fork::{public(KEY)[:8]}] two" in world.titles().values()
        assert all(KEY[:8] not in text for text in traces(world).values())


def test_an_id_without_a_secret_is_left() -> None:
    assert public("nightly-run-of-the-release-2026-11-20") == "nightly-run-of-the-release-2026-11-20"
    assert public(KEY) == public(KEY) != public(KEY + "x")


def test_resume_finds_the_session_by_either_id(cli: Cli) -> None:
    lines = (header("a", THEN, id=KEY), said("user", "one", THEN + 1))
    path = cli.home / "sessions" / "a.jsonl"
    path.write_bytes(b"".join(map(line, lines)))
    found = first_header(str(path).encode())
    assert found is not None
    for wanted in (KEY, external_id(found), public(KEY)):
        done = cli("show", wanted, "--json")
        assert done.code == 0, done.err
        assert KEY not in json.dumps(done.out)
