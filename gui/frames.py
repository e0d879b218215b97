"""The thread that turns the newest RAW frame of each camera into something to look at."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QThread
from PySide6.QtGui import QImage

from gui import theme
from gui.imaging import (
    Histogram,
    RawCodes,
    RawFormat,
    clipped_cells,
    focus_number,
    grey_world,
    raw_histogram,
    view_picture,
)
from gui.workers import NewestSlot
from rig.errors import BeamrigError

logger = logging.getLogger(__name__)

CAMERAS = ("B", "S")
IDLE_S = 0.012
"""Pause between two looks for new frames: well below a frame interval, little enough to cost nothing."""
SLOW_NUMBERS_S = 0.2
"""Histogram and focus number are for reading: five times a second is enough."""
GAIN_INERTIA = 0.9
RATE_WINDOW_NS = 2_000_000_000


class RawFrame(Protocol):
    """What a frame of `rig.camera` has, as far as the live view needs it."""

    @property
    def pixels(self) -> Any:
        """RAW codes (H, W), uint8 or uint16."""
        ...

    @property
    def frame_id(self) -> int:
        """Number of the frame, from the device."""
        ...

    @property
    def timestamp_ns(self) -> int:
        """Device time of the start of the exposure."""
        ...

    @property
    def exposure_us(self) -> float:
        """Applied exposure."""
        ...

    @property
    def gain_db(self) -> float:
        """Applied gain."""
        ...


FrameSource = Callable[[str, int], tuple[int, Any] | None]
"""(camera, after_seq) -> (sequence number, frame) of a newer frame, or None."""


@dataclass(frozen=True)
class PreparedFrame:
    """A frame ready to be shown.

    Attributes:
        camera: "B" or "S".
        sequence: Number from the camera's ring.
        frame_id: Number from the device.
        picture: The small picture.
        clipped: Overlay of clipped blocks, null when there are none.
        width_px: Width of the RAW frame.
        height_px: Height of the RAW frame.
        histogram: Of the RAW codes.
        focus: Focus number.
        exposure_us: Applied exposure.
        gain_db: Applied gain.
        rate_hz: Frames a second that the camera makes; 0 with the first frame.
    """

    camera: str
    sequence: int
    frame_id: int
    picture: QImage
    clipped: QImage
    width_px: int
    height_px: int
    histogram: Histogram
    focus: float
    exposure_us: float
    gain_db: float
    rate_hz: float


class _CameraState:
    """What is remembered of a camera between two frames."""

    def __init__(self) -> None:
        self.sequence = 0
        self.gains: tuple[float, float] | None = None
        self.histogram = Histogram()
        self.focus = 0.0
        self.numbers_at = 0.0
        self.seen: list[tuple[int, int]] = []

    def rate_hz(self, frame_id: int, timestamp_ns: int) -> float:
        """Return the camera's frame rate by its own counter and clock over the last two seconds."""
        if self.seen and (frame_id <= self.seen[-1][0] or timestamp_ns <= self.seen[-1][1]):
            self.seen = []  # acquisition was started anew
        self.seen = [one for one in self.seen if timestamp_ns - one[1] < RATE_WINDOW_NS]
        self.seen.append((frame_id, timestamp_ns))
        frames = self.seen[-1][0] - self.seen[0][0]
        span_ns = self.seen[-1][1] - self.seen[0][1]
        return frames / span_ns * 1e9 if span_ns > 0 else 0.0


