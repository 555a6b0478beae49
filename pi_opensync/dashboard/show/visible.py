"""Text made fit to be seen: control characters as signs, sizes, times and sums as people write them."""

from datetime import UTC, tzinfo

from pi_opensync.dashboard.times import at

_SECOND = 1000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_DAYS_AS_AGE = 7
_KILO = 1000
_TEN_SECONDS = 10 * _SECOND

# Characters that change the direction of what follows could make one text look like another.
_UNSEEN = [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C, *range(0x80, 0xA0)]
_SIGNS = (
    {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"}
    | {0x7F: "\u2421"}
    | {code: f"\u27e8U+{code:04X}\u27e9" for code in _UNSEEN}
    | dict.fromkeys(range(55296, 57344), "�")
)

SOURCES = {
    "pi": "pi",
    "opencode": "OpenCode",
    "claude-code": "Claude Code",
    "codex-cli": "Codex CLI",
    "cursor-sync": "Cursor",
    "factory-droid": "Factory Droid",
}


def visible(text: str) -> str:
    """Control and direction characters as signs that can be seen; line breaks as line feeds."""
    return text.replace("\r\n", "\n").translate(_SIGNS)


def source_label(source: str) -> str:
    return SOURCES.get(source, visible(source))


def source_class(source: str) -> str:
    """Return what may stand in a class name."""
    return source if source in SOURCES else "other"


def count(value: float | None) -> str:
    """`950`, `12.3k`, `4.5M`."""
    number = float(value or 0)
    for unit in ("", "k", "M", "B"):
        if number < _KILO or unit == "B":
            break
        number /= _KILO
    digits = f"{number:.0f}" if unit == "" or number >= 100 else f"{number:.1f}".removesuffix(".0")  # noqa: PLR2004 - three digits are enough to compare
    return digits + unit


def count_of_axis(value: float) -> str:
    """What stands beside an axis: half of `2.5k` is `1.25k`."""
    for unit in ("", "k", "M", "B"):
        if value < _KILO or unit == "B":
            break
        value /= _KILO
    whole, _, digits = f"{value:,.2f}".partition(".")
    return whole + f".{digits}".rstrip("0").rstrip(".") + unit


def exact(value: float | None) -> str:
    return f"{int(value or 0):,}"


def counted(number: float, noun: str) -> str:
    """`1 session`, `1,234 sessions`."""
    return f"{exact(number)} {noun}" + ("" if int(number) == 1 else "s")


def money(dollars: float | None) -> str:
    """US dollars, always with cents, so that they can be compared: `$12.34`, `<$0.01`."""
    value = dollars or 0.0
    if 0 < value < 0.01:  # noqa: PLR2004 - a cent
        return "<$0.01"
    return f"${value:,.2f}"


def dollars_of_axis(dollars: float) -> str:
    """What stands beside an axis: `$2.50`, and `$0.025` where cents are too coarse."""
    whole, _, digits = f"{dollars:,.6f}".rstrip("0").partition(".")
    return f"${whole}.{digits.ljust(2, '0')}"


def duration(ms: float | None) -> str:
    """`350 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`."""
    value = int(ms or 0)
    if value < _SECOND:
        return f"{value} ms"
    if value < _TEN_SECONDS:
        return f"{value / _SECOND:.1f} s"
    if value < _MINUTE:
        return f"{value // _SECOND} s"
    if value < _HOUR:
        return _two(value // _MINUTE, "min", value % _MINUTE // _SECOND, "s")
    return _two(value // _HOUR, "h", value % _HOUR // _MINUTE, "min")


def _two(major: int, unit: str, minor: int, lesser: str) -> str:
    return f"{major} {unit} {minor} {lesser}" if minor else f"{major} {unit}"


def age(then: int, now: int, zone: tzinfo | None) -> str:
    """`just now`, `5 min ago`, `3 h ago`, `2 days ago`; after a week the date."""
    gone = now - then
    if gone < -_MINUTE or gone >= _DAYS_AS_AGE * _DAY:
        return date(then, zone)
    if gone < _MINUTE:
        return "just now"
    if gone < _HOUR:
        return f"{gone // _MINUTE} min ago"
    if gone < _DAY:
        return f"{gone // _HOUR} h ago"
    days = gone // _DAY
    return "yesterday" if days == 1 else f"{days} days ago"


def date(ms: int, zone: tzinfo | None) -> str:
    moment = at(ms, zone)
    return f"{moment.day} {moment:%b %Y}"


def iso_day(ms: int, zone: tzinfo | None) -> str:
    return f"{at(ms, zone):%Y-%m-%d}"


def long_day(ms: int, zone: tzinfo | None) -> str:
    """`Thursday, 28 May 2026`."""
    moment = at(ms, zone)
    return f"{moment:%A}, {moment.day} {moment:%B %Y}"


def clock(ms: int, zone: tzinfo | None) -> str:
    return f"{at(ms, zone):%H:%M:%S}"


def moment(ms: int, zone: tzinfo | None) -> str:
    return f"{at(ms, zone):%Y-%m-%d %H:%M:%S}"


def iso(ms: int) -> str:
    return at(ms, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
