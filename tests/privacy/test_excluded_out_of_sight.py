"""Not knowing is never permission: an exclusion ends when its folder is seen without it."""

import errno
import json
import os
from pathlib import Path

import pytest

from pi_opensync.files import Identity
from pi_opensync.privacy.projects import Disk, Exclusion, MayLeave, Projects, Stays, Unseen
from tests.conftest import Cli
from tests.harness import header, line, said

KNOWN = Exclusion("excluded by /mnt/client/.no-opensync", "marker", "/mnt/client/.no-opensync", (1, 7))


class Failing(Disk):
    """A disk on which every look at or below `folder` fails."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder = str(folder)
        self._number = number

    def _fail(self, path: str) -> None:
        if path.startswith(self._folder):
            raise OSError(self._number, os.strerror(self._number))

    def resolve(self, path: str) -> tuple[str, bool]:
        self._fail(path)
        return super().resolve(path)

    def identity(self, path: str) -> Identity | None:
        self._fail(path)
        return super().identity(path)


@pytest.fixture
def client(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "mnt" / "client"
    folder.mkdir(parents=True)
    return folder


def known(projects: Projects, folder: Path) -> Exclusion:
    judged = projects.judge(str(folder))
    assert isinstance(judged, Stays)
    return judged.exclusion


def test_a_marker_is_remembered_with_the_folder_that_holds_it(client: Path) -> None:
    (client / ".no-opensync").touch()
    (client / "api").mkdir()
    status = client.stat()
    marker = str(client / ".no-opensync")
    wanted = Exclusion(f"excluded by {marker}", "marker", marker, (status.st_dev, status.st_ino))
    assert known(Projects(), client) == wanted
    assert known(Projects(), client / "api") == wanted
    assert known(Projects(), client / "not" / "there") == wanted


def test_it_stays_while_its_folder_is_gone_and_leaves_when_it_is_back_without_its_marker(
    client: Path,
) -> None:
    (client / ".no-opensync").touch()
    before = known(Projects(), client)
    client.parent.rename(client.parent.with_name("gone"))
    judged = Projects().judge(str(client), known=before)
    assert isinstance(judged, Unseen)
    assert judged.exclusion == before
    assert judged.reason == f"{before.reason}, and its folder is not there to be looked at"
    client.parent.mkdir()
    assert isinstance(Projects().judge(str(client), known=before), Unseen)
    client.parent.rmdir()
    client.parent.with_name("gone").rename(client.parent)
    assert isinstance(Projects().judge(str(client), known=before), Stays)
    (client / ".no-opensync").unlink()
    assert isinstance(Projects().judge(str(client), known=before), MayLeave)


def test_an_empty_folder_where_another_was_mounted_is_not_the_folder(client: Path) -> None:
    (client / ".no-opensync").touch()
    before = known(Projects(), client)
    client.rename(client.with_name("unmounted"))
    client.mkdir()
    judged = Projects().judge(str(client), known=before)
    assert isinstance(judged, Unseen)
    assert "an empty folder stands in its place" in judged.reason
    (client / "README").touch()
    assert isinstance(Projects().judge(str(client), known=before), MayLeave)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ENOTCONN, errno.ESTALE, errno.EPERM])
@pytest.mark.parametrize("before", [None, KNOWN])
def test_a_folder_that_can_not_be_looked_at_stays(
    client: Path, number: int, before: Exclusion | None
) -> None:
    judged = Projects(disk=Failing(client.parent, number)).judge(str(client), known=before)
    assert isinstance(judged, Unseen)
    assert judged.reason == f"excluded while its folder can not be looked at ({os.strerror(number)})"
    assert judged.exclusion == (before or Exclusion(judged.reason, "sight"))


def test_what_could_not_be_looked_at_stays_until_it_was(client: Path) -> None:
    dead = Projects(disk=Failing(client, errno.EIO)).judge(str(client))
    assert isinstance(dead, Unseen)
    client.rename(client.with_name("gone"))
    assert isinstance(Projects().judge(str(client), known=dead.exclusion), Unseen)
    client.with_name("gone").rename(client)
    assert isinstance(Projects().judge(str(client), known=dead.exclusion), MayLeave)


def test_trouble_below_hides_no_marker_above(client: Path) -> None:
    marker = client.parent / ".no-opensync"
    marker.touch()
    judged = Projects(disk=Failing(client, errno.EIO)).judge(str(client))
    assert isinstance(judged, Stays)
    assert judged.reason == f"excluded by {marker}"


@pytest.mark.parametrize(
    "folder", ["/not/there", "relative", r"C:\Users\u", "/a\0b", "/\ud83d", "/" + "x" * 300, "/a" * 3_000]
)
def test_a_folder_that_is_not_there_and_was_never_excluded_may_leave(folder: str) -> None:
    assert isinstance(Projects().judge(folder), MayLeave)


def test_a_link_round_itself_can_not_be_looked_at(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to("round")
    assert isinstance(Projects().judge(str(tmp_path / "round" / "client")), Unseen)


def test_the_settings_end_what_they_began(client: Path) -> None:
    before = known(Projects(exclude=[str(client)]), client)
    assert before == Exclusion(f'excluded by "{client}"', "setting", str(client))
    client.rename(client.with_name("gone"))
    assert isinstance(Projects().judge(str(client), known=before), MayLeave)
    before = known(Projects(include=["/elsewhere"]), client)
    assert isinstance(Projects().judge(str(client), known=before), MayLeave)


def test_a_link_that_no_longer_leads_to_the_excluded_folder_ends_nothing(client: Path) -> None:
    link = client.with_name("link")
    link.symlink_to(client)
    projects = Projects(exclude=[str(client)])
    before = known(projects, link / "api")
    link.unlink()
    assert isinstance(projects.judge(str(link / "api"), known=before), Unseen)
    (link / "api").mkdir(parents=True)
    assert isinstance(projects.judge(str(link / "api"), known=before), MayLeave)


def test_an_excluded_link_that_leads_nowhere_still_holds_what_it_led_to(client: Path) -> None:
    link = client.with_name("link")
    link.symlink_to(client)
    projects = Projects(exclude=[str(link)])
    before = known(projects, client)
    link.unlink()
    judged = projects.judge(str(client), known=before)
    assert isinstance(judged, Unseen)
    assert judged.reason == f'excluded by "{link}", which leads nowhere now'
    assert isinstance(Projects().judge(str(client), known=before), MayLeave)


def test_a_link_that_leads_elsewhere_takes_nothing_away_from_the_marker(client: Path) -> None:
    (client / ".no-opensync").touch()
    other = client.with_name("other")
    other.mkdir()
    link = client.with_name("link")
    link.symlink_to(client)
    before = known(Projects(), link)
    link.unlink()
    link.symlink_to(other)
    assert Projects().judge(str(link), known=before) == Stays(before)
    (client / ".no-opensync").unlink()
    assert isinstance(Projects().judge(str(link), known=before), MayLeave)


def test_a_marker_is_found_behind_a_link_and_above_its_target(client: Path, tmp_path: Path) -> None:
    (client.parent / ".no-opensync").touch()
    (tmp_path / "link").symlink_to(client)
    assert isinstance(Projects().judge(str(tmp_path / "link")), Stays)


def test_a_name_composed_otherwise_finds_the_marker(tmp_path: Path) -> None:
    folder = tmp_path / "cafe\u0301"
    folder.mkdir()
    (folder / ".no-opensync").touch()
    assert isinstance(Projects().judge(str(tmp_path / "caf\xe9")), Stays)


def test_a_project_without_a_folder_stays_only_where_include_names_projects() -> None:
    assert isinstance(Projects().judge(None, known=KNOWN), MayLeave)
    assert isinstance(Projects(include=["/a"]).judge(None), Stays)


def test_status_says_why_what_is_out_of_sight_stays(cli: Cli, client: Path) -> None:
    (client / ".no-opensync").touch()
    begun = 1_790_000_000.0
    lines = (header("a", begun, cwd=str(client)), said("user", "the plan", begun + 1))
    path = cli.home / "sessions" / "a.jsonl"
    path.write_bytes(b"".join(map(line, lines)))
    assert cli("watch", "--once", "--backfill").code == 0
    assert f"excluded by {client / '.no-opensync'}" in " ".join(cli("status").out.split())
    client.rename(client.with_name("gone"))
    os.utime(path)
    assert cli("watch", "--once").code == 0
    shown = f"excluded by {client / '.no-opensync'}, and its folder is not there to be looked at"
    assert shown in " ".join(cli("status").out.split())
    assert json.loads(cli("status", "--json").out)["state"]["excluded_because"] == [shown]
    assert shown in " ".join(cli("list", "--excluded", COLUMNS="400").out.split())
