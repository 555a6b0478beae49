"""What a session shows: id, title, project, model, date."""

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pi_opensync.fold import title
from tests.fold.folding import (
    CALLS,
    CWD,
    PARENT_ID,
    SESSION_ID,
    START,
    Item,
    entry,
    fold_entries,
    fold_lines,
    fold_sessions,
    header,
    image,
    iso,
    old_header,
    payload,
    said,
    text,
)

FORK = header(parentSession=f"/sessions/2026_{PARENT_ID}.jsonl")


def shown(*entries: Item, head: Item | None = None, **how: Any) -> dict[str, Any]:
    return payload(fold_lines([head or header(), *entries], **how).state)


def named(name: str | None, at: float = 1) -> Item:
    return entry("session_info", at, name=name)


# externalId, source


@pytest.mark.parametrize(
    "session_id", [SESSION_ID, "7b8d7282-c611-4041-89c0-451e05cdb54b", SESSION_ID.upper()]
)
def test_a_uuid_is_the_external_id(session_id: str) -> None:
    assert shown(head=header(id=session_id))["externalId"] == session_id


@pytest.mark.parametrize("session_id", ["nightly-run", f"{SESSION_ID}x", SESSION_ID[:-1], f"x{SESSION_ID}"])
def test_another_id_is_told_apart_by_date_and_project(session_id: str) -> None:
    digest = sha256(f"{iso(0)}\n{CWD}".encode()).hexdigest()
    assert shown(head=header(id=session_id))["externalId"] == f"{session_id}-{digest[:12]}"


def test_a_uuid_with_a_newline_behind_it_is_not_a_uuid() -> None:
    assert shown(head=header(id=f"{SESSION_ID}\n"))["externalId"] != f"{SESSION_ID}\n"


def test_the_same_custom_id_in_two_projects_is_two_sessions() -> None:
    heads = [header(id="nightly-run", cwd=cwd) for cwd in ("/one", "/two")]
    assert len(fold_sessions(heads)) == 2


def test_the_same_custom_id_at_two_moments_is_two_sessions() -> None:
    assert len(fold_sessions([header(at, id="nightly-run") for at in (0, 1)])) == 2


def test_a_custom_id_without_cwd_is_hashed_with_an_empty_one() -> None:
    digest = sha256(f"{iso(0)}\n".encode()).hexdigest()
    assert shown(head=header(id="x", cwd=...))["externalId"] == f"x-{digest[:12]}"


def test_the_source_is_pi() -> None:
    assert shown()["source"] == "pi"


def test_a_second_header_with_another_id_starts_another_session() -> None:
    other = PARENT_ID
    folded = fold_sessions([header(), said("user", "one", 1), header(2, id=other), said("user", "two", 3)])
    assert [message.text for message in folded[SESSION_ID].shown] == ["one"]
    assert [message.text for message in folded[other].shown] == ["two"]
    assert all(key.startswith(other) for key in folded[other].messages)


def test_a_repeated_header_with_the_same_id_starts_nothing() -> None:
    lines = [header(), said("user", "one", 1), header(9), said("user", "two", 10)]
    assert [message.text for message in fold_lines(lines).shown] == ["one", "two"]
    assert shown(*lines[1:])["createdAt"] == START


# title


def test_the_latest_name_is_the_title() -> None:
    assert shown(said("user", "hello", 1), named("first", 2), named("second", 3))["title"] == "second"


def test_a_name_stands_over_a_later_user_message() -> None:
    assert shown(named("named", 1), said("user", "hello", 2))["title"] == "named"


def test_a_name_taken_away_leaves_the_first_user_message() -> None:
    assert shown(said("user", "hello", 1), named("named", 2), named("", 3))["title"] == "hello"


def test_the_first_user_message_is_the_title_of_a_session_without_a_name() -> None:
    entries = said("assistant", [text("before")], 1), said("user", "first", 2), said("user", "second", 3)
    assert shown(*entries)["title"] == "first"


def test_the_title_of_blocks_is_their_text_on_one_line() -> None:
    content = [text("  look\n\tat "), text("this\u2028now  ")]
    assert shown(said("user", content, 1))["title"] == "look at this now"


def test_the_title_of_a_long_message_is_cut_at_a_word() -> None:
    long = "word " * 30
    assert shown(said("user", long, 1))["title"] == ("word " * 16).strip() + "…"


def test_the_title_skips_a_user_message_without_text() -> None:
    assert shown(said("user", " \n ", 1), said("user", "hello", 2))["title"] == "hello"


def test_a_session_without_words_is_untitled() -> None:
    assert shown()["title"] == "Untitled"
    assert shown(named("  "))["title"] == "Untitled"


def test_a_fork_names_the_first_8_characters_of_its_parent() -> None:
    fork: dict[str, Any] = {"head": FORK, "parent_id": lambda _path: PARENT_ID}
    assert shown(said("user", "hello", 1), **fork)["title"] == "[Fork::9f8e7d6c] hello"
    assert shown(named("named"), **fork)["title"] == "[Fork::9f8e7d6c] named"
    assert shown(**fork)["title"] == "[Fork::9f8e7d6c] Untitled"


