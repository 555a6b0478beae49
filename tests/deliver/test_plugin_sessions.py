"""Sessions that pi-opensync-plugin synced: the same session ids, other message ids, user dates of arrival."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest

from pi_opensync.cli import status
from tests.harness import CWD, START, World, header, said, session_id, usage
from tests.machine.daemon import Commands, DaemonWorld

A = "a.jsonl"
ID = session_id("a")
THEN = START - 86_400
PAD = 1_000  # bytes; about 800 messages to a piece
LATE = 0.4  # seconds from pi's clock to the plugin's `Date.now()` when a user speaks

Said = tuple[Literal["user", "assistant"], str, float]


def conversation(turns: int, *, every: float = 20.0, at: float = THEN) -> list[Said]:
    """User and assistant by turns, a message every so many seconds."""
    roles: tuple[Literal["user", "assistant"], ...] = ("user", "assistant")
    return [(roles[n % 2], f"{roles[n % 2]} says {n}", at + every * (n + 1)) for n in range(turns)]


def transcript(world: World, messages: Sequence[Said], *, first: bool = True, pad: int = 0) -> None:
    """What pi itself wrote; `pad` bytes in each line fill the pieces that are read at a time."""
    if first:
        world.append(A, header("a", THEN))
    lines = []
    for role, text, at in messages:
        more: dict[str, Any] = {}
        if role == "assistant":
            more = {"model": "fake-1", "provider": "fake", "usage": usage()}
        lines.append(said(role, text, at, text.encode().hex()[-16:], **more) | {"pad": "x" * pad})
    world.append(A, *lines)


class Plugin:
    """What the plugin sends while pi runs: its shapes, its ids, its counts of tokens."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._count = 0

    def session(self) -> None:
        self._post(
            "/sync/session",
            {
                "externalId": ID,
                "source": "pi",
                "projectPath": CWD,
                "projectName": "webapp",
                "title": "Untitled",
                "model": "Fake One",
                "provider": "fake",
                "promptTokens": 1,
                "completionTokens": 1,
                "totalTokens": 2,
                "messageCount": self._count,
            },
        )

    def message(self, role: str, text: str, at: float, *, arrives: bool = True) -> None:
        self._count += 1
        payload: dict[str, Any] = {
            "sessionExternalId": ID,
            "externalId": f"{ID}-{role}-{self._count}",
            "role": role,
            "createdAt": round((at + LATE * (role == "user")) * 1000),
            "textContent": text,
        }
        if role == "assistant":
            payload |= {"model": "fake-1", "promptTokens": 100, "completionTokens": 10}
        if arrives:
            self._post("/sync/message", payload)

    def _post(self, path: str, payload: dict[str, Any]) -> None:
        async def send() -> None:
            url, key = self._world.settings.require_server()
            async with httpx.AsyncClient(base_url=url, transport=self._world.transport) as client:
                bearer = {"Authorization": f"Bearer {key.get_secret_value()}"}
                answer = await client.post(path, json=payload, headers=bearer)
                assert answer.json()["ok"], answer.text

        self._world.runner.run(send())


def synced(world: World, messages: Sequence[Said], *, without: Sequence[int] = ()) -> None:
    """The plugin sends all of them, but for those that its network lost; then the windows close."""
    plugin = Plugin(world)
    plugin.session()
    for number, (role, text, at) in enumerate(messages):
        plugin.message(role, text, at, arrives=number not in without)
    plugin.session()
    world.clock.move(60)
    world.transport.log.clear()


def newly_sent(world: World) -> list[str]:
    """The text of each message that we sent."""
    sent = [request.json["textContent"] for request in world.sent("/sync/message")]
    for request in world.sent("/sync/batch"):
        sent += [item["textContent"] for item in request.json["messages"]]
    return sent


def check(world: World, messages: Sequence[Said]) -> None:
    """Every message stands on the dashboard once, in its order, and the session is as pi has it."""
    assert world.texts(ID) == [text for _role, text, _at in messages]
    assert world.side_effects() == {}
    session = world.snapshot()["sessions"][ID]
    answers = sum(role == "assistant" for role, _text, _at in messages)
    assert session["promptTokens"] == 100 * answers
    assert session["model"] == "fake-1"
    assert session["title"] == messages[0][1]
    tally = world.tally()
    assert (tally.messages_waiting, tally.messages_parked, tally.sessions_waiting) == (0, 0, 0)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path / "world") as made:
        yield made


def test_what_the_plugin_sent_is_not_sent_again(world: World) -> None:
    messages = conversation(8)
    synced(world, messages)
    transcript(world, messages)
    world.sync()
    assert newly_sent(world) == []
    check(world, messages)
    assert world.tally().messages_by_others == 8


@pytest.mark.parametrize("without", [[0], [1], [7], [2, 3], [0, 2, 4, 6], [1, 3, 5, 7], range(8)], ids=str)
def test_only_what_is_missing_is_sent(world: World, without: Sequence[int]) -> None:
    messages = conversation(8)
    synced(world, messages, without=without)
    transcript(world, messages)
    world.sync()
    assert newly_sent(world) == [messages[number][1] for number in without]
    check(world, messages)
    assert world.tally().messages_by_others == 8 - len(without)


