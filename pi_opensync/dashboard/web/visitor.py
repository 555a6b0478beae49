"""Who reads: the time zone that the browser told in a cookie, so that days are the reader's days."""

import re
from datetime import tzinfo
from functools import lru_cache
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from starlette.requests import Request

COOKIE = "opensync_zone"
_NAME = re.compile(r"[A-Za-z0-9_+-]{1,40}(?:/[A-Za-z0-9_+-]{1,40}){0,2}", re.ASCII)


def zone_of(request: Request, usual: tzinfo | None) -> tzinfo | None:
    """Return the reader's zone; `usual` where the browser told none, or one that is not known here."""
    name = unquote(request.cookies.get(COOKIE, ""))
    return (_zone(name) if _NAME.fullmatch(name) else None) or usual


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError):
        return None