def test_a_short_parent_id_is_named_whole() -> None:
    assert shown(head=FORK, parent_id=lambda _path: "abc")["title"] == "[Fork::abc] Untitled"


def test_the_parent_is_looked_for_by_the_path_in_the_header() -> None:
    asked: list[str] = []
    shown(head=FORK, parent_id=asked.append)
    assert asked == [f"/sessions/2026_{PARENT_ID}.jsonl"]


def test_the_prefix_of_a_fork_is_not_part_of_the_80_characters() -> None:
    name = shown(said("user", "x" * 80, 1), head=FORK, parent_id=lambda _path: PARENT_ID)["title"]
    assert name == f"[Fork::9f8e7d6c] {'x' * 80}"


@given(st.text(max_size=300))
def test_a_title_of_any_message_is_one_line_of_at_most_80_characters(words: str) -> None:
    name = title(fold_entries(said("user", words, 1)).state)
    assert 0 < len(name) <= 80
    assert name.split() == name.split(" ") == name.strip().split(" ")
    name.encode()


def test_an_image_does_not_hide_the_words_of_the_first_message() -> None:
    assert shown(said("user", [text("look"), image("AAAA")], 1))["title"].startswith("look")


# project


@pytest.mark.parametrize(
    ("cwd", "name"),
    [
        ("/home/user/src/webapp", "webapp"),
        ("/home/user/src/webapp/", "webapp"),
        ("C:\\Users\\me\\work", "work"),
        ("C:\\Users\\me\\work\\", "work"),
        ("C:/Users/me/work", "work"),
        ("webapp", "webapp"),
        ("/home/user/größe", "größe"),
    ],
)
def test_the_project_is_the_cwd_and_its_last_component(cwd: str, name: str) -> None:
    payload = shown(head=header(cwd=cwd))
    assert (payload["projectPath"], payload["projectName"]) == (cwd, name)


@pytest.mark.parametrize("cwd", [..., None, "", 7])
def test_without_a_cwd_there_is_no_project(cwd: object) -> None:
    assert not {"projectPath", "projectName"} & set(shown(head=header(cwd=cwd)))


# model, provider


def answered(model: str, provider: str, at: float) -> Item:
    return said("assistant", [text("yes")], at, model=model, provider=provider)


def changed(model: str, provider: str, at: float) -> Item:
    return entry("model_change", at, provider=provider, modelId=model)


def test_the_model_is_that_of_the_latest_assistant_message() -> None:
    payload = shown(answered("a", "one", 1), answered("b", "two", 2))
    assert (payload["model"], payload["provider"]) == ("b", "two")


def test_a_model_change_behind_an_assistant_message_changes_nothing() -> None:
    payload = shown(answered("a", "one", 1), changed("b", "two", 2))
    assert (payload["model"], payload["provider"]) == ("a", "one")


def test_before_an_assistant_message_the_latest_model_change_counts() -> None:
    payload = shown(changed("a", "one", 1), changed("b", "two", 2))
    assert (payload["model"], payload["provider"]) == ("b", "two")


def test_before_both_the_header_of_version_1_counts() -> None:
    head = old_header(provider="anthropic", modelId="claude-2")
    assert (shown(head=head)["model"], shown(head=head)["provider"]) == ("claude-2", "anthropic")
    assert shown(changed("b", "two", 1), head=head)["model"] == "b"
    assert shown(answered("c", "three", 1), head=head)["provider"] == "three"


def test_an_assistant_message_with_nothing_to_show_still_tells_the_model() -> None:
    hidden = said("assistant", [], 1, model="a", provider="one")
    assert shown(hidden)["model"] == "a"


def test_a_model_that_is_not_known_is_left_out() -> None:
    assert not {"model", "provider"} & set(shown(said("user", "hello", 1)))


# createdAt, and what is no text


def test_the_date_is_that_of_the_header() -> None:
    assert shown(said("user", "hello", 100))["createdAt"] == START


def test_a_session_never_carries_null() -> None:
    folded = fold_lines([header(cwd=None, timestamp=None)], CALLS)
    assert None not in payload(folded.state).values()


def test_lone_surrogates_of_a_session_become_replacement_characters() -> None:
    payload = shown(
        named("a\ud83d"),
        answered("m\udc00", "p\ud800", 1),
        head=header(id="x\ud83d", cwd="/a\ud83d/b\udc00", parentSession="p"),
        parent_id=lambda _path: "\ud83dparent",
    )
    assert payload["title"] == "[Fork::\ufffdparent] a\ufffd"
    assert payload["projectPath"] == "/a\ufffd/b\ufffd"
    assert (payload["model"], payload["provider"]) == ("m\ufffd", "p\ufffd")
    assert payload["externalId"].startswith("x\ufffd-")
