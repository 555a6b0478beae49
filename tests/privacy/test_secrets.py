"""No secret of a transcript leaves, or is kept, or is logged; wherever it stands, whatever goes wrong."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness import START, World, header, line, said, session_id
from tests.lengths import length, shortened
from tests.privacy.places import everywhere, in_title, one_of_each, one_of_each_rule
from tests.privacy.redact.samples import Maker, Sample
from tests.privacy.traces import everywhere as traces
from tests.privacy.traces import kept, leaks, strings
from tests.standin.faults import EVERY_FAULT, ErrorBefore, Fault
from tests.standin.transport import Request

pytestmark = pytest.mark.slow

THEN = START - 86_400.0
A_MINUTE = 60.0


def write(world: World, samples: list[Sample]) -> None:
    for number, sample in enumerate(samples):
        at = THEN + 100 * number
        world.append(f"all-{number}.jsonl", *everywhere(f"s{number}", sample.text, at))
        world.append(f"title-{number}.jsonl", *in_title(f"t{number}", sample.text, at))


def without_the_header(texts: dict[str, str], world: World) -> dict[str, str]:
    """The state knows a session's project as the header names it: that is held by a test of its own."""
    world.engine.database.run("UPDATE sessions SET project = NULL")
    return texts | {"state": kept(world.state)}


def test_one_secret_of_each_kind_in_every_place(tmp_path: Path) -> None:
    samples = one_of_each()
    with World(tmp_path, tool_calls=True, thinking=True, batch_keeps_dates=True) as world:
        write(world, samples)
        world.sync()
        assert len(world.opensync.sessions) == 2 * len(samples)
        assert len(world.opensync.messages) == len(samples) * 11
        assert world.tally().messages_parked == 0
        assert leaks(samples, without_the_header(traces(world), world)) == []
        shown = json.dumps(world.snapshot())
        for rule in {sample.rule for sample in samples}:
            assert f"[REDACTED:{rule}]" in shown


@pytest.mark.parametrize(
    "around",
    [
        '{"body": "app.credentials=%s"}',
        '"app.credentials=%s"',
        'curl "https://maps.example.net/v1?access_token=%s"',
        "curl 'https://maps.example.net/v1?access_token=%s'",
        '{"body": "vercel deploy --token %s"}',
        '["vercel deploy --token %s"]',
        '{"body": "aws_secret_access_key = %s"}',
        '{"command": "x", "body": "auth-token: %s"}',
        '{"body": "//npm.example.net/:_authToken=%s"}',
    ],
)
def test_an_assignment_that_a_quote_ends(tmp_path: Path, around: str) -> None:
    secret = Maker(12).alnum(32)
    sample = Sample("assignment", around % secret, secret)
    with World(tmp_path) as world:
        world.append("a.jsonl", header("a", THEN), said("user", sample.text, THEN + 1))
        world.sync()
        assert len(world.opensync.messages) == 1
        assert leaks([sample], traces(world)) == []


def test_after_a_restart_and_a_rewrite_they_are_still_nowhere(tmp_path: Path) -> None:
    samples = one_of_each_rule()
    with World(tmp_path, tool_calls=True, thinking=True) as world:
        write(world, samples[:6])
        world.sweep()
        world.read()
        world.restart()
        world.sync()
        for number, sample in enumerate(samples[:6]):
            world.append(f"all-{number}.jsonl", said("user", f"and {sample.text}", THEN + 95 + 100 * number))
        world.sync()
        world.lose_state()
        world.sync()
        assert leaks(samples, without_the_header(traces(world), world)) == []


def echo(samples: list[Sample], key: str) -> Fault:
    """A server whose validator prints what it was sent, and more."""
    values = [*(sample.text for sample in samples), key]
    message = {"error": f"ArgumentValidationError: Value: {json.dumps(values)} Authorization: Bearer {key}"}
    return ErrorBefore(500, json.dumps(message).encode())


def only(endpoint: str) -> Callable[[Request], bool]:
    return lambda request: request.path == endpoint


def test_through_every_failure_they_are_nowhere(tmp_path: Path) -> None:
    samples = one_of_each_rule()[1::8]
    for number, kind in enumerate((*EVERY_FAULT, None)):
        with World(tmp_path / str(number), tool_calls=True, thinking=True) as world:
            fault = kind or echo(samples, world.key)
            write(world, samples)
            for endpoint in ("/sync/message", "/sync/batch", "/sync/session"):
                world.fail(fault, only(endpoint))
                world.sync_until(world.clock.now() + A_MINUTE)
                found = traces(world)
                assert leaks(samples, without_the_header(found, world)) == [], fault
                assert all(world.key not in text for text in found.values()), fault
            world.restart()
            world.fail(None)
            world.sync()
            assert leaks(samples, without_the_header(traces(world), world)) == [], fault
            assert world.log.calls, fault


