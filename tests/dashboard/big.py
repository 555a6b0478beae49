"""Fill a local OpenSync with made-up sessions, and time what a person would do with it.

Run by hand at full size: `python -m tests.dashboard.big DIRECTORY [SESSIONS] [MESSAGES]`.
"""

import asyncio
import random
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from pi_opensync.dashboard.db.connections import Connections
from pi_opensync.dashboard.db.upsert import save
from pi_opensync.dashboard.incoming import MessageIn, SessionIn
from pi_opensync.dashboard.parts import StoredPart
from pi_opensync.dashboard.web.application import create_app
from pi_opensync.dashboard.web.keys import Keys

NOW = 1_780_000_000_000
DAY_MS = 86_400_000
_PROJECTS = (
    "webapp",
    "compiler",
    "notes",
    "pi-opensync",
    "infra",
    "thesis",
    "game",
    "dotfiles",
    "api",
    "scraper",
)
_MODELS = ("claude-sonnet-4-5", "claude-opus-4-5", "gpt-5.2-codex", "gemini-3-pro")
_SOURCES = ("pi", "pi", "pi", "claude-code", "opencode", "codex-cli")
_COMMON = (
    "the",
    "file",
    "test",
    "error",
    "run",
    "fix",
    "build",
    "import",
    "function",
    "return",
    "value",
    "add",
)


def _words(rng: random.Random, count: int) -> str:
    """Words as they are used: a few all the time, most of 20,000 hardly ever."""
    return " ".join(
        rng.choice(_COMMON) if rng.random() < 0.4 else f"w{int(20_000 * rng.random() ** 3)}"
        for _ in range(count)
    )


