"""Reading a request's body and parameters, within limits."""

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from pi_opensync.dashboard.web.fields import PayloadError

MAX_BODY = 64 * 1024 * 1024
MAX_FORM = 16 * 1024
_LONGEST = 19  # digits of 2**63


class TooLargeError(Exception):
    """A body over the limit, in bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body may have at most {limit} bytes.")


async def body_of(request: Request, limit: int = MAX_BODY) -> bytes:
    """Return the whole body.

    Raises TooLargeError before it is all in memory, PayloadError if the client leaves.
    """
    if (length := request.headers.get("content-length", "")).isdigit() and int(length) > limit:
        raise TooLargeError(limit)
    pieces = bytearray()
    try:
        async for piece in request.stream():
            pieces += piece
            if len(pieces) > limit:
                raise TooLargeError(limit)
    except ClientDisconnect as error:
        raise PayloadError("", "The body ended early.") from error
    return bytes(pieces)


def number_of(
    request: Request, name: str, default: int | None, *, least: int = 0, most: int = 2**62
) -> int | None:
    """Return a whole number in the query, at most `most`. Raises PayloadError for anything else."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()):
        raise PayloadError(name, f"must be a whole number from {least} on")
    if len(text) > _LONGEST:
        return most
    if int(text) < least:
        raise PayloadError(name, f"must be a whole number from {least} on")
    return min(int(text), most)


def id_of(request: Request, name: str = "id") -> int:
    """Read a session's or message's id. Raises PayloadError if it is missing, a 404 if it can be none."""
    text = str(request.path_params.get(name) or request.query_params.get(name, ""))
    if not text:
        raise PayloadError(name, "is missing")
    if not (text.isascii() and text.isdigit()) or len(text) > 18:  # noqa: PLR2004 - all ids are below 10**18
        raise HTTPException(404)
    return int(text)
