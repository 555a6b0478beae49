"""Moments in the zone of who reads."""

from datetime import UTC, datetime, tzinfo

_SECOND = 1000


def at(ms: int, zone: tzinfo | None) -> datetime:
    """Return a moment in a zone; None is that of this machine."""
    return datetime.fromtimestamp(ms / _SECOND, UTC).astimezone(zone)