def sessions(count: int, messages: int, seed: int = 1) -> Iterator[tuple[SessionIn, list[MessageIn]]]:
    """Yield `count` sessions with `messages` messages in all; the first has a twentieth, at most 5,000."""
    rng = random.Random(seed)  # noqa: S311 - the same made-up words every time
    long = min(5000, messages // 20)
    usual = (messages - long) // max(count - 1, 1)
    for number in range(count):
        of_this = long if number == 0 else usual
        began = NOW - int(365 * DAY_MS * rng.random() ** 1.5) - DAY_MS
        project = rng.choice(_PROJECTS)
        prompt = of_this * rng.randrange(5_000, 30_000)
        parent = f"{rng.randrange(1, number):08x}" if number > 2 and rng.random() < 0.1 else None
        title = _words(rng, 6).capitalize()
        external_id = f"{number:08x}-0000-4000-8000-000000000000"
        yield (
            SessionIn(
                external_id=external_id,
                source=rng.choice(_SOURCES),
                title=f"[Fork::{parent}] {title}" if parent else title,
                project_path=f"/home/user/src/{project}",
                project_name=project,
                model=rng.choice(_MODELS),
                provider="anthropic",
                prompt_tokens=prompt,
                completion_tokens=of_this * rng.randrange(100, 900),
                cache_read_tokens=int(prompt * rng.uniform(0.5, 0.95)),
                cost=of_this * rng.uniform(0.002, 0.05),
                duration_ms=of_this * 20_000,
                created_at=began,
            ),
            [_message(rng, external_id, began, place) for place in range(of_this)],
        )


def _message(rng: random.Random, session: str, began: int, place: int) -> MessageIn:
    is_user = place % 4 == 0
    text = _words(rng, 20 if is_user else 60)
    role = "user" if is_user else "assistant"
    created_at = began + place * 25_000
    parts = [StoredPart("text", text)]
    if not is_user:
        parts += [
            StoredPart(
                "tool-call", {"toolName": "bash", "args": {"command": f"grep -rn {_words(rng, 2)} src"}}
            ),
            StoredPart("tool-result", _words(rng, 50)),
        ]
    return MessageIn(
        session_external_id=session,
        external_id=f"{session}-{role}-{created_at}",
        role=role,
        source="pi",
        text_content=text,
        model=None if is_user else "claude-sonnet-4-5",
        prompt_tokens=None if is_user else 12_000,
        completion_tokens=None if is_user else 400,
        created_at=created_at,
        parts=tuple(parts),
    )


def fill(store: Connections, count: int, messages: int) -> None:
    session_batch: list[SessionIn] = []
    message_batch: list[MessageIn] = []
    for session, of_it in sessions(count, messages):
        session_batch.append(session)
        message_batch += of_it
        if len(message_batch) >= 5000:
            save(store, session_batch, message_batch, NOW)
            session_batch, message_batch = [], []
    save(store, session_batch, message_batch, NOW)


async def measure(store: Connections, times: int = 10) -> dict[str, tuple[float, float]]:
    """Time each page in ms: the first request, and the median of all."""
    keys = Keys(store, now=lambda: NOW)
    app = create_app(store, keys, now=lambda: NOW)
    with store.read() as database:
        rows = database.rows("SELECT id FROM sessions WHERE message_count >= 3 ORDER BY message_count DESC")
        longest, middle = rows[0]["id"], rows[len(rows) // 2]["id"]
        middle_message = database.row(
            "SELECT id FROM messages WHERE session_id = ? ORDER BY id LIMIT 1 OFFSET "
            "(SELECT count(*) / 2 FROM messages WHERE session_id = ?)",
            (longest, longest),
        )["id"]
    asked = {
        "list": "/",
        "list of a project": "/?project=webapp",
        "list of a project, model, source": "/?project=webapp&model=claude-opus-4-5&source=pi",
        "list of a month": "/?since_day=2026-03-01&until=2026-03-31",
        "long session, start": f"/sessions/{longest}",
        "long session, end": f"/sessions/{longest}?end",
        "long session, middle": f"/sessions/{longest}?at={middle_message}",
        "long session, nothing new": f"/sessions/{longest}/changes?after=999999999",
        "usual session": f"/sessions/{middle}",
        "search: a word in most messages": "/search?q=error",
        "search: a usual word": "/search?q=w150",
        "search: a rare word": "/search?q=w19000",
        "search: no such word": "/search?q=nosuchword",
        "search: two common words": "/search?q=error+build",
        "search: a phrase": "/search?q=%22fix+build+error%22",
        "search: a common and a rare word": "/search?q=the+w19500",
        "search: two rare words": "/search?q=w19000+w18000",
        "search: a beginning": "/search?q=w1999*",
        "search: a short beginning": "/search?q=w*",
        "search in the long session": f"/search?q=error&in={longest}",
        "numbers, 30 days": "/numbers?days=30",
        "numbers, all time": "/numbers?days=all",
        "API: list of 50": "/api/sessions",
        "API: search": "/api/search?q=error",
        "API: stats": "/api/stats",
        "API: ids": "/sync/sessions/list",
    }
    measured = {}
    transport = httpx.ASGITransport(app)
    headers = {"authorization": f"Bearer {keys.issue_for_this_run()}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1:1", headers=headers
    ) as client:
        await client.get(f"/login?token={keys.login_token()}")
        for name, url in asked.items():
            taken = []
            for _ in range(times):
                start = time.perf_counter()
                answer = await client.get(url)
                taken.append((time.perf_counter() - start) * 1000)
                if answer.status_code not in (200, 204):
                    raise RuntimeError(f"{url}: {answer.status_code}")
            measured[name] = (taken[0], statistics.median(taken))
    return measured


def main() -> None:
    directory = Path(sys.argv[1])
    count, messages = int((sys.argv[2:] or ["10000"])[0]), int((sys.argv[3:] or ["1000000"])[0])
    path = directory / "big.sqlite3"
    is_new = not path.exists()
    store = Connections.open(path)
    if is_new:
        start = time.perf_counter()
        fill(store, count, messages)
        print(f"filled in {time.perf_counter() - start:.0f} s, {path.stat().st_size / 1e9:.2f} GB")  # noqa: T201 - the report of a program
    for name, (first, usual) in asyncio.run(measure(store)).items():
        print(f"{first:8.1f} {usual:8.1f} ms  {name}")  # noqa: T201 - the report of a program
    store.close()


if __name__ == "__main__":
    main()