@pytest.mark.parametrize("without", [[1], [5], [6], [0, 1]], ids=str)
def test_messages_of_one_role_within_two_seconds_are_told_apart(world: World, without: list[int]) -> None:
    """A quick model with tools answers every second: a neighbour does not stand for what is missing."""
    messages: list[Said] = [("user", "go", THEN + 5)]
    messages += [("assistant", f"step {number}", THEN + 10 + number) for number in range(8)]
    synced(world, messages, without=without)
    transcript(world, messages)
    world.sync()
    assert newly_sent(world) == [messages[number][1] for number in without]
    assert world.texts(ID) == [text for _role, text, _at in messages]


def test_two_quick_words_of_the_user_are_told_apart(world: World) -> None:
    """Steering: both arrive late, the second of them nearer to the first than to itself."""
    messages: list[Said] = [("user", "stop", THEN + 5), ("user", "no, go on", THEN + 6.2)]
    messages.append(("assistant", "well", THEN + 20))
    synced(world, messages)
    transcript(world, messages)
    world.sync()
    assert newly_sent(world) == []
    check(world, messages)


def test_the_plugin_stops_and_the_session_goes_on(world: World) -> None:
    messages = conversation(6)
    synced(world, messages[:4])
    transcript(world, messages[:4])
    world.sync()
    transcript(world, messages[4:], first=False)
    world.sync()
    assert newly_sent(world) == [text for _role, text, _at in messages[4:]]
    check(world, messages)


def test_another_process_takes_over_between_two_pieces(world: World) -> None:
    messages = conversation(1_500)
    synced(world, messages, without=[3, 1_400])
    transcript(world, messages, pad=PAD)
    world.hint(A)
    world.engine.follow.read_next()
    world.deliver()
    assert 0 < world.tally().messages_by_others < 1_400
    world.restart()
    world.sync()
    check(world, messages)
    assert newly_sent(world) == [messages[3][1], messages[1_400][1]]


def test_what_was_counted_stays_so_after_the_state_is_lost(world: World) -> None:
    messages = conversation(8)
    synced(world, messages, without=[2, 5])
    transcript(world, messages)
    world.sync()
    before = world.snapshot()
    world.clock.move(3600)
    world.transport.log.clear()
    world.lose_state()
    world.sync()
    assert newly_sent(world) == []
    assert world.snapshot() == before
    assert world.tally().messages_by_others == 6
    check(world, messages)


def test_the_file_read_again_from_nothing_changes_nothing(world: World) -> None:
    messages = conversation(8)
    synced(world, messages)
    transcript(world, messages)
    world.sync()
    path = world.path(A)
    data = path.read_bytes()
    path.unlink()
    world.sync()
    path.write_bytes(data)
    world.sync()
    assert newly_sent(world) == []
    check(world, messages)


LARGE = 2_600  # more messages than a session may have waiting


@pytest.mark.slow
@pytest.mark.parametrize("lost", [False, True], ids=["kept", "lost state"])
def test_a_session_larger_than_a_sessions_backlog(world: World, lost: bool) -> None:
    messages = conversation(LARGE)
    without = [7, 1_998, 1_999, 2_000, 2_001, 2_500]
    synced(world, messages, without=without)
    transcript(world, messages, pad=PAD)
    world.sync()
    assert newly_sent(world) == [messages[number][1] for number in without]
    if lost:
        world.transport.log.clear()
        world.clock.move(3600)
        world.lose_state()
        world.sync()
        assert newly_sent(world) == []
    check(world, messages)
    assert world.tally().messages_by_others == LARGE - len(without)


@pytest.mark.slow
def test_what_counts_for_one_message_never_counts_for_another_of_the_next_piece(world: World) -> None:
    """Read back once for each backlog: what an earlier one took is taken."""
    messages = conversation(LARGE, every=0.9)
    transcript(world, messages, pad=PAD)
    world.sweep()
    world.read()
    seen = world.tally().messages_waiting
    assert seen < LARGE
    synced(world, messages[:seen])
    world.sync()
    assert newly_sent(world) == [text for _role, text, _at in messages[seen:]]


def test_status_says_that_messages_were_there_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with DaemonWorld(tmp_path / "world", monkeypatch) as world:
        messages = conversation(8)
        synced(world, messages, without=[3])
        transcript(world, messages)
        world.sync()
        Commands(world, monkeypatch)
        status.run(as_json=False)
        shown = capsys.readouterr().out
        assert "7 messages were there already, sent by pi-opensync-plugin" in shown
        assert "8 delivered, 0 waiting" in shown


def test_a_session_of_the_plugin_is_not_dated_anew(world: World) -> None:
    """Its own messages keep the plugin's dates, ours carry the transcript's: they stand in their order."""
    messages = conversation(6)
    synced(world, messages, without=[2, 3])
    before = world.snapshot()["sessions"][ID]
    transcript(world, messages)
    world.sync()
    after = world.snapshot()["sessions"][ID]
    kept = {item["externalId"]: item for item in after["messages"]}
    assert all(kept[item["externalId"]] == item for item in before["messages"])
    assert after["createdAt"] == before["createdAt"]
    check(world, messages)


def test_another_sessions_messages_do_not_count(world: World) -> None:
    messages = conversation(4)
    synced(world, messages)
    world.append("b.jsonl", header("b", THEN))
    world.append("b.jsonl", *(said(role, text, at) for role, text, at in messages))
    world.sync()
    assert len(world.texts(session_id("b"))) == 4
