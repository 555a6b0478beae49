"""`pi-opensync queue`: what was parked, and what becomes of it."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from pi_opensync import settings, texts
from pi_opensync.errors import PiOpensyncError, UsageError
from pi_opensync.store.database import Database, open_beside, open_database
from pi_opensync.store.parked import drop, parked, retry
from pi_opensync.texts import shown


def list_parked(*, as_json: bool) -> None:
    chosen = settings.load()
    base_url, _key = chosen.require_server()
    database = open_beside(settings.state_folder(chosen, base_url))
    rows = parked(database) if database is not None else []
    if database is not None:
        database.close()
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    for row in rows:
        print(f"{row.kind}  {shown(row.id)}  {texts.size(row.bytes)}  {row.reason}")
    if not rows:
        print("Nothing is parked.")


def retry_parked(external_id: str | None, *, every: bool) -> None:
    if (external_id is None) != every:
        raise UsageError("name one ID, or --all", hint="`pi-opensync queue list` shows the ids")
    with _writable() as database:
        count = retry(database, external_id, time.time())
    if external_id is not None and count == 0:
        raise PiOpensyncError(
            f"nothing of that id is parked: {shown(external_id)}", hint="see `pi-opensync queue list`"
        )
    print(f"{count} wanted again; a running daemon sends them within a minute, or run `pi-opensync sync`.")


def drop_parked(external_id: str) -> None:
    with _writable() as database:
        count = drop(database, external_id)
    if count == 0:
        raise PiOpensyncError(
            f"nothing of that id is parked: {shown(external_id)}", hint="see `pi-opensync queue list`"
        )
    print(f"{count} dropped; the transcript still has it.")


@contextmanager
def _writable() -> Iterator[Database]:
    chosen = settings.load()
    base_url, _key = chosen.require_server()
    database = open_database(settings.state_folder(chosen, base_url))
    try:
        yield database
    finally:
        database.close()
