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
    texts = list(zip([column.title for column in columns], *rows, strict=True))  # of each column
    signs = [_signs(column) for column in texts]
    natural = list(map(max, signs))
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
    cells = [
        _cells(texts[number], signs[number], sizes[number], right=columns[number].right) for number in kept
    ]
    return map(str.rstrip, map(GAP.join, zip(*cells, strict=True)))


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


def _signs(texts: Sequence[str]) -> list[int]:
    """How wide each is."""
    if "".join(texts).replace(CUT, "").isascii():
        return list(map(len, texts))
    from rich.cells import cell_len  # takes longer to load than a table to draw

    return [len(text) if text.isascii() else cell_len(text) for text in texts]


def _cells(texts: Sequence[str], signs: Sequence[int], size: int, *, right: bool) -> list[str]:
    cells: list[str] = []
    for text, wide in zip(texts, signs, strict=True):
        if wide > size:
            cells.append(_cut(text, size))
        else:
            space = " " * (size - wide)
            cells.append(space + text if right else text + space)
    return cells


def _cut(text: str, size: int) -> str:
    if size <= 1:
        return CUT[:size]
    if text.isascii():
        begin = text[: size - 1].rstrip()
        wide = len(begin)
    else:
        from rich.cells import cell_len, set_cell_size

        begin = set_cell_size(text, size - 1).rstrip()
        wide = cell_len(begin)
    return begin + CUT + " " * (size - 1 - wide)
