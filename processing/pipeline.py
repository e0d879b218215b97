"""The paired image post-processing pipeline of a scene (paper Fig. 3).

    colour correction -> photometric alignment -> demosaic, WB, colour map, gamma -> geometric alignment

`ScenePipeline.from_session` measures what the steps need from the scene's calibration takes (or takes it from
an earlier run on the same files); `develop` then takes a RAW pair to two aligned RGB images.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.alignment.flow import Flow, Residual
from processing.alignment.resample import aligner
from processing.calibration import shelf
from processing.calibration.estimate import calibrate
from processing.calibration.laboratory import Given, load_calibration
from processing.calibration.scene import SceneCalibration
from processing.calibration.source_files import is_sound
from processing.calibration.takes import Takes, mean_mosaics
from processing.chain import NEUTRAL, Chain, Rgb
from processing.errors import ProcessingError, SourceChanged
from processing.isp import to_8bit
from processing.masks import STATIC_FRAMES, Pair
from processing.profile import CHOICES, PROFILES, Choices, FlowMethod, Profile
from processing.quality.metrics import PairMetrics
from rig.dng import RawImage
from rig.records import PairRecord
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
        notes: what a person should know of how it was found.

    Attributes:
        notes: those, and the calibration's own.
    """

    def __init__(self, takes: Takes, calibration: SceneCalibration, notes: Sequence[str] = ()) -> None:
        self.takes = takes
        self.calibration = calibration
        self.notes = (*notes, *calibration.notes())
        c = calibration
        order = c.choices.order
        self._b = Chain.build(c.frames["B"], c.colour["B"], c.beta, c.balance, c.matrix, order)
        self._s = Chain.build(c.frames["S"], c.colour["S"], NEUTRAL, c.balance, c.matrix, order)
        self._raw_chains: dict[str, Chain] = {}
        self._sound_static: list[PairRecord] | None = None
        y0, y1, x0, x1 = c.box
        self._crop = (slice(y0, y1), slice(x0, x1))
        map_x, map_y = c.flow.grid()
        self._align = aligner(map_x[self._crop], map_y[self._crop], c.choices.kernel)

    @classmethod
    def from_session(
        cls,
        session: Session,
        scene_name: str,
        profile: Profile = "best",
        *,
        calibrations: Sequence[Path] = (),
        allow_old: bool = False,
        flow: FlowMethod | None = None,
        progress: Progress | None = None,
        reuse: bool = True,
    ) -> ScenePipeline:
        """Fit the pipeline to a scene and store the calibration in the session.

        Damaged pairs of a calibration take are left out where others of it remain, and named in the
        calibration and in `notes`.

        Args:
            session: the recorded session.
            scene_name: one of its scenes; needs a static take and a lightbox or whiteboard take.
            profile: `best`, or `paper` for every step as the paper prints it.
            calibrations: files of `beamrig calibrate` that take the place of the scene's own takes.
            allow_old: use calibrations that are older than they say they may be.
            flow: method of the geometric alignment, instead of the profile's own.
            progress: told what is being done, in words.
            reuse: take a stored calibration that was made from the same files.

        Raises:
            TakeMissing: if the scene lacks a take.
            CalibrationError: if a given calibration is damaged, stale or foreign.
            SourceChanged: if every pair of a take is damaged.
            ProcessingError: if a step fails.
        """
        if profile not in PROFILES:
            raise ProcessingError(f"unknown profile {profile!r}", hint=f"allowed: {', '.join(PROFILES)}")
        choices = CHOICES[profile] if flow is None else replace(CHOICES[profile], flow=flow)
        files = [load_calibration(path) for path in calibrations]
        takes = Takes.of(session, scene_name, given=[file.kind for file in files])
        given = Given.of(dict(zip(calibrations, files, strict=True)), takes.formats, allow_old=allow_old)
        folder = session.root / "calibration"
        wanted = (scene_name, profile, choices)
        found = shelf.find(folder, *wanted, takes, given.ids()) if reuse else shelf.Found(None)
        known = found.calibration
        if known is None:
            damaged = takes.damaged()
            measured = calibrate(takes.without(damaged), *wanted, progress or (lambda text: None), given)
            path = replace(measured, left_out=damaged).dated().save(folder)
            known = SceneCalibration.load(path)  # as everybody else will read it: rounded as it is stored
        return cls(takes.without(known.left_out), known, (*given.notes, *found.notes))

    @classmethod
    def from_calibration(cls, session: Session, calibration: SceneCalibration | Path) -> ScenePipeline:
        """Open a scene's pipeline with a stored calibration; nothing is measured and no frame is read.

        Args:
            session: the recorded session.
            calibration: of one of its scenes, or the path of its file.

        Raises:
            CalibrationError: if the file is damaged, or the session no longer holds what it was made from.
        """
        known = SceneCalibration.load(calibration) if isinstance(calibration, Path) else calibration
        return cls(Takes.stored(session, known.scene, known.sources, known.frames), known)

    def develop(self, raw_b: RawImage, raw_s: RawImage, *, threads: int = 2) -> Developed:
        """Take a RAW pair through the whole pipeline, in the order of Fig. 3.

        Args:
            raw_b: frame of camera B.
            raw_s: frame of camera S.
            threads: that may be used; they do not change the result.

        Raises:
            ImageMismatch: if a frame is of another size or colour order than the calibration.
        """
        # Colour correction (Eq. 3-5) and photometrical alignment (Eq. 6-7), on the mosaic.
        mosaic_b, mosaic_s = self._b.correct(raw_b), self._s.correct(raw_s)
        # ISP: demosaic, white balance, colour map, gamma.
        image_b, image_s = self._b.isp(mosaic_b, threads=threads), self._s.isp(mosaic_s, threads=threads)
        # Geometrical alignment of B to S, on the part that both see.
        aligned_b = self._align(image_b, threads=threads)
        return Developed(
            np.clip(aligned_b, 0, 1, out=aligned_b), np.ascontiguousarray(image_s[self._crop]), self.box
        )

    def develop_unaligned(self, raw_b: RawImage, raw_s: RawImage) -> Developed:
        """Develop a pair as two unrelated photographs: no colour correction, own white balance, no alignment.

        This is the state "before" in the figures; it is cut to the same box.
        """
        c = self.calibration
        if not self._raw_chains:
            for name in ("B", "S"):
                self._raw_chains[name] = Chain.build(
                    c.frames[name], None, NEUTRAL, c.own_balance[name], c.matrix, c.choices.order
                )
        b, s = (
            np.ascontiguousarray(self._raw_chains[name].encoded(raw)[self._crop])
            for name, raw in (("B", raw_b), ("S", raw_s))
        )
        return Developed(b, s, self.box)

    def luminance(self, raw_b: RawImage, raw_s: RawImage) -> tuple[Float, Float]:
        """Return (b, s): linear luminance of a pair, aligned, (h, w) float32; for measurements."""
        return self._luminance(self._b.linear(raw_b), self._s.linear(raw_s))

    def sound_static(self) -> list[PairRecord]:
        """Return the static pairs that are still what was recorded.

        Raises:
            SourceChanged: if none is.
        """
        if self._sound_static is None:
            self._sound_static = [record for record in self.takes.static if is_sound(record)]
        if not self._sound_static:
            raise SourceChanged(
                f"every static pair of scene {self.calibration.scene} is damaged or missing",
                hint="bring the files back from a copy",
            )
        return self._sound_static

    def static_luminance(self) -> tuple[Float, Float]:
        """Return `luminance` of the mean of the static pairs."""
        mean = mean_mosaics(self.sound_static())
        return self._luminance(self._b.linear_mosaic(mean["B"]), self._s.linear_mosaic(mean["S"]))

    def _luminance(self, linear_b: Rgb, linear_s: Rgb) -> tuple[Float, Float]:
        b, s = (
            np.asarray(cv2.cvtColor(linear, cv2.COLOR_RGB2GRAY), np.float32)
            for linear in (linear_b, linear_s)
        )
        return self._align(b), np.ascontiguousarray(s[self._crop])

    def static_8bit(self, known: Mapping[str, Pair] | None = None) -> list[Pair]:
        """Return the developed static pairs as (b, s) of uint8, at most five: the background of the masks.

        Args:
            known: pair id -> images that were developed already.
        """
        images: list[Pair] = []
        for record in self.sound_static()[:STATIC_FRAMES]:
            ready = (known or {}).get(record.id)
            if ready is None:
                raw = record.load()
                ready = self.develop(raw.b, raw.s).as_8bit()
            images.append(ready)
        return images

    @property
    def choices(self) -> Choices:
        """How each step is done."""
        return self.calibration.choices

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
