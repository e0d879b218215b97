"""Charts of a session's report as inline SVG; the page gives the colours, so they follow light and dark."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 480
HEIGHT: Final = 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 14, 14, 34


@dataclass(frozen=True)
class Marker:
    """A vertical line across a chart, with its words."""

    value: float
    text: str
    style: str = "mark"


@dataclass(frozen=True)
class Measured:
    """A planned value and what was measured, of one camera; `singles` are the values of single pairs."""

    name: str
    style: str
    planned: float | None
    measured: float
    error: float
    singles: tuple[float, ...] = ()


def histogram(title: str, values: Sequence[float], unit: str, markers: Sequence[Marker] = ()) -> str:
    """Return the histogram of some values, with lines where markers are."""
    top = max([*values, *(marker.value for marker in markers), 1e-9]) * 1.06
    step = _nice(top / 22)
    count = max(1, math.ceil(top / step - 1e-9))
    bins = [0] * count
    for value in values:
        bins[min(int(value / step), count - 1)] += 1
    limit = count * step
    most = max([*bins, 1])
    floor = HEIGHT - _BOTTOM
    wide = (WIDTH - _LEFT - _RIGHT) / count
    parts = []
    for index, number in enumerate(bins):
        if number:
            high = (floor - _TOP) * number / most
            parts.append(
                f'<rect class="bar" x="{_LEFT + index * wide + 0.75:.1f}" y="{floor - high:.1f}"'
                f' width="{max(wide - 1.5, 1):.1f}" height="{high:.1f}"><title>{number} of'
                f" {index * step:.4g} to {(index + 1) * step:.4g} {html.escape(unit)}</title></rect>"
            )
    parts += [_marker(_x(marker.value, limit), marker, row) for row, marker in enumerate(markers)]
    parts.append(_text(_LEFT - 6, _TOP + 9, str(most), "end"))
    parts.append(_text(_LEFT - 6, floor, "0", "end"))
    return _chart(title, _axis(limit, unit), parts)


def plan_against_measured(title: str, rows: Sequence[Measured], unit: str) -> str:
    """Return a row a camera: the planned value as a hollow ring, the measured one as a dot with its error."""
    values = [row.measured + row.error for row in rows] + [row.planned or 0.0 for row in rows]
    values += [single for row in rows for single in row.singles]
    limit = max([*values, 1e-9]) * 1.12
    parts = []
    for number, row in enumerate(rows):
        y = _TOP + 26 + number * 62
        at = _x(row.measured, limit)
        reach = max(_x(row.measured + 2 * row.error, limit) - at, 0)
        parts.append(
            f'<line class="rail" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>'
            f'<line class="err {row.style}" x1="{at - reach:.1f}" x2="{at + reach:.1f}" y1="{y}" y2="{y}"/>'
            f'<circle class="dot {row.style}" cx="{at:.1f}" cy="{y}" r="5"/>'
        )
        parts += [
            f'<circle class="single {row.style}" cx="{_x(single, limit):.1f}" cy="{y + 12}" r="2.5"/>'
            for single in row.singles
        ]
        if row.planned is not None:
            parts.append(f'<circle class="ring" cx="{_x(row.planned, limit):.1f}" cy="{y}" r="9"/>')
        parts.append(_text(_LEFT - 12, y + 5, row.name, "end", f"name {row.style}"))
        words = f"{row.measured:.2f} ± {row.error:.2f} {unit}"
        if row.planned is not None:
            words += f", planned {row.planned:.2f}"
        parts.append(_label(at, y - 15, words))
    return _chart(title, _axis(limit, unit), parts)


def dots(title: str, values: Sequence[tuple[str, float, str]], unit: str, markers: Sequence[Marker]) -> str:
    """Return a value for each shot in their order; (name, value, style) each; markers are level lines."""
    limit = max([value for _, value, _ in values] + [marker.value for marker in markers] + [1e-9]) * 1.15
    floor = HEIGHT - _BOTTOM
    span = WIDTH - _LEFT - _RIGHT

    def level(value: float) -> float:
        return floor - (floor - _TOP) * value / limit

    parts = [_text(_LEFT - 6, _TOP + 9, f"{limit:.2g}", "end"), _text(_LEFT - 6, floor, "0", "end")]
    for marker in markers:
        y = level(marker.value)
        parts.append(
            f'<line class="{marker.style}" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        parts.append(_text(WIDTH - _RIGHT, y - 8, marker.text, "end", "label"))
    for index, (name, value, style) in enumerate(values):
        x = _LEFT + span * (index + 0.5) / len(values)
        words = html.escape(f"{name}: {value:.3g} {unit}")
        place = f'cx="{x:.1f}" cy="{level(value):.1f}" r="4"'
        parts.append(f'<circle class="dot {style}" {place}><title>{words}</title></circle>')
    parts.append(f'<line class="axis" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{floor}" y2="{floor}"/>')
    parts.append(_text(_LEFT, HEIGHT - 12, "first pair"))
    parts.append(_text(WIDTH - _RIGHT, HEIGHT - 12, "last pair", "end"))
    return _chart(title, "", parts)


def _x(value: float, limit: float) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * value / limit


def _nice(step: float) -> float:
    """Return the next step of 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= step * (1 - 1e-9))


def _axis(limit: float, unit: str) -> str:
    step = _nice(limit / 6)
    floor = HEIGHT - _BOTTOM
    parts = [f'<line class="axis" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{floor}" y2="{floor}"/>']
    for index in range(int(limit / step + 1e-9) + 1):
        x = _x(index * step, limit)
        parts.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{floor}" y2="{floor + 4}"/>')
        if x < WIDTH - _RIGHT - 16 - 6 * len(unit):
            parts.append(_text(x, floor + 18, f"{index * step:.4g}", "middle"))
    parts.append(_text(WIDTH - _RIGHT, floor + 18, unit, "end"))
    return "".join(parts)


def _marker(x: float, marker: Marker, row: int) -> str:
    line = f'<line class="{marker.style}" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 6}" y2="{HEIGHT - _BOTTOM}"/>'
    return line + _label(x, _TOP + 6 + 17 * row, marker.text, gap=7)


def _label(x: float, y: float, words: str, gap: float = 0) -> str:
    """Write words beside a place, on the side where there is room."""
    right = x < WIDTH * 0.55
    side = "start" if right else "end"
    return _text(x + (gap if right else -gap), y, words, side, "label")


def _text(x: float, y: float, words: str, anchor: str = "start", style: str = "tick") -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(words)}</text>'


def _chart(title: str, axis: str, parts: Sequence[str]) -> str:
    return (
        f'<figure class="chart"><figcaption>{html.escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(title)}">'
        f"{axis}{''.join(parts)}</svg></figure>"
    )
