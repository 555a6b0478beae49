"""A machine whose clock is set while the server's goes on."""

import secrets
from pathlib import Path

import pytest

from tests.clock import Clock
from tests.harness import START, said, usage
from tests.machine.daemon import DaemonWorld
from tests.standin.backend import OpenSync

TRANSCRIPT = "a.jsonl"


class TrueTime:
    """What time it really is, however often our clock is set."""

    def __init__(self) -> None:
        self.clock = Clock(START)
        self.ahead = 0.0

    def __call__(self) -> float:
        return self.clock.at + self.ahead


class SetClock(DaemonWorld):
    """`jump` sets our clock; the server's keeps its own time."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.true = TrueTime()
        server = OpenSync(now=self.true, key="osk_" + secrets.token_hex(16))
        super().__init__(folder, monkeypatch, opensync=server)
        self.true.clock = self.clock

    def jump(self, seconds: float) -> None:
        self.clock.move(seconds)
        self.true.ahead -= seconds

    def says(self, text: str, *, role: str = "user") -> None:
        """A message of this moment, by the clock as it is set."""
        more = {"model": "fake-1", "provider": "fake", "usage": usage()} if role == "assistant" else {}
        self.append(TRANSCRIPT, said(role, text, self.clock.at, text.encode().hex()[:16], **more))
