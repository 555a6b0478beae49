"""What the daemon relies on in pi's files, held by real versions of pi."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.real_pi.home import session_files
from tests.real_pi.model import CACHE_WRITE_TOKENS, CACHED_TOKENS, Mood, StubModel
from tests.real_pi.process import EXTENSION, NEWEST, WITHOUT_SYSTEM_MESSAGES, Installed, RealPi, print_mode

pytestmark = pytest.mark.slow

pytest_plugins = ("tests.real_pi.fixtures",)

WAIT_FOR_GO = "TOOL: until test -e go; do sleep 0.02; done; echo gone"


@pytest.fixture
def pi(real_pi_version: Installed, pi_home: Path, pi_project: Path, stub_model: StubModel) -> RealPi:
    return RealPi(real_pi_version, pi_home, pi_project, stub_model.url, extensions=[EXTENSION])


def entries(transcript: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in transcript.read_bytes().splitlines()]


def of_type(kind: str, transcript: Path) -> list[dict[str, Any]]:
    return [entry for entry in entries(transcript) if entry["type"] == kind]


def messages(role: str, transcript: Path) -> list[dict[str, Any]]:
    found = (entry["message"] for entry in of_type("message", transcript))
    return [message for message in found if message["role"] == role]


def test_nothing_is_on_disk_before_the_first_message_that_is_kept(
    pi: RealPi, real_pi_version: Installed, pi_home: Path, stub_model: StubModel
) -> None:
    """The user's message since about 0.90, the model's before."""
    keeps_the_question = real_pi_version.version == NEWEST
    stub_model.mood = Mood.STALL
    with pi:
        pi.rename("Named early")
        assert session_files(pi_home) == []
        pi.begin("Hello")
        stub_model.wait_until_stalled()
        assert [len(messages("user", path)) for path in session_files(pi_home)] == [1] * keeps_the_question

        pi.abort()
        (transcript,) = session_files(pi_home)
        assert entries(transcript)[0]["type"] == "session"
        assert messages("user", transcript)[0]["content"] == [{"type": "text", "text": "Hello"}]
        assert messages("assistant", transcript)[0]["stopReason"] == "aborted"


def test_every_later_entry_is_appended_as_whole_lines(pi: RealPi) -> None:
    with pi:
        pi.prompt("Hello")
        transcript = pi.session_file()
        inode = transcript.stat().st_ino
        for act in (
            lambda: pi.bash("echo hi"),
            lambda: pi.rename("A name"),
            pi.set_model,
            lambda: pi.prompt("Both\nTOOL: echo one\nTOOL: echo two"),
            lambda: pi.run_extension_command("write-custom"),
            pi.compact,
        ):
            before = transcript.read_bytes()
            act()
            after = transcript.read_bytes()
            assert after.startswith(before)
            assert len(after) > len(before)
            assert after.endswith(b"\n")
        assert transcript.stat().st_ino == inode

    parents = [entry["parentId"] for entry in entries(transcript)[1:]]
    assert parents == [None, *(entry["id"] for entry in entries(transcript)[1:-1])]


def test_an_assistant_message_is_on_disk_while_its_tool_still_runs(pi: RealPi, pi_project: Path) -> None:
    with pi:
        pi.begin(f"Wait\n{WAIT_FOR_GO}")
        pi.wait_for("tool_execution_start")
        transcript = pi.session_file()
        call = entries(transcript)[-1]["message"]["content"][-1]
        assert call["type"] == "toolCall"
        assert messages("toolResult", transcript) == []

        (pi_project / "go").touch()
        pi.finish()
        (result,) = messages("toolResult", transcript)
        assert result["toolCallId"] == call["id"]
        assert result["content"] == [{"type": "text", "text": "gone\n"}]


def test_a_killed_turn_leaves_whole_lines_and_its_call_without_a_result(pi: RealPi, pi_project: Path) -> None:
    with pi:
        pi.begin(f"Wait\n{WAIT_FOR_GO}")
        pi.wait_for("tool_execution_start")
        transcript = pi.session_file()
        pi.kill()
        (pi_project / "go").touch()

    assert transcript.read_bytes().endswith(b"\n")
    assert entries(transcript)[-1]["message"]["stopReason"] == "toolUse"


def test_usage_splits_the_prompt_by_cache_and_has_a_cost(pi: RealPi, real_pi_version: Installed) -> None:
    with pi:
        pi.prompt("Hello")
        (message,) = messages("assistant", pi.session_file())
    usage = message["usage"]
    assert usage["cost"]["total"] > 0
    if real_pi_version.version != WITHOUT_SYSTEM_MESSAGES:
        assert (usage["cacheRead"], usage["cacheWrite"]) == (CACHED_TOKENS, CACHE_WRITE_TOKENS)
    assert usage["input"] + usage["cacheRead"] + usage["cacheWrite"] == 1020


def test_a_refused_request_is_an_assistant_message_without_content(pi: RealPi, stub_model: StubModel) -> None:
    stub_model.mood = Mood.ERROR
    with pi:
        pi.prompt("Hello")
        (message,) = messages("assistant", pi.session_file())
    assert message["content"] == []
    assert message["stopReason"] == "error"
    assert "500" in message["errorMessage"]


def test_a_fork_copies_entries_with_their_ids_and_times(pi: RealPi) -> None:
    with pi:
        pi.prompt("First")
        pi.prompt("Second")
        parent = pi.session_file()
        pi.fork(pi.fork_messages()[1]["entryId"])
        fork = pi.session_file()

    header, *copied = entries(fork)
    assert header["parentSession"] == str(parent)
    assert header["id"] != entries(parent)[0]["id"]
    lines = parent.read_bytes().splitlines()
    assert fork.read_bytes().splitlines()[1:] == lines[1 : len(copied) + 1]
    assert [message["content"][0]["text"] for message in messages("user", fork)] == ["First"]
    assert all(entry["timestamp"] < header["timestamp"] for entry in copied)


def test_a_handoff_names_its_parent_and_copies_nothing(pi: RealPi) -> None:
    with pi:
        pi.prompt("First")
        parent = pi.session_file()
        pi.new_session(parent)
        pi.prompt("In the child")
        child = pi.session_file()

    header, *own = entries(child)
    assert header["parentSession"] == str(parent)
    assert all(entry["timestamp"] >= header["timestamp"] for entry in own)
    assert len(messages("user", child)) == 1


def test_continuing_appends_to_the_same_file(
    real_pi_version: Installed, pi_home: Path, pi_project: Path, stub_model: StubModel
) -> None:
    print_mode(real_pi_version, pi_home, pi_project, stub_model.url, "First")
    (transcript,) = session_files(pi_home)
    before = transcript.read_bytes()
    print_mode(real_pi_version, pi_home, pi_project, stub_model.url, "Second", continue_last=True)
    assert session_files(pi_home) == [transcript]
    assert transcript.read_bytes().startswith(before)
    assert len(of_type("session", transcript)) == 1
    assert len(messages("user", transcript)) == 2


def test_a_compaction_keeps_what_it_summarizes_in_the_file(pi: RealPi, real_pi_version: Installed) -> None:
    with pi:
        pi.prompt("First")
        pi.prompt("Second")
        pi.compact()
        transcript = pi.session_file()

    compaction = entries(transcript)[-1]
    assert compaction["type"] == "compaction"
    assert compaction["summary"].startswith("Reply to:")
    assert compaction["tokensBefore"] > 0
    assert ("usage" in compaction) == (real_pi_version.version != WITHOUT_SYSTEM_MESSAGES)
    assert len(messages("user", transcript)) == 2


def test_an_extension_writes_notes_data_labels_and_another_branch(pi: RealPi) -> None:
    with pi:
        pi.prompt("First")
        transcript = pi.session_file()
        back_to = entries(transcript)[-1]["id"]
        pi.prompt("Second")
        pi.run_extension_command("write-custom")
        pi.run_extension_command("go-back", back_to)
        pi.prompt("Second, said otherwise")

    notes = [(note["content"], note["display"]) for note in of_type("custom_message", transcript)]
    assert notes == [("A shown note", True), ("A hidden note", False)]
    assert of_type("custom", transcript)[0]["data"] == {"count": 1}
    assert of_type("label", transcript)[0]["label"] == "start"
    (summary,) = of_type("branch_summary", transcript)
    assert summary["parentId"] == back_to
    assert len(messages("user", transcript)) == 3


def test_opening_a_version_1_file_rewrites_it_with_new_ids_after_the_old_keys(
    version_1_pi: Installed, newest_pi: Installed, pi_home: Path, pi_project: Path, stub_model: StubModel
) -> None:
    with RealPi(version_1_pi, pi_home, pi_project, stub_model.url) as old:
        old.prompt("First\nTOOL: echo one")
        old.set_model()
        old.compact()
    (transcript,) = session_files(pi_home)
    inode = transcript.stat().st_ino
    originals = entries(transcript)
    assert all("id" not in entry for entry in originals[1:])

    with RealPi(newest_pi, pi_home, pi_project, stub_model.url, arguments=["-c"]) as new:
        assert new.session_file() == transcript
        migrated = entries(transcript)
        assert transcript.stat().st_ino == inode

        new.prompt("Second")
        appended = entries(transcript)[len(migrated) :]
        new.fork(new.fork_messages()[1]["entryId"])
        fork = entries(new.session_file())

    header, *rest = migrated
    assert list(header) == ["type", "id", "timestamp", "cwd", "version"]
    assert header == {**originals[0], "version": 3}
    for original, entry in zip(originals[1:], rest, strict=True):
        kept = [key for key in original if key != "firstKeptEntryIndex"]
        added = ["firstKeptEntryId"] if entry["type"] == "compaction" else []
        assert list(entry) == [*kept, "id", "parentId", *added]
        assert [entry[key] for key in kept] == [original[key] for key in kept]

    assert [list(entry)[:4] for entry in appended] == [["type", "id", "parentId", "timestamp"]] * len(
        appended
    )
    assert list(fork[0])[:3] == ["type", "version", "id"]
    assert fork[1 : len(rest) + 1] == rest
    assert [list(entry) for entry in fork[1 : len(rest) + 1]] == [list(entry) for entry in rest]


def test_a_version_1_fork_names_its_parent_under_another_key(
    version_1_pi: Installed, pi_home: Path, pi_project: Path, stub_model: StubModel
) -> None:
    with RealPi(version_1_pi, pi_home, pi_project, stub_model.url) as pi:
        pi.prompt("First")
        pi.prompt("Second")
        parent = pi.session_file()
        second = pi.call("get_branch_messages")["messages"][1]
        pi.call("branch", entryIndex=second["entryIndex"])
        pi.prompt("Second, said otherwise")
        header, *rest = entries(pi.session_file())
        assert "parentSession" not in header
        assert header["branchedFrom"] == str(parent)
        assert rest[:2] == entries(parent)[1:3]


def test_pi_sees_nothing_of_this_environment(pi: RealPi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRAY_API_KEY", "stray")
    with pi:
        assert "STRAY_API_KEY" not in pi.bash("env")["output"]


def test_no_process_outlives_the_block_in_the_middle_of_a_turn(pi: RealPi, stub_model: StubModel) -> None:
    stub_model.mood = Mood.STALL
    with pi:
        pid = pi.pid
        pi.begin("Hello")
        stub_model.wait_until_stalled()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
