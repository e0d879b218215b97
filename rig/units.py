"""Quantities as people write them ("2 ms", "1.4 m/s", "3.45 um") to SI numbers and back."""

from __future__ import annotations

import difflib
import math
import re
from typing import Literal, get_args

from rig.errors import UnitError

Dimension = Literal["time", "length", "speed", "frequency", "ratio"]

_KMH = 1 / 3.6

# Unit -> factor to SI. The first spellings of a dimension, in rising order, are those that
# `format_quantity` writes; the rest is only read.
_WRITTEN: dict[str, dict[str, float]] = {
    "time": {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0},
    "length": {"nm": 1e-9, "µm": 1e-6, "mm": 1e-3, "m": 1.0, "km": 1e3},
    "speed": {"mm/s": 1e-3, "m/s": 1.0, "km/s": 1e3},
    "frequency": {"mHz": 1e-3, "Hz": 1.0, "kHz": 1e3, "MHz": 1e6},
    "ratio": {"": 1.0},
}
_READ_TOO: dict[str, dict[str, float]] = {
    "time": {"us": 1e-6, "μs": 1e-6, "sec": 1.0, "min": 60.0, "h": 3600.0},
    "length": {"um": 1e-6, "μm": 1e-6, "cm": 1e-2, "in": 0.0254, "ft": 0.3048},
    "speed": {
        "cm/s": 1e-2,
        "km/h": _KMH,
        "kmh": _KMH,
        "kph": _KMH,
        "mph": 0.44704,
        "um/s": 1e-6,
        "µm/s": 1e-6,
    },
    "frequency": {"fps": 1.0, "1/s": 1.0, "/s": 1.0},
    "ratio": {"%": 1e-2},
}
_EXAMPLE = {"time": "2 ms", "length": "3.45 um", "speed": "1.4 m/s", "frequency": "10 Hz", "ratio": "1/8"}

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*(.*?)\s*")
_COMMA = re.compile(r"\s*[+-]?\d*,\d")
_FRACTION = re.compile(rf"\s*({_NUMBER})\s*/\s*({_NUMBER})\s*")


def parse_quantity(text: str | float, dimension: Dimension) -> float:
    """Read a quantity with its unit and return it in SI units (s, m, m/s, Hz, or a plain ratio).

    Args:
        text: For example "2 ms", "1.4 m/s", "5 km/h", "3.45 µm", "1/8" or "12.5 %". A number without
            a unit is accepted for a ratio only: guessing whether 2 means ms or µs has cost others days.
        dimension: What kind of quantity is expected.

    Returns:
        The finite value in SI units.

    Raises:
        UnitError: No number, no unit, an unknown unit, or a unit of another dimension.
    """
    units = _units_of(dimension)
    example = _EXAMPLE[dimension]
    text = str(text)
    fraction = _FRACTION.fullmatch(text) if dimension == "ratio" else None
    if fraction:
        denominator = float(fraction[2])
        if denominator == 0:
            raise UnitError(f"'{text}' divides by zero", hint=f'write it like "{example}"')
        return _finite(float(fraction[1]) / denominator, text)
    match = _QUANTITY.fullmatch(text)
    comma = "use a point for decimals; " if _COMMA.match(text) else ""
    if match is None or comma:
        raise UnitError(f"'{text}' is not a {dimension}", hint=f'{comma}write it like "{example}"')
    unit = match[2]
    if unit not in units:
        raise _unit_error(text, unit, dimension)
    return _finite(float(match[1]) * units[unit], text)


def format_quantity(value: float, dimension: Dimension, digits: int = 4) -> str:
    """Write an SI value with the unit that reads best, for example 0.00278 s as "2.78 ms".

    Args:
        value: Value in SI units; must be finite.
        dimension: What kind of quantity it is.
        digits: Significant digits kept.

    Raises:
        UnitError: The value is not finite.
    """
    _finite(value, str(value))
    if dimension == "ratio":
        return f"{value:.{digits}g}"
    units = _WRITTEN[dimension]
    chosen = next(iter(units))
    rounded = abs(float(f"{value:.{digits}g}"))  # 0.9999999 s must read "1 s", not "1000 ms"
    for unit, factor in units.items():
        if rounded >= factor * (1 - 1e-12):
            chosen = unit
    if value == 0:
        chosen = next(unit for unit, factor in units.items() if factor == 1.0)
    return f"{_plain(value / units[chosen], digits)} {chosen}"


def _plain(number: float, digits: int) -> str:
    """Return `number` with `digits` significant digits, without an exponent where that stays short."""
    short = f"{number:.{digits}g}"
    return f"{float(short):.0f}" if "e+" in short and abs(number) < 1e7 else short


def _units_of(dimension: Dimension) -> dict[str, float]:
    if dimension not in get_args(Dimension):
        raise UnitError(f"unknown dimension '{dimension}'", hint=f"one of {', '.join(get_args(Dimension))}")
    return _WRITTEN[dimension] | _READ_TOO[dimension]


def _finite(value: float, text: str) -> float:
    if not math.isfinite(value):
        raise UnitError(f"'{text}' is not a finite number")
    return value


def _unit_error(text: str, unit: str, dimension: Dimension) -> UnitError:
    """Return the error that says why `unit` does not fit, and what would."""
    example = f'write it like "{_EXAMPLE[dimension]}"'
    if not unit:
        return UnitError(f"'{text}' has no unit; a {dimension} needs one", hint=example)
    owner = next((d for d in get_args(Dimension) if unit in _units_of(d)), None)
    if owner is not None:
        return UnitError(f"'{text}' is a {owner}, but a {dimension} is wanted", hint=example)
    units = _units_of(dimension)
    close = difflib.get_close_matches(unit, units, n=1, cutoff=0.5) or [
        known for known in units if known.lower() == unit.lower()
    ]
    guess = f"did you mean {close[0]}? " if close else ""
    return UnitError(
        f"'{text}' has the unknown unit '{unit}'",
        hint=f"{guess}known units of a {dimension}: {', '.join(u for u in units if u)}",
    )
