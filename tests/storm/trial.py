"""One run of a daemon through whatever happens to files, processes and networks.

A trial changes transcripts as pi and people do, lets the daemon see some of it, and lets requests fail.
What it never does is sleep: `settle` moves the clock until nothing is left to do.
"""

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from tests.harness import World, entry, header, line, result, said, session_id, usage
from tests.standin.faults import EVERY_FAULT, Fault, random_faults
from tests.standin.transport import Request


class Killed(BaseException):
    """The process ends here: no handler of the daemon's own may catch it."""


class Trial:
    """The world, the files in it, and what was written to them. `seed` decides everything random."""

    def __init__(self, seed: int, *, batch_keeps_dates: bool, tool_calls: bool) -> None:
        self.random = Random(seed)  # noqa: S311 - a seed makes a run repeatable
        self.folder = Path(tempfile.mkdtemp(prefix="storm-"))
        self.options: dict[str, Any] = {"batch_keeps_dates": batch_keeps_dates, "tool_calls": tool_calls}
        self.world = World(self.folder, skew=self.random.choice([0.0, -3.0, 90.0]), **self.options)
        self.world.__enter__()
        self.files: dict[str, str] = {}  # name -> session
        self.torn: dict[str, bytes] = {}
        self.shrunk = False
        self.count = 0

    def close(self) -> None:
        self.world.__exit__(None, None, None)
        shutil.rmtree(self.folder)

    # what pi and people do

    def begin(self) -> str:
        self.count += 1
        name, session = f"{self.count}.jsonl", f"session {self.count}"
        version: dict[str, Any] = self.random.choice([{"version": 3}, {"version": 3}, {"version": None}])
        head = {key: value for key, value in (header(session, self._now()) | version).items() if value}
        self.files[name] = session
        self._write(name, self._line(head), self._line(self._user(name)))
        return name

    def say(self, name: str) -> None:
        items = [self._user(name), self._assistant()]
        self._write(name, *[self._line(self._aged(name, item)) for item in items])

    def call_tools(self, name: str) -> None:
        call = f"call_{self.random.randrange(4)}"
        turn = self._assistant(calls=[(call, "ls")])
        self._write(name, self._line(self._aged(name, turn)))
        if self.random.random() < 0.6:
            self.answer_tool(name, call)

    def answer_tool(self, name: str, call: str | None = None) -> None:
        asked = call or f"call_{self.random.randrange(4)}"
        self._write(name, self._line(self._aged(name, result(asked, "file\n", self._now()))))

    def rename(self, name: str) -> None:
        item = entry(self._now(), self._id(), type="session_info", name=f"Name {self.random.randrange(9)}")
        self._write(name, self._line(self._aged(name, item)))

    def tear(self, name: str) -> None:
        """Write half a line; the rest comes with the next write."""
        text = self._line(self._aged(name, self._user(name)))
        cut = self.random.randrange(1, len(text))
        self._write(name, text[:cut])
        self.torn[name] = text[cut:]

    def garbage(self, name: str) -> None:
        choices = [
            b"\0\0\0\n",
            b"not json\n",
            b'{"type":"novelty","id":"x"}\n',
            b"\xff\xfe{\n",
            b"[]\n",
            b"{}\n",
        ]
        self._write(name, self.random.choice(choices))

    def fork(self, name: str) -> str:
        """A new file with the history of this one, as pi copies it."""
        self._mend(name)
        self.count += 1
        child, session = f"{self.count}.jsonl", f"session {self.count}"
        lines = _lines(self.path(name).read_bytes())
        self._tick()
        head = header(session, self._now(), parentSession=str(self.path(name)))
        self.files[child] = session
        self._write(child, self._line(head), *lines[1 : self.random.randint(1, len(lines))])
        self.say(child)
        return child

    def migrate(self, name: str) -> None:
        """What pi does to a file of version 1: ids drawn at random, at the end of each line."""
        self._mend(name)
        lines = [self._parsed(text) for text in self.path(name).read_bytes().split(b"\n") if text]
        kept = [item for item in lines if item is not None]
        if not kept or kept[0].get("type") != "session" or "version" in kept[0]:
            return
        for item in kept[1:]:
            if "id" not in item:
                item["id"] = self._id()
        kept[0]["version"] = 3
        self._replace(name, b"".join(line(item) for item in kept))

    def rewrite_same(self, name: str) -> None:
        """The same bytes again, in place or by a rename."""
        data = self.path(name).read_bytes()
        if self.random.random() < 0.5:
            self._replace(name, data)
        else:
            other = self.folder / "other"
            other.write_bytes(data)
            other.replace(self.path(name))

    def empty_for_a_moment(self, name: str) -> None:
        """What a reader sees in the middle of a rewrite."""
        data = self.path(name).read_bytes()
        os.truncate(self.path(name), self.random.choice([0, len(data) // 2]))
        self.see()
        self._replace(name, data)

    def restore_backup(self, name: str) -> None:
        self._mend(name)
        lines = _lines(self.path(name).read_bytes())
        self.shrunk = True
        self._delete_copies()  # else either could be the longer one
        self._replace(name, b"".join(lines[: self.random.randint(1, len(lines))]))

    def move(self, name: str) -> None:
        target = f"moved-{self.count}/{Path(name).name}"
        self.path(target).parent.mkdir(parents=True, exist_ok=True)
        if not self.path(target).exists():
            self.path(name).rename(self.path(target))
            self.files[target] = self.files.pop(name)
            if name in self.torn:
                self.torn[target] = self.torn.pop(name)

    def copy(self, name: str) -> None:
        """A copy that nobody writes to; the original stays the longer one, or as long."""
        target = self.path(f"copies/{Path(name).name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        if not self.shrunk and not target.exists():
            shutil.copy(self.path(name), target)

    def go_on_in_copy(self, name: str) -> None:
        """pi resumes the session from a copy; the original stays as it is, or is deleted."""
        target = f"copies/{Path(name).name}"
        if target == name or target in self.files:
            return
        self._mend(name)
        self.path(target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.path(name), self.path(target))
        self.files[target] = self.files.pop(name)
        if self.shrunk or self.random.random() < 0.3:
            self.path(name).unlink()

    # what the daemon gets to see and do

    def see(self) -> None:
        self.world.sweep()
        self.world.read()

    def hint(self, name: str) -> None:
        """An event, twice, with nothing read between."""
        self.world.hint(name)
        self.world.hint(name)

    def read_some(self) -> None:
        if self.world.engine.follow.has_more:
            self.world.engine.follow.read_next()

    def deliver(self, rate: float, kinds: tuple[Fault, ...] = EVERY_FAULT) -> None:
        self.world.transport.faults = random_faults(self.random, rate, kinds)
        self.world.deliver()

    def keep_trying(self, rate: float) -> None:
        """Deliver through failures for a while, as a daemon does whose server recovers slowly."""
        self.world.transport.faults = random_faults(self.random, rate, EVERY_FAULT)
        for _ in range(8):
            due = self.world.step()
            if due is None:
                return
            self.world.clock.move_to(due)

    def write_while_delivering(self, name: str) -> None:
        """pi writes, and the daemon reads, while a request is under way."""

        def write() -> None:
            self.answer_tool(name)
            self.say(name)

        self._during_a_request(write)

    def answer_while_delivering(self, name: str) -> None:
        """The result of a call comes while the message with the call is under way."""
        call = f"call_{self.random.randrange(4)}"
        self._write(name, self._line(self._aged(name, self._assistant(calls=[(call, "ls")]))))
        self.see()
        self.world.clock.move(3.0)
        self._during_a_request(lambda: self.answer_tool(name, call))

    def _during_a_request(self, write: Callable[[], None]) -> None:
        left = self.random.randrange(1, 4)

        async def gate(_request: Request) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                write()
                self.see()

        self.world.transport.gate = gate
        try:
            self.world.step()
        finally:
            self.world.transport.gate = None

    def kill_at_request(self, number: int, *, arrived: bool) -> None:
        """End the process at a request from now: before or after the server has handled it."""
        self._killed(self.world.step, number, arrived=arrived)

    def restart(self) -> None:
        self.world.restart()

    def wait(self, seconds: float) -> None:
        self.world.clock.move(seconds)

    def settle(self) -> None:
        for name in list(self.torn):
            self._mend(name)
        self.world.transport.faults = lambda _method, _path: None
        self.world.sync()

    def expected(self) -> dict[str, Any]:
        """What a daemon that never met a failure makes of the files as they are now."""
        folder = Path(tempfile.mkdtemp(prefix="calm-"))
        try:
            with World(folder, start=self.world.clock.at, **self.options) as calm:
                calm.place(self.world.sessions)
                calm.sync()
                return calm.snapshot()
        finally:
            shutil.rmtree(folder)

    # helpers

    def path(self, name: str) -> Path:
        return self.world.path(name)

    def _killed(self, run: Callable[[], object], number: int, *, arrived: bool) -> None:
        left = number

        async def gate(_request: Request) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed

        transport = self.world.transport
        answering = transport.handle_async_request

        async def answered(request: Any) -> Any:
            nonlocal left
            reply = await answering(request)
            left -= 1
            if left == 0:
                raise Killed
            return reply

        if arrived:
            transport.handle_async_request = answered  # type: ignore[method-assign]  # stands between for one run
        else:
            transport.gate = gate
        try:
            run()
        except Killed:
            pass
        finally:
            transport.gate = None
            if arrived:
                del transport.handle_async_request
        self.world.engine.database.close()  # nothing that is still under way may write
        self.world.runner.run(cancel_all())
        self.world.start(backfill=False)

    def _write(self, name: str, *texts: bytes) -> None:
        self._tick()
        rest = self.torn.pop(name, b"")
        self.world.append(name, rest, *texts)

    def _delete_copies(self) -> None:
        for path in self.world.sessions.rglob("*.jsonl"):
            if str(path.relative_to(self.world.sessions)) not in self.files:
                path.unlink()

    def _mend(self, name: str) -> None:
        if name in self.torn:
            self.world.append(name, self.torn.pop(name))

    def _replace(self, name: str, data: bytes) -> None:
        with self.path(name).open("r+b") as file:
            file.truncate(0)
            file.write(data)

    def _tick(self) -> None:
        self.world.clock.move(self.random.choice([0.0, 0.002, 0.7, 4.0, 40.0]))

    def _now(self) -> float:
        return self.world.clock.at

    def _id(self) -> str:
        return f"{self.random.getrandbits(32):08x}"

    def _user(self, name: str) -> dict[str, Any]:
        return said("user", f"question {self._id()} in {name}", self._now(), self._id())

    def _assistant(self, **fields: Any) -> dict[str, Any]:
        text = f"answer {self._id()}"
        return said(
            "assistant", text, self._now(), self._id(), usage=usage(), model="m", provider="p", **fields
        )

    def _aged(self, name: str, item: dict[str, Any]) -> dict[str, Any]:
        """The entry as this file's version has it: the first has no ids."""
        with self.path(name).open("rb") as file:
            first = self._parsed(file.readline()) or {}
        if "version" in first:
            return item
        return {key: value for key, value in item.items() if key not in ("id", "parentId")}

    def _line(self, item: dict[str, Any]) -> bytes:
        return line(item)

    def _parsed(self, text: bytes) -> dict[str, Any] | None:
        try:
            value = json.loads(text)
        except ValueError:
            return None
        return value if isinstance(value, dict) else None


def _lines(data: bytes) -> list[bytes]:
    return [text + b"\n" for text in data.split(b"\n")[:-1]]


async def cancel_all() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def sessions_of(trial: Trial) -> list[str]:
    return [session_id(session) for session in trial.files.values()]
