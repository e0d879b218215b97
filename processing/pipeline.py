"""The paired image post-processing pipeline of a scene (paper Fig. 3).

    colour correction -> photometric alignment -> demosaic, WB, colour map, gamma -> geometric alignment

`ScenePipeline.from_session` measures what the steps need from the scene's calibration takes (or takes it from
an earlier run on the same files); `develop` then takes a RAW pair to two aligned RGB images.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from processing import calibration as calibrations
from processing.calibration import SceneCalibration
from processing.chain import NEUTRAL, Chain, Rgb
from processing.errors import ProcessingError
from processing.estimate import Takes, calibrate
from processing.flow import Flow, Residual
from processing.isp import to_8bit
from processing.masks import STATIC_FRAMES, Pair
from processing.metrics import PairMetrics
from processing.profile import PROFILES, Profile
from processing.resample import SplineWarp
from rig.dng import RawImage
from rig.session import Session

Float = NDArray[np.float32]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Developed:
    """A developed pair, aligned on S's grid.

    Attributes:
        b, s: (h, w, 3) float32 sRGB-encoded values in [0, 1].
        box: (y0, y1, x0, x1), the part of S's full grid that they show.
    """

    b: Rgb
    s: Rgb
    box: tuple[int, int, int, int]

    def as_8bit(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return (b, s) rounded to 8 bits."""
        return to_8bit(self.b), to_8bit(self.s)


class ScenePipeline:
    """Develops the pairs of one scene.

    Args:
        takes: the scene's calibration takes.
        calibration: what was measured from them.
    """

    def __init__(self, takes: Takes, calibration: SceneCalibration) -> None:
        self.takes = takes
        self.calibration = calibration
        example = takes.example
        c = calibration
        self._chains = {
            "B": Chain.build(example.b, c.colour["B"], c.beta, c.balance, c.matrix, c.profile),
            "S": Chain.build(example.s, c.colour["S"], NEUTRAL, c.balance, c.matrix, c.profile),
        }
        self._raw_chains: dict[str, Chain] = {}
        y0, y1, x0, x1 = c.box
        self._crop = (slice(y0, y1), slice(x0, x1))
        map_x, map_y = c.flow.grid()
        self._align = SplineWarp(map_x[self._crop], map_y[self._crop])

    @classmethod
    def from_session(
        cls,
        session: Session,
        scene_name: str,
        profile: Profile = "best",
        *,
        progress: Progress | None = None,
        reuse: bool = True,
    ) -> ScenePipeline:
        """Fit the pipeline to a scene and store the calibration in the session.

        Args:
            session: the recorded session.
            scene_name: one of its scenes; needs a static take and a lightbox or whiteboard take.
            profile: `best`, or `paper` for the paper's own order and means.
            progress: told what is being done, in words.
            reuse: take a stored calibration that was made from the same files.

        Raises:
            TakeMissing: if the scene lacks a take.
            ProcessingError: if a step fails.
        """
        if profile not in PROFILES:
            raise ProcessingError(f"unknown profile {profile!r}", hint=f"allowed: {', '.join(PROFILES)}")
        takes = Takes.of(session, scene_name)
        folder = session.root / "calibration"
        known = calibrations.find(folder, scene_name, profile, takes.sources()) if reuse else None
        if known is None:
            known = calibrate(takes, scene_name, profile, progress or (lambda text: None)).dated()
            known.save(folder)
        return cls(takes, known)

    def develop(self, raw_b: RawImage, raw_s: RawImage) -> Developed:
        """Take a RAW pair through the whole pipeline.

        Raises:
            ImageMismatch: if a frame is of another size or colour order than the calibration.
        """
        b = self._chains["B"].encoded(raw_b)  # Eq. 3-7 and the ISP
        s = self._chains["S"].encoded(raw_s)
        aligned = self._align(b)
        return Developed(np.clip(aligned, 0, 1, out=aligned), np.ascontiguousarray(s[self._crop]), self.box)

    def develop_unaligned(self, raw_b: RawImage, raw_s: RawImage) -> Developed:
        """Develop a pair as two unrelated photographs: no colour correction, own white balance, no alignment.

        This is the state "before" in the figures; it is cut to the same box.
        """
        if not self._raw_chains:
            c, example = self.calibration, self.takes.example
            for name, raw in (("B", example.b), ("S", example.s)):
                self._raw_chains[name] = Chain.build(
                    raw, None, NEUTRAL, c.own_balance[name], c.matrix, c.profile
                )
        b, s = (
            np.ascontiguousarray(self._raw_chains[name].encoded(raw)[self._crop])
            for name, raw in (("B", raw_b), ("S", raw_s))
        )
        return Developed(b, s, self.box)

    def luminance(self, raw_b: RawImage, raw_s: RawImage) -> tuple[Float, Float]:
        """Return (b, s): linear luminance of a pair, aligned, (h, w) float32; for measurements."""
        b, s = (
            np.asarray(cv2.cvtColor(self._chains[name].linear(raw), cv2.COLOR_RGB2GRAY), np.float32)
            for name, raw in (("B", raw_b), ("S", raw_s))
        )
        return self._align(b), np.ascontiguousarray(s[self._crop])

    def static_luminance(self) -> tuple[Float, Float]:
        """Return `luminance` of the mean of the static pairs."""
        mosaics = self.takes.mean_mosaics(self.takes.static)
        b, s = (
            np.asarray(
                cv2.cvtColor(self._chains[name].linear_mosaic(mosaics[name]), cv2.COLOR_RGB2GRAY), np.float32
            )
            for name in ("B", "S")
        )
        return self._align(b), np.ascontiguousarray(s[self._crop])

    def static_8bit(self, known: Mapping[str, Pair] | None = None) -> list[Pair]:
        """Return the developed static pairs as (b, s) of uint8, at most five: the background of the masks.

        Args:
            known: pair id -> images that were developed already.
        """
        images: list[Pair] = []
        for record in self.takes.static[:STATIC_FRAMES]:
            ready = (known or {}).get(record.id)
            if ready is None:
                raw = record.load()
                ready = self.develop(raw.b, raw.s).as_8bit()
            images.append(ready)
        return images

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Part of S's grid that the developed images show: (y0, y1, x0, x1)."""
        return self.calibration.box

    @property
    def flow(self) -> Flow:
        """Map from S's grid into B's."""
        return self.calibration.flow

    @property
    def residual(self) -> Residual:
        """Displacement left on the static pair, as measured in the images."""
        return self.calibration.residual

    @property
    def static_metrics(self) -> dict[str, PairMetrics]:
        """Agreement of the static pair "before" and "after" the pipeline."""
        return self.calibration.static_metrics
