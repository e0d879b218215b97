"""The order for a batch, its progress, and its end when the operator stops it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from processing.outputs import Bits, Format
from processing.profile import Profile
from processing.report import SceneReport

Progress = Callable[[float, str], None]
"""Told the done fraction, 0 to 1, and what is being done."""


@dataclass(frozen=True)
class Job:
    """What to make of a session.

    Attributes:
        profile: `best` or `paper`.
        bits, format: of the developed images.
        images, masks, blur: what to make.
    """

    profile: Profile = "best"
    bits: Bits = 16
    format: Format = "png"
    images: bool = True
    masks: bool = True
    blur: bool = True


class Stopped(Exception):
    """The operator's cancel, on its way out of the loops."""

    def __init__(self, report: SceneReport | None) -> None:
        super().__init__()
        self.report = report


class Steps:
    """Turns steps of scenes into one fraction; looks after the cancel."""

    def __init__(self, progress: Progress | None, cancel: threading.Event, scenes: int) -> None:
        self._progress = progress
        self.cancel = cancel
        self._scenes = scenes
        self._scene = -1
        self._done, self._total = 0, 1

    def begin(self, total: int) -> None:
        """Begin the next scene, of so many steps."""
        self._scene += 1
        self._done, self._total = 0, max(1, total)

    def say(self, text: str, *, advance: int = 0) -> None:
        """Pass on what is being done, after so many more steps."""
        self._done += advance
        if self._progress is not None:
            fraction = min(1.0, self._done / self._total)
            self._progress((max(self._scene, 0) + fraction) / max(1, self._scenes), text)