class FramePreparer(QThread):
    """Pulls the newest frame of each camera, prepares it, leaves it in a slot for the window's timer.

    At most one prepared frame a camera exists; what the window does not fetch in time is overwritten.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("frames")
        self.slots: dict[str, NewestSlot[PreparedFrame]] = {camera: NewestSlot() for camera in CAMERAS}
        self._lock = threading.Lock()
        self._source: FrameSource | None = None
        self._formats = {camera: RawFormat() for camera in CAMERAS}
        self._steps = dict.fromkeys(CAMERAS, 2)
        self._states = {camera: _CameraState() for camera in CAMERAS}
        self._ending = threading.Event()
        self._active = threading.Event()

    def set_source(self, source: FrameSource | None, formats: dict[str, RawFormat] | None = None) -> None:
        """Say where frames come from; None stops until there is another source."""
        with self._lock:
            self._source = source
            if formats:
                self._formats.update(formats)
            self._states = {camera: _CameraState() for camera in CAMERAS}
        for slot in self.slots.values():
            slot.clear()
        if source is not None and not self.isRunning() and not self._ending.is_set():
            self.start()

    def set_active(self, active: bool) -> None:
        """Rest while nobody looks."""
        if active:
            self._active.set()
        else:
            self._active.clear()

    def set_step(self, camera: str, step: int) -> None:
        """Choose how many Bayer cells make a side of a view pixel: 1 for close looks, 4 for small views."""
        with self._lock:
            self._steps[camera] = step

    def forget(self, camera: str) -> None:
        """Start anew with a camera whose sequence numbers begin again."""
        with self._lock:
            self._states[camera] = _CameraState()

    def end(self) -> None:
        """End the thread."""
        self._ending.set()
        self._active.set()
        self.wait(5000)

    def run(self) -> None:
        """Look for frames until told to end; runs in its own thread."""
        while not self._ending.is_set():
            self._active.wait()
            found = False
            for camera in CAMERAS:
                with self._lock:
                    source, state = self._source, self._states[camera]
                    fmt, step = self._formats[camera], self._steps[camera]
                if source is None or self._ending.is_set():
                    continue
                try:
                    newest = source(camera, state.sequence)
                    if newest is None:
                        continue
                    found = True
                    state.sequence = newest[0]
                    self.slots[camera].put(prepare(camera, newest[0], newest[1], fmt, step, state))
                except BeamrigError:
                    # a lost camera is told by the status, in words; here there is only nothing to show
                    logger.debug("no frame of camera %s", camera, exc_info=True)
                except Exception:
                    logger.exception("frame of camera %s could not be prepared", camera)
                    self._ending.wait(0.5)
            if not found:
                self._ending.wait(IDLE_S)


def prepare(
    camera: str, sequence: int, frame: RawFrame, fmt: RawFormat, step: int, state: _CameraState | None = None
) -> PreparedFrame:
    """Make the prepared frame of a RAW frame.

    Args:
        camera: "B" or "S".
        sequence: Number from the ring.
        frame: The frame.
        fmt: How its codes are to be read.
        step: Bayer cells a side of a view pixel.
        state: What is remembered of the camera; None makes a first frame.
    """
    state = state or _CameraState()
    raw: RawCodes = frame.pixels
    now = time.monotonic()
    if now - state.numbers_at >= SLOW_NUMBERS_S or not state.histogram.counts:
        state.histogram, state.focus = raw_histogram(raw, fmt), focus_number(raw, fmt)
        state.numbers_at = now
        red, blue = grey_world(raw, fmt)
        if state.gains is None:
            state.gains = (red, blue)
        keep = GAIN_INERTIA
        state.gains = (keep * state.gains[0] + (1 - keep) * red, keep * state.gains[1] + (1 - keep) * blue)
    red, blue = state.gains or (1.0, 1.0)
    least = min(red, blue, 1.0)  # no channel darker than it is: clipped stays white
    picture = view_picture(raw, fmt, step, (red / least, 1.0 / least, blue / least))
    clipped = QImage()
    if int(raw.max(initial=0)) >= fmt.white_dn:
        clipped = mask_image(clipped_cells(raw, fmt, step), theme.CLIPPED)
    return PreparedFrame(
        camera=camera,
        sequence=sequence,
        frame_id=frame.frame_id,
        picture=bgr_image(picture),
        clipped=clipped,
        width_px=raw.shape[1],
        height_px=raw.shape[0],
        histogram=state.histogram,
        focus=state.focus,
        exposure_us=frame.exposure_us,
        gain_db=frame.gain_db,
        rate_hz=state.rate_hz(frame.frame_id, frame.timestamp_ns),
    )


def bgr_image(pixels: NDArray[np.uint8]) -> QImage:
    """Return a QImage that owns its pixels, of (H, W, 4) blue, green, red, unused."""
    height, width = pixels.shape[:2]
    solid = np.ascontiguousarray(pixels)
    return QImage(solid.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()


def rgb_image(rgb: NDArray[Any]) -> QImage:
    """Return a QImage of (H, W, 3) red, green, blue: floats in 0 to 1, or 8 or 16 bit integers."""
    if rgb.dtype == np.uint8:
        eight: NDArray[np.uint8] = rgb
    elif rgb.dtype == np.uint16:
        eight = (rgb >> 8).astype(np.uint8)
    else:
        eight = np.rint(np.clip(rgb, 0.0, 1.0) * 255.0).astype(np.uint8)
    result = np.full((*eight.shape[:2], 4), 255, dtype=np.uint8)
    result[..., :3] = eight[..., ::-1]
    return bgr_image(result)


def mask_image(mask: NDArray[Any], colour: str) -> QImage:
    """Return an overlay in one colour whose opacity is the mask: bool, or float in 0 to 1, (H, W)."""
    height, width = mask.shape
    alpha = np.clip(np.asarray(mask, dtype=np.float32), 0.0, 1.0)
    tint = theme.colour(colour)
    result = np.empty((height, width, 4), dtype=np.uint8)
    for index, value in enumerate((tint.blue(), tint.green(), tint.red())):
        result[..., index] = np.rint(alpha * value)
    result[..., 3] = np.rint(alpha * 255)
    return QImage(result.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied).copy()
