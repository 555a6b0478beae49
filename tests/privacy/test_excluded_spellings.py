"""A folder is excluded however it is written: composed names, slashes of either kind, drives, links."""

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi_opensync import settings
from pi_opensync.cli import exclude
from pi_opensync.errors import ConfigurationError
from pi_opensync.files import Identity
from pi_opensync.privacy.projects import Disk, Projects, is_in, pattern_for
from pi_opensync.privacy.spelling import Pattern, absolute, escaped, is_within, spelled
from tests.conftest import Cli

HOME = "/home/u"
NAME = st.text(
    st.characters(exclude_characters="/\\\0", exclude_categories=["Cs"]), min_size=1, max_size=8
).filter(lambda name: name.strip() not in ("", ".", "..") and ":" not in name)
NAMES = st.lists(NAME, min_size=1, max_size=4)


class Links(Disk):
    """A disk on which nothing is but links, each from a folder to a folder."""

    def __init__(self, **links: str) -> None:
        self._links = {"/" + name: target for name, target in links.items()}

    def resolve(self, path: str) -> tuple[str, bool]:
        for link, target in self._links.items():
            if is_within(spelled(path), spelled(link)):
                return target + path[len(link) :], True
        return path, False

    def identity(self, path: str) -> Identity | None:
        del path
        return None


def excludes(pattern: str, folder: str, **links: str) -> bool:
    return Projects(exclude=[pattern], home=HOME, disk=Links(**links)).reason(folder) is not None


@given(NAMES, st.sampled_from(["NFC", "NFD"]), st.sampled_from(["NFC", "NFD"]), st.sampled_from(["/", "\\"]))
def test_a_folder_and_what_is_below_it_are_excluded_as_another_system_writes_them(
    names: list[str], one: str, other: str, slash: str
) -> None:
    pattern = unicodedata.normalize(one, escaped("/" + "/".join(names)))  # type: ignore[arg-type]
    folder = unicodedata.normalize(other, slash + slash.join(names))  # type: ignore[arg-type]
    assert excludes(pattern, folder)
    assert excludes(pattern, folder + slash + "api")
    assert excludes(pattern, folder + slash)
    assert not excludes(pattern, folder + "2")


@given(NAMES)
def test_what_a_user_names_in_a_command_is_excluded_or_refused(names: list[str]) -> None:
    folder = "/" + "/".join(names)
    try:
        pattern = pattern_for(folder, here="/", home=HOME, disk=Links())
    except ConfigurationError:
        return
    assert excludes(pattern, folder) or any(sign in folder for sign in "*?[")


@given(NAMES)
def test_one_spelling_stays_as_it_is(names: list[str]) -> None:
    once = spelled("/" + "/".join(names))
    assert spelled(once) == once == spelled("/" + once) == spelled(once + "/")


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [
        (r"C:\Users\u\client", r"C:\Users\u\client"),
        (r"C:\Users\u\client", "C:/Users/u/client/api"),
        ("C:/Users/u/client", r"c:\Users\u\client"),
        ("/c:/Users/u/client", r"C:\Users\u\client"),
        (r"C:\Users\*\client", r"C:\Users\u\client"),
        (r"C:\Users\[id]", r"C:\Users\i"),
        ("C:\\", r"C:\Users"),
        (r"\\wsl$\Ubuntu\home\u\c", r"\\wsl$\Ubuntu\home\u\c\api"),
        ("//wsl$/Ubuntu/home/u/c", r"\\wsl$\Ubuntu\home\u\c"),
        (r"**\secret-*", r"D:\work\secret-1\api"),
        ("/", "/srv/x"),
        ("/", "/"),
        ("/", r"C:\Users"),
        ("**", "/"),
        ("~", HOME + "/client"),
        ("~/work/../client/", HOME + "/client"),
        ("/srv//x/./y", "/srv/x/y/z"),
        ("/srv/x", "/srv/y/../x"),
        ("/srv/x", "/srv//x/"),
    ],
)
def test_what_means_the_same_folder_matches(pattern: str, folder: str) -> None:
    assert excludes(pattern, folder)


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [
        (r"C:\Users\u\client", r"C:\Users\u\client2"),
        (r"C:\Users\u\client", r"D:\Users\u\client"),
        ("/srv/x", "/srv/X"),
        (r"/srv/a\*b", "/srv/aab"),
    ],
)
def test_another_folder_does_not_match(pattern: str, folder: str) -> None:
    assert not excludes(pattern, folder)


