"""Tables that fit a terminal: fewer columns where it is narrow, and nothing cut without need. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

GAP = "  "
CUT = "…"


@dataclass(frozen=True, slots=True)
class Column:
    """`least`: how narrow it may be cut, in signs; None: never.

    Where that is not enough the column with the highest `drop` goes; one of 0 stays.
    """

    title: str
    right: bool = False
    least: int | None = None
    drop: int = 0


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> Iterator[str]:
    """The lines, the first with the titles; `width` of the terminal in signs, None for any."""
    kept = list(range(len(columns)))
    lines = [[column.title for column in columns], *rows]
    signs = [[_signs(text) for text in line] for line in lines]
    natural = list(map(max, zip(*signs, strict=True)))
    least = [
        size if column.least is None else min(size, column.least)
        for column, size in zip(columns, natural, strict=True)
    ]
    while width is not None and _whole(least, kept) > width:
        droppable = [number for number in kept if columns[number].drop]
        if not droppable:
            break
        kept.remove(max(droppable, key=lambda number: columns[number].drop))
    sizes = natural if width is None else _fitted(natural, least, kept, width)
    placed = [(number, sizes[number], columns[number].right) for number in kept]
    for texts, wide in zip(lines, signs, strict=True):
        yield GAP.join(
            [_cell(texts[number], wide[number], size, right=right) for number, size, right in placed]
        ).rstrip()


def _fitted(natural: list[int], least: list[int], kept: list[int], width: int) -> list[int]:
    """The widths: what is over is taken from the column that is longest beyond its least."""
    sizes = list(natural)
    over = _whole(sizes, kept) - width
    for number in sorted(kept, key=lambda number: least[number] - natural[number]):
        taken = max(0, min(over, sizes[number] - least[number]))
        sizes[number] -= taken
        over -= taken
    return sizes


def _whole(sizes: list[int], kept: list[int]) -> int:
    return sum(sizes[number] for number in kept) + len(GAP) * (len(kept) - 1)


def _signs(text: str) -> int:
    if text.isascii() or text.replace(CUT, "").isascii():
        return len(text)
    from rich.cells import cell_len  # takes longer to load than a table to draw

    return cell_len(text)


def _cell(text: str, signs: int, size: int, *, right: bool) -> str:
    if signs > size:
        from rich.cells import set_cell_size

        return set_cell_size(text, size - 1).rstrip() + CUT if size > 1 else CUT[:size]
    space = " " * (size - signs)
    return space + text if right else text + space
