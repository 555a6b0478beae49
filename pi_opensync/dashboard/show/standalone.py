"""A session as one HTML file that needs nothing else: no script, no address, its styles within."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import tzinfo
from functools import cache
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

from pi_opensync.dashboard.db.contents import StoredMessage
from pi_opensync.dashboard.show.cards import Block, Card, card_of
from pi_opensync.dashboard.show.document import Reading, messages
from pi_opensync.dashboard.show.pictures import image_of
from pi_opensync.dashboard.show.visible import iso_day
from pi_opensync.sqlite import Row

_SHEETS = ("base", "session", "content")
_OF_TOOLS = ("call", "result", "thinking", "other")


def as_html(
    reading: Reading, templates: Environment, session: Row, zone: tzinfo | None, *, tools: bool
) -> Iterator[str]:
    """Yield the file in pieces; without `tools` only what was said.

    What the pages show cut is cut here too, and says so.
    """
    head = templates.get_template("standalone.html").render(
        session=session, zone=zone, style=_style(), tools=tools
    )
    before, after = head.split("<!-- messages -->")
    yield before
    draw = templates.get_template("_message.html")
    day = ""
    for message in messages(reading, session["id"]):
        card = _alone(message, tools=tools)
        if not card.blocks:
            continue
        today = iso_day(message.row["created_at"], zone)
        yield draw.render(card=card, session=session, zone=zone, turns={}, around=None, new_day=today != day)
        day = today
    yield after


def _alone(message: StoredMessage, *, tools: bool) -> Card:
    """A message without what leads back to the server, and without tools if they are not wanted."""
    card = card_of(message)
    blocks = [
        _image(block, message) if block.kind == "image" else _unlinked(block)
        for block in card.blocks
        if tools or block.kind not in _OF_TOOLS
    ]
    return Card(card.message, blocks)


def _image(block: Block, message: StoredMessage) -> Block:
    """The image itself in place of its address, which names the part that holds it."""
    place = int((block.rest or "").split("/")[-2])
    image = image_of(message.parts[place].content)
    if image is None:
        return Block("text", Markup("<p>[image]</p>"))
    data = base64.b64encode(image.data).decode()
    picture = Markup('<p><img alt="{}" src="data:{};base64,{}"></p>')
    return Block("text", picture.format(block.name, image.media_type, data))


def _unlinked(block: Block) -> Block:
    result = _unlinked(block.result) if block.result else None
    cut = Markup('<p class="rest">This is only the beginning.</p>') if block.rest else Markup()
    return replace(block, html=block.html + cut, rest=None, result=result)


@cache
def _style() -> Markup:
    folder = Path(__file__).parents[1] / "static"
    # Our own files, and nothing else.
    return Markup("\n").join(Markup((folder / f"{name}.css").read_text("utf-8")) for name in _SHEETS)  # noqa: S704
