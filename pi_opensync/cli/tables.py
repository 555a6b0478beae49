"""Tables on stdout, for people."""

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pi_opensync import texts
from pi_opensync.inspect.survey import Surveyed
from pi_opensync.texts import shown

MIN_TITLE = 20
OTHER_COLUMNS = 63  # characters of a line that are not the title


def show_sessions(sessions: Sequence[Surveyed]) -> None:
    """What would be sent, a line a session, and the totals below."""
    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Began", no_wrap=True)
    table.add_column("Project", no_wrap=True, max_width=16)
    table.add_column("Title", no_wrap=True, max_width=max(MIN_TITLE, console.width - OTHER_COLUMNS))
    for name in ("Messages", "Size", "Tokens", "Cost"):
        table.add_column(name, justify="right", no_wrap=True)
    for item in sorted(sessions, key=lambda item: item.created_at or 0, reverse=True):
        table.add_row(
            _day(item.created_at),
            Text(shown(item.project)),
            Text(shown(item.title)),
            str(item.messages),
            texts.size(item.bytes),
            f"{item.tokens:,}",
            f"${item.cost:.2f}",
        )
    console.print(table)
    size = texts.size(sum(item.bytes for item in sessions))
    tokens = sum(item.tokens for item in sessions)
    cost = sum(item.cost for item in sessions)
    console.print(
        f"\n{len(sessions)} sessions, {sum(item.messages for item in sessions)} messages, {size}, "
        f"{tokens:,} tokens, ${cost:.2f}. Nothing was sent.",
        highlight=False,
    )


def _day(moment: int | None) -> str:
    return (
        f"{datetime.fromtimestamp(moment / 1000, UTC).astimezone():%Y-%m-%d}" if moment is not None else "-"
    )
