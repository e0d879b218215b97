"""What the last proven pair of a take says about the next one, on two clocks that run freely.

How far apart two free clocks are nobody knows, so the exposures of a single pulse have no witness of their
own: a frame made by a spike looks like the one made by the pulse. But the clocks run on between two volleys.
From a proven pair on their distance is known, to the jitter of a start and a drift of :data:`DRIFT_PPM`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

DRIFT_PPM: Final = 200.0
"""Largest difference in rate between two clocks that is believed."""


@dataclass(frozen=True)
class Reference:
    """A proven pair.

    Attributes:
        b_ns: Start of its exposure by B's clock.
        apart_ns: S's clock minus B's, less the planned delay of S.
    """

    b_ns: int
    apart_ns: int

    def off_ns(self, b_ns: int, apart_ns: int, jitter_ns: int) -> int | None:
        """Say by how much a later pair contradicts this one.

        Args:
            b_ns: Its start by B's clock.
            apart_ns: Its distance, as above.
            jitter_ns: Largest believed deviation of a start.

        Returns:
            How much further apart its frames are; None where it fits.
        """
        off_ns = apart_ns - self.apart_ns
        slack_ns = jitter_ns + abs(b_ns - self.b_ns) * DRIFT_PPM * 1e-6
        return off_ns if abs(off_ns) > slack_ns else None


@dataclass
class Witness:
    """The reference of a take, and which of its recorded pairs may still be doubted.

    Attributes:
        reference: The last proven pair; None when the next one has none to be compared with.
        lone: Trigger indices of the only volley that the reference rests on; empty when others confirmed it.
        last: Trigger indices of the last volley when its pairs rest on nothing but their numbers and times.
        ended_ns: Time of the last frame of each camera in that volley, by its own clock.
    """

    reference: Reference | None = None
    lone: range = range(0)
    last: range = range(0)
    ended_ns: Mapping[str, int] = field(default_factory=dict)

    def confirm(self, reference: Reference, volley: range, *, free: bool) -> None:
        """Note a volley that gave proven pairs; on one clock (not ``free``) they need no other witness."""
        self.lone = volley if free and self.reference is None else range(0)
        self.reference = reference
        self.last = volley if free else range(0)

    def refute(self) -> range:
        """Forget a reference that the next volley contradicts; returns the pulses that nobody can trust."""
        doubted, self.reference, self.lone, self.last = self.lone, None, range(0), range(0)
        return doubted

    def first_doubtful(self, pulse: int) -> int:
        """Return the first trigger index whose pair may still be taken back, at most ``pulse``."""
        return min([pulse, *(one.start for one in (self.lone, self.last) if one)])

    def overtaken(self, camera: str, time_ns: int, period_ns: int, jitter_ns: int, within_ns: int) -> bool:
        """Whether a frame that came when the last volley was closed may be the one of its (last) pulse.

        Then the frame that was taken for it is of a spike.

        Args:
            camera: "B" or "S".
            time_ns: Start of the frame's exposure, by the camera's clock.
            period_ns: Period of the volley.
            jitter_ns: Largest believed deviation of a start.
            within_ns: How long a frame may be under way.
        """
        if not self.last or camera not in self.ended_ns:
            return False
        since_ns = time_ns - self.ended_ns[camera]
        if abs(since_ns) > within_ns:
            return False
        off_grid_ns = abs(since_ns - round(since_ns / period_ns) * period_ns)
        return len(self.last) == 1 or off_grid_ns <= jitter_ns + abs(since_ns) * DRIFT_PPM * 1e-6
