"""A value that was found as a secret is replaced wherever it stands in the same message."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.harness import START, World, header, result, said, session_id
from tests.privacy.redact.samples import Maker
from tests.privacy.traces import everywhere as traces

THEN = START - 86_400.0
SECRET = Maker(77).alnum(24)
SAYS_IT = f"DEPLOY_TOKEN={SECRET}"
BARE = f"then {SECRET} was used"


def call(**args: Any) -> dict[str, Any]:
    return {"type": "toolCall", "id": "c1", "name": "bash", "arguments": args}


def answer(*content: dict[str, Any]) -> dict[str, Any]:
    return said("assistant", "", THEN + 2) | {
        "message": {"role": "assistant", "content": list(content), "timestamp": int((THEN + 2) * 1000)}
    }


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": value}


@pytest.mark.parametrize(
    "lines",
    [
        [said("user", f"{SAYS_IT}\n{BARE}", THEN + 1)],
        [answer(text(BARE), call(command=SAYS_IT))],
        [answer(text(SAYS_IT), call(command=["echo", BARE]))],
        [answer({"type": "thinking", "thinking": SAYS_IT}, text(BARE))],
        [answer(call(api_key=SECRET, note=BARE))],
        [answer(call(note=BARE, api_key=SECRET))],
        [answer(call(command=SAYS_IT)), result("c1", BARE, THEN + 3)],
        [answer(call(command=BARE)), result("c1", SAYS_IT, THEN + 3)],
        [answer(text(BARE), call(command="cat .env")), result("c1", SAYS_IT, THEN + 3)],
    ],
    ids=[
        "in one text",
        "a call gives it away",
        "a text gives it away",
        "thinking gives it away",
        "an argument's name gives it away",
        "a later argument's name gives it away",
        "its result repeats what a call gave away",
        "a result gives a call's away",
        "a result gives a text's away",
    ],
)
def test_a_value_found_once_is_gone_from_the_whole_message(
    tmp_path: Path, lines: list[dict[str, Any]]
) -> None:
    with World(tmp_path, tool_calls=True, thinking=True) as world:
        world.append("a.jsonl", header("a", THEN), said("user", "go", THEN + 0.5), *lines)
        world.sync()
        shown = json.dumps(world.snapshot())
        assert "[REDACTED:" in shown
        assert all(SECRET not in text for text in traces(world).values())


def test_another_message_s_value_is_left_where_nothing_gives_it_away(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        world.append("a.jsonl", header("a", THEN), said("user", SAYS_IT, THEN + 1))
        world.append("a.jsonl", said("user", "the word token, and nothing else", THEN + 2))
        world.sync()
        assert "the word token, and nothing else" in world.texts(session_id("a"))


def test_names_of_models_and_providers_lose_their_secrets_and_control_characters(tmp_path: Path) -> None:
    key = "gh" + "p_" + Maker(78).alnum(36)
    model = {"model": f"m\x1b[31m-{key}", "provider": f"p\x07 {key}"}
    with World(tmp_path) as world:
        world.append("a.jsonl", header("a", THEN, **model), said("user", "go", THEN + 1))
        world.append("a.jsonl", said("assistant", "done", THEN + 2, **model))
        world.sync()
        shown = json.dumps(world.snapshot(), ensure_ascii=False)
        assert key not in shown
        assert "m[31m-[REDACTED:github-token]" in shown
        assert "p [REDACTED:github-token]" in shown
        assert "\x1b" not in shown
        assert all(key not in text for text in traces(world).values())
