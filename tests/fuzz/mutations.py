"""What can happen to a line: bytes flipped, cut, glued, and any value of it replaced by another."""

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

Path = tuple[str | int, ...]

WRONG: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    2**53 + 1,
    10**30,
    float("inf"),
    float("nan"),
    1e308,
    "",
    "x",
    "\0\x01\x1b\u2028",
    "\ud83d",
    "\udc00\ud83d",
    "2026-11-20T10:00:00.000Z",
    "9999-12-31T23:59:59.999-12:00",
    "0001-01-01",
    [],
    [[]],
    [None],
    ["x"],
    {},
    {"type": "text"},
    {"type": "toolCall"},
    {"$ref": {"_meta": {"": {"é\x7f": "\ud800"}}}},
    [{"type": "text", "text": "x"}, {"type": "text", "text": 5}],
)
KEYS = (
    "",
    "$ref",
    "_id",
    "é",
    "\ud800",
    "\0",
    "type",
    "id",
    "role",
    "content",
    "timestamp",
    "usage",
    "k" * 2_000,
)
KINDS = (
    "session",
    "message",
    "custom_message",
    "compaction",
    "branch_summary",
    "usage",
    "session_info",
    "user",
    "assistant",
    "toolResult",
    "bashExecution",
    "custom",
    "text",
    "thinking",
    "toolCall",
    "image",
    "",
)
TOKENS = (
    b"\0",
    b"\0" * 512,
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\\ud83d",
    b"\\udc00",
    b"\\u0000",
    b"\xed\xa0\x80",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b'{"type":',
    b'{"type":"message","timestamp":1',
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"9" * 400,
    b"9" * 5_000,
    b"\r",
    b"\x1f",
)

Mutation = Callable[[Random, bytes, list[bytes]], bytes]


def flip(random: Random, line: bytes, _others: list[bytes]) -> bytes:
    data = bytearray(line)
    for _ in range(random.randint(1, 4)):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(data)


def insert(random: Random, line: bytes, _others: list[bytes]) -> bytes:
    at = random.randint(0, len(line))
    return (
        line[:at] + random.choice((random.choice(TOKENS), random.randbytes(random.randint(1, 9)))) + line[at:]
    )


def delete(random: Random, line: bytes, _others: list[bytes]) -> bytes:
    at = random.randrange(len(line))
    return line[:at] + line[at + random.randint(1, 20) :]


def cut(random: Random, line: bytes, _others: list[bytes]) -> bytes:
    at = random.randint(0, len(line))
    return random.choice((line[:at], line[at:]))


def glue(random: Random, line: bytes, others: list[bytes]) -> bytes:
    torn = line[: random.randint(0, len(line))] if random.random() < 0.5 else line
    return torn + b"".join(random.choices(others, k=random.randint(1, 3)))


def duplicate(random: Random, line: bytes, _others: list[bytes]) -> bytes:
    start, end = sorted((random.randint(0, len(line)), random.randint(0, len(line))))
    return line[:end] + line[start:end] * random.randint(1, 3) + line[end:]


def replace(random: Random, line: bytes, _others: list[bytes]) -> bytes:
    value = json.loads(line)
    path = random.choice(list(paths(value)))
    return written(replaced(value, path, random.choice(WRONG)))


def retype(random: Random, line: bytes, _others: list[bytes]) -> bytes:
    value = json.loads(line)
    named = [path for path in paths(value) if path[-1:] in (("type",), ("role",))] or [()]
    return written(replaced(value, random.choice(named), random.choice(KINDS)))


def rename(random: Random, line: bytes, _others: list[bytes]) -> bytes:
    value = json.loads(line)
    path = random.choice([path for path in paths(value) if path and isinstance(path[-1], str)])
    holder = found(value, path[:-1])
    inner = holder.pop(path[-1])
    if random.random() < 0.7:
        holder[random.choice(KEYS)] = inner
    return written(value)


def transplant(random: Random, line: bytes, others: list[bytes]) -> bytes:
    value, other = json.loads(line), json.loads(random.choice(others))
    piece = found(other, random.choice(list(paths(other))))
    return written(replaced(value, random.choice(list(paths(value))), piece))


def nest(random: Random, line: bytes, _others: list[bytes]) -> bytes:
    value = json.loads(line)
    path = random.choice(list(paths(value)))
    levels = random.choice((5, 60, 70, 110, 300, 480, 700, 1_100, 5_000))
    opening, closing = random.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'{"type":"x","a":[', b"]}")))
    return written(replaced(value, path, "@")).replace(b'"@"', opening * levels + b"1" + closing * levels)


def swell(random: Random, line: bytes, _others: list[bytes]) -> bytes:
    value = json.loads(line)
    path = random.choice(list(paths(value)))
    piece = random.choice(("x", '"', "\x01", "é", "\ud83d", " ", "\n", "word "))
    size = random.choice((1_000, 10_000, 300_000)) // len(piece)
    large: Any = random.choice(
        (piece * size, [piece] * min(size, 9_000), {f"{n}{piece}": n for n in range(1_100)})
    )
    return written(replaced(value, path, large))


def collide(random: Random, line: bytes, others: list[bytes]) -> bytes:
    """The id or the moment of another entry."""
    value, other = json.loads(line), json.loads(random.choice(others))
    for name in random.sample(("id", "timestamp"), k=random.randint(1, 2)):
        value[name] = other.get(name)
    if isinstance(value.get("message"), dict) and isinstance(other.get("message"), dict):
        value["message"]["timestamp"] = other["message"].get("timestamp")
    return written(value)


COMMON: tuple[Mutation, ...] = (
    flip,
    insert,
    delete,
    cut,
    glue,
    duplicate,
    replace,
    replace,
    replace,
    retype,
    rename,
    transplant,
    collide,
)
COSTLY: tuple[Mutation, ...] = (nest, swell)


def mutated(random: Random, line: bytes, others: list[bytes]) -> bytes:
    """The line after one mutation, sometimes two; `line` and `others` are as pi writes them."""
    drawn = random.random()
    if drawn < 0.15:
        return line
    mutation = random.choice(COSTLY if drawn > 0.99 else COMMON)
    changed = mutation(random, line, others)
    if changed and random.random() < 0.2:
        changed = random.choice((flip, insert, delete, cut, glue))(random, changed, others)
    return changed.replace(b"\n", b" ")


def every_wrong_value(line: bytes) -> Iterator[bytes]:
    """The line with each value in it, and the whole, replaced by everything that it is not."""
    value = json.loads(line)
    for path in paths(value):
        for wrong in WRONG:
            yield written(replaced(json.loads(line), path, wrong))


def paths(value: Any, above: Path = ()) -> Iterator[Path]:
    yield above
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(inner, (*above, key))


def found(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def replaced(value: Any, path: Path, new: Any) -> Any:
    if not path:
        return new
    found(value, path[:-1])[path[-1]] = new
    return value


def written(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
