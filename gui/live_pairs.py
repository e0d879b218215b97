"""Pairs of the running cameras: B on the grid of S where the scene is calibrated, else B alone."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gui.frames import FrameSource
from gui.imaging import RawFormat, grey_world
from processing.calibration.frame_format import FrameFormat
from processing.live import LiveCamera, LiveChain

KEPT_S = 4
"""Frames of S that are kept, so that each B finds the one nearest in time."""
NOT_ALIGNED = "not aligned: B alone, whole frame"


@dataclass(frozen=True)
class LivePicture:
    """A live picture for the network.

    Attributes:
        number: Of the frame of B, from the camera's ring.
        b: (H, W, 3) uint8 sRGB at half size.
        s: S beside it, of the same size; None where the scene is not calibrated.
        taken_ns: When B came, by the computer's monotonic clock.
        note: What kind of picture it is.
    """

    number: int
    b: NDArray[np.uint8]
    s: NDArray[np.uint8] | None
    taken_ns: int
    note: str


class LivePairs:
    """Takes the newest frames and makes a picture of them when asked; for one thread.

    The live view is not triggered: B and S are of about the same time, not of the same pulse. So S may say
    where something moves, but never what B should have looked like.
    """

    def __init__(self) -> None:
        self._seen = {"B": 0, "S": 0}
        self._b: Any = None
        self._s: deque[Any] = deque(maxlen=KEPT_S)
        self._gains: tuple[float, float, float] | None = None
        self._plain: LiveCamera | None = None

    def look(self, source: FrameSource) -> bool:
        """Take what is new; return whether there is a new frame of B.

        Raises:
            BeamrigError: A camera is lost.
        """
        newest = source("S", self._seen["S"])
        if newest is not None:
            self._seen["S"] = newest[0]
            self._s.append(newest[1])
        newest = source("B", self._seen["B"])
        if newest is None:
            return False
        self._seen["B"], self._b = newest
        return True

    def picture(self, chain: LiveChain | None, fmt: RawFormat) -> LivePicture:
        """Make the picture of the newest frame of B.

        Args:
            chain: Of the scene's calibration; None shows B as the camera sees it.
            fmt: How B's codes are to be read.
        """
        frame, number = self._b, self._seen["B"]
        taken_ns = frame.host_monotonic_ns
        if chain is not None and chain.b.frame.shape == frame.pixels.shape and self._s:
            near = min(self._s, key=lambda one: abs(one.host_monotonic_ns - taken_ns))
            if chain.s.frame.shape == near.pixels.shape:
                b, s = chain(frame.pixels, near.pixels, threads=1)
                return LivePicture(number, b, s, taken_ns, "aligned")
        return LivePicture(number, self._plain_camera(frame, fmt)(frame.pixels), None, taken_ns, NOT_ALIGNED)

    def _plain_camera(self, frame: Any, fmt: RawFormat) -> LiveCamera:
        """Return a camera without calibration; the white balance of the first frame stays."""
        height, width = frame.pixels.shape
        known = FrameFormat(width, height, fmt.cfa, fmt.black_dn, fmt.white_dn)
        if self._plain is None or self._plain.frame != known:
            red, blue = grey_world(frame.pixels, fmt)
            least = min(red, blue, 1.0)
            self._plain = LiveCamera(known, factors=(red / least, 1.0 / least, blue / least))
        return self._plain
