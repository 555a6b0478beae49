"""Transcripts to measure with: turns as pi writes them, with what is shown and what is not."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.harness import header, line, result, said, usage

THEN = 1_790_000_000.0  # seconds since the epoch; long before any run
TURN = 10_000  # bytes of a turn, about
MESSAGES = 2  # a turn has on the dashboard
WORDS = (
    "the",
    "file",
    "test",
    "returns",
    "value",
    "when",
    "reader",
    "follows",
    "path",
    "of",
    "folder",
    "error",
    "line",
    "and",
    "session",
    "which",
    "a",
    "message",
    "is",
    "to",
    "be",
    "sent",
    "again",
    "before",
    "server",
    "answers",
    "with",
    "state",
    "cursor",
    "that",
    "holds",
    "bytes",
    "read",
    "so",
    "far",
    "in",
    "memory",
)
CODE = (
    "def read(path: Path, *, limit: int = 4096) -> bytes:",
    '    """The first bytes of a file."""',
    "    with path.open('rb') as file:",
    "        return file.read(limit)",
    'for key, value in options.items(): print(f"{key}={value!r}")',
    "export PATH=$HOME/.local/bin:$PATH  # https://example.com/docs?page=2",
    '{"name": "reader", "version": "1.4.2", "private": true}',
    "2026-03-02T09:14:03.120Z INFO reader: 12 files, 3 changed, 0 failed (0.21 s)",
)


def prose(chance: random.Random, size: int) -> str:
    """Text without secrets, `size` characters: sentences, and a line of code now and then."""
    pieces: list[str] = []
    length = 0
    while length < size:
        piece = (
            chance.choice(CODE)
            if chance.random() < 0.3  # noqa: PLR2004 - a third of what an agent writes is code
            else " ".join(chance.choices(WORDS, k=12)) + "."
        )
        pieces.append(piece)
        length += len(piece) + 1
    return "\n".join(pieces)[:size]


def turn(chance: random.Random, number: int, at: float, *, size: int = TURN) -> list[dict[str, Any]]:
    """A question, an answer that thinks and calls a tool, and the tool's long result."""
    question, reply, outcome = (f"{chance.getrandbits(32):08x}" for _ in range(3))
    call = f"call_{number}"
    share = size / TURN
    answer = said("assistant", prose(chance, round(2500 * share)), at + 5, reply, calls=[(call, "ls -l")])
    thinking = {"type": "thinking", "thinking": prose(chance, round(1000 * share))}
    answer["message"]["content"].insert(0, thinking)
    answer["message"] |= {"model": "model-1", "provider": "fake", "stopReason": "toolUse", "usage": usage()}
    return [
        said("user", prose(chance, round(400 * share)), at, question),
        answer,
        result(call, prose(chance, round(5200 * share)), at + 6) | {"id": outcome},
    ]


def transcript(name: str, turns: int, *, size: int = TURN, seed: int = 1) -> Iterator[bytes]:
    chance = random.Random(f"{seed} {name}")  # noqa: S311 - the same bytes in every run
    yield line(header(name, THEN))
    for number in range(turns):
        for entry in turn(chance, number, THEN + 10 + 20 * number, size=size):
            yield line(entry)


def history(folder: Path, sessions: int, turns: int) -> int:
    """Write `sessions` transcripts in the way of pi's folders; returns their bytes."""
    size = 0
    for number in range(sessions):
        path = folder / f"--project-{number % 10}--" / f"{number:06d}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        data = b"".join(transcript(f"history {number}", turns))
        path.write_bytes(data)
        size += len(data)
    return size
