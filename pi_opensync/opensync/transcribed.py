"""Messages' payloads, read back as what was said: for people, for files, for agents. Pure."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pi_opensync.opensync.summary import Summary


@dataclass(frozen=True, slots=True)
class SaidPiece:
    """A text, a tool's call (`name`, with its arguments as JSON) or what it gave back."""

    kind: Literal["text", "call", "result"]
    text: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A message; `at` in Unix milliseconds."""

    role: str
    at: int | None
    pieces: tuple[SaidPiece, ...]

    @property
    def text(self) -> str:
        return "\n\n".join(piece.text for piece in self.pieces if piece.kind == "text")


def said(payload: bytes) -> Said:
    """What a message's payload says."""
    value = json.loads(payload)
    parts = [part for part in value["parts"] if part["type"] != "image"]  # a line in the text stands for each
    return Said(str(value["role"]), value.get("createdAt"), tuple(map(_piece, parts)))


def markdown(session: Summary, messages: Sequence[Said]) -> Iterator[str]:
    """The lines of a session as a document: its facts, then each message."""
    yield f"# {_line(session.title)}"
    yield ""
    facts = {"Session": session.id, "Project": session.folder, "Model": session.model}
    yield from (f"- {name}: {_line(value)}" for name, value in facts.items() if value)
    yield f"- Tokens: {session.prompt_tokens:,} in, {session.completion_tokens:,} out"
    yield f"- Cost: ${session.cost:.4f}"
    for message in messages:
        yield ""
        yield f"## {message.role.capitalize()}"
        for piece in message.pieces:
            yield ""
            yield from _piece_lines(piece)


def _piece_lines(piece: SaidPiece) -> Iterator[str]:
    if piece.kind == "text":
        yield from piece.text.split("\n")
        return
    if piece.kind == "call":
        yield f"**{_line(piece.name)}**"
        yield ""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", piece.text)), default=0))
    yield f"{fence}{'json' if piece.kind == 'call' else ''}"
    yield from piece.text.split("\n")
    yield fence


def _piece(part: dict[str, Any]) -> SaidPiece:
    content = part["content"]
    if part["type"] == "tool-call":
        args = json.dumps(content["args"], ensure_ascii=False, indent=2)
        return SaidPiece("call", args, str(content["toolName"]))
    text = content["text"] if isinstance(content, dict) else content
    return SaidPiece("result" if part["type"] == "tool-result" else "text", str(text))


def _line(text: str) -> str:
    return " ".join(text.split())
