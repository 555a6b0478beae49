"""Words to systemd: ready, how it goes, alive, stopping (sd_notify(3)). Silent where nobody listens."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

INGEST = "ingest"
DELIVERY = "delivery"
PARTS = frozenset({INGEST, DELIVERY})


class Notifier:
    """Sends to a datagram socket; `address` as NOTIFY_SOCKET has it, a leading `@` for an abstract one."""

    def __init__(self, address: str | None) -> None:
        self._address = "\0" + address[1:] if address and address.startswith("@") else address
        self._last_status = ""

    @classmethod
    def of(cls, env: Mapping[str, str]) -> "Notifier":
        return cls(env.get("NOTIFY_SOCKET") or None)

    @property
    def is_heard(self) -> bool:
        return self._address is not None

    def ready(self) -> None:
        self._send("READY=1")

    def status(self, text: str) -> None:
        """Say in one line how it goes; the same line is said once."""
        line = " ".join(text.split())
        if line != self._last_status:
            self._last_status = line
            self._send(f"STATUS={line}")

    def alive(self) -> None:
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def _send(self, text: str) -> None:
        if self._address is None:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.setblocking(False)  # a manager that is stuck must not hold delivery
            out.sendto(text.encode(), self._address)


class Heart:
    """Beats of the loops that do the work; the process is alive while each of them goes round."""

    def __init__(self, every: float | None) -> None:
        """`every`: seconds between two pings at least; None where nobody waits for them."""
        self._every = every
        self._beaten: set[str] = set()
        self._last = float("-inf")

    def beat(self, part: str, now: float) -> bool:
        """Take note that a loop went round; returns whether it is time to ping. `now` is monotonic."""
        self._beaten.add(part)
        if self._every is None or self._beaten != PARTS or now - self._last < self._every:
            return False
        self._beaten.clear()
        self._last = now
        return True


def watchdog_period(env: Mapping[str, str], pid: int) -> float | None:
    """Seconds between pings: a third of what systemd allows; None where this process is not watched."""
    try:
        allowed = int(env["WATCHDOG_USEC"])
        watched = int(env.get("WATCHDOG_PID") or pid)
    except (KeyError, ValueError):
        return None
    return allowed / 1e6 / 3 if allowed > 0 and watched == pid else None


def heart(env: Mapping[str, str]) -> Heart:
    """The heart of this process."""
    return Heart(watchdog_period(env, os.getpid()))
