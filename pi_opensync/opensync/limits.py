"""What OpenSync's server does to what it is sent: its windows, its limits, the fields that it compares.

Read from its source (February 2026): convex/sessions.ts and convex/messages.ts, `upsert` in each.
"""

import json

SESSION_WINDOW = 10.0  # seconds after a session's last write in which an update without news is dropped
MESSAGE_WINDOW = 5.0  # seconds after a message's date, by the server's clock, in which an update is dropped
CLOCK_MARGIN = 1.5  # seconds by which its clock, read from the Date header, may be wrong
SIDE_BY_SIDE = 6  # sessions that every deployment bears; the smallest hosted tier runs 16 functions at once

MAX_MESSAGE = 900_000  # bytes of JSON; a document must stay under 1 MiB
MAX_BATCH = 100  # messages in a request
MAX_BATCH_BYTES = 1 << 20
MAX_FIELDS = 1_000  # of an object; 1,024 on the server
MAX_ITEMS = 8_000  # of an array; 8,192 on the server
MAX_NESTING = 48  # levels within a tool's arguments; 64 in all on the server
MAX_KEY = 1_024  # characters
MAX_PARTS = 4_000
MAX_READ_MESSAGES = 4_096  # of a session that can be read back
MAX_READ_BYTES = 16 << 20
SEARCH_TEXT = 10_000  # UTF-16 units that a session's search text holds
# How many sessions `/api/sessions` is asked for, one after another until it answers: it reads whole rows, of
# up to some 10 kB each, and no more than 16 MiB.
LISTABLE = (4_000, 1_500, 1_000)

_KEY_FIELDS = ("title", "model", "projectPath", "promptTokens", "completionTokens")


def update_key(payload: bytes, before: bytes | None = None) -> bytes:
    """The fields whose change makes the server take an update of a session inside its window.

    With the key `before` it was taken: what the server holds after it, as it keeps what is left out or 0.
    """
    value = json.loads(payload)
    fields = [value.get(name) for name in _KEY_FIELDS]
    if before is not None:
        fields = [new or old for new, old in zip(fields, json.loads(before), strict=True)]
    return json.dumps(fields).encode()


def changes_title(acked_key: bytes, wanted: bytes) -> bool:
    """Whether the row `wanted` changes the title that the server holds, which empties its search text."""
    return bool(json.loads(acked_key)[0] != json.loads(update_key(wanted))[0])


def would_be_dropped(acked_key: bytes, wanted: bytes) -> bool:
    """Whether the server takes an update inside its window for one without news: 0 tokens never are."""
    *old_names, old_prompt, old_completion = json.loads(acked_key)
    *names, prompt, completion = json.loads(update_key(wanted))
    return old_names == names and prompt in (0, old_prompt) and completion in (0, old_completion)
