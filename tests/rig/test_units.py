"""Quantities are read with their unit, and nothing is guessed."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import UnitError
from rig.units import Dimension, format_quantity, parse_quantity


@pytest.mark.parametrize(
    ("text", "dimension", "si"),
    [
        ("2 ms", "time", 0.002),
        ("2ms", "time", 0.002),
        ("20 us", "time", 20e-6),
        ("20 µs", "time", 20e-6),  # micro sign
        ("20 μs", "time", 20e-6),  # Greek mu
        ("1.5e-3 s", "time", 0.0015),
        ("3.45 um", "length", 3.45e-6),
        (" .5 m ", "length", 0.5),
        ("12 in", "length", 0.3048),
        ("1.4 m/s", "speed", 1.4),
        ("36 km/h", "speed", 10.0),
        ("10 fps", "frequency", 10.0),
        ("1/8", "ratio", 0.125),
        ("12.5 %", "ratio", 0.125),
        ("0.125", "ratio", 0.125),
        (0.125, "ratio", 0.125),
    ],
)
def test_quantities_are_read_as_people_write_them(text: str | float, dimension: Dimension, si: float) -> None:
    assert parse_quantity(text, dimension) == pytest.approx(si, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "dimension", "said"),
    [
        ("2", "time", "no unit"),
        (2.0, "time", "no unit"),
        ("2 m", "time", "is a length, but a time is wanted"),
        ("2 mS", "time", "did you mean ms"),
        ("fast", "speed", "is not a speed"),
        ("", "length", "is not a length"),
        ("nan s", "time", "is not a time"),
        ("1e999 s", "time", "not a finite number"),
        ("1/0", "ratio", "divides by zero"),
        ("1 2 s", "time", "unknown unit"),
    ],
)
def test_what_is_not_clear_is_refused_with_a_reason(
    text: str | float, dimension: Dimension, said: str
) -> None:
    with pytest.raises(UnitError) as refusal:
        parse_quantity(text, dimension)
    assert said in refusal.value.one_line()


def test_a_decimal_comma_is_not_mistaken_for_a_unit() -> None:
    with pytest.raises(UnitError, match="not a speed") as refusal:
        parse_quantity("1,4 m/s", "speed")
    assert "use a point" in refusal.value.hint


@pytest.mark.parametrize(
    ("value", "dimension", "text"),
    [
        (0.00278, "time", "2.78 ms"),
        (3.45e-6, "length", "3.45 µm"),
        (1.4, "speed", "1.4 m/s"),
        (0.9999999, "time", "1 s"),
        (0.0, "time", "0 s"),
        (12345.0, "frequency", "12.35 kHz"),
        (0.125, "ratio", "0.125"),
        (7200.0, "time", "7200 s"),
    ],
)
def test_values_are_written_with_the_unit_that_reads_best(
    value: float, dimension: Dimension, text: str
) -> None:
    assert format_quantity(value, dimension) == text


@given(
    value=st.floats(min_value=1e-9, max_value=1e6),
    negative=st.booleans(),
    dimension=st.sampled_from(get_args(Dimension)),
)
def test_what_is_written_can_be_read_again(value: float, negative: bool, dimension: Dimension) -> None:
    signed = -value if negative else value
    assert parse_quantity(format_quantity(signed, dimension, 12), dimension) == pytest.approx(
        signed, rel=1e-11
    )


@given(st.text(max_size=20), st.sampled_from(get_args(Dimension)))
def test_any_text_gives_a_finite_number_or_a_unit_error(text: str, dimension: Dimension) -> None:
    with suppress(UnitError):
        assert math.isfinite(parse_quantity(text, dimension))


def test_infinity_is_not_written() -> None:
    with pytest.raises(UnitError):
        format_quantity(math.inf, "time")
