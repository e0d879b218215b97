"""One frame as the sensor gave it, with what is needed to interpret it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rig.errors import RawFileError

CFA_PATTERNS: Final = ("RGGB", "BGGR", "GRBG", "GBRG")
# XYZ (D65) to linear sRGB: the plain assumption about a camera whose colours were not measured yet.
XYZ_TO_SRGB: Final = (
    *(3.2404542, -1.5371385, -0.4985314),
    *(-0.9692660, 1.8760108, 0.0415560),
    *(0.0556434, -0.2040259, 1.0572252),
)


@dataclass(frozen=True, eq=False)
class RawImage:
    """One frame of one camera as the sensor gave it, with what is needed to interpret it.

    Attributes:
        pixels: Codes of the sensor, shape (H, W), dtype uint16, least significant bit aligned.
        cfa: Colours of the upper left 2x2 pixels, row by row: RGGB, BGGR, GRBG or GBRG.
        black_level: Code of no light, in DN.
        white_level: Code at which the sensor saturates, in DN, a whole number.
        significant_bits: How many of the 16 bits the sensor uses.
        exposure_us: Exposure time as the camera applied it, in microseconds.
        gain_db: Analogue gain as the camera applied it, in dB.
        serial_number: Serial number of the camera.
        camera: Place in the rig, "B" (long exposure) or "S" (short exposure).
        trigger_index: Which pulse of the take, from 0.
        frame_id: The camera's own number of the frame.
        timestamp_ns: The camera's own time of the start of the exposure, in ns of its clock.
        model: Vendor and model of the camera.
        captured_at: Wall-clock time, ISO 8601 with offset; empty when unknown.
        color_matrix: XYZ (D65) to camera RGB, row by row, 9 numbers (DNG ColorMatrix1).
        as_shot_neutral: Camera RGB of a neutral surface under the light of the scene (DNG AsShotNeutral).
        extra: Whatever else belongs to the frame (session, scene, take, pair id); must be JSON.
    """

    pixels: npt.NDArray[np.uint16]
    cfa: str
    black_level: float
    white_level: float
    significant_bits: int
    exposure_us: float
    gain_db: float
    serial_number: str
    camera: str
    trigger_index: int
    frame_id: int
    timestamp_ns: int
    model: str = ""
    captured_at: str = ""
    color_matrix: tuple[float, ...] = XYZ_TO_SRGB
    as_shot_neutral: tuple[float, ...] = (1.0, 1.0, 1.0)
    extra: dict[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Make sure that the frame can be stored without loss and read by others.

        Raises:
            RawFileError: Wrong shape or dtype, unknown pattern, codes beyond the significant bits, levels or
                exposure that make no sense.
        """
        self.check_fields()
        self.check_codes(int(self.pixels.max()))

    def check_codes(self, highest: int) -> None:
        """Make sure that the highest code of the frame fits its significant bits.

        Raises:
            RawFileError: It does not.
        """
        if highest >= 1 << self.significant_bits:
            raise RawFileError(
                f"code {highest} exceeds {self.significant_bits} significant bits",
                hint="the camera delivers MSB-aligned codes: set msb_aligned in its profile",
            )

    def check_fields(self) -> None:
        """Do what :meth:`check` does, without looking at the codes.

        Raises:
            RawFileError: As :meth:`check`.
        """
        pixels = self.pixels
        if pixels.ndim != 2 or pixels.dtype != np.uint16 or pixels.size == 0:
            raise RawFileError(
                f"a RAW image is a (H, W) array of uint16, not {pixels.shape} of {pixels.dtype}"
            )
        if self.cfa not in CFA_PATTERNS:
            raise RawFileError(f"{self.cfa!r} is no Bayer pattern", hint="one of " + ", ".join(CFA_PATTERNS))
        if not 1 <= self.significant_bits <= 16:
            raise RawFileError(f"{self.significant_bits} significant bits do not fit into 16")
        top = (1 << self.significant_bits) - 1
        if not (float(self.white_level).is_integer() and 0 <= self.black_level < self.white_level <= top):
            raise RawFileError(
                f"black level {self.black_level} and white level {self.white_level}"
                f" do not fit {self.significant_bits} bits",
                hint="the white level is the whole code at which the sensor saturates",
            )
        if not (0 < self.exposure_us < 1e9 and abs(self.gain_db) < 200):
            raise RawFileError(f"exposure {self.exposure_us} us or gain {self.gain_db} dB make no sense")
        if len(self.color_matrix) != 9 or len(self.as_shot_neutral) != 3:
            raise RawFileError("a colour matrix has 9 numbers and a neutral has 3")
