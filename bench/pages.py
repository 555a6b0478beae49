"""What the dashboard of one's own takes: memory while a history arrives, time for its lists and search."""

import http.client
import json
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import urlencode, urlsplit

from bench import corpus
from bench.processes import daemon, end, imported, peak, rest, start, variables, wait_until
from bench.rows import Row, Target, row

NAME = "pages"
SESSIONS = 10_000
A_BATCH = 200
ROUNDS = 60
HISTORY, TURNS = 200, 50
MS = 1000.0
MEMORY, LIST, SEARCH = Target(120.0), Target(5.0), Target(10.0)
SERVING = imported(["pi_opensync.__main__", "pi_opensync.cli.app", "pi_opensync.cli.serve"])
BARE = "an answer that looks at nothing"


@dataclass(frozen=True, slots=True)
class Served:
    url: str
    key: str
    pid: int

    def connection(self) -> closing[http.client.HTTPConnection]:
        return closing(http.client.HTTPConnection(urlsplit(self.url).netloc))

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}


def run(scale: float, folder: Path) -> list[Row]:
    return [_memory(scale, folder / "memory"), *_times(scale, folder / "times")]


@contextmanager
def served(home: Path) -> Iterator[Served]:
    """`pi-opensync serve` for the block."""
    home.mkdir(parents=True)
    settings = {"HOME": str(home), "PI_OPENSYNC_STATE_DIR": str(home / "state")}
    port = _free_port()
    arguments = ("-m", "pi_opensync", "serve", "--port", str(port), "--new-key")
    process = start(*arguments, variables=settings, stdout=subprocess.PIPE)
    try:
        if process.stdout is None:
            raise RuntimeError("the server has no output")
        yield Served(f"http://127.0.0.1:{port}", process.stdout.readline().decode().strip(), process.pid)
    finally:
        end(process)


def _free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def _memory(scale: float, folder: Path) -> Row:
    sessions = folder / "sessions"
    count = max(3, round(HISTORY * scale))
    size = corpus.history(sessions, count, TURNS)
    with served(folder / "server") as server:
        settings = variables(folder / "home", sessions, server.url)
        settings["PI_OPENSYNC_API_KEY"] = server.key
        with daemon(settings, "--backfill"), server.connection() as connection:
            wait_until(lambda: True if _held(connection, server) >= count else None)
            rest(server.pid)
        most = peak(server.pid)
    return row(
        NAME,
        f"memory at most, taking {size / 1e6:.3g} MB",
        most,
        "MB",
        beside="the bare imports",
        other=_bare(),
        target=MEMORY,
        counts={"sessions": count, "bytes": size},
    )


def _held(connection: http.client.HTTPConnection, server: Served) -> int:
    time.sleep(0.1)
    return len(json.loads(_get(connection, server, "/sync/sessions/list"))["sessionIds"])


def _bare() -> float:
    process = start(
        "-c", f"{SERVING}; print(flush=True); input()", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError("the imports failed")
        return peak(process.pid)
    finally:
        end(process)


def _times(scale: float, folder: Path) -> list[Row]:
    count = max(20, round(SESSIONS * scale))
    with served(folder / "server") as server, server.connection() as connection:
        _fill(connection, server, count)
        wanted = {
            "the list": ("/api/sessions?limit=50", LIST),
            "a search": (f"/api/search?{urlencode({'q': 'reader follows'})}", SEARCH),
        }
        times: dict[str, list[float]] = {"": [], **{what: [] for what in wanted}}
        for _ in range(max(5, round(ROUNDS * min(1.0, 10 * scale)))):
            times[""].append(_timed(connection, server, "/health"))
            for what, (path, _target) in wanted.items():
                times[what].append(_timed(connection, server, path))
    bare = statistics.median(times[""])
    return [
        row(
            NAME,
            f"{what}, {count} sessions",
            statistics.median(times[what]),
            "ms",
            beside=BARE,
            other=bare,
            target=target,
            counts={"sessions": count},
        )
        for what, (_path, target) in wanted.items()
    ]


def _fill(connection: http.client.HTTPConnection, server: Served, count: int) -> None:
    chance = Random(1)  # noqa: S311 - the same bytes in every run
    for first in range(0, count, A_BATCH):
        names = [f"session-{number:06d}" for number in range(first, min(count, first + A_BATCH))]
        sessions = [
            {"externalId": name, "title": corpus.prose(chance, 60), "projectPath": f"/project-{number % 40}"}
            for number, name in enumerate(names)
        ]
        messages = [
            {
                "sessionExternalId": name,
                "externalId": f"{name}-{role}",
                "role": role,
                "textContent": corpus.prose(chance, 600),
                "createdAt": round(1000 * (corpus.THEN + first)),
            }
            for name in names
            for role in ("user", "assistant")
        ]
        body = json.dumps({"sessions": sessions, "messages": messages})
        connection.request("POST", "/sync/batch", body, server.headers)
        answer = json.loads(connection.getresponse().read())
        if answer.get("errors"):
            raise RuntimeError(f"the batch was not taken: {answer}")


def _timed(connection: http.client.HTTPConnection, server: Served, path: str) -> float:
    begun = time.perf_counter()
    _get(connection, server, path)
    return MS * (time.perf_counter() - begun)


def _get(connection: http.client.HTTPConnection, server: Served, path: str) -> bytes:
    connection.request("GET", path, headers=server.headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != http.HTTPStatus.OK:
        raise RuntimeError(f"{path}: {answer.status}")
    return body
