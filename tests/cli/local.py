"""A dashboard of one's own as tests use it: its pages, pi's files, what `status` says."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import Cli, Running
from tests.harness import START, header, line, said, usage

PAGE = re.compile(r"http://127\.0\.0\.1:\d+/login\?token=[\w-]+")


@contextmanager
def browse(running: Running) -> Iterator[httpx.Client]:
    """A browser that followed the link that was printed."""
    running.wait_for("/login?token=")
    found = PAGE.search(running.err.read_text())
    assert found is not None
    base, _, link = found[0].partition("/login")
    with httpx.Client(base_url=base, follow_redirects=True, trust_env=False) as client:
        assert client.get(f"/login{link}").status_code == 200
        yield client


def write(home: Cli, name: str, *texts: str) -> Path:
    path = home.home / "sessions" / f"{name}.jsonl"
    items = [
        said("user" if number % 2 == 0 else "assistant", text, START + number, usage=usage())
        for number, text in enumerate(texts)
    ]
    with path.open("ab") as file:
        file.write(
            b"".join(
                line(item)
                for item in ([] if path.exists() and path.stat().st_size else [header(name, START)]) + items
            )
        )
    return path


def status(home: Cli) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(home("status", "--json").out)
    return report
