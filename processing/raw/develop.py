"""One RAW file of any camera to a picture, through the same steps as a recorded pair (paper Fig. 3).

    black, white balance, demosaic, colour map, exposure, sRGB curve, orientation

What was applied is told with the picture (`Development.record`), so that it can be made again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.chart.fit import ChartFit, fit_chart
from processing.colour import gains_on_mosaic
from processing.errors import CalibrationError, ImageMismatch
from processing.half import half_size
from processing.isp import Rgb, encode_srgb, to_linear
from processing.profile import CHOICES, Profile
from processing.raw.file import Gains, RawFile, read_raw

Matrix = NDArray[np.float64]
Source = Literal["camera", "chart", "none"]

AUTO_EXPOSURE_PART: Final = 99.0
"""Percentage of the picture that `auto` exposure keeps below white."""
EXPOSURE_LIMIT_EV: Final = 10.0


@dataclass(frozen=True)
class Wishes:
    """How a file is to be developed.

    Attributes:
        profile: whose order of steps.
        half: half the size, quickly, instead of demosaicing.
        balance: "camera", "chart", or gains of R, G, B.
        matrix: colour map of the camera, of a chart in the picture, or none.
        exposure_ev: brighter by 2 to this power, or None to choose it so that hardly anything is white.
    """

    profile: Profile = "best"
    half: bool = False
    balance: Literal["camera", "chart"] | Gains = "camera"
    matrix: Source = "camera"
    exposure_ev: float | None = 0.0

    @property
    def chart(self) -> bool:
        """Whether the picture must show a chart."""
        return "chart" in (self.balance, self.matrix)


@dataclass(frozen=True, eq=False)
class Development:
    """A developed file.

    Attributes:
        rgb: (H, W, 3) float32 sRGB-encoded values in [0, 1], turned as the file asks.
        raw: what it was made from.
        balance, balance_source: gains of R, G, B as applied (the least is 1), and where they are from.
        matrix, matrix_source: colour map as applied.
        exposure_ev: as applied.
        chart: the chart, if one was asked for.
        profile, half: as wished.
    """

    rgb: Rgb
    raw: RawFile
    balance: Gains
    balance_source: str
    matrix: Matrix
    matrix_source: str
    exposure_ev: float
    chart: ChartFit | None
    profile: Profile
    half: bool

    def record(self) -> dict[str, Any]:
        """Return what was applied as plain values."""
        raw, chart = self.raw, self.chart
        return {
            "camera": raw.camera,
            "reader": raw.reader,
            "width_px": self.rgb.shape[1],
            "height_px": self.rgb.shape[0],
            "cfa": raw.cfa,
            "black_level": list(raw.black),
            "white_level": list(raw.white),
            "white_balance": list(self.balance),
            "white_balance_source": self.balance_source,
            "colour_matrix": self.matrix.tolist(),
            "colour_matrix_source": self.matrix_source,
            "exposure_ev": self.exposure_ev,
            "flip": raw.flip,
            "profile": self.profile,
            "half": self.half,
            "chart": None
            if chart is None
            else {
                "centres_px": np.round(chart.centres, 2).tolist(),
                "delta_e2000_balanced": {
                    "mean": float(chart.before.mean()),
                    "max": float(chart.before.max()),
                },
                "delta_e2000_mapped": {"mean": float(chart.after.mean()), "max": float(chart.after.max())},
                "delta_e2000_of_patches": np.round(chart.after, 3).tolist(),
            },
        }


def develop_file(path: Path, wishes: Wishes | None = None) -> Development:
    """Develop a RAW file: one of ours, or any Bayer file that LibRaw reads.

    Raises:
        RawFileError: The file is missing, damaged, or holds no Bayer mosaic.
        CalibrationError: A chart was asked for and is not in the picture.
    """
    try:
        return develop_raw(read_raw(path), wishes or Wishes())
    except (CalibrationError, ImageMismatch) as error:
        raise type(error)(f"{path}: {error.message}", hint=error.hint) from error


def develop_raw(raw: RawFile, wishes: Wishes) -> Development:
    """Develop what a RAW file held; see `develop_file`."""
    given = raw.balance if isinstance(wishes.balance, str) else wishes.balance
    balance, source = _least_one(given), raw.balance_source if wishes.balance == "camera" else "given"
    matrix, matrix_source = (raw.matrix, "camera") if wishes.matrix == "camera" else (np.eye(3), "none")
    chart = None
    if wishes.chart:
        chart = _chart(raw, balance, wishes)
        if wishes.balance == "chart":
            red, green, blue = (a * b for a, b in zip(balance, chart.gains, strict=True))
            balance, source = _least_one((red, green, blue)), "chart"
        if wishes.matrix == "chart":
            matrix, matrix_source = chart.matrix, "chart"
    linear = _linear(raw, balance, matrix, wishes)
    ev = _auto_exposure(linear) if wishes.exposure_ev is None else wishes.exposure_ev
    if ev:
        linear *= np.float32(2.0**ev)
    rgb = turned(encode_srgb(linear), raw.flip)
    return Development(
        rgb, raw, balance, source, matrix, matrix_source, ev, chart, wishes.profile, wishes.half
    )


def _chart(raw: RawFile, balance: Gains, wishes: Wishes) -> ChartFit:
    """Find the chart in the picture, measure it at half size: that is linear, without a root of noise."""
    plain = _linear(raw, balance, np.eye(3), wishes)
    return fit_chart(
        plain, None if wishes.half else _linear(raw, balance, np.eye(3), replace(wishes, half=True))
    )


def _linear(raw: RawFile, balance: Gains, matrix: Matrix, wishes: Wishes) -> Rgb:
    """Take the codes to linear sRGB, sensor white = 1."""
    first = wishes.half or CHOICES[wishes.profile].order == "balance_first"
    mosaic = _even(_above_black(raw, balance if first else (1.0, 1.0, 1.0)))
    height, width = raw.pixels.shape
    if wishes.half:
        rgb = half_size(mosaic, raw.cfa)[: height // 2, : width // 2]
        np.minimum(rgb, np.float32(1), out=rgb)
        return np.asarray(cv2.transform(rgb, matrix.astype(np.float32)), np.float32)
    rgb = to_linear(mosaic, raw.cfa, balance, matrix, balanced=first)
    return np.ascontiguousarray(rgb[:height, :width])


def _above_black(raw: RawFile, gains: Gains) -> NDArray[np.float32]:
    """Return the mosaic with black at 0 and each colour's white at its gain."""
    factor = gains_on_mosaic((2, 2), raw.cfa, gains)
    mosaic = np.empty(raw.pixels.shape, np.float32)
    for index, (black, white) in enumerate(zip(raw.black, raw.white, strict=True)):
        row, column = divmod(index, 2)
        plane = raw.pixels[row::2, column::2].astype(np.float32)
        plane -= np.float32(black)
        plane *= np.float32(factor[row, column] / (white - black))
        mosaic[row::2, column::2] = plane
    return mosaic


