"""`search`, `show` and `export`: past sessions out of pi's own files, redacted, and nothing excluded."""

import json
import stat
import time
from pathlib import Path

import pytest

from tests.conftest import Cli, new_key
from tests.harness import TRANSCRIPTS, header, line, said, session_id

MARKUP = "<script>alert(1)</script>"


@pytest.fixture
def home(fresh_cli: Cli) -> Cli:
    fresh_cli.variables["PI_OPENSYNC_SESSIONS_DIR"] = str(fresh_cli.home / "sessions")
    (fresh_cli.home / "sessions").mkdir()
    return fresh_cli


def write(cli: Cli, name: str, *texts: str, cwd: str = "/src/shop", days: int = 0) -> None:
    begun = time.time() - 60 - days * 86_400
    lines = (
        header(name, begun, cwd=cwd),
        *(said("user", text, begun + n) for n, text in enumerate(texts, 1)),
    )
    (cli.home / "sessions" / f"{name}.jsonl").write_bytes(b"".join(map(line, lines)))


def found(cli: Cli, *words: str) -> list[str]:
    report = json.loads(cli("search", "--json", *words).out)
    return [hit["session"]["id"] for hit in report["sessions"]]


def test_all_words_must_stand_in_one_message_the_latest_session_first(home: Cli) -> None:
    write(home, "a", "a flaky test in the parser", days=2)
    write(home, "b", "the PARSER is slow, and a Test is flaky")
    write(home, "c", "flaky", "parser", "test")
    assert found(home, "flaky", "parser", "test") == [session_id("b"), session_id("a")]
    assert found(home, "--limit", "1", "parser") == [session_id("c")]
    assert found(home, "--since", "1d", "parser", "slow") == [session_id("b")]
    assert found(home, "nowhere") == []


def test_nothing_found_is_1_as_of_grep_and_an_empty_list_in_json(home: Cli) -> None:
    write(home, "a", "a word")
    done = home("search", "nowhere")
    assert (done.code, done.out, done.err) == (1, "", "No session holds that.\n")
    done = home("search", "nowhere", "--json")
    assert (done.code, json.loads(done.out)["sessions"]) == (0, [])


@pytest.mark.parametrize("word", ["\u00fcber", "\u00dcBER", '"quoted"', "back\\slash", "tab\tbed"])
def test_words_are_found_as_json_writes_them(home: Cli, word: str) -> None:
    write(home, "a", f"it says {word} here")
    assert found(home, word) == [session_id("a")]


def test_what_is_excluded_is_not_found_and_not_shown(home: Cli) -> None:
    write(home, "a", "a word", cwd="/src/client")
    assert found(home, "word") == [session_id("a")]
    home.variables["PI_OPENSYNC_EXCLUDE"] = "/src/client"
    assert found(home, "word") == []
    done = home("show", session_id("a"))
    assert (done.code, "a word" in done.out) == (2, False)
    assert home("export", "out").out.startswith("0 sessions")


def test_secrets_are_redacted_in_all_of_them(home: Cli) -> None:
    home.keys.append(key := new_key())
    write(home, "a", f"my key is {key}, keep it")
    for words in (("search", "keep"), ("show", session_id("a")), ("show", session_id("a"), "--json")):
        assert "REDACTED" in home(*words).out
    assert home("export", "out").code == 0
    assert key not in (home.home / "out" / f"{session_id('a')}.md").read_text()


def test_a_page_holds_what_was_said_as_text(home: Cli) -> None:
    write(home, "a", MARKUP)
    page = home("show", session_id("a"), "--html").out
    assert "&lt;script&gt;" in page
    assert MARKUP not in page
    assert MARKUP in home("show", session_id("a"), "--md").out


def test_a_terminal_gets_no_control_characters(home: Cli) -> None:
    write(home, "a", "red \x1b[31m alert")
    for words in (("show", session_id("a")), ("search", "alert")):
        assert "\x1b[31m" not in home(*words).out


def test_one_way_to_show_at_a_time(home: Cli) -> None:
    write(home, "a", "one")
    assert home("show", session_id("a"), "--md", "--html").code == 2


def test_every_session_of_real_pis_is_a_file_for_the_user_alone(home: Cli) -> None:
    home.variables["PI_OPENSYNC_SESSIONS_DIR"] = str(TRANSCRIPTS)
    done = home("export", "out", "--format", "html")
    files = list(Path(home.home / "out").iterdir())
    assert done.out.startswith(f"{len(files)} sessions written")
    assert len(files) >= 20
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_resume_with_an_id_runs_pi_in_the_sessions_folder(home: Cli, tmp_path: Path) -> None:
    write(home, "a", "one", cwd=str(tmp_path))
    assert "pi is not found" in home("resume", session_id("a"), PATH=str(tmp_path)).err
    program = tmp_path / "pi"
    program.write_text('#!/bin/sh\npwd\necho "$@"\n')
    program.chmod(0o755)
    done = home("resume", session_id("a"), PATH=f"{tmp_path}:/usr/bin:/bin")
    assert done.out.splitlines() == [str(tmp_path), f"--session {home.home}/sessions/a.jsonl"]
    assert done.err == ""
    write(home, "b", "one", cwd=str(tmp_path / "gone"))
    done = home("resume", session_id("b"), PATH=f"{tmp_path}:/usr/bin:/bin")
    assert done.out.splitlines() == [str(home.home), f"--session {home.home}/sessions/b.jsonl"]
    assert "gone is not here; pi begins in this folder." in " ".join(done.err.split())
