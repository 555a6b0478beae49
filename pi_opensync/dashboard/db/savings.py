"""What the cache saved, in money.

A turn's cost is its tokens of four kinds, each times its price, and a session tells the sum alone. But a
model's prices are the same for each turn: where its turns are many and differ, the prices follow from them,
and where they do not fit every turn, nothing is claimed.
"""

from collections.abc import Iterable, Sequence

_KINDS = 4
_LEAST_TURNS = 6
_MOST_TURNS = 500  # that prices are taken from
_TOLERANCE = 0.01  # of the cost; a model whose prices changed within the time fits less well
_TINY = 1e-12


Turn = tuple[float, float, float, float, float]


def saved(turns: Iterable[Turn]) -> float | None:
    """Return the US dollars that one model's cache saved; None where they do not follow from what is known.

    A `Turn` is (tokens that were neither read from nor written to the cache, read, written, completion,
    cost). Writing to the cache costs more than not to cache: that is taken off.
    """
    known = [turn for turn in turns if turn[4] > 0]
    read, written = sum(turn[1] for turn in known), sum(turn[2] for turn in known)
    if not read:
        return 0.0 if known else None
    known = known[:: 1 + len(known) // _MOST_TURNS]
    used = [kind for kind in range(_KINDS) if any(turn[kind] for turn in known)]
    if len(known) < _LEAST_TURNS or 0 not in used:
        return None
    prices = _prices([[turn[kind] for kind in used] for turn in known], [turn[4] for turn in known])
    if prices is None:
        return None
    price = dict(zip(used, prices, strict=True))
    wrong = sum(abs(sum(price[kind] * turn[kind] for kind in used) - turn[4]) for turn in known)
    if wrong > _TOLERANCE * sum(turn[4] for turn in known) or min(prices) < -_TINY or price[1] > price[0]:
        return None
    return read * (price[0] - price[1]) - written * (price.get(2, price[0]) - price[0])


def _prices(rows: Sequence[Sequence[float]], costs: Sequence[float]) -> list[float] | None:
    """Solve the least squares of rows x prices = costs; None where the rows do not tell the prices apart."""
    count = len(rows[0])
    scale = [max(row[column] for row in rows) or 1.0 for column in range(count)]
    scaled = [[value / size for value, size in zip(row, scale, strict=True)] for row in rows]
    matrix = [
        [sum(row[i] * row[j] for row in scaled) for j in range(count)]
        + [sum(row[i] * cost for row, cost in zip(scaled, costs, strict=True))]
        for i in range(count)
    ]
    for column in range(count):
        pivot = max(range(column, count), key=lambda place: abs(matrix[place][column]))
        if abs(matrix[pivot][column]) < 1e-9 * len(rows):
            return None
        matrix[column], matrix[pivot] = matrix[pivot], matrix[column]
        for place in range(count):
            if place != column:
                factor = matrix[place][column] / matrix[column][column]
                matrix[place] = [a - factor * b for a, b in zip(matrix[place], matrix[column], strict=True)]
    return [matrix[place][count] / matrix[place][place] / scale[place] for place in range(count)]
