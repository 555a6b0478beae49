"""Messages as the page draws them: text, thinking, and tool calls together with their results."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pi_opensync.dashboard.db.contents import StoredMessage
from pi_opensync.dashboard.parts import IMAGE_LINE, StoredPart, call_of, duration_of, is_error, text_of
from pi_opensync.dashboard.show import calls
from pi_opensync.dashboard.show.calls import MAX_INLINE, MAX_SHOWN
from pi_opensync.dashboard.show.pictures import holds_image
from pi_opensync.dashboard.show.render import MAX_MARKDOWN, markdown, passages, plain
from pi_opensync.dashboard.show.visible import visible
from pi_opensync.sqlite import Row

# The last line that the daemon gives a turn that failed or was stopped.
_ENDED = re.compile(r"(?:\A|\n)(\[(?:aborted|error(?:: (?:(?!\n\[)[\s\S]){0,4000})?)\])\s*\Z")


@dataclass(frozen=True, slots=True)
class Block:
    """`kind` is text, thinking, call, result, ended, image or other.

    `rest` is where all of what was cut can be read; `added` and `removed` count the lines of an edit;
    `ran` is how long a tool took, in ms.
    """

    kind: str
    html: Markup
    rest: str | None = None
    name: str = ""
    hint: str = ""
    result: "Block | None" = None
    error: bool = False
    edit: bool = False
    added: int | None = None
    removed: int | None = None
    ran: int | None = None


@dataclass(frozen=True, slots=True)
class Card:
    message: Row
    blocks: list[Block]

    @property
    def id(self) -> str:
        return str(self.message["id"])


def card_of(message: StoredMessage) -> Card:
    base = f"/sessions/{message.row['session_id']}/messages/{message.row['id']}/parts"
    shown = [
        (part, f"{base}/{place if place >= 0 else 'text'}", result)
        for (place, part), result in _paired(message.shown)
    ]
    blocks: list[Block] = []
    pictures = sum(part.is_image and holds_image(part.content) for part, _, _ in shown)
    for part, address, result in shown:
        if part.kind == "tool-call":
            blocks.append(_call(part, address, result, base))
        elif part.kind == "tool-result":
            blocks.append(_result(part.content, address))
        elif part.kind == "text":
            text = (
                IMAGE_LINE.sub("", text_of(part.content), count=pictures)
                if pictures
                else text_of(part.content)
            )
            blocks += _text(text, address, may_end=message.row["role"] == "assistant")
        elif part.is_image and holds_image(part.content):
            blocks.append(Block("image", Markup(), f"{address}/image", name="Image in this message"))
        elif part.kind == "thinking":
            blocks.append(_thinking(text_of(part.content), address))
        else:
            text, rest = _cut(text_of(part.content), MAX_SHOWN, address)
            blocks.append(Block("other", plain(text), rest, name=visible(part.type)))
    return Card(message.row, blocks)


def _paired(
    shown: Sequence[tuple[int, StoredPart]],
) -> list[tuple[tuple[int, StoredPart], tuple[int, StoredPart] | None]]:
    """Each call with its result. One result after several calls is the last one's; several are in order."""
    pairs: list[tuple[tuple[int, StoredPart], tuple[int, StoredPart] | None]] = []
    index = 0
    while index < len(shown):
        calls = _run(shown, index, "tool-call")
        if not calls:
            pairs.append((shown[index], None))
            index += 1
            continue
        results = _run(shown, index + len(calls), "tool-result")
        unanswered = len(calls) - 1 if len(results) == 1 else 0
        for position, call in enumerate(calls):
            place = position - unanswered
            pairs.append((call, results[place] if 0 <= place < len(results) else None))
        pairs += [(result, None) for result in results[len(calls) :]]
        index += len(calls) + len(results)
    return pairs


def _run(shown: Sequence[tuple[int, StoredPart]], start: int, kind: str) -> list[tuple[int, StoredPart]]:
    end = start
    while end < len(shown) and shown[end][1].kind == kind:
        end += 1
    return list(shown[start:end])


def _text(text: str, address: str, *, may_end: bool) -> list[Block]:
    cut, rest = _cut(text, MAX_MARKDOWN, address)
    if rest is not None:
        return [Block("text", plain(cut), rest)]
    ended = _ENDED.search(text) if may_end else None
    said = text[: ended.start()] if ended else text
    blocks = [
        Block("thinking" if passage.thinking else "text", markdown(passage.text))
        for passage in passages(said)
    ]
    return [*blocks, Block("ended", Markup("{}").format(visible(ended[1][1:-1])))] if ended else blocks


def _thinking(text: str, address: str) -> Block:
    cut, rest = _cut(text, MAX_MARKDOWN, address)
    return Block("thinking", markdown(cut) if rest is None else plain(cut), rest)


def _result(content: Any, address: str) -> Block:
    text = text_of(content)
    cut, rest = _cut(text, MAX_SHOWN, address)
    return Block("result", plain(cut), rest, error=is_error(text, content))


def _call(part: StoredPart, address: str, result: tuple[int, StoredPart] | None, base: str) -> Block:
    call = call_of(part.content)
    answer = None if result is None else _result(result[1].content, f"{base}/{result[0]}")
    if answer is None and call.result is not None:
        answer = _result(call.result, address)
    drawn = calls.drawn(call, _diff_in(part.content) or (_diff_in(result[1].content) if result else None))
    return Block(
        "call",
        drawn.html,
        address if drawn.is_cut else None,
        name=visible(call.name)[:MAX_INLINE],
        hint=calls.hint(call),
        result=answer,
        error=answer is not None and answer.error,
        edit=drawn.is_edit,
        added=drawn.added,
        removed=drawn.removed,
        ran=duration_of(result[1].content) if result else None,
    )


def _diff_in(content: Any) -> str | None:
    """Return the change that pi noted, `diff` or `details.diff` of a call or of its result."""
    if not isinstance(content, dict):
        return None
    details = content.get("details")
    found = content.get("diff") or (details.get("diff") if isinstance(details, dict) else None)
    return found if isinstance(found, str) else None


def _cut(text: str, limit: int, address: str) -> tuple[str, str | None]:
    return (text, None) if len(text) <= limit else (text[:limit], address)
