"""The verdict on one pair: what was found, how bad it is, and the figures behind it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from processing.errors import ProcessingError
from rig.capture.findings import Finding, Level, worst_level

_DIGITS: Final = 6


@dataclass(frozen=True)
class PairVerdict:
    """What the checks say of a pair.

    Attributes:
        findings: the worst first; empty when nothing is wrong.
        figures: what was measured, by name; what could not be measured is missing, and a finding says why.
    """

    findings: tuple[Finding, ...] = ()
    figures: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, findings: Iterable[Finding], figures: Mapping[str, float]) -> PairVerdict:
        """Sort findings by their level, and keep the figures that are finite, to six digits."""
        order = ("stop", "warn", "note")
        kept = {
            name: float(f"{value:.{_DIGITS}g}") for name, value in figures.items() if math.isfinite(value)
        }
        return cls(tuple(sorted(findings, key=lambda one: order.index(one.level))), kept)

    @property
    def level(self) -> Level:
        """The worst level found; "note" when nothing is wrong."""
        return worst_level(self.findings)

    def reasons(self, level: Level = "stop") -> tuple[str, ...]:
        """Return the lines of the findings of one level."""
        return tuple(one.one_line() for one in self.findings if one.level == level)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "level": self.level,
            "findings": [one.to_dict() for one in self.findings],
            "figures": dict(self.figures),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PairVerdict:
        """Read what `to_dict` wrote.

        Raises:
            ProcessingError: it is no verdict.
        """
        try:
            findings = tuple(Finding.from_dict(one) for one in data["findings"])
            return cls(findings, {str(name): float(value) for name, value in data["figures"].items()})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ProcessingError(f"this is no verdict on a pair: {error}") from error
