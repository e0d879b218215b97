"""What becomes of one RAW frame: a picture to look at, the part that is seen in sensor pixels, numbers."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from PySide6.QtGui import QImage

from gui import theme
from gui.images import bgr_image, mask_image, rgb_image
from gui.imaging import (
    Histogram,
    RawCodes,
    RawFormat,
    Region,
    clipped_cells,
    detail_picture,
    focus_number,
    grey_world,
    raw_histogram,
    view_picture,
)
from processing.live import LiveCamera

SLOW_NUMBERS_S = 0.2
"""Histogram and focus number are for reading: five times a second is enough."""
GAIN_INERTIA = 0.9
ALIGNED = {"B": "aligned to S, calibrated", "S": "calibrated"}
"""What the pictures are in the aligned view."""
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


@dataclass(frozen=True)
class ViewWish:
    """What a view wants to see of the next frames.

    Attributes:
        step: Bayer cells a side of a pixel of the whole picture: 1, 2 or 4.
        region: What is seen in sensor pixels when the whole picture is too coarse; else None.
    """

    step: int = 2
    region: Region | None = None


@dataclass(frozen=True)
class Detail:
    """The seen part of a frame, one picture pixel a sensor pixel.

    Attributes:
        region: Where it lies on the sensor.
        picture: The picture.
        clipped: Overlay of clipped pixels, null when there are none.
    """

    region: Region
    picture: QImage
    clipped: QImage


@dataclass(frozen=True)
class PreparedFrame:
    """A frame ready to be shown.

    Attributes:
        camera: "B" or "S".
        sequence: Number from the camera's ring.
        frame_id: Number from the device.
        picture: The small picture of the whole frame.
        clipped: Overlay of clipped blocks, null when there are none.
        width_px: Width of the RAW frame.
        height_px: Height of the RAW frame.
        histogram: Of the RAW codes of the whole frame.
        focus: Focus number, of what is seen when there is a detail, else of the middle.
        exposure_us: Applied exposure.
        gain_db: Applied gain.
        rate_hz: Frames a second that the camera makes; 0 with the first frame.
        detail: The seen part in sensor pixels; None while the whole picture is fine enough.
        note: What kind of picture it is, where it is not the camera's own.
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
    detail: Detail | None = None
    note: str = ""


@dataclass
class CameraMemory:
    """What is remembered of a camera between two frames.

    Attributes:
        sequence: Number of the newest frame from the ring.
        frame: That frame, so that a paused view can be looked at closely.
        wish: What it was prepared for.
        live: The chain that it went through.
    """

    sequence: int = 0
    frame: Any = None
    wish: ViewWish = field(default_factory=ViewWish)
    live: LiveCamera | None = None
    gains: tuple[float, float] | None = None
    histogram: Histogram = field(default_factory=Histogram)
    focus: float = 0.0
    focus_of: Region | None = None
    numbers_at: float = 0.0
    seen: list[tuple[int, int]] = field(default_factory=list)

    def rate_hz(self, frame_id: int, timestamp_ns: int) -> float:
        """Return the camera's frame rate by its own counter and clock over the last two seconds."""
        newest = self.seen[-1] if self.seen else None
        if newest != (frame_id, timestamp_ns):  # the same frame may be looked at again
            if newest is not None and (frame_id <= newest[0] or timestamp_ns <= newest[1]):
                self.seen = []  # acquisition was started anew
            self.seen = [one for one in self.seen if timestamp_ns - one[1] < RATE_WINDOW_NS]
            self.seen.append((frame_id, timestamp_ns))
        frames = self.seen[-1][0] - self.seen[0][0]
        span_ns = self.seen[-1][1] - self.seen[0][1]
        return frames / span_ns * 1e9 if span_ns > 0 else 0.0

    def measure(self, raw: RawCodes, fmt: RawFormat, region: Region | None) -> None:
        """Take histogram, focus number and white balance, not more often than they can be read."""
        now = time.monotonic()
        if self.histogram.counts and self.focus_of == region and now - self.numbers_at < SLOW_NUMBERS_S:
            return
        self.numbers_at = now
        self.histogram = raw_histogram(raw, fmt)
        self.focus = focus_number(raw if region is None else region.crop(raw), fmt)
        self.focus_of = region
        red, blue = grey_world(raw, fmt)
        old = self.gains or (red, blue)
        keep = GAIN_INERTIA
        self.gains = (keep * old[0] + (1 - keep) * red, keep * old[1] + (1 - keep) * blue)

    def display_gains(self) -> tuple[float, float, float]:
        """Return gains of red, green and blue that make no channel darker: clipped stays white."""
        red, blue = self.gains or (1.0, 1.0)
        least = min(red, blue, 1.0)
        return red / least, 1.0 / least, blue / least


