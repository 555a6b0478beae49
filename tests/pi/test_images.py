"""Images are shown by a dashboard on this machine, and leave it for no other."""

import base64
from typing import Any

import pytest

from pi_opensync.model import Options
from pi_opensync.opensync.limits import MAX_MESSAGE
from pi_opensync.opensync.payloads import cleaned, message_body, message_payload
from pi_opensync.opensync.transcribed import said as said_in
from pi_opensync.pi.images import MAX_IMAGE, MAX_IMAGES
from tests.fold.folding import EVERYTHING, PLAIN, call, fold_entries, image, result, said, text

HERE = Options(sync_tool_calls=True, extras=True, images=True)
PIXELS = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 90).decode()


def shown(*blocks: Any, options: Options = HERE) -> list[tuple[str, Any]]:
    message = fold_entries(said("user", list(blocks), 1), options=options).only
    return [
        (part["type"], part["content"])
        for part in message_payload(message, "s", extras=options.extras)["parts"]
    ]


def test_an_image_stands_behind_what_was_said_with_it() -> None:
    line = "look\n[image: image/png, 98 B]"
    picture = {"data": PIXELS, "mimeType": "image/png"}
    assert shown(text("look"), image(PIXELS)) == [("text", line), ("image", picture)]
    assert shown(text("look"), image(PIXELS), options=EVERYTHING) == [("text", line)]
    assert shown(text("look"), image(PIXELS), options=Options(extras=True)) == [("text", line)]


def test_what_a_tool_showed_stands_behind_its_result() -> None:
    answered = result("c", [text("a picture"), image(PIXELS)], 2)
    message = fold_entries(said("assistant", [call("c"), call("d")], 1), answered, options=HERE).only
    assert [part.type for part in message.parts] == ["tool-call", "tool-result", "image", "tool-call"]


@pytest.mark.parametrize("data", ["", "\u00e9", 3, None, "x" * (MAX_IMAGE + 1)])
def test_of_what_is_none_or_too_large_a_line_is_told(data: Any) -> None:
    assert [kind for kind, _content in shown(text("look"), image(data))] == ["text"]


def test_so_many_are_shown_as_there_is_room_for() -> None:
    large = "x" * MAX_IMAGE
    kinds = [kind for kind, _content in shown(*(image(large) for _ in range(5)), image(PIXELS))]
    assert kinds == ["text", *["image"] * (MAX_IMAGES // MAX_IMAGE)]


def test_a_message_is_not_cut_for_its_images_and_not_larger_than_it_may_be_without_them() -> None:
    large = base64.b64encode(bytes(1 << 20)).decode()
    assert [kind for kind, _content in shown(text("look"), image(large))] == ["text", "image"]
    message = fold_entries(
        said("assistant", [call(f"c{number}", code="x" * 200_000) for number in range(9)], 1),
        result("c8", [image(large)], 2),
        options=HERE,
    ).only
    assert len(message_body(message, "s", extras=True)) <= MAX_MESSAGE


@pytest.mark.parametrize("options", [HERE, EVERYTHING])
def test_a_body_that_waits_keeps_its_images_where_they_are_still_shown(options: Options) -> None:
    message = fold_entries(said("user", [text("look"), image(PIXELS)], 1), options=HERE).only
    body = message_body(message, "s", extras=True)
    kinds = [part["type"] for part in cleaned(body, PLAIN, options)["parts"]]
    assert kinds == (["text", "image"] if options.images else ["text"])
    assert [piece.kind for piece in said_in(body).pieces] == ["text"]
