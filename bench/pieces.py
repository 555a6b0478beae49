"""MB/s of each step by itself, beside its floor."""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from bench import corpus
from bench.processes import MB
from bench.rows import Row, Target, row
from pi_opensync.fold import Origin, begin, fold
from pi_opensync.model import Header, Message, Options, Session
from pi_opensync.opensync import payloads
from pi_opensync.pi import tail
from pi_opensync.pi.entries import Entry, decode_line
from pi_opensync.pi.tail import START
from pi_opensync.pi.translate import translate
from pi_opensync.privacy.cleaner import Cleaner
from pi_opensync.privacy.redact import Redactor
from pi_opensync.store.database import StateDatabase, open_database
from pi_opensync.store.outbox import Outbox
from tests.privacy.redact.ordinary import clean_texts

NAME = "pieces"
BYTES = 20_000_000
ROUNDS = 5
CLEAN = Target(100.0, most=False)
PIECE = 1 << 20

_decode = msgspec.json.Decoder().decode


class Envelope(msgspec.Struct):
    """What must be known of an entry to pass it over; the rest is only walked."""

    type: str
    id: str | None = None
    timestamp: str | None = None
    message: msgspec.Raw = msgspec.Raw()


_open = msgspec.json.Decoder(Envelope).decode


class Nothing:
    """A memory of a session in which nothing comes twice."""

    def seen(self, entry_id: str) -> bool:
        del entry_id
        return False

    def taken(self, message_id: str) -> bool:
        del message_id
        return False

    def shown_above(self, entry_id: str) -> str | None:
        del entry_id
        return None

    def waiting_for(self, call_id: str) -> Message | None:
        del call_id
        return None


def run(scale: float, folder: Path) -> list[Row]:
    folder.mkdir(parents=True, exist_ok=True)
    turns = max(5, round(BYTES * min(1.0, scale)) // corpus.TURN)
    path = folder / "a.jsonl"
    path.write_bytes(b"".join(corpus.transcript("pieces", turns)))
    lines = path.read_bytes().splitlines()
    header, *entries = [item for each in lines for item in decode_line(each)]
    if not isinstance(header, Header):
        raise TypeError("a transcript begins with its header")
    state, messages = _folded(header, [entry for entry in entries if isinstance(entry, Entry)], Cleaner())
    return [
        _tail(path),
        *_decoding(lines),
        _folding(header, [entry for entry in entries if isinstance(entry, Entry)], sum(map(len, lines))),
        *_redacting(messages),
        _storing(folder, state, messages),
        _encoding(state, messages),
    ]


def decoding(lines: Sequence[bytes]) -> float:
    """MB/s of msgspec's decoder alone."""
    return _speed(sum(map(len, lines)), lambda: [_decode(each) for each in lines])


def _speed(size: int, step: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        step()
        times.append(time.perf_counter() - begun)
    return size / MB / statistics.median(times)


def _row(what: str, value: float, beside: str, other: float, target: Target | None = None) -> Row:
    return row(NAME, what, value, "MB/s", beside=beside, other=other, target=target)


def _tail(path: Path) -> Row:
    size = path.stat().st_size
    descriptor = os.open(path, os.O_RDONLY)

    def pieces() -> None:
        cursor = START
        while cursor.offset < size:
            cursor = tail.read_piece(descriptor, cursor, size).cursor

    def blocks() -> None:
        for offset in range(0, size, PIECE):
            os.pread(descriptor, PIECE, offset)

    try:
        return _row("tail", _speed(size, pieces), "reading the file", _speed(size, blocks))
    finally:
        os.close(descriptor)


def _decoding(lines: Sequence[bytes]) -> list[Row]:
    size = sum(map(len, lines))
    value = _speed(size, lambda: [decode_line(each) for each in lines])
    return [
        _row("decode", value, "msgspec's decoder alone", decoding(lines)),
        _row(
            "decode", value, "type, id and date alone", _speed(size, lambda: [_open(each) for each in lines])
        ),
    ]


def _folded(header: Header, entries: Sequence[Entry], clean: Cleaner) -> tuple[Session, list[Message]]:
    state, messages = begin(header, Origin(), clean), list[Message]()
    memory, options = Nothing(), Options()
    for entry in entries:
        event = translate(entry, b"", options, clean, state)
        assert event is not None  # noqa: S101 - nothing in the corpus is nested that deep
        step = fold(state, event, memory)
        state = step.session
        if step.message is not None:
            messages.append(step.message)
    return state, messages


def _folding(header: Header, entries: Sequence[Entry], size: int) -> Row:
    def walk() -> list[int]:
        return [len(entry.body["message"]["content"]) for entry in entries]

    value = _speed(size, partial(_folded, header, entries, Cleaner()))
    return _row("fold, nothing redacted", value, "looking at each entry", _speed(size, walk))


def _redacting(messages: Sequence[Message]) -> list[Row]:
    rows = []
    texts = {
        "redact, clean messages": [message.text for message in messages],
        "redact, clean texts full of what resembles secrets": list(clean_texts().values()),
        "redact, clean text in one piece": ["\n".join(" ".join(corpus.WORDS) for _ in range(5000))],
    }
    for what, values in texts.items():
        size = sum(len(value.encode()) for value in values)
        searched = _speed(size, partial(_search, [value.encode() for value in values]))
        value = _speed(size, partial(_redact, Redactor(), values))
        rows.append(_row(what, value, "memchr", searched, CLEAN if "resembles" not in what else None))
    return rows


def _search(values: Sequence[bytes]) -> list[int]:
    return [value.find(b"\0") for value in values]


def _redact(redactor: Redactor, values: Sequence[str]) -> list[str]:
    return [redactor.text(value) for value in values]


def _storing(folder: Path, state: Session, messages: Sequence[Message]) -> Row:
    bodies = [payloads.encode(payloads.message_payload(message, state.external_id)) for message in messages]
    size = sum(map(len, bodies))
    times: dict[str, list[float]] = {"put": [], "insert": []}
    for number in range(ROUNDS):
        for what, write in (("put", _put), ("insert", _insert)):
            database = open_database(folder / f"{what}-{number}")
            begun = time.perf_counter()
            with database.transaction():
                write(database, messages, bodies)
            times[what].append(time.perf_counter() - begun)
            database.close()
    put, insert = (size / MB / statistics.median(each) for each in times.values())
    return _row("store", put, "inserting the bodies alone", insert)


def _put(database: StateDatabase, messages: Sequence[Message], bodies: Sequence[bytes]) -> None:
    outbox = Outbox(database)
    for message, body in zip(messages, bodies, strict=True):
        outbox.put(1, 1, message, body, body[:16])


def _insert(database: StateDatabase, messages: Sequence[Message], bodies: Sequence[bytes]) -> None:
    database.run("CREATE TABLE bodies (id INTEGER PRIMARY KEY, body BLOB)")
    database.run_many("INSERT INTO bodies(body) VALUES (?)", [(body,) for body in bodies])
    del messages


def _encoding(state: Session, messages: Sequence[Message]) -> Row:
    def encode(message: Message) -> bytes:
        body = payloads.message_body(message, state.external_id)
        payloads.digest(body)
        return body

    plain = [payloads.message_payload(message, state.external_id) for message in messages]
    size = sum(len(payloads.encode(each)) for each in plain)
    value = _speed(size, lambda: [encode(message) for message in messages])
    return _row(
        "encode",
        value,
        "msgspec's encoder alone",
        _speed(size, lambda: [payloads.encode(each) for each in plain]),
    )
