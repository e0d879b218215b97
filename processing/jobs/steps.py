"""The order for a batch, its progress with pace and time left, and how long its steps take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from processing.outputs import Bits, Format
from processing.profile import CHOICES, Choices, FlowMethod, Profile

Progress = Callable[[float, str], None]
"""Told the done fraction, 0 to 1, and what is being done."""

MEASURING: float = 2.0
"""What measuring a scene, before and after its pairs, counts for in the done fraction, in pairs."""


@dataclass(frozen=True)
class Job:
    """What to make of a session.

    Attributes:
        profile: `best` or `paper`.
        bits, format: of the developed images.
        images, masks, blur: what to make.
        flow: a way to register other than the profile's own, or None.
        calibrations: files of `beamrig calibrate` to use, as absolute paths.
        allow_old: use them even if they are older than they say they may be.
        again: make everything anew.
        confidence: write how sure the masks are, too; see `FrozenBackground.mask_and_confidence`.
    """

    profile: Profile = "best"
    bits: Bits = 16
    format: Format = "png"
    images: bool = True
    masks: bool = True
    blur: bool = True
    flow: FlowMethod | None = None
    calibrations: tuple[str, ...] = ()
    allow_old: bool = False
    again: bool = False
    confidence: bool = False

    @property
    def choices(self) -> Choices:
        """How each step is done."""
        chosen = CHOICES[self.profile]
        return chosen if self.flow is None else replace(chosen, flow=self.flow)

    @property
    def suffix(self) -> str:
        """Of the images' file names."""
        return ".png" if self.format == "png" else ".tiff"


class Steps:
    """Turns finished pairs into one fraction, a pace and the time left.

    Args:
        progress: told about every step, or None.
        total: pairs of all scenes together, and `MEASURING` for each scene.
        clock: seconds that only go up.
    """

    def __init__(
        self,
        progress: Progress | None,
        total: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._progress = progress
        self.total = total
        self._passed = 0.0
        self._made = 0
        self._clock = clock
        self._begun: float | None = None

    def begin_pairs(self) -> None:
        """Start to count the pace, unless that was done before."""
        if self._begun is None:
            self._begun = self._clock()

    def say(self, text: str, *, passed: float = 0.0, made: int = 0) -> None:
        """Pass on what is being done.

        Args:
            text: in words.
            passed: how much of the total is behind us now, made or found.
            made: pairs of it that were made, and so tell the pace.
        """
        self._passed += passed
        self._made += made
        if self._progress is not None:
            self._progress(min(1.0, self._passed / self.total), text + self._pace())

    def _pace(self) -> str:
        """Return how fast it goes and how long it still takes, once two pairs tell."""
        if self._begun is None or self._made < 2:
            return ""
        took = max(1e-3, self._clock() - self._begun)
        left = max(0.0, self.total - self._passed) * took / self._made
        return f" · {self._made / took:.1f} pairs/s · {duration(left)} left"


def duration(seconds: float) -> str:
    """Return a time for people: 8 s, 3 min, 2 h 05 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


class Stopwatch:
    """Adds up how long each step takes."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count the time within for a step."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begun