def _even(mosaic: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mirror one more row and column where their number is odd; mirroring keeps the order of the filter."""
    height, width = mosaic.shape
    if not height % 2 and not width % 2:
        return mosaic
    return np.pad(mosaic, ((0, height % 2), (0, width % 2)), mode="reflect")


def _least_one(balance: Gains) -> Gains:
    """Scale gains so that none is below 1: a clipped pixel stays white."""
    red, green, blue = (gain / min(balance) for gain in balance)
    return (red, green, blue)


def _auto_exposure(linear: Rgb) -> float:
    """Return the exposure in EV, to a tenth, that takes all but the brightest part below white."""
    bright = float(np.percentile(linear[::2, ::2].max(axis=2), AUTO_EXPOSURE_PART))
    if bright <= 0:
        return 0.0
    return float(np.clip(np.floor(-10 * np.log2(bright)) / 10, -EXPOSURE_LIMIT_EV, EXPOSURE_LIMIT_EV))


def turned(picture: Rgb, flip: int) -> Rgb:
    """Turn an (H, W, 3) picture by LibRaw's bits: 1 mirrored, 2 upside down, 4 then transposed."""
    if flip & 2:
        picture = picture[::-1]
    if flip & 1:
        picture = picture[:, ::-1]
    if flip & 4:
        picture = picture.swapaxes(0, 1)
    return np.ascontiguousarray(picture)


def with_chart(wishes: Wishes) -> Wishes:
    """Return the wishes with balance and colour map from the chart."""
    return replace(wishes, balance="chart", matrix="chart")
