"""Charts as SVG. They stretch with the page, so what is text stands beside them, in HTML."""

from collections.abc import Sequence

from markupsafe import Markup, escape

_HEIGHT = 100
_SLOT = 10
_BAR = 7.6


def columns(stacks: Sequence[tuple[str, Sequence[float]]], *, label: str) -> Markup:
    """Upright bars, one for each (what it says when pointed at, its values from the bottom up)."""
    top = scale(max((sum(values) for _, values in stacks), default=0))
    width = max(len(stacks), 1) * _SLOT
    pieces = [
        f'<line class="grid" x1="0" x2="{width}" y1="{y}" y2="{y}"/>' for y in (0, _HEIGHT / 2, _HEIGHT)
    ]
    for index, (says, values) in enumerate(stacks):
        x = index * _SLOT + (_SLOT - _BAR) / 2
        pieces.append(f'<g><title>{escape(says)}</title><rect class="hover" x="{index * _SLOT}" y="0" ')
        pieces.append(f'width="{_SLOT}" height="{_HEIGHT}"/>')
        y = float(_HEIGHT)
        for series, value in enumerate(values):
            height = value / top * _HEIGHT
            y -= height
            pieces.append(
                f'<rect class="s{series}" x="{x:.2f}" y="{y:.3f}" width="{_BAR}" height="{height:.3f}"/>'
            )
        pieces.append("</g>")
    return _svg(pieces, width, _HEIGHT, "columns", label)


def bar(value: float, most: float) -> Markup:
    """One lying bar, for a row of a table whose longest is `most`."""
    width = min(value / most, 1.0) * 100 if most > 0 else 0.0
    return Markup(
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="10"/><rect class="s0" width="{}" height="10"/></svg>'
    ).format(f"{width:.2f}")


def heat(rows: Sequence[Sequence[int]], names: Sequence[str], *, label: str) -> Markup:
    """Return a week of hours: a row for each day, a cell for each hour, the darker the more."""
    most = max((value for row in rows for value in row), default=0) or 1
    pieces = []
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            says = f"{names[y]} {x:02d}:00: {value:,}"
            strength = 0 if value == 0 else 0.15 + 0.85 * (value / most) ** 0.7
            cell = f'x="{x + 0.06:.2f}" y="{y + 0.06:.2f}" width="0.88" height="0.88"'
            pieces.append(
                f'<g><title>{escape(says)}</title><rect class="track" {cell}/>'
                f'<rect class="s0" fill-opacity="{strength:.3f}" {cell}/></g>'
            )
    return _svg(pieces, 24, len(rows), "heat", label)


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


def _svg(pieces: Sequence[str], width: float, height: float, kind: str, label: str) -> Markup:
    # Every piece is this file's own markup around numbers and escaped words.
    return Markup(  # noqa: S704 - see above
        f'<svg class="chart {kind}" viewBox="0 0 {width:g} {height:g}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}">{"".join(pieces)}</svg>'
    )
