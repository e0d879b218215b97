"""DNGs to order for tests: like those of other makers, or broken in one chosen way."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from rig import dng_tags as t
from rig.dng import RawImage, write_dng

SRGB = (3.2404542, -1.5371385, -0.4985314, -0.9692660, 1.8760108, 0.0415560, 0.0556434, -0.2040259, 1.0572252)


def frame(pixels: np.ndarray, cfa: str = "RGGB", **changes: object) -> RawImage:
    values: dict[str, object] = {
        "black_level": 64.0, "white_level": 4000.0, "significant_bits": 12, "exposure_us": 2000.0,
        "gain_db": 0.0, "serial_number": "x", "camera": "S", "trigger_index": 0, "frame_id": 1,
        "timestamp_ns": 1, "model": "Acme X1",
    }  # fmt: skip
    return RawImage(pixels, cfa, **{**values, **changes})  # type: ignore[arg-type]


def noise(height: int = 48, width: int = 64) -> np.ndarray:
    return np.random.default_rng(3).integers(64, 4001, (height, width), dtype=np.uint16)


def own_dng(path: Path, pixels: np.ndarray, cfa: str = "RGGB", **changes: object) -> Path:
    """Write a DNG of our own."""
    return write_dng(path, frame(pixels, cfa, **changes)).path


def foreign_dng(path: Path, pixels: np.ndarray, *changes: t.Tag, without: tuple[int, ...] = ()) -> Path:
    """Write a DNG of somebody else: 16 bits, no record of ours, with tags changed, added or left out.

    Strips, size and the like are right unless they are changed.
    """
    height, width = pixels.shape[:2]
    data = np.ascontiguousarray(pixels, "<u2").tobytes()
    tags = {
        tag.code: tag
        for tag in (
            t.integers(t.NEW_SUBFILE_TYPE, t.LONG, 0), t.integers(t.IMAGE_WIDTH, t.LONG, width),
            t.integers(t.IMAGE_LENGTH, t.LONG, height), t.integers(t.BITS_PER_SAMPLE, t.SHORT, 16),
            t.integers(t.COMPRESSION, t.SHORT, 1), t.integers(t.PHOTOMETRIC, t.SHORT, t.PHOTOMETRIC_CFA),
            t.text(t.MAKE, "Acme"), t.text(t.MODEL, "X1"), t.integers(t.ORIENTATION, t.SHORT, 1),
            t.integers(t.SAMPLES_PER_PIXEL, t.SHORT, 1), t.integers(t.ROWS_PER_STRIP, t.LONG, height),
            t.integers(t.STRIP_BYTE_COUNTS, t.LONG, len(data)),
            t.integers(t.CFA_REPEAT_PATTERN_DIM, t.SHORT, 2, 2),
            t.integers(t.CFA_PATTERN, t.BYTE, 0, 1, 1, 2), t.integers(t.DNG_VERSION, t.BYTE, 1, 4, 0, 0),
            t.integers(t.DNG_BACKWARD_VERSION, t.BYTE, 1, 1, 0, 0), t.text(t.UNIQUE_CAMERA_MODEL, "Acme X1"),
            t.integers(t.BLACK_LEVEL_REPEAT_DIM, t.SHORT, 2, 2),
            t.rationals(t.BLACK_LEVEL, [64.0] * 4), t.integers(t.WHITE_LEVEL, t.LONG, 4000),
            t.rationals(t.COLOR_MATRIX_1, SRGB, signed=True),
            t.rationals(t.AS_SHOT_NEUTRAL, [0.5, 1.0, 0.625]),
            t.integers(t.CALIBRATION_ILLUMINANT_1, t.SHORT, t.ILLUMINANT_D65), *changes,
        )
        if tag.code not in without
    }  # fmt: skip

    def table(pixels_at: int) -> list[t.Tag]:
        strips = {t.STRIP_OFFSETS: t.integers(t.STRIP_OFFSETS, t.LONG, pixels_at)}
        return list((strips | tags).values())

    start = 8 + t.ifd_size(table(0))
    path.write_bytes(struct.pack("<2sHI", b"II", 42, 8) + t.pack_ifd(table(start), 8) + data)
    return path
