"""A dashboard with something of everything, to look at in a browser.

What each day, model, project and tool comes to stands beside what is sent, so that a page can be checked.
"""

import base64
import struct
import zlib
from typing import Any

from tests.dashboard.conftest import START, Local

DAY = 86_400_000
HOUR = 3_600_000
DIFF = " 11 def total(items):\n-12     return round(x, 2)\n+12     return x.quantize(CENT)\n 13 \n    ..."


def png(width: int, height: int) -> str:
    """A grey picture, in base64."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x80" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + data).decode()


def call(name: str, *, result: Any, **args: Any) -> list[dict[str, Any]]:
    return [
        {"type": "tool-call", "content": {"toolName": name, "args": args}},
        {"type": "tool-result", "content": result},
    ]


class House:
    """`ids` are those of the sessions by their names; today is Thursday, 28 May 2026 in UTC."""

    url: str

    def __init__(self, local: Local) -> None:
        self.local = local
        self.ids: dict[str, str] = {}
        self._tree()
        self._talk()
        self._forks()
        self._others()

    def _say(self, session: str, name: str, at: int, **fields: Any) -> str:
        return self.local.message(session, f"{session}-{name}", createdAt=at, **fields)

    def _session(self, name: str, **fields: Any) -> None:
        self.ids[name] = self.local.session(name, **{"source": "pi", "machine": "desk", **fields})

    def _tree(self) -> None:
        """Two branches after the first prompt: $0.50 on the way that was left, $1.00 on the other."""
        self._session(
            "tree",
            title="A way that was left",
            projectPath="/home/sam/app",
            model="m1",
            cost=1.5,
            createdAt=START,
        )
        for number, (name, parent, role, cost) in enumerate(
            [
                ("one", None, "user", 0.0),
                ("left", "one", "assistant", 0.5),
                ("taken", "one", "assistant", 0.75),
                ("on", "taken", "assistant", 0.25),
            ]
        ):
            self._say(
                "tree",
                name,
                START + number * 1000,
                role=role,
                textContent=f"said-{name}.",
                entryId=name,
                parentEntryId=parent,
                model="m1",
                cost=cost,
            )

    def _talk(self) -> None:
        """One prompt with a picture, and three answers with tools: $3 of m1 and $1 of m2, a day ago."""
        self._session(
            "talk",
            title="Rounding of totals",
            projectPath="/home/sam/app",
            model="m2",
            provider="acme",
            cost=4.0,
            file="/home/sam/.pi/agent/sessions/talk.jsonl",
            createdAt=START - DAY,
        )
        at = START - DAY
        picture = {"type": "image", "content": {"data": png(40, 30), "mimeType": "image/png"}}
        words = "Look at **this**\n\n- [x] seen\n- [ ] mended\n[image: image/png, 1.2 kB]"
        self._say("talk", "ask", at, role="user", parts=[{"type": "text", "content": words}, picture])
        thought = "<thinking>\nhm, rounding\n</thinking>\nThe sum is $x^2$:\n\n```python\n"
        long_line = "total = " + " + ".join(f"price_{number}" for number in range(40))
        told = {"type": "text", "content": f"{thought}{long_line}\n```"}
        tools = call("bash", command="make test", result={"text": "ok", "durationMs": 4000})
        tokens = {"promptTokens": 1000, "completionTokens": 100}
        self._say("talk", "a", at + 1000, parts=[told, *tools], model="m1", cost=3.0, **tokens)
        change = call(
            "edit",
            path="total.py",
            old="return round(x, 2)",
            new="return x.quantize(CENT)",
            result={"text": "done", "diff": DIFF},
        )
        failed = call("bash", command="false", result={"text": "[error] exit 1", "durationMs": 2000})
        self._say("talk", "b", at + 2000, parts=[*change, *failed], model="m2", cost=1.0, **tokens)
        self._say("talk", "c", at + 3000, textContent="I was\n[error: 529 overloaded]", model="m2")

    def _forks(self) -> None:
        """A fork of $0.25, which copied $3, and its subagent of $0.13, below the talk."""
        self._session(
            "fork",
            title="[Fork::talk] Another way",
            parentExternalId="talk",
            projectPath="/home/sam/app",
            cost=0.25,
            createdAt=START - HOUR,
        )
        self._say("fork", "copied", START - DAY + 1000, textContent="Before", model="m1", cost=3.0)
        self._say("fork", "a", START - HOUR, textContent="Forked", model="m1", cost=0.25)
        self._session(
            "sub",
            title="[Subagent::fork] Review it",
            parentExternalId="fork",
            isSubagent=True,
            projectPath="/home/sam/app",
            cost=0.13,
            createdAt=START - HOUR + 1,
        )
        self._say("sub", "a", START - HOUR + 1, textContent="Reviewed", model="m1", cost=0.13)

    def _others(self) -> None:
        """A second project of the same name, on another machine, by another agent; many days of $0.10."""
        self._session(
            "other",
            title="Elsewhere",
            source="claude-code",
            projectPath="/home/sam/work/app",
            machine="laptop",
            cost=40.0,
            createdAt=START - 2 * DAY,
        )
        self._say("other", "a", START - 2 * DAY, textContent="Nothing to see", model="m1", cost=40.0)
        for number in range(3, 70):
            name = f"day{number}"
            at = START - number * DAY
            self._session(name, title=f"Day {number}", projectPath="/home/sam/notes", cost=0.1, createdAt=at)
            self._say(name, "a", at, textContent=f"note {number}", model="m1", cost=0.1)
