"""HTTP/1.1 as uvicorn speaks it, but with an end to the patience for clients that send nothing."""

import asyncio
from dataclasses import dataclass

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds that the head of a request, and all of a request, may take to arrive."""

    head: float = 20.0
    whole: float = 120.0


USUAL = Deadlines()


def protocol(deadlines: Deadlines) -> type[asyncio.Protocol]:
    """Return the protocol of one connection, which is closed where a deadline is not kept."""

    class Punctual(H11Protocol):
        _deadline: asyncio.TimerHandle | None = None
        _began = 0.0

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
            super().connection_made(transport)
            self._watch(new=True)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch(new=False)

        def connection_lost(self, exc: Exception | None) -> None:
            self._cancel()
            super().connection_lost(exc)

        def _watch(self, *, new: bool) -> None:
            """Set the deadline for what is still to come; none while the answer is made."""
            if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
                self._cancel()
                return
            if self._deadline is None or new:
                self._began = self.loop.time()
            self._cancel()
            patience = deadlines.head if self.conn.their_state is h11.IDLE else deadlines.whole
            self._deadline = self.loop.call_at(self._began + patience, self.transport.abort)

        def _cancel(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

    return Punctual
