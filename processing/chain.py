"""One camera's way from RAW codes to a developed image: correction, demosaic, balance, colour map, gamma."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processing.colour import ColourConstants, gains_on_mosaic, subtract_black
from processing.errors import ImageMismatch
from processing.isp import encode_srgb, to_linear
from processing.profile import Profile
from rig.dng import RawImage

Mosaic = NDArray[np.float32]
Rgb = NDArray[np.float32]
Gains = tuple[float, float, float]

NEUTRAL: Gains = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Chain:
    """The steps of Fig. 3 for one camera, up to the geometric alignment.

    Attributes:
        gain: (H, W) float32 factor from DN above black to the mosaic that is demosaiced, sensor white = 1:
            colour correction (Eq. 3), brightness (Eq. 7) and, in profile `best`, the white balance.
        cfa: colour order.
        balance: white balance gains.
        matrix: (3, 3) colour map.
        profile: order of the steps.
    """

    gain: Mosaic
    cfa: str
    balance: Gains
    matrix: NDArray[np.float64]
    profile: Profile

    @classmethod
    def build(
        cls,
        example: RawImage,
        colour: ColourConstants | None,
        beta: Gains,
        balance: Gains,
        matrix: NDArray[np.float64],
        profile: Profile,
    ) -> Chain:
        """Fold all that is multiplied to a RAW pixel into one gain map.

        Args:
            example: any frame of the camera; tells size, colour order and levels.
            colour: colour constants, or None to leave the cast in (the "before" state).
            beta: factors of Eq. 6, ones for camera S.
            balance: white balance gains of R, G, B.
            matrix: colour map.
            profile: `best` balances on the mosaic, `paper` after demosaicing.

        Raises:
            ImageMismatch: if the colour constants are of another frame size or colour order.
        """
        shape = (example.pixels.shape[0], example.pixels.shape[1])
        factors = np.asarray(beta) / (example.white_level - example.black_level)
        if profile == "best":
            factors = factors * balance
        gain = gains_on_mosaic(shape, example.cfa, [float(f) for f in factors])
        if colour is not None:
            if (colour.height, colour.width) != shape or colour.cfa != example.cfa:
                raise ImageMismatch(
                    f"colour constants are for {colour.width}x{colour.height} {colour.cfa}, "
                    f"the frame is {shape[1]}x{shape[0]} {example.cfa}",
                    hint="record the lightbox with the same region of interest",
                )
            gain *= colour.gain_map()
        return cls(gain, example.cfa, balance, matrix, profile)

    def linear(self, raw: RawImage) -> Rgb:
        """Develop a frame up to linear sRGB: (H, W, 3) float32, sensor white = 1.

        Raises:
            ImageMismatch: if the frame is of another size or colour order.
        """
        if raw.pixels.shape != self.gain.shape or raw.cfa != self.cfa:
            raise ImageMismatch(
                f"the frame is {raw.pixels.shape[1]}x{raw.pixels.shape[0]} {raw.cfa}, "
                f"the calibration {self.gain.shape[1]}x{self.gain.shape[0]} {self.cfa}"
            )
        return self.linear_mosaic(subtract_black(raw.pixels, raw.black_level))

    def linear_mosaic(self, above_black: Mosaic) -> Rgb:
        """Develop an (H, W) float32 mosaic in DN above black, such as a mean of frames."""
        return to_linear(
            above_black * self.gain, self.cfa, self.balance, self.matrix, balanced=self.profile == "best"
        )

    def encoded(self, raw: RawImage) -> Rgb:
        """Develop a frame up to sRGB with gamma: (H, W, 3) float32 in [0, 1]."""
        return encode_srgb(self.linear(raw))
