"""The axis of a chart: where it ends, what stands beside it, and what is cut so that the rest is seen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

# A column this many times higher than nearly all others would flatten them.
_OUTLYING = 4
_FEW = 5
_MOST_CUT = 3


@dataclass(frozen=True, slots=True)
class Bar:
    """`name` is its time, `says` its value in words; `values` stand on each other; `address` leads behind."""

    name: str
    says: str
    values: tuple[float, ...]
    address: str

    @property
    def height(self) -> float:
        return sum(self.values)


@dataclass(frozen=True, slots=True)
class Axis:
    """From 0 to `top`; `cut` are the columns that go beyond it."""

    top: float
    cut: tuple[Bar, ...]

    def labels(self, says: Callable[[float], str]) -> list[str]:
        """Return what stands beside it, from the top down."""
        return [says(self.top), says(self.top / 2), says(0)]


def axis_for(columns: Sequence[Bar]) -> Axis:
    """Choose where the axis ends.

    One to three columns that are several times higher than all others go beyond it, and are named.
    """
    heights = sorted((column.height for column in columns if column.height > 0), reverse=True)
    most = heights[0] if heights else 0.0
    if len(heights) >= _FEW:
        for cut in range(1, _MOST_CUT + 1):
            if cut < len(heights) and heights[cut - 1] > _OUTLYING * heights[cut]:
                top = scale(heights[cut])
                beyond = tuple(column for column in columns if column.height > top)
                return Axis(top, beyond)
    return Axis(scale(most), ())


def scale(most: float) -> float:
    """Return the next of 1, 2, 2.5, 5 times a power of ten that is not below `most`: where the axis ends."""
    if most <= 0:
        return 1.0
    power = 1.0
    while power < most:
        power *= 10
    while power / 10 >= most:
        power /= 10
    return next(power * step for step in (0.1, 0.2, 0.25, 0.5, 1.0) if power * step >= most * (1 - 1e-9))
