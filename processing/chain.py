"""One camera's way from RAW codes to a developed image: correction, demosaic, balance, colour map, gamma."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processing.calibration.frame_format import FrameFormat
from processing.colour import ColourConstants, gains_on_mosaic, subtract_black
from processing.errors import ImageMismatch
from processing.isp import to_linear
from processing.profile import Order
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
            colour correction (Eq. 3), brightness (Eq. 7) and, where it comes first, the white balance.
        cfa: colour order.
        balance: white balance gains.
        matrix: (3, 3) colour map.
        order: whether the balance comes before or after demosaicing, see `isp`.
    """

    gain: Mosaic
    cfa: str
    balance: Gains
    matrix: NDArray[np.float64]
    order: Order

    @classmethod
    def build(
        cls,
        frame: FrameFormat,
        colour: ColourConstants | None,
        beta: Gains,
        balance: Gains,
        matrix: NDArray[np.float64],
        order: Order,
    ) -> Chain:
        """Fold all that is multiplied to a RAW pixel into one gain map.

        Args:
            frame: the camera's frames: size, colour order and levels.
            colour: colour constants, or None to leave the cast in (the "before" state).
            beta: factors of Eq. 6, ones for camera S.
            balance: white balance gains of R, G, B.
            matrix: colour map.
            order: "balance_first" balances on the mosaic, "demosaic_first" after demosaicing.

        Raises:
            ImageMismatch: if the colour constants are of another frame size or colour order.
        """
        factors = np.asarray(beta) / frame.range_dn
        if order == "balance_first":
            factors = factors * balance
        gain = gains_on_mosaic(frame.shape, frame.cfa, [float(f) for f in factors])
        if colour is not None:
            if (colour.height, colour.width) != frame.shape or colour.cfa != frame.cfa:
                raise ImageMismatch(
                    f"colour constants are for {colour.width}x{colour.height} {colour.cfa}, "
                    f"the frame is {frame.size} {frame.cfa}",
                    hint="record the lightbox with the same region of interest",
                )
            gain *= colour.gain_map()
        return cls(gain, frame.cfa, balance, matrix, order)

    def correct(self, raw: RawImage) -> Mosaic:
        """Colour correction (Eq. 3-5) and photometric alignment (Eq. 6-7): one multiplication a pixel.

        Returns:
            (H, W) float32 mosaic, sensor white = 1.

        Raises:
            ImageMismatch: if the frame is of another size or colour order.
        """
        if raw.pixels.shape != self.gain.shape or raw.cfa != self.cfa:
            raise ImageMismatch(
                f"the frame is {raw.pixels.shape[1]}x{raw.pixels.shape[0]} {raw.cfa}, "
                f"the calibration {self.gain.shape[1]}x{self.gain.shape[0]} {self.cfa}"
            )
        mosaic = subtract_black(raw.pixels, raw.black_level)
        mosaic *= self.gain
        return mosaic

    def to_linear(self, mosaic: Mosaic) -> Rgb:
        """Demosaic, balance and colour map of a corrected mosaic: (H, W, 3) float32 linear sRGB."""
        balanced = self.order == "balance_first"
        return to_linear(mosaic, self.cfa, self.balance, self.matrix, balanced=balanced)

    def isp(self, mosaic: Mosaic, *, threads: int = 2) -> Rgb:
        """Demosaic, balance, colour map and gamma of a corrected mosaic: (H, W, 3) float32 in [0, 1]."""
        balanced = self.order == "balance_first"
        return to_linear(
            mosaic, self.cfa, self.balance, self.matrix, balanced=balanced, encode=True, threads=threads
        )

    def linear(self, raw: RawImage) -> Rgb:
        """Develop a frame up to linear sRGB: (H, W, 3) float32, sensor white = 1.

        Raises:
            ImageMismatch: if the frame is of another size or colour order.
        """
        return self.to_linear(self.correct(raw))

    def linear_mosaic(self, above_black: Mosaic) -> Rgb:
        """Develop an (H, W) float32 mosaic in DN above black, such as a mean of frames, to linear sRGB."""
        return self.to_linear(above_black * self.gain)

    def encoded(self, raw: RawImage) -> Rgb:
        """Develop a frame up to sRGB with gamma: (H, W, 3) float32 in [0, 1]."""
        return self.isp(self.correct(raw))
