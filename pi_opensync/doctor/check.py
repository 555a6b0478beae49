"""What a check found."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """`mend` is the command that mends it, None where none is needed or known. Never holds the key."""

    name: str
    verdict: Verdict
    detail: str
    mend: str | None = None


def ok(name: str, detail: str) -> Check:
    return Check(name, "ok", detail)


def warn(name: str, detail: str, mend: str | None = None) -> Check:
    return Check(name, "warn", detail, mend)


def fail(name: str, detail: str, mend: str | None = None) -> Check:
    return Check(name, "fail", detail, mend)
