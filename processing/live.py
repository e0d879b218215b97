"""The pipeline for the eye: both cameras at half size, fast enough for a live picture, B on S's grid.

The steps are those of Fig. 3 with cheaper parts: the four planes of the mosaic instead of Menon (`half`),
colour constants, beta, white balance and colour map as calibrated, the sRGB curve from a table, and a linear
warp at half size. For looking at only: nothing that is stored or measured comes from here.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.alignment.flow_model import Flow
from processing.calibration.frame_format import FrameFormat
from processing.calibration.scene import SceneCalibration
from processing.chain import NEUTRAL, Gains
from processing.colour import ColourConstants, phase_offsets
from processing.errors import ImageMismatch
from processing.half import combine
from processing.isp import encode_srgb

Float = NDArray[np.float32]
Picture = NDArray[np.uint8]
Codes = NDArray[np.uint8] | NDArray[np.uint16]
Box = tuple[int, int, int, int]

_STEPS: Final = 4095
"""Steps of linear light from black to white in the table of the sRGB curve."""
_CURVE: Final = np.rint(
    255 * encode_srgb((np.arange(65536, dtype=np.float32) / np.float32(_STEPS)).reshape(1, -1))
).astype(np.uint8)
_BAND_ROWS: Final = 32
_HALO_ROWS: Final = 2
"""Rows of cells around a band that its colours depend on."""
_WIDE_TABLES: Final = int(cv2.__version__.partition(".")[0]) >= 5
"""OpenCV looks up 16-bit values since version 5."""


class LiveCamera:
    """One camera's frames to pictures.

    Args:
        frame: what the frames are like.
        colour: colour constants, or None to leave the cast in.
        factors: gains of R, G, B: beta and white balance.
        matrix: (3, 3) camera RGB to linear sRGB, or None.
        crop: (y0, y1, x0, x1) of the half-size picture to keep, or None for all of it.
        at: positions (x, y) in the half-size picture of what is to be shown, or None not to warp; replaces
            `crop`.
    """

    def __init__(
        self,
        frame: FrameFormat,
        colour: ColourConstants | None = None,
        factors: Gains = NEUTRAL,
        matrix: NDArray[np.float64] | None = None,
        *,
        crop: Box | None = None,
        at: tuple[Float, Float] | None = None,
    ) -> None:
        self.frame = frame
        self._rows, self._columns = frame.height // 2, frame.width // 2
        scale = [np.float32(factor / frame.range_dn) for factor in factors]
        self._scale = [scale["RGB".index(letter)] for letter in frame.cfa]
        self._cast = None
        if colour is not None:
            if (colour.height, colour.width) != frame.shape or colour.cfa != frame.cfa:
                raise ImageMismatch(f"colour constants of {colour.width}x{colour.height} for {frame.size}")
            self._cast = self._half_gains(colour.gain_map())
        self._matrix = ((np.eye(3) if matrix is None else matrix) * _STEPS).astype(np.float32)
        self._crop, self._at = crop, at

    def _half_gains(self, full: Float) -> Float:
        """Return the colour correction of every cell: (H/2, W/2, 3)."""
        planes = {
            phase: full[row : 2 * self._rows : 2, column : 2 * self._columns : 2]
            for phase, (row, column) in phase_offsets(self.frame.cfa).items()
        }
        green = (planes["Gr"] + planes["Gb"]) / 2
        return np.stack([planes["R"], green, planes["B"]], axis=2)

    def linear(self, pixels: Codes) -> Float:
        """Return (H/2, W/2, 3) camera RGB with gains applied, white = 1, clipped there.

        Raises:
            ImageMismatch: if the frame is of another size.
        """
        out = np.empty((self._rows, self._columns, 3), np.float32)
        for rows, rgb in self._bands(pixels):
            out[rows] = rgb
        return out

    def _bands(self, pixels: Codes) -> Iterator[tuple[slice, Float]]:
        """Yield `linear` in bands of rows.

        Bands stay in the processor's cache, and their memory is used again; whole frames would each time get
        memory that the system has to clear first, which took as long as all the arithmetic, and two threads
        waited for each other there.
        """
        if pixels.shape != self.frame.shape:
            raise ImageMismatch(f"a frame of {pixels.shape[1]}x{pixels.shape[0]}, not {self.frame.size}")
        for top in range(0, self._rows, _BAND_ROWS):
            bottom = min(top + _BAND_ROWS, self._rows)
            first, last = max(top - _HALO_ROWS, 0), min(bottom + _HALO_ROWS, self._rows)
            part = pixels[2 * first : 2 * last, : 2 * self._columns]
            p00, p01, p10, p11 = (
                self._balanced(part[i::2, j::2], scale)
                for (i, j), scale in zip(((0, 0), (0, 1), (1, 0), (1, 1)), self._scale, strict=True)
            )
            rgb = combine((p00, p01, p10, p11), self.frame.cfa)[top - first : bottom - first]
            if self._cast is not None:
                rgb *= self._cast[top:bottom]
            yield slice(top, bottom), np.minimum(rgb, np.float32(1), out=rgb)

    def _balanced(self, codes: Codes, scale: np.float32) -> Float:
        """Return one plane of the mosaic above black, balanced: colours are compared in what follows."""
        plane = codes.astype(np.float32)
        plane -= np.float32(self.frame.black_level)
        plane *= scale
        return plane

    def __call__(self, pixels: Codes) -> Picture:
        """Return the picture of a frame: (h, w, 3) uint8 sRGB."""
        picture = np.empty((self._rows, self._columns, 3), np.uint8)
        for rows, rgb in self._bands(pixels):
            light = cv2.add(cv2.transform(rgb, self._matrix), np.zeros(4), dtype=cv2.CV_16U)  # rounded
            picture[rows] = cv2.LUT(light, _CURVE) if _WIDE_TABLES else _CURVE[0][light]
        return self.place(picture)

    def place(self, picture: Picture, *, nearest: bool = False) -> Picture:
        """Warp or cut what is on the camera's own half-size grid (a picture, or marks) to what is shown."""
        if self._at is not None:
            how = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
            return np.asarray(cv2.remap(picture, *self._at, how, borderMode=cv2.BORDER_REPLICATE), np.uint8)
        if self._crop is not None:
            y0, y1, x0, x1 = self._crop
            return np.ascontiguousarray(picture[y0:y1, x0:x1])
        return picture


