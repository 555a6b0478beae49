"""Files that pi's users delete, copy, bring back and resume, watched while the newest pi goes on in them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.real_pi.machine import (
    Machine,
    entries,
    same_money,
    texts,
    wait_for_texts,
    whole_cost,
)
from tests.real_pi.process import TIMEOUT_S, Installed
from tests.standin.backend import OpenSync

pytest_plugins = ("tests.real_pi.fixtures",)

pytestmark = pytest.mark.slow

# What pi's `/export FILE` runs; the command itself is there only in its terminal interface.
EXPORT = """
const pi = process.argv[2] + "/@earendil-works/pi-coding-agent/dist/core/";
const { SessionManager } = await import(pi + "session-manager.js");
const { exportSessionToJsonl } = await import(pi + "session-export.js");
exportSessionToJsonl(SessionManager.open(process.argv[3]), process.argv[4]);
"""


def export(version: Installed, transcript: Path, to: Path) -> None:
    script = to.with_name("export.mjs")
    script.write_text(EXPORT)
    command = [version.node, script, version.packages, transcript, to]
    subprocess.run(command, check=True, timeout=TIMEOUT_S, capture_output=True)


def test_a_session_goes_on_in_a_file_that_was_deleted_while_pi_runs(
    machine: Machine, opensync: OpenSync, newest_pi: Installed
) -> None:
    machine.sessions.mkdir(parents=True)
    with machine.cli.running("watch") as watch:
        watch.wait_for("following")
        with machine.pi(newest_pi) as pi:
            pi.prompt("First")
            transcript = pi.session_file()
            wait_for_texts(opensync, "Reply to: First")
            session = entries(transcript)[0]["id"]
            before = machine.paid()
            transcript.unlink()
            pi.prompt("Second")
            pi.rename("A name")
        assert entries(transcript)[0]["type"] == "message"
        wait_for_texts(opensync, "Reply to: Second")
        assert set(opensync.sessions) == {session}
        assert watch.stop() == 0

    done = machine.cli("sync", "--yes")
    assert done.code == 0, done.err
    assert texts(opensync) == ["First", "Reply to: First", "Second", "Reply to: Second"]
    assert opensync.sessions[session].title == "A name"
    assert whole_cost(opensync) == same_money(before + machine.paid())
    assert machine.differences() == []


def test_a_file_without_a_header_that_continues_nothing_known_is_named(
    machine: Machine, opensync: OpenSync, newest_pi: Installed
) -> None:
    """Of a session whose header nobody saw, no project is known: nothing of it may leave."""
    with machine.pi(newest_pi) as pi:
        pi.prompt("First")
        transcript = pi.session_file()
        transcript.unlink()
        pi.prompt("Second")
    assert machine.cli("sync", "--yes").code == 0
    assert opensync.sessions == {}
    assert transcript.name in machine.cli("list").out
    assert transcript.name in machine.cli("status").out


@pytest.mark.parametrize("resumed", ["version_1_pi", "pi_without_system_messages"])
def test_a_file_of_an_older_pi_that_the_newest_resumes_is_shown_once(
    machine: Machine,
    opensync: OpenSync,
    newest_pi: Installed,
    request: pytest.FixtureRequest,
    resumed: str,
) -> None:
    old = request.getfixturevalue(resumed)
    machine.sessions.mkdir(parents=True)
    with machine.cli.running("watch") as watch:
        watch.wait_for("following")
        machine.say_once(old, "First\nTOOL: echo one")
        wait_for_texts(opensync, "First", "The tools are done.")
        machine.say_once(newest_pi, "Second", continue_last=True)
        wait_for_texts(opensync, "Reply to: Second")
        machine.wait_until_equal(opensync)
        assert watch.stop() == 0

    (transcript,) = machine.transcripts()
    assert set(opensync.sessions) == {entries(transcript)[0]["id"]}
    assert texts(opensync)[-3:] == ["The tools are done.", "Second", "Reply to: Second"]
    assert len(texts(opensync)) == 5
    assert whole_cost(opensync) == same_money(machine.paid())
    assert opensync.counters.duplicate_rows == 0
    assert machine.differences() == []


def test_a_session_that_was_exported_and_imported_and_goes_on_in_both_files_is_one(
    machine: Machine, opensync: OpenSync, newest_pi: Installed, tmp_path: Path
) -> None:
    """`/import` copies the file into the sessions folder under its own name and opens it there."""
    machine.sessions.mkdir(parents=True)
    with machine.cli.running("watch") as watch:
        watch.wait_for("following")
        with machine.pi(newest_pi) as original, machine.pi(newest_pi) as other:
            original.prompt("First")
            transcript = original.session_file()
            exported = tmp_path / "exported.jsonl"
            export(newest_pi, transcript, exported)
            copy = transcript.with_name(exported.name)
            shutil.copy(exported, copy)
            other.switch_session(copy)
            other.prompt("Second, in the copy")
            original.prompt("Third, in the original")
            other.prompt("Fourth, in the copy")
        wait_for_texts(opensync, "Reply to: Third", "Reply to: Fourth")
        machine.wait_until_equal(opensync)
        assert watch.stop() == 0

    header = entries(transcript)[0]
    assert entries(copy)[0] | {"timestamp": header["timestamp"]} == header
    assert entries(copy)[0]["timestamp"] > header["timestamp"]
    assert set(opensync.sessions) == {header["id"]}
    assert [text for text in texts(opensync) if not text.startswith("Reply")] == [
        "First",
        "Second, in the copy",
        "Third, in the original",
        "Fourth, in the copy",
    ]
    assert len(texts(opensync)) == 8
    assert whole_cost(opensync) == same_money(machine.paid())
    assert machine.differences() == []
