"""What a step costs in things that are the same on every machine."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import apsw

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


@dataclass(slots=True)
class Counts:
    """`opens` of transcripts, `reads` of them and their bytes, transactions, calls of `stat` by path."""

    opens: int = 0
    reads: int = 0
    read_bytes: int = 0
    stats: int = 0
    transactions: int = 0
    statements: int = 0


@contextmanager
def counted(connection: apsw.Connection) -> Iterator[Counts]:
    """Counts within the block. A write outside of a transaction counts as one."""
    counts = Counts()
    really_open, really_read, really_stat = os.open, os.pread, os.stat

    def opening(path: Any, *arguments: Any, **options: Any) -> int:
        counts.opens += os.fsencode(path).endswith(b".jsonl")
        return really_open(path, *arguments, **options)

    def reading(descriptor: int, length: int, offset: int) -> bytes:
        data = really_read(descriptor, length, offset)
        counts.reads += 1
        counts.read_bytes += len(data)
        return data

    def stating(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
        counts.stats += 1
        return really_stat(path, *arguments, **options)

    connection.exec_trace = _statements(counts, connection)
    os.open, os.pread, os.stat = opening, reading, stating
    try:
        yield counts
    finally:
        os.open, os.pread, os.stat = really_open, really_read, really_stat
        connection.exec_trace = None


def _statements(counts: Counts, connection: apsw.Connection) -> Callable[[apsw.Cursor, str, Any], bool]:
    def note(_cursor: apsw.Cursor, statement: str, _values: Any) -> bool:
        word = statement.lstrip()[:7].upper()
        counts.statements += 1
        counts.transactions += word.startswith("BEGIN") or (
            word.startswith(WRITES) and not connection.in_transaction
        )
        return True

    return note