@dataclass(frozen=True)
class LiveChain:
    """Both cameras' frames to pictures; with a calibration of the same size and place.

    Attributes:
        b, s: the cameras.
        box: (y0, y1, x0, x1) in full-size pixels of S that the pictures show, even; None without alignment.
        calibration_id: of the calibration; empty without.
    """

    b: LiveCamera
    s: LiveCamera
    box: Box | None = None
    calibration_id: str = ""

    def camera(self, name: str) -> LiveCamera:
        """Return camera "B" or "S"."""
        return self.b if name == "B" else self.s

    @classmethod
    def plain(cls, b: FrameFormat, s: FrameFormat, gains: Gains = NEUTRAL) -> LiveChain:
        """Make a chain without calibration: black, gains for the eye, gamma."""
        return cls(LiveCamera(b, factors=gains), LiveCamera(s, factors=gains))

    @classmethod
    def calibrated(cls, calibration: SceneCalibration) -> LiveChain:
        """Make the chain of a calibrated scene: both pictures show the same part on S's grid."""
        c = calibration
        y0, y1, x0, x1 = c.box
        half = (-(-y0 // 2), y1 // 2, -(-x0 // 2), x1 // 2)
        b_gains = (c.beta[0] * c.balance[0], c.beta[1] * c.balance[1], c.beta[2] * c.balance[2])
        b = LiveCamera(c.frames["B"], c.colour["B"], b_gains, c.matrix, at=_half_map(c.flow, half))
        s = LiveCamera(c.frames["S"], c.colour["S"], c.balance, c.matrix, crop=half)
        top, bottom, left, right = (2 * edge for edge in half)
        return cls(b, s, (top, bottom, left, right), c.id)

    def __call__(self, pixels_b: Codes, pixels_s: Codes, *, threads: int = 2) -> tuple[Picture, Picture]:
        """Return the pictures of a pair's frames (B, S): (h, w, 3) uint8 sRGB each.

        Raises:
            ImageMismatch: if a frame is of another size.
        """
        if threads < 2:
            return self.b(pixels_b), self.s(pixels_s)
        work: list[Callable[[], Picture]] = [lambda: self.b(pixels_b), lambda: self.s(pixels_s)]
        with ThreadPoolExecutor(max_workers=2) as pool:
            first, second = pool.map(lambda job: job(), work)
        return first, second


def newest_chain(folder: Path, scene: str) -> LiveChain | None:
    """Return the chain of a scene's newest calibration in a folder; None if it has none.

    Raises:
        CalibrationError: if its file is damaged.
    """
    found = [SceneCalibration.load(path) for path in sorted(folder.glob(f"{glob.escape(scene)}_*.json"))]
    mine = [one for one in found if one.scene == scene]
    return LiveChain.calibrated(max(mine, key=lambda one: one.created)) if mine else None


def _half_map(flow: Flow, half: Box) -> tuple[Float, Float]:
    """Return where in B's half-size grid each pixel of S's half-size box lies, as float32 (x, y).

    Half-size pixel (i, j) has its middle at full-size (2 i + 0.5, 2 j + 0.5).
    """
    y0, y1, x0, x1 = half
    rows, columns = np.mgrid[y0:y1, x0:x1] * 2 + 0.5
    x, y = flow.map(columns, rows)
    return ((x - 0.5) / 2).astype(np.float32), ((y - 0.5) / 2).astype(np.float32)
