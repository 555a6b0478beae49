"""What was forked from an excluded session stays here also where its file is elsewhere, or gone."""

import shutil
from pathlib import Path

import pytest

from pi_opensync.errors import PiOpensyncError
from pi_opensync.privacy.known import ExcludedFiles
from tests.conftest import Cli
from tests.harness import header, line, said, session_id
from tests.standin.backend import OpenSync

BEGUN = 1_790_000_000.0
COPIED = (said("user", "the plan", BEGUN + 1), said("assistant", "of the client", BEGUN + 2))


@pytest.fixture
def client(cli: Cli) -> Path:
    folder = cli.home / "client"
    folder.mkdir()
    (folder / ".no-opensync").touch()
    return folder


def excluded(path: Path, client: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"".join(map(line, (header("a", BEGUN, cwd=str(client)), *COPIED))))
    return path


def forked(cli: Cli, parent: Path) -> None:
    lines = (
        header("b", BEGUN + 60, cwd="/oss", parentSession=str(parent)),
        *COPIED,
        said("user", "in the open", BEGUN + 61),
    )
    (cli.home / "sessions" / "b.jsonl").write_bytes(b"".join(map(line, lines)))


def texts(opensync: OpenSync) -> list[str | None]:
    return [message.text_content for message in opensync.messages.values()]


@pytest.mark.parametrize("place", ["elsewhere/a.jsonl", "elsewhere/kept.txt"])
def test_its_file_is_elsewhere(cli: Cli, client: Path, opensync: OpenSync, place: str) -> None:
    forked(cli, excluded(cli.home / place, client))
    assert cli("sync", "--yes").code == 0
    assert texts(opensync) == ["in the open"]


@pytest.mark.parametrize("how", ["sync", "watch"])
def test_its_file_is_gone_and_so_is_the_state(cli: Cli, client: Path, opensync: OpenSync, how: str) -> None:
    """Or the dashboard is another one, which has a state of its own."""
    parent = excluded(cli.home / "sessions" / "a.jsonl", client)
    run = ("sync", "--yes") if how == "sync" else ("watch", "--once", "--backfill")
    assert cli(*run).code == 0
    parent.unlink()
    for folder in [path for path in (cli.home / "state").iterdir() if path.is_dir()]:
        shutil.rmtree(folder)
    forked(cli, parent)
    shown = cli("preview", session_id("b")).out
    assert "of the client" not in shown
    assert "2 entries copied out of an excluded project" in shown
    assert cli(*run).code == 0
    assert texts(opensync) == ["in the open"]


@pytest.mark.parametrize("is_excluded", [True, False])
@pytest.mark.parametrize("link", ["a-link", "z-link"])
def test_its_file_is_behind_a_link_out_of_the_folders(
    cli: Cli, client: Path, opensync: OpenSync, link: str, is_excluded: bool
) -> None:
    """Met before its child or after: what may leave does, and nothing else."""
    if not is_excluded:
        (client / ".no-opensync").unlink()
    excluded(cli.home / "elsewhere" / "a.jsonl", client)
    (cli.home / "sessions" / link).symlink_to(cli.home / "elsewhere")
    forked(cli, cli.home / "sessions" / link / "a.jsonl")
    assert cli("sync", "--yes").code == 0
    of_fork = [it.text_content for it in opensync.messages.values() if session_id("b") in it.external_id]
    assert of_fork == (["in the open"] if is_excluded else ["the plan", "of the client", "in the open"])
    assert ("the plan" in texts(opensync)) is not is_excluded


def test_names_of_excluded_files_are_shared_between_processes(tmp_path: Path) -> None:
    one, other = ExcludedFiles(tmp_path / "files"), ExcludedFiles(tmp_path / "files")
    one.remember("a.jsonl", "/client")
    assert other.project("a.jsonl") == "/client"
    other.remember("b.jsonl", "/client")
    other.remember("b.jsonl", "/client")
    assert one.project("b.jsonl") == "/client"
    assert (tmp_path / "files").read_bytes().count(b"\n") == 2
    with (tmp_path / "files").open("ab") as file:
        file.write(b'no json\n["half')
    assert ExcludedFiles(tmp_path / "files").project("a.jsonl") == "/client"
    (tmp_path / "files").unlink()
    (tmp_path / "files").mkdir()
    with pytest.raises(PiOpensyncError, match="can not be looked up"):
        ExcludedFiles(tmp_path / "files").project("a.jsonl")
