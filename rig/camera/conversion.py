"""From a camera's own unit to that of an alias: raw steps to µs, factors to dB, ticks to ns."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rig.camera.types import FeatureValue, Limits
from rig.errors import FeatureRejected

ReadNumber = Callable[[str], float]
"""Reads another feature of the camera, such as a timebase."""


@dataclass(frozen=True)
class Candidate:
    """A feature that may stand behind an alias, and how its value becomes the alias' value.

    ``alias = feature * scale * times / per + offset``, or, with `decibels_of`,
    ``alias = 20 log10(feature * scale * times / per / decibels_of)``.

    Attributes:
        feature: Name of the camera's feature.
        unit: Unit that the camera must state, as a safeguard; empty: any.
        scale: Constant factor.
        times: Feature whose value multiplies, such as a timebase; empty: none.
        per: Feature whose value divides, such as a tick frequency; empty: none.
        offset: Added at the end.
        decibels_of: Feature value that means 0 dB; 0: the value is no ratio.
    """

    feature: str
    unit: str = ""
    scale: float = 1.0
    times: str = ""
    per: str = ""
    offset: float = 0.0
    decibels_of: float = 0.0

    @classmethod
    def of(cls, given: str | Mapping[str, Any] | Candidate) -> Candidate:
        """Make one from a feature's name, from plain data, or from another one."""
        if isinstance(given, Candidate):
            return given
        return cls(given) if isinstance(given, str) else cls(**given)

    @property
    def converts(self) -> bool:
        """True when the alias' value is not simply the feature's."""
        return dataclasses.replace(self, unit="") != Candidate(self.feature)

    def check_unit(self, stated: str) -> None:
        """Refuse a camera that states another unit than the profile was written for.

        Raises:
            FeatureRejected: it does.
        """
        if self.unit and stated and stated.replace("µ", "u").lower() != self.unit.replace("µ", "u").lower():
            raise FeatureRejected(
                f"{self.feature} is in {stated}, the profile takes it for {self.unit}",
                hint="correct the unit and scale in the camera's profile",
            )

    def to_alias(self, value: FeatureValue, read: ReadNumber) -> FeatureValue:
        """Return the alias' value of a feature's value; integers stay exact where the factor is whole.

        Raises:
            FeatureRejected: the value has no such unit (a text), or a feature to scale with is not readable.
        """
        if not self.converts:
            return value
        factor = self._factor(read)
        if isinstance(value, bool | str):
            raise FeatureRejected(f"{self.feature} is {value}, which is no number to convert")
        if self.decibels_of:
            ratio = value * factor / self.decibels_of
            return 20 * math.log10(ratio) if ratio > 0 else -math.inf
        if isinstance(value, int) and factor.is_integer() and self.offset.is_integer():
            return value * int(factor) + int(self.offset)
        return value * factor + self.offset

    def fixed(self, read: ReadNumber) -> Candidate:
        """Return the same conversion with the factors that other features give as they are now."""
        return dataclasses.replace(self, scale=self._factor(read), times="", per="")

    def to_feature(
        self, value: FeatureValue, limits: Limits, read: ReadNumber, *, whole: bool
    ) -> FeatureValue:
        """Return the feature's value of an alias' value, on the feature's own grid.

        Args:
            value: In the alias' unit.
            limits: Of the feature, in its own unit.
            read: Reads another feature.
            whole: The feature is an integer: the nearest step is taken.

        Raises:
            FeatureRejected: no number.
        """
        try:
            number = float(value)
        except ValueError as exc:
            raise FeatureRejected(f"{self.feature} cannot be {value}", hint="a number is needed") from exc
        factor = self._factor(read)
        if self.decibels_of:
            raw = self.decibels_of * 10 ** (number / 20) / factor
        else:
            raw = (number - self.offset) / factor
        if not whole:
            return raw
        step = limits.increment or 1.0
        return round(limits.minimum + round((raw - limits.minimum) / step) * step)

    def limits(self, own: Limits, unit: str, read: ReadNumber) -> Limits:
        """Return a feature's limits in the alias' unit; decibels have no constant step."""
        ends = sorted(float(self.to_alias(end, read)) for end in (own.minimum, own.maximum))
        step = None
        if own.increment is not None and not self.decibels_of:
            step = abs(own.increment * self._factor(read))
        return Limits(ends[0], ends[1], step, unit)

    def rounding(self, raw: float, limits: Limits, read: ReadNumber) -> float:
        """Return half the feature's step around `raw`, in the alias' unit: what our own rounding may cost."""
        step = limits.increment or 0.0
        here, near = (float(self.to_alias(float(value), read)) for value in (raw, raw + step))
        return abs(near - here) / 2

    def _factor(self, read: ReadNumber) -> float:
        factor = self.scale
        if self.times:
            factor *= read(self.times)
        if self.per:
            divisor = read(self.per)
            if divisor == 0:
                raise FeatureRejected(f"{self.per} is 0, so {self.feature} cannot be converted")
            factor /= divisor
        return factor


_UNITS = {"us": "us", "ns": "ns", "db": "dB", "dn": "DN", "hz": "Hz", "c": "C"}


def unit_of_alias(alias: str) -> str:
    """Return the unit that an alias' name ends with, as in `exposure_us`; empty when it names none."""
    return _UNITS.get(alias.rpartition("_")[2], "")
