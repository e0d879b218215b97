"""One RAW file of any camera, ready to be developed: our own DNGs, and whatever LibRaw reads.

Our own are read by `rig.dng`. Everything else is looked at first (`processing.raw.structure`) and then read
by LibRaw in a process of its own (`processing.raw.worker`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from processing.colour_map import from_raw_tag
from processing.errors import CalibrationError
from processing.raw.structure import MAX_MEGAPIXELS, examine
from rig.dng import CFA_PATTERNS, RawImage, read_dng
from rig.dng_header import SOFTWARE
from rig.errors import RawFileError

Gains = tuple[float, float, float]
Four = tuple[float, float, float, float]

SMALLEST_SIDE: Final = 16
TIMEOUT_S: Final = 120


@dataclass(frozen=True, eq=False)
class RawFile:
    """The visible part of a RAW file and how it is to be read.

    Attributes:
        pixels: (H, W) uint16 codes of the visible area, without masked margins, as the sensor lies.
        cfa: colours of the visible area's upper left 2x2 pixels.
        black: code without light of those four pixels, row by row.
        white: code at which each of them saturates.
        balance: camera's white balance gains of R, G, B; green is 1.
        balance_source: where they are from, in words.
        matrix: (3, 3) camera RGB (balanced, linear) to linear sRGB, white kept.
        flip: how the picture is to be turned, LibRaw's bits: 1 mirrored, 2 upside down, 4 transposed.
        camera: make and model.
        reader: what read it.
    """

    pixels: NDArray[np.uint16]
    cfa: str
    black: Four
    white: Four
    balance: Gains
    balance_source: str
    matrix: NDArray[np.float64]
    flip: int
    camera: str
    reader: str

    def check(self, path: Path) -> None:
        """Make sure that the numbers can be worked with.

        Raises:
            RawFileError: They cannot.
        """
        height, width = self.pixels.shape
        if min(height, width) < SMALLEST_SIDE:
            raise RawFileError(f"{path} shows {width}x{height} pixels", hint=f"{SMALLEST_SIDE} at least")
        if self.cfa not in CFA_PATTERNS:
            raise RawFileError(f"{path} has the colour filter {self.cfa!r}", hint="a Bayer filter is needed")
        levels = [*self.black, *self.white]
        if not all(np.isfinite(levels)) or any(
            not 0 <= black < white for black, white in zip(self.black, self.white, strict=True)
        ):
            raise RawFileError(
                f"{path} has black level {_list(self.black)} and white level {_list(self.white)}",
                hint="white must lie above black",
            )
        if not all(np.isfinite(self.balance)) or min(self.balance) <= 0 or max(self.balance) > 64:
            raise RawFileError(f"{path} has a white balance of {_list(self.balance)}")


def read_raw(path: Path) -> RawFile:
    """Read a RAW file.

    Raises:
        RawFileError: It is missing, damaged, no RAW file, or holds no Bayer mosaic.
    """
    kind = examine(path)
    if kind.dng and kind.software == SOFTWARE:
        raw = _own(path, read_dng(path))
    else:
        facts, pixels = _by_libraw(path)
        camera = kind.model if kind.model.startswith(kind.make) else f"{kind.make} {kind.model}"
        if kind.black is not None:  # LibRaw loses the order of four levels behind an odd margin
            top, left = facts["margins"]
            facts["black"] = [kind.black.at(top + row, left + column) for row in (0, 1) for column in (0, 1)]
        raw = _foreign(path, facts, pixels, camera)
    raw.check(path)
    return raw


def _own(path: Path, image: RawImage) -> RawFile:
    try:
        matrix = from_raw_tag(image.color_matrix)
    except CalibrationError as error:
        raise RawFileError(f"{path}: {error.message}") from error
    neutral = image.as_shot_neutral
    if min(neutral) <= 0:
        raise RawFileError(f"{path} has a neutral of {_list(neutral)}")
    balance = (neutral[1] / neutral[0], 1.0, neutral[1] / neutral[2])
    black, white = float(image.black_level), float(image.white_level)
    return RawFile(
        image.pixels,
        image.cfa,
        (black,) * 4,
        (white,) * 4,
        balance,
        "as shot",
        matrix,
        0,
        image.model,
        "beamrig",
    )


def _by_libraw(path: Path) -> tuple[dict[str, Any], NDArray[np.uint16]]:
    """Let LibRaw read the file in a process of its own."""
    # -P: whatever lies in the present folder is not taken for one of our modules
    command = [sys.executable, "-P", "-m", "processing.raw.worker", str(path.absolute())]
    here = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": here, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            check=False,
            timeout=TIMEOUT_S,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise RawFileError(f"{path}: LibRaw did not finish within {TIMEOUT_S} s") from error
    line, _, body = done.stdout.partition(b"\n")
    if done.returncode != 0 or not line:
        why = f"signal {-done.returncode}" if done.returncode < 0 else f"status {done.returncode}"
        raise RawFileError(f"{path}: LibRaw broke down on it ({why})", hint="the file is damaged")
    facts: dict[str, Any] = json.loads(line)
    if "error" in facts:
        raise RawFileError(f"{path} cannot be developed: {facts['error']}")
    if b"corrupt" in done.stderr or b"end of file" in done.stderr:
        raise RawFileError(f"{path} is damaged or truncated: LibRaw says so")
    height, width = facts["shape"]
    if height * width > MAX_MEGAPIXELS * 1e6 or len(body) != 2 * height * width:
        raise RawFileError(f"{path}: LibRaw gave {len(body)} bytes for {width}x{height} pixels")
    return facts, np.frombuffer(body, "<u2").reshape(height, width).astype(np.uint16, copy=False)


def _foreign(path: Path, facts: dict[str, Any], pixels: NDArray[np.uint16], camera: str) -> RawFile:
    white = facts["linear_to"]
    black = facts["black"]
    if not white or any(not low < top <= facts["white"] for low, top in zip(black, white, strict=True)):
        white = [facts["white"]] * 4
    balance, source = facts["camera_balance"], "as shot"
    if min(balance) <= 0:
        balance, source = facts["daylight_balance"], "daylight, as the file has none"
    if min(balance) <= 0:
        balance, source = [1.0, 1.0, 1.0], "none, as the file has none"
    matrix = np.asarray(facts["matrix"], np.float64)[:3]
    if not np.all(np.isfinite(matrix)) or abs(np.linalg.det(matrix)) < 1e-6:
        raise RawFileError(f"{path}: LibRaw knows no colour matrix of its camera")
    red, green, blue = balance
    return RawFile(
        pixels, facts["cfa"], _four(black), _four(white), (red / green, 1.0, blue / green), source, matrix,
        facts["flip"] & 7, camera, "LibRaw",
    )  # fmt: skip


def _four(values: list[float]) -> Four:
    a, b, c, d = values
    return (a, b, c, d)


def _list(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)
