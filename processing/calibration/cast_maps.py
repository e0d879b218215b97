"""How uneven a camera's picture of even light is, before and after the colour correction (Eq. 3-5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processing.colour import DEFAULT_PATCHES, PHASES, ColourConstants, patch_means, phase_offsets
from processing.errors import CalibrationError
from processing.isp import encode_srgb, to_8bit, white_balance

Table = NDArray[np.float32]

_DIGITS = 3
"""Decimals of a percent that are stored of each patch."""


@dataclass(frozen=True, eq=False)
class CastMaps:
    """Deviation of even light from its own mean, patch by patch.

    Attributes:
        before, after: phase name -> (down, across) float32 in percent of the mean over all patches.
        grey_before, grey_after: (lowest, highest) 8-bit grey value, sRGB-encoded, of the picture balanced on
            its centre, brightest = 255; the paper's Fig. 2 gives 200-255 and 230-250.
        frames: how many frames were averaged.
    """

    before: dict[str, Table]
    after: dict[str, Table]
    grey_before: tuple[int, int]
    grey_after: tuple[int, int]
    frames: int

    @classmethod
    def measure(cls, mosaic: NDArray[np.float32], constants: ColourConstants, frames: int) -> CastMaps:
        """Compare the mean of lightbox frames with what the colour constants make of it.

        Args:
            mosaic: (H, W) float32 DN above black.
            constants: of the same camera.
            frames: how many frames the mosaic is the mean of.
        """
        corrected = mosaic * constants.gain_map()
        cfa = constants.cfa
        balance = white_balance(mosaic, cfa), white_balance(corrected, cfa)
        grey = [_grey(image, cfa, gains) for image, gains in zip((mosaic, corrected), balance, strict=True)]
        top = max(float(grey[0].max()), 1e-9)
        ranges = []
        for image in grey:
            shown = to_8bit(encode_srgb(image / np.float32(top)))
            ranges.append((int(shown.min()), int(shown.max())))
        return cls(_deviations(mosaic, cfa), _deviations(corrected, cfa), ranges[0], ranges[1], frames)

    def fall_off(self, phase: str) -> float:
        """Return how much darker the darkest patch is than the brightest, before, in percent."""
        table = self.before[phase]
        return float(100 * (1 - (100 + table.min()) / (100 + table.max())))

    def rms(self, phase: str, state: str = "after") -> float:
        """Return the root mean square deviation in percent."""
        return float(np.sqrt(np.mean(np.square(self._of(state)[phase], dtype=np.float64))))

    def largest(self, phase: str, state: str = "after") -> float:
        """Return the largest deviation in percent."""
        return float(np.abs(self._of(state)[phase]).max())

    def _of(self, state: str) -> dict[str, Table]:
        return self.before if state == "before" else self.after

    def figures(self) -> dict[str, Any]:
        """Return what a person asks for: worst fall-off, rms and largest residual, grey ranges."""
        return {
            "frames": self.frames,
            "fall_off_percent": {phase: self.fall_off(phase) for phase in PHASES},
            "residual_rms_percent": {phase: self.rms(phase) for phase in PHASES},
            "residual_max_percent": {phase: self.largest(phase) for phase in PHASES},
            "grey_before": list(self.grey_before),
            "grey_after": list(self.grey_after),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; a row of the patch grid is one line of text."""
        return {
            **self.figures(),
            "deviation_percent": {
                state: {phase: _to_text(self._of(state)[phase]) for phase in PHASES}
                for state in ("before", "after")
            },
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CastMaps:
        """Read what `to_dict` wrote.

        Raises:
            CalibrationError: if something is missing or damaged.
        """
        try:
            tables = data["deviation_percent"]
            before, after = (
                {phase: _from_text(tables[state][phase]) for phase in PHASES} for state in ("before", "after")
            )
            grey = [(int(data[name][0]), int(data[name][1])) for name in ("grey_before", "grey_after")]
            frames = int(data["frames"])
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise CalibrationError(f"damaged map of the cast: {error!r}", hint="calibrate again") from error
        if len({table.shape for table in (*before.values(), *after.values())}) != 1:
            raise CalibrationError("the maps of the cast differ in size", hint="calibrate again")
        return cls(before, after, grey[0], grey[1], frames)


def _deviations(mosaic: NDArray[np.float32], cfa: str) -> dict[str, Table]:
    found = {}
    for phase, (row, column) in phase_offsets(cfa).items():
        means = patch_means(mosaic[row::2, column::2], DEFAULT_PATCHES)[0]
        found[phase] = np.round(100 * (means / means.mean() - 1), _DIGITS).astype(np.float32)
    return found


def _grey(mosaic: NDArray[np.float32], cfa: str, balance: tuple[float, float, float]) -> Table:
    """Return the balanced grey value of each patch: linear, (down, across)."""
    planes = [
        balance["RGB".index(phase[0])] * patch_means(mosaic[row::2, column::2], DEFAULT_PATCHES)[0]
        for phase, (row, column) in phase_offsets(cfa).items()
    ]
    return np.asarray(np.mean(planes, axis=0), np.float32)


def _to_text(table: Table) -> list[str]:
    return [" ".join(f"{value:.{_DIGITS}f}" for value in row) for row in table.tolist()]


def _from_text(rows: list[str]) -> Table:
    table = np.array([[float(value) for value in row.split()] for row in rows], np.float32)
    if table.ndim != 2 or not np.isfinite(table).all():
        raise ValueError("a table of numbers is damaged")
    return table