@shortened
@pytest.mark.parametrize("offset", [-20, 0])
@pytest.mark.parametrize("side", ["head", "tail"])
def test_a_secret_across_the_cut_of_a_long_text(tmp_path: Path, side: str, offset: int) -> None:
    samples = [sample for sample in one_of_each_rule() if "\n" not in sample.text][:: length(2, 8)]
    half, filler = 128 * 1024, "lorem ipsum dolor "
    with World(tmp_path, batch_keeps_dates=True) as world:
        world.append("a.jsonl", header("a", THEN))
        for number, sample in enumerate(samples):
            before = (filler * (half // len(filler) + 1))[: half + offset - len(sample.text) // 2] + "\n"
            after = "\n" + filler * (half // len(filler) + 500)
            text = (
                before + sample.text + after if side == "head" else after[::-1] + sample.text + "\n" + before
            )
            world.append("a.jsonl", said("user", text, THEN + 1 + number))
        world.sync()
        assert len(world.opensync.messages) == len(samples)
        assert leaks(samples, traces(world)) == []
        assert "bytes left out" in world.texts(session_id("a"))[0]


@pytest.mark.parametrize("lead", [0, 16])
def test_a_huge_text_full_of_secrets_is_clean_where_its_looked_at_ends_meet(
    tmp_path: Path, lead: int
) -> None:
    """What is redacted is shorter: more of the looked-at ends is kept than it had before."""
    maker = Maker(4711)
    secrets = [f"gh{'p'}_{maker.alnum(36)}" for _ in range(30_000)]
    text = "x" * lead + "\n" + "\n".join(secrets)
    assert len(text) > 1 << 20
    with World(tmp_path) as world:
        world.append("a.jsonl", header("a", THEN), said("user", text, THEN + 1))
        world.sync()
        (shown,) = world.texts(session_id("a"))
        assert shown.count("[REDACTED:github-token]") > 100
        note = r"\[\.\.\. \d+ bytes left out \.\.\.\]"
        rest = re.sub(rf"\[REDACTED:github-token\]|{note}|^x+$", "\n", shown, flags=re.MULTILINE)
        assert [part for part in rest.split() if part not in "[REDACTED:github-token]"] == []


def test_ids_roles_times_counts_and_names_of_models_are_as_without_redaction(tmp_path: Path) -> None:
    samples = one_of_each_rule()[::3]
    shown: list[dict[str, Any]] = []
    for redact in (True, False):
        with World(tmp_path / str(redact), tool_calls=True, thinking=True, batch_keeps_dates=True) as world:
            world.engine.database.close()
            world.settings = world.settings.but(redact=redact)
            world.start(backfill=True)
            write(world, samples)
            world.sync()
            shown.append(world.snapshot())
    texts = {"title", "projectPath", "projectName", "textContent", "parts", "searchableText"}

    def rest(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: rest(inner) for name, inner in value.items() if name not in texts}
        return [rest(inner) for inner in value] if isinstance(value, list) else value

    assert rest(shown[0]) == rest(shown[1])
    assert shown[0] != shown[1]
    assert "claude-sonnet-4-5" in set(strings(rest(shown[0])))


def test_an_unknown_kind_of_entry_is_kept_without_its_secrets(tmp_path: Path) -> None:
    samples = [sample for sample in one_of_each_rule() if sample.rule == "github-token"]
    with World(tmp_path) as world:
        world.append("a.jsonl", header("a", THEN), said("user", "hi", THEN + 1))
        world.append("a.jsonl", line({"type": samples[0].text, "id": "e1", "timestamp": "2026-11-20"}))
        world.sync()
        assert len(world.tally().unknown_types) == 1
        assert leaks(samples, traces(world) | {"status": str(world.tally())}) == []


def test_a_parent_s_file_name_is_kept_without_its_secrets(tmp_path: Path) -> None:
    samples = [sample for sample in one_of_each_rule() if sample.rule == "github-token"]
    parent = f"/elsewhere/{samples[0].text}.jsonl"
    with World(tmp_path) as world:
        world.append("a.jsonl", header("a", THEN, parentSession=parent), said("user", "hi", THEN + 1))
        world.sync()
        assert leaks(samples, traces(world)) == []
