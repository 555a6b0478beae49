"""Tables fit the terminal: fewer columns rather than cut ones, and short ids that mean one session."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pi_opensync.cli.session_ids import SHORTEST, short_ids
from pi_opensync.cli.tables import Column, table

COLUMNS = (
    Column("Session"),
    Column("Last used", drop=1),
    Column("Project", least=8, drop=2),
    Column("Title", least=16),
    Column("Sent", right=True, drop=3),
)
ROW = ("7b8d7282", "2026-11-20", "webapp", "a title that is not short at all", "12")


def test_where_there_is_room_nothing_is_cut() -> None:
    for width in (120, 80, None):
        assert "not short at all" in list(table(COLUMNS, [ROW], width))[1]


@pytest.mark.parametrize(("width", "titles"), [(60, 5), (48, 4), (38, 3), (26, 2)])
def test_where_it_is_narrow_there_are_fewer_columns(width: int, titles: int) -> None:
    heading, line = table(COLUMNS, [ROW], width)
    assert len(heading.split("  ")) - heading.split("  ").count("") == titles
    assert line.startswith("7b8d7282")
    assert cell_len(line) <= width


@given(
    st.lists(st.tuples(*[st.text(st.characters(exclude_categories=["C"]), max_size=40)] * 3), max_size=5),
    st.integers(50, 120),
)
def test_no_line_is_wider_than_the_terminal(rows: list[tuple[str, str, str]], width: int) -> None:
    columns = (Column("One", least=10), Column("Two", least=10, drop=1), Column("Three", least=10))
    for line in table(columns, rows, width):
        assert cell_len(line) <= width


@pytest.mark.parametrize("title", ["one two three four", "eins zwei \u65e5\u672c\u8a9e vier"])
def test_what_is_cut_at_a_space_leaves_the_next_column_where_it_was(title: str) -> None:
    columns = (Column("Title", least=4), Column("Sent", right=True))
    for width in range(12, 30):
        lines = list(table(columns, [(title, "12"), ("x", "7")], width))
        assert len({cell_len(line) for line in lines}) == 1, lines


@given(st.sets(st.text("ab-", min_size=1, max_size=14), max_size=12))
def test_a_short_id_means_one_session(ids: set[str]) -> None:
    short = short_ids(ids)
    for whole, beginning in short.items():
        meant = [other for other in ids if other.startswith(beginning)]
        assert meant == [whole] or beginning == whole
        assert len(beginning) >= min(SHORTEST, len(whole))
