"""The way of the other OpenSync plugins: a request a message, one after another, a session after each turn.

Over one connection that stays open, and with next to no work between two requests.
"""

import http.client
import json
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer osk_"}


def send(folder: Path, url: str, *, most: int) -> float:
    """Send the first `most` messages of the folder's transcripts; returns messages a second."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    begun = time.perf_counter()
    count = 0
    for message in islice(_messages(folder), most):
        _post(connection, "/sync/message", message)
        count += 1
        if message["role"] == "assistant":
            session = {"externalId": message["sessionExternalId"], "source": "pi", "title": "Untitled"}
            _post(connection, "/sync/session", session)
    taken = time.perf_counter() - begun
    connection.close()
    return count / taken


def _messages(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.rglob("*.jsonl")):
        with path.open("rb") as file:
            session = json.loads(file.readline())["id"]
            for entry in map(json.loads, file):
                message = entry["message"]
                if message["role"] not in ("user", "assistant"):
                    continue
                text = "\n".join(block["text"] for block in message["content"] if block["type"] == "text")
                yield {
                    "sessionExternalId": session,
                    "externalId": f"{session}-{entry['id']}",
                    "role": message["role"],
                    "textContent": text,
                    "source": "pi",
                    "parts": [{"type": "text", "content": text}],
                    "createdAt": message["timestamp"],
                }


def _post(connection: http.client.HTTPConnection, path: str, body: dict[str, Any]) -> None:
    connection.request("POST", path, json.dumps(body).encode(), HEADERS)
    connection.getresponse().read()
