"""Passwords in SQL: in the row of an insert, by the name of their column; and in what hashes them."""

import re
from itertools import islice

from pi_opensync.privacy.redact.engine import NOTHING, Rule, Spans, Text
from pi_opensync.privacy.redact.names import kind_of
from pi_opensync.privacy.redact.values import is_secret

_GAP = rb"(?:\s|\\{1,255}[nrt]){0,40}"
_QUOTED = rb"\\{0,255}[\"'`]?"
_INSERT = re.compile(
    rb"(?:insert\s{1,4}(?:ignore\s{1,4}|or\s{1,4}[a-z]{4,8}\s{1,4})?|replace\s{1,4})into"
    + _GAP
    + rb"[^\s()]{1,120}"
    + _GAP
    + rb"\(([^()]{1,2000})\)"
    + _GAP
    + rb"(?:overriding[ ][a-z]{4,6}[ ]value[ ])?values"
    + _GAP,
    re.IGNORECASE,
)
_COLUMN = re.compile(rb"[A-Za-z0-9_]{1,64}")
_VALUE = re.compile(
    _GAP + rb"(?:[NE]?(\\{0,255}')((?:[^'\\\r\n]|''|\\[^'])*?)\1(?!')"
    rb"|[A-Za-z_.0-9]{1,30}\([ ]{0,4}(\\{0,255}')((?:[^'\\\r\n]|''|\\[^'])*?)\3(?!')[^()']{0,60}"
    rb"(?:\([^()]{0,60}\))?[^()']{0,20}\)"
    rb"|[^,()']{0,200}(?:\([^()]{0,60}\))?)" + _GAP
)
_MOST_ROWS = 200
_ROW = re.compile(rb"[,]?" + _GAP + rb"\(")


def _insert(text: Text, at: int) -> Spans:
    """The values in the columns whose names say that they are secret."""
    data = text.data
    opening = _INSERT.match(data, at)
    if opening is None:
        return NOTHING
    columns = [_column(each) for each in opening.group(1).split(b",")]
    if not any(kind_of(each) for each in columns if each):
        return NOTHING
    spans: list[tuple[int, int]] = []
    end = opening.end()
    rows = iter(lambda: _ROW.match(data, end), None)
    for row in islice(rows, _MOST_ROWS):
        here = row.end()
        for column in columns:
            value = _VALUE.match(data, here)
            if value is None:
                break
            group = 2 if value.group(2) is not None else 4
            secret = value.group(group)
            if secret and column and is_secret(column, text.weigh(secret), quoted=True, literal=True):
                spans.append(value.span(group))
            here = value.end()
            if data[here : here + 1] != b",":
                break
            here += 1
        text.meter.charge(here - end)
        if data[here : here + 1] != b")":
            break
        end = here + 1
    return spans


def _column(given: bytes) -> bytes:
    name = _COLUMN.search(given.replace(b"\\n", b" "))
    return b"" if name is None else name.group()


DATABASES = (
    Rule(
        "sql-insert",
        "C",
        "https://www.postgresql.org/docs/current/sql-insert.html",
        (
            *(b"insert into", b"insert ignore into", b"insert or replace into", b"insert or ignore into"),
            b"replace into",
        ),
        rb"(?:\s|\\+[nrt])+[^\s()]+(?:\s|\\+[nrt])*\(",
        _insert,
        fold=True,
        token=True,
    ),
)