@pytest.mark.parametrize("pattern", ["", " ", "!work", "#work"])
def test_a_pattern_that_excludes_nothing_is_no_setting(pattern: str) -> None:
    with pytest.raises(ConfigurationError):
        Projects(exclude=[pattern])
    with pytest.raises(ConfigurationError):
        Projects(include=[pattern])


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [
        ("/link", "/real"),
        ("/link/api", "/real/api"),
        ("/link/*", "/real/api"),
        ("/real", "/link"),
        ("/real/**/x", "/link/a/x"),
        ("/real", "/link/api"),
    ],
)
def test_a_link_and_its_target_are_one_folder(pattern: str, folder: str) -> None:
    assert excludes(pattern, folder, link="/real")
    assert not excludes(pattern, "/other", link="/real")
    include = Projects(include=[pattern], disk=Links(link="/real"))
    assert include.reason(folder) is None
    assert include.reason("/other") is not None


def test_a_home_folder_with_signs_of_a_glob_is_a_folder() -> None:
    assert Projects(exclude=["~/x"], home="/home/[u]").reason("/home/[u]/x") is not None
    assert Projects(exclude=["~/x"], home="/home/[u]").reason("/home/u/x") is None


def test_a_pattern_is_divided_where_its_globs_begin() -> None:
    divided = [
        (it.prefix, it.rest) for it in map(Pattern.of, ("/a/b", "/a/b*/c", r"/a/\[b/**", "a/b", "/*/b"))
    ]
    assert divided == [("/a/b", ""), ("/a", "/b*/c"), ("/a/[b", "/**"), (None, "a/b"), (None, "/*/b")]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("~", HOME),
        ("~/x", HOME + "/x"),
        ("../x/", "/srv/x"),
        (r"C:\x", r"C:\x"),
        (r"\\host\x", r"\\host\x"),
    ],
)
def test_a_folder_is_named_from_where_one_is(text: str, wanted: str) -> None:
    assert absolute(text, here="/srv/here", home=HOME) == wanted


def test_a_project_is_in_a_folder_by_any_of_its_paths() -> None:
    disk = Links(link="/real")
    for cwd, folder in (("/real/api", "/link"), ("/link", "/real"), (r"C:\a\b", "C:/a"), ("/a/b", "/")):
        assert is_in(cwd, folder, disk=disk)
    for other, folder in ((None, "/"), ("/real2", "/link"), ("/a", "/a/b")):
        assert not is_in(other, folder, disk=disk)


def test_drives_are_not_taken_apart_in_a_list_of_patterns() -> None:
    listed = r"C:\work:/srv/x:a:/b:D:/work:d:\y:**/secret-*"
    wanted = [r"C:\work", "/srv/x", "a", "/b", "D:/work", r"d:\y", "**/secret-*"]
    assert settings.patterns(listed) == wanted


def test_each_spelling_is_added_tested_and_removed_by_the_commands(fresh_cli: Cli) -> None:
    real = fresh_cli.home / "café"
    real.mkdir()
    (fresh_cli.home / "link").symlink_to(real)
    decomposed = unicodedata.normalize("NFD", str(real))
    for added, asked in (
        (decomposed, str(real)),
        (str(fresh_cli.home / "link"), str(real)),
        (str(real), str(fresh_cli.home / "link" / "api")),
        (r"C:\Users\u\client", "C:/Users/u/client"),
        ("/", "/srv/x"),
    ):
        assert "is sent" in fresh_cli("exclude", "test", asked).out
        assert fresh_cli("exclude", "add", added).code == 0
        assert "excluded by" in fresh_cli("exclude", "test", asked).out
        assert fresh_cli("exclude", "remove", added).code == 0


def test_a_pattern_that_does_not_match_its_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("pi_opensync.privacy.spelling.Pattern.matches", lambda _self, _path: False)
    for name in [name for name in os.environ if name.startswith("PI_OPENSYNC_")]:
        monkeypatch.delenv(name)
    with pytest.raises(ConfigurationError) as refused:
        exclude.add_exclusion(str(tmp_path / "client"))
    assert refused.value.exit_code == 6
    assert not list(tmp_path.rglob("config.json"))