def prepare(
    camera: str,
    sequence: int,
    frame: RawFrame,
    fmt: RawFormat,
    wish: ViewWish | None = None,
    memory: CameraMemory | None = None,
    live: LiveCamera | None = None,
) -> PreparedFrame:
    """Make the prepared frame of a RAW frame.

    Args:
        camera: "B" or "S".
        sequence: Number from the ring.
        frame: The frame.
        fmt: How its codes are to be read.
        wish: What the view wants to see; None the whole picture.
        memory: What is remembered of the camera; None makes a first frame.
        live: Chain of the scene's calibration for an aligned picture; None for the camera's own.
    """
    wish, memory = wish or ViewWish(), memory or CameraMemory()
    raw: RawCodes = frame.pixels
    region = within(wish.region, raw.shape)
    memory.measure(raw, fmt, region)
    gains = memory.display_gains()
    any_clipped = int(raw.max(initial=0)) >= fmt.white_dn
    if live is not None and not (why_not := mismatch(live, raw, fmt)):
        return _aligned(camera, sequence, frame, fmt, memory, live, any_clipped=any_clipped)
    clipped = mask_image(clipped_cells(raw, fmt, wish.step), theme.CLIPPED) if any_clipped else QImage()
    detail = None
    if region is not None:
        codes = region.crop(raw)
        over = codes >= fmt.white_dn
        marks = mask_image(over, theme.CLIPPED) if any_clipped and over.any() else QImage()
        detail = Detail(region, bgr_image(detail_picture(codes, fmt, gains)), marks)
    return PreparedFrame(
        camera=camera,
        sequence=sequence,
        frame_id=frame.frame_id,
        picture=bgr_image(view_picture(raw, fmt, wish.step, gains)),
        clipped=clipped,
        width_px=raw.shape[1],
        height_px=raw.shape[0],
        histogram=memory.histogram,
        focus=memory.focus,
        exposure_us=frame.exposure_us,
        gain_db=frame.gain_db,
        rate_hz=memory.rate_hz(frame.frame_id, frame.timestamp_ns),
        detail=detail,
        note="" if live is None else f"not aligned: {why_not}",
    )


def mismatch(live: LiveCamera, raw: RawCodes, fmt: RawFormat) -> str:
    """Say what keeps a calibration from a camera's frames; empty if nothing."""
    known = live.frame
    if known.shape != raw.shape:
        return f"calibrated for {known.size} pixels, not {raw.shape[1]}x{raw.shape[0]}"
    if known.cfa != fmt.cfa or known.black_level != fmt.black_dn:
        return f"calibrated for {known.cfa}, black {known.black_level:g}, not {fmt.cfa}, {fmt.black_dn:g}"
    return ""


def _aligned(
    camera: str,
    sequence: int,
    frame: RawFrame,
    fmt: RawFormat,
    memory: CameraMemory,
    live: LiveCamera,
    *,
    any_clipped: bool,
) -> PreparedFrame:
    """Make the prepared frame with a picture from the scene's calibration, at half size on S's grid."""
    raw: RawCodes = frame.pixels
    picture = live(raw)
    clipped = QImage()
    if any_clipped:
        marks = live.place(clipped_cells(raw, fmt).astype(np.uint8), nearest=True)
        clipped = mask_image(marks, theme.CLIPPED)
    return PreparedFrame(
        camera=camera,
        sequence=sequence,
        frame_id=frame.frame_id,
        picture=rgb_image(picture),
        clipped=clipped,
        width_px=2 * picture.shape[1],
        height_px=2 * picture.shape[0],
        histogram=memory.histogram,
        focus=memory.focus,
        exposure_us=frame.exposure_us,
        gain_db=frame.gain_db,
        rate_hz=memory.rate_hz(frame.frame_id, frame.timestamp_ns),
        note=ALIGNED[camera],
    )


def within(region: Region | None, shape: tuple[int, ...]) -> Region | None:
    """Return the region if the frame holds all of it: a wish may be older than the frame's size."""
    if region is None or region.left + region.width > shape[1] or region.top + region.height > shape[0]:
        return None
    return region
