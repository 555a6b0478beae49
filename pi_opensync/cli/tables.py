"""Tables on stdout, for people."""

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pi_opensync import texts
from pi_opensync.store.views import SessionRow
from pi_opensync.texts import shown

MIN_TITLE = 20
OTHER_COLUMNS = 63  # characters of a line that are not the title


def show_sessions(sessions: Sequence[SessionRow]) -> None:
    """What would be sent, a line a session, and the totals below."""
    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Began", no_wrap=True)
    table.add_column("Project", no_wrap=True, max_width=16)
    table.add_column("Title", no_wrap=True, max_width=max(MIN_TITLE, console.width - OTHER_COLUMNS))
    for name in ("Messages", "Size", "Tokens", "Cost"):
        table.add_column(name, justify="right", no_wrap=True)
    for item in sorted(sessions, key=lambda item: item.said.created_at or 0, reverse=True):
        table.add_row(
            _day(item.said.created_at),
            Text(shown(item.said.project or "-")),
            Text(shown(item.said.title)),
            str(item.messages),
            texts.size(item.bytes),
            f"{item.said.tokens:,}",
            f"${item.said.cost:.2f}",
        )
    console.print(table)
    size = texts.size(sum(item.bytes for item in sessions))
    tokens = sum(item.said.tokens for item in sessions)
    cost = sum(item.said.cost for item in sessions)
    console.print(
        f"\n{len(sessions)} sessions, {sum(item.messages for item in sessions)} messages, {size}, "
        f"{tokens:,} tokens, ${cost:.2f}. Nothing was sent.",
        highlight=False,
    )


def _day(moment: int | None) -> str:
    return (
        f"{datetime.fromtimestamp(moment / 1000, UTC).astimezone():%Y-%m-%d}" if moment is not None else "-"
    )
