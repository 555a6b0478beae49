"""A figure's results: each with what it is compared with, measured in the same run."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Target:
    """What the value, or its ratio to what stands beside it, is to be at most or at least."""

    limit: float
    most: bool = True
    of: Literal["value", "ratio"] = "value"


@dataclass(frozen=True, slots=True)
class Row:
    """`ratio` is the value over what stands beside it. `counts` are what does not depend on the
    machine: requests, transactions, bytes read, system calls.
    """

    figure: str
    what: str
    value: float
    unit: str
    beside: str
    other: float
    ratio: float
    target: Target | None = None
    counts: dict[str, float] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        shown = self.value if self.target.of == "value" else self.ratio
        return shown <= self.target.limit if self.target.most else shown >= self.target.limit


def row(figure: str, what: str, value: float, unit: str, *, other: float, **rest: Any) -> Row:
    """A result beside `other`, in the same unit."""
    return Row(figure, what, value, unit, other=other, ratio=value / other if other else 0.0, **rest)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def as_json(row: Row) -> dict[str, Any]:
    return asdict(row) | {"met": row.met}


HEADINGS = ("figure", "measured", "beside", "ratio", "target", "met")


def table(rows: Sequence[Row]) -> str:
    """Markdown, so that it can be kept as it is."""
    cells = [HEADINGS, tuple("---" for _ in HEADINGS), *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = (
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in cells
    )
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        f"{row.figure}: {row.what}",
        _shown(row.value, row.unit),
        f"{_shown(row.other, row.unit)}, {row.beside}",
        f"{row.ratio:.3g}",
        "" if row.target is None else _target(row.target, row.unit),
        {None: "", True: "yes", False: "no"}[row.met],
    )


def _target(target: Target, unit: str) -> str:
    bound = "at most" if target.most else "at least"
    return f"{bound} {_shown(target.limit, unit if target.of == 'value' else 'times')}"


def _shown(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"  # noqa: PLR2004 - four digits need no exponent
