"""The fields of one incoming object, read with their limits."""

import math
from typing import Any

from pi_opensync.dashboard.parts import MAX_DEPTH, StoredPart

ROLES = ("user", "assistant", "system", "tool", "unknown")
SOURCE_ALIASES = {"cursor": "cursor-sync"}
TIME_ALIASES = ("startedAt", "timestamp")
MAX_ID = 512
MAX_SOURCE = 64
MAX_NAME = 4096
MAX_PARTS = 8192
MAX_NUMBER = 10**15
MAX_TIME_MS = 10**14
MIN_TIME_MS = 10**11  # 1973; what is less counts seconds, or something else


class PayloadError(ValueError):
    """A request that can never succeed as it is.

    `field` is the path of what is wrong, as `messages[3].role`.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field = field
        self.problem = problem


def clean(text: str) -> str:
    """Lone surrogates, which no UTF-8 can hold, become U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def is_moment(name: str, value: Any) -> bool:
    """Whether a field is the time in ms of its session or message, under a plugin's own name for it."""
    return (
        name in TIME_ALIASES
        and isinstance(value, (int, float))
        and not isinstance(value, bool)
        and MIN_TIME_MS <= value <= MAX_TIME_MS
    )


def finite(digits: str) -> float:
    """Return a JSON number. Raises ValueError for one that no float can hold, as 1e999."""
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits[:20]} is out of range")
    return value


class Fields:
    """Read the fields of one object; each method raises PayloadError naming the field it could not take."""

    def __init__(self, data: Any, at: str) -> None:
        self._at = at
        if not isinstance(data, dict):
            raise PayloadError(at, "must be an object")
        self._data: dict[str, Any] = data

    def identity(self, *names: str) -> str:
        for name in names:
            value = self._data.get(name)
            if value is None or value == "":
                continue
            if not isinstance(value, str):
                raise self._error(name, "must be a string")
            if len(value) > MAX_ID:
                raise self._error(name, f"at most {MAX_ID} characters")
            return clean(value)
        raise self._error(names[0], f"Missing {' or '.join(names)}")

    def text(self, name: str, limit: int | None) -> str | None:
        """Return a string, cut to `limit` characters: a long title is no reason to lose a session."""
        value = self._data.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self._error(name, "must be a string")
        return clean(value if limit is None else value[:limit])

    def source(self) -> str | None:
        source = self.text("source", MAX_SOURCE)
        return SOURCE_ALIASES.get(source, source) if source else None

    def role(self) -> str:
        value = self._data.get("role")
        if value not in ROLES:
            raise self._error("role", f"must be one of {', '.join(ROLES)}")
        return str(value)

    def number(self, name: str, limit: float = MAX_NUMBER) -> float | None:
        value = self._data.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._error(name, "must be a number")
        if not 0 <= value <= limit:
            raise self._error(name, f"must be between 0 and {limit}")
        return float(value)

    def count(self, name: str, limit: int = MAX_NUMBER) -> int | None:
        value = self.number(name, limit)
        return None if value is None else int(value)

    def moment(self) -> int | None:
        """Return `createdAt` in ms, or what a plugin sends under another name instead."""
        given = self.count("createdAt", MAX_TIME_MS)
        if given is not None:
            return given
        return next((int(value) for name, value in self._data.items() if is_moment(name, value)), None)

    def duration(self) -> int | None:
        """Return a duration in ms. A clock that was set back makes it negative: that counts as 0."""
        value = self._data.get("durationMs")
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value < 0:
            return 0
        return self.count("durationMs")

    def flag(self, name: str) -> bool | None:
        value = self._data.get(name)
        if value is not None and not isinstance(value, bool):
            raise self._error(name, "must be true or false")
        return value

    def objects(self, name: str) -> list["Fields"] | None:
        """Return the fields of each object in a list."""
        value = self._data.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            raise self._error(name, "must be a list")
        if len(value) > MAX_PARTS:
            raise self._error(name, f"at most {MAX_PARTS}")
        at = f"{self._at}.{name}" if self._at else name
        return [Fields(item, f"{at}[{index}]") for index, item in enumerate(value)]

    def parts(self) -> tuple[StoredPart, ...] | None:
        value = self._data.get("parts")
        if value is None:
            return None
        if not isinstance(value, list):
            raise self._error("parts", "must be a list")
        if len(value) > MAX_PARTS:
            raise self._error("parts", f"at most {MAX_PARTS} parts")
        return tuple(self._part(item, f"parts[{index}]") for index, item in enumerate(value))

    def _part(self, item: Any, name: str) -> StoredPart:
        if not isinstance(item, dict):
            raise self._error(name, "must be an object")
        kind = item.get("type")
        if not isinstance(kind, str) or not kind:
            raise self._error(f"{name}.type", "must be a string")
        if "content" not in item:
            raise self._error(f"{name}.content", "is missing")
        try:
            content = _storable(item["content"], MAX_DEPTH)
        except RecursionError as error:
            raise self._error(f"{name}.content", f"nested deeper than {MAX_DEPTH}") from error
        return StoredPart(clean(kind[:MAX_SOURCE]), content)

    def _error(self, name: str, problem: str) -> PayloadError:
        return PayloadError(f"{self._at}.{name}" if self._at else name, problem)


def _storable(value: Any, depth: int) -> Any:
    """Return the value with clean strings. Raises RecursionError if it is nested deeper than `depth`."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        if depth == 0:
            raise RecursionError
        return [_storable(item, depth - 1) for item in value]
    if isinstance(value, dict):
        if depth == 0:
            raise RecursionError
        return {clean(key): _storable(item, depth - 1) for key, item in value.items()}
    return value
