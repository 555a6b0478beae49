"""Forks, branches and the user's own commands of the newest pi, watched while it writes them."""

import json
from pathlib import Path

import pytest

from tests.real_pi.machine import (
    Machine,
    child_sessions,
    entries,
    same_money,
    texts,
    wait_for_texts,
    whole_cost,
)
from tests.real_pi.process import EXTENSION, Installed
from tests.standin.backend import OpenSync

pytest_plugins = ("tests.real_pi.fixtures",)

pytestmark = pytest.mark.slow


def test_forks_of_every_kind_are_children_that_are_paid_for_once(
    machine: Machine, opensync: OpenSync, newest_pi: Installed, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "other"
    elsewhere.mkdir()
    machine.sessions.mkdir(parents=True)
    with machine.cli.running("watch") as watch:
        watch.wait_for("following")
        with machine.pi(newest_pi) as pi:
            pi.prompt("First")
            pi.prompt("Second\nTOOL: echo two")
            parent = pi.session_file()
            pi.fork(pi.fork_messages()[1]["entryId"])
            pi.prompt("In the fork")
            fork = pi.session_file()
            pi.clone()
            pi.prompt("In the clone")
            clone = pi.session_file()
        machine.say_once(
            newest_pi, "In another project", project=elsewhere, arguments=["--fork", str(parent)]
        )
        machine.say_once(newest_pi, "In a session with a name", arguments=["--session-id", "nightly-run"])
        wait_for_texts(
            opensync, "In the fork", "In the clone", "In another project", "In a session with a name"
        )
        machine.wait_until_equal(opensync)
        assert watch.stop() == 0

    (far,) = [path for path in machine.transcripts() if entries(path)[0]["cwd"] == str(elsewhere)]
    parent_id, fork_id, clone_id, far_id = (entries(path)[0]["id"] for path in (parent, fork, clone, far))
    (named,) = set(opensync.sessions) - {parent_id, fork_id, clone_id, far_id}
    assert named.startswith("nightly-run")  # such a name is unique only within its project
    assert {row.external_id for row in child_sessions(opensync, "Fork", parent_id)} >= {fork_id, far_id}
    assert clone_id in {row.external_id for row in child_sessions(opensync, "Fork", fork_id)}
    assert opensync.sessions[far_id].project_name == "other"
    assert opensync.sessions[parent_id].project_name == machine.project.name
    assert whole_cost(opensync) == same_money(machine.paid())
    assert machine.differences() == []


def test_every_branch_of_a_tree_is_shown_and_what_the_user_kept_from_the_model_is_not(
    machine: Machine, opensync: OpenSync, newest_pi: Installed
) -> None:
    machine.sessions.mkdir(parents=True)
    with machine.cli.running("watch") as watch:
        watch.wait_for("following")
        with machine.pi(newest_pi, extensions=[EXTENSION]) as pi:
            pi.prompt("First")
            transcript = pi.session_file()
            back_to = entries(transcript)[-1]["id"]
            pi.prompt("Second")
            pi.run_extension_command("go-back", back_to)
            pi.prompt("Second, said otherwise")
            pi.bash("echo shown to the model")
            pi.bash("echo dear diary", kept_from_the_model=True)
            pi.compact()
            pi.prompt("Third")
        wait_for_texts(opensync, "Reply to: Second", "Reply to: Second, said otherwise", "Reply to: Third")
        machine.wait_until_equal(opensync)
        assert watch.stop() == 0

    assert {"First", "Second", "Second, said otherwise", "Third"} <= set(texts(opensync))
    dashboard = json.dumps(opensync.snapshot())
    assert "shown to the model" in dashboard
    assert "dear diary" in transcript.read_text()
    assert "dear diary" not in dashboard
    assert whole_cost(opensync) == same_money(machine.paid())
    assert machine.differences() == []
