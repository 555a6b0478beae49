"""`preview` shows exactly what a sync then sends."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pi_opensync.cli import preview, sync
from pi_opensync.errors import PiOpensyncError
from pi_opensync.read.select import Wanted
from tests.harness import START, TRANSCRIPTS, entry, header, line, said, session_id
from tests.machine.daemon import Commands, DaemonWorld
from tests.privacy.places import one_of_each_rule
from tests.privacy.traces import leaks
from tests.read.settled import put, talk

THEN = START - 86_400.0
Shown = Callable[[str], dict[str, Any]]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DaemonWorld]:
    with DaemonWorld(tmp_path / "world", monkeypatch) as made:
        Commands(made, monkeypatch)
        yield made


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Shown:
    def run(wanted: str) -> dict[str, Any]:
        capsys.readouterr()
        preview.run(wanted, as_json=True)
        value: dict[str, Any] = json.loads(capsys.readouterr().out)
        return value

    return run


def sync_now() -> None:
    sync.run(Wanted(), dry_run=False, yes=True, log_format="json", debug=None)


def sent(world: DaemonWorld) -> dict[str, Any]:
    """By session: the session as it was sent last, and each message as it was sent last."""
    found: dict[str, Any] = {}
    for request in world.sent("/sync/session"):
        found.setdefault(request.json["externalId"], {"messages": {}})["session"] = request.json
    for request in world.transport.log:
        several = request.json.get("messages", []) if request.path == "/sync/batch" else []
        for message in [request.json] if request.path == "/sync/message" else several:
            found[message["sessionExternalId"]]["messages"][message["externalId"]] = message
    return found


def previewed(report: dict[str, Any]) -> dict[str, Any]:
    return {
        item["session"]["externalId"]: {
            "session": item["session"],
            "messages": {message["externalId"]: message for message in item["messages"]},
        }
        for item in report["sessions"]
    }


def test_it_equals_what_is_sent_of_real_transcripts(world: DaemonWorld, shown: Shown) -> None:
    world.place(TRANSCRIPTS)
    ids = [
        json.loads(path.read_text("utf-8").partition("\n")[0])["id"]
        for path in sorted(world.sessions.rglob("*.jsonl"))
    ]
    wanted: dict[str, Any] = {}
    for name in ids:
        wanted |= previewed(shown(name))
    sync_now()
    assert sent(world) == wanted


def test_it_counts_by_rule_what_is_redacted_and_what_is_left_out(world: DaemonWorld, shown: Shown) -> None:
    samples = {sample.rule: sample for sample in one_of_each_rule()}
    github, jwt = samples["github-token"].text, samples["jwt"].text
    thinking = {"type": "thinking", "thinking": "hm"}
    call = {"type": "toolCall", "id": "c", "name": "bash", "arguments": {"a": github}}
    picture = {"type": "image", "mimeType": "image/png", "data": "aGk="}
    put(
        world,
        "a.jsonl",
        line(header("a", THEN)),
        line(said("user", f"{github} and {github} and {jwt}", THEN + 1)),
        line(said("user", "", THEN + 2, content=[picture, picture])),
        line(said("assistant", "", THEN + 3, content=[thinking, {"type": "text", "text": github}, call])),
        line(said("toolResult", jwt, THEN + 4, toolCallId="c")),
        line(said("system", jwt, THEN + 5)),
        line(entry(THEN + 5, type="compaction", summary="s", systemMessage={"content": jwt})),
        line(said("assistant", "", THEN + 5, content=[], stopReason="deferred", deferred={"id": jwt})),
        line(entry(THEN + 6, type="custom_message", content=jwt, display=False)),
        b"{broken\n",
    )
    report = shown(session_id("a")[:8])
    assert report["redacted"] == {"github-token": 3, "jwt": 1}
    assert report["leftOut"] == {
        "images (a line stands for each)": 2,
        "thinking": 1,
        "tool calls": 1,
        "tool results": 1,
        "system prompts": 2,
        "answers that pi fetches later": 1,
        "hidden messages of extensions": 1,
        "broken lines": 1,
    }
    assert report["excluded"] == []


def test_for_people_it_shows_no_secret_and_says_which_rules_fired(
    world: DaemonWorld, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TOOL_CALLS", "THINKING"):
        monkeypatch.setenv(f"PI_OPENSYNC_{name}", "true")
    samples = one_of_each_rule()
    texts = [said("user", sample.text, THEN + 1 + number) for number, sample in enumerate(samples)]
    path = put(world, "a.jsonl", line(header("a", THEN)), *map(line, texts))
    preview.run(str(path), as_json=False)
    out = capsys.readouterr().out
    assert leaks(samples, {"preview": out}) == []
    redacted = next(row for row in out.splitlines() if row.startswith("Redacted:"))
    assert [sample.rule for sample in samples if sample.rule not in redacted] == []


def test_an_excluded_session_shows_nothing_and_says_why(
    world: DaemonWorld, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PI_OPENSYNC_EXCLUDE", "/src/client")
    put(world, "a.jsonl", *talk("a", "one", "two", cwd="/src/client/api"))
    report = shown(session_id("a"))
    assert report["sessions"] == []
    assert report["excluded"] == ['excluded by "/src/client"']
    assert report["leftOut"] == {}, "an excluded project is not read past its header"


def test_it_keeps_and_sends_nothing(world: DaemonWorld, shown: Shown) -> None:
    put(world, "a.jsonl", *talk("a", "one"))
    before = {path: path.read_bytes() for path in world.state.rglob("*") if path.is_file()}
    shown(session_id("a"))
    assert {path: path.read_bytes() for path in world.state.rglob("*") if path.is_file()} == before
    assert world.transport.log == []


@pytest.mark.parametrize("wanted", ["", "no-such-session", "/no/such/file", "\x1b[2J"])
def test_what_is_not_there_is_said(world: DaemonWorld, shown: Shown, wanted: str) -> None:
    put(world, "a.jsonl", *talk("a", "one"))
    with pytest.raises(PiOpensyncError) as caught:
        shown(wanted)
    assert "\x1b" not in str(caught.value)
