"""Mains flicker: lamps on the mains change their light at twice its frequency, and B and S see it apart.

The light is taken as L(u) = 1 + m cos(2 pi f u), f twice the mains' frequency, m its modulation (0.1 for
incandescent lamps, about 0.3 for fluorescent tubes on a choke, up to 1 for poor LED lamps). An exposure of
length t sees the mean of L over it, 1 + m a cos(phase of its middle), with a = sin(pi f t) / (pi f t):
nothing when t is a whole number of periods, nearly all of m when it is much shorter. As the triggers know
nothing of the mains, each shot meets another phase; what counts is the worst one.

`rectified_error` gives the same for L(u) = |sin(pi f u)|, light that goes out twice a mains period (LED or
arc lamps without a smoothing capacitor).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rig.placement import Placement, s_delay_s
from rig.plan import ExposurePlan

MODULATION: Final = 0.3
"""Modulation that is assumed where nobody has measured it: fluorescent tubes on a choke."""

MAINS_HZ: Final = (50, 60)
"""The mains there are; lamps flicker at twice that."""

WARN_ABOVE: Final = 0.02
"""A ratio of brightness B/S that wanders by more is worth a warning: photometric alignment takes it as one
constant of the scene."""


@dataclass(frozen=True)
class Flicker:
    """How mains light of a given frequency and modulation changes the brightness of a pair, at worst.

    Attributes:
        mains_hz: Frequency of the mains, in Hz.
        modulation: Modulation m of the light.
        error: Largest relative error of the brightness of "B" and of "S".
        ratio_error: Largest relative error of the ratio B/S.
        steady_s_us: Exposure of S nearest to the planned one for which both S and B = S / tau see whole
            periods of the light, in us; None where tau allows none below a second.
    """

    mains_hz: float
    modulation: float
    error: dict[str, float]
    ratio_error: float
    steady_s_us: float | None

    @property
    def notable(self) -> bool:
        """Whether B and S see the light differently enough for a warning."""
        return self.ratio_error > WARN_ABOVE

    def text(self) -> str:
        """Say in one line what the light does, and what to do about it."""
        way_out = (
            f"; with {self.steady_s_us * 1e-3:.4g} ms in S none, or use steady light"
            if self.steady_s_us
            else "; use steady light"
        )
        light = f"under {self.mains_hz:g} Hz mains light ({self.modulation:.0%} ripple)"
        off = f"the brightness B/S may be off by {self.ratio_error:.1%} from shot to shot"
        return f"{light} {off}{way_out if self.notable else ''}"

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain data."""
        return {
            "mains_hz": self.mains_hz,
            "modulation": self.modulation,
            "error": dict(self.error),
            "ratio_error": self.ratio_error,
            "steady_s_us": self.steady_s_us,
        }


def attenuation(exposure_s: float, flicker_hz: float) -> float:
    """Return a = sin(pi f t) / (pi f t): how much of the ripple an exposure sees, with its sign."""
    angle = math.pi * flicker_hz * exposure_s
    return math.sin(angle) / angle if angle else 1.0


def sinusoidal_error(exposure_s: float, flicker_hz: float, modulation: float = MODULATION) -> float:
    """Return the largest relative error of an exposure's brightness under 1 + m cos(2 pi f u): m |a|.

    Args:
        exposure_s: Length of the exposure, in s.
        flicker_hz: Frequency of the light, twice the mains'.
        modulation: m, 0 to 1.
    """
    return modulation * abs(attenuation(exposure_s, flicker_hz))


def rectified_error(exposure_s: float, flicker_hz: float) -> float:
    """Return the largest relative error of an exposure's brightness under |sin(pi f u)|.

    With n whole periods and a rest r of one (f t = n + r) the exposure sees, against the mean 2 / pi, at most
    (n + sin(pi r / 2)) / (f t), its rest around a maximum, and at least (n + 1 - cos(pi r / 2)) / (f t).
    """
    periods = exposure_s * flicker_hz
    whole = math.floor(periods)
    half = math.pi * (periods - whole) / 2
    most, least = whole + math.sin(half), whole + 1 - math.cos(half)
    return max(most / periods - 1, 1 - least / periods)


def ratio_error(
    exposure_us: Mapping[str, float],
    placement: Placement,
    flicker_hz: float,
    modulation: float = MODULATION,
) -> float:
    """Return the largest relative error of the brightness ratio B/S under 1 + m cos(2 pi f u).

    With d the phase from the middle of B to the middle of S the ratio is
    R(p) = (1 + m a_B cos p) / (1 + m a_S cos(p + d)). Its extremes over p are the roots of
    R^2 (1 - m^2 a_S^2) - 2 R (1 - m^2 a_B a_S cos d) + 1 - m^2 a_B^2 = 0.

    Args:
        exposure_us: Exposures of "B" and "S", in us.
        placement: Where S lies in B.
        flicker_hz: Frequency of the light, twice the mains'.
        modulation: m, at least 0 and less than 1.
    """
    long_s, short_s = exposure_us["B"] * 1e-6, exposure_us["S"] * 1e-6
    apart_s = s_delay_s(exposure_us, placement) + short_s / 2 - long_s / 2
    in_b, in_s = (modulation * attenuation(one, flicker_hz) for one in (long_s, short_s))
    middle = 1 - in_b * in_s * math.cos(2 * math.pi * flicker_hz * apart_s)
    first, last = 1 - in_s**2, 1 - in_b**2
    root = math.sqrt(max(middle**2 - first * last, 0.0))
    return max(abs((middle + sign * root) / first - 1) for sign in (1, -1))


def steady_exposure_us(exposure_s_us: float, tau: float, flicker_hz: float) -> float | None:
    """Return the exposure of S nearest to the given one with which S and B see whole periods of light, in us.

    B exposes t_S / tau: for tau = 1/8 each whole period in S is eight in B, for other tau only some are. None
    where B would expose for more than a second.
    """
    period_us = 1e6 / flicker_hz
    fit = [
        count
        for count in range(1, int(1e6 * tau / period_us) + 1)
        if abs(count / tau - round(count / tau)) < 1e-3 * count / tau
    ]
    return min((count * period_us for count in fit), key=lambda one: abs(one - exposure_s_us), default=None)


def flicker(plan: ExposurePlan, mains_hz: float, modulation: float = MODULATION) -> Flicker:
    """Return what mains light does to the pairs of a plan."""
    light_hz = 2 * mains_hz
    return Flicker(
        mains_hz=mains_hz,
        modulation=modulation,
        error={
            camera: sinusoidal_error(plan.applied_us[camera] * 1e-6, light_hz, modulation) for camera in "BS"
        },
        ratio_error=ratio_error(plan.applied_us, plan.placement, light_hz, modulation),
        steady_s_us=steady_exposure_us(plan.applied_us["S"], plan.tau, light_hz),
    )


def in_passing(plan: ExposurePlan) -> str:
    """Say in one line what lamps on either mains would do, where nobody said which mains there is."""
    lights = [flicker(plan, mains_hz) for mains_hz in MAINS_HZ]
    off = ", ".join(f"{light.ratio_error:.1%} at {light.mains_hz:g} Hz" for light in lights)
    return f"lit by lamps on the mains, B/S may be off by {off}"
