"""Measuring what a scene's pipeline needs, from its calibration takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing import colour_map
from processing.calibration import SceneCalibration, Source
from processing.chain import NEUTRAL, Chain, Gains, Mosaic
from processing.colour import ColourConstants, fit_colour_constants, mean_mosaic
from processing.errors import TakeMissing
from processing.flow import Flow, dense, register, residual, valid_box
from processing.isp import encode_srgb, to_8bit, white_balance
from processing.metrics import PairMetrics, pair_metrics
from processing.photometric import brightness_coefficients, unsaturated_cells
from processing.profile import Profile
from processing.resample import SplineWarp
from rig.records import PairRecord, RawPair
from rig.session import Session

Float = NDArray[np.float32]

MAX_FRAMES: Final = 16
"""Frames averaged of one take; more bring nothing: the fit's own error is larger."""
CLIP_PART: Final = 0.97
"""Part of the sensor's range above which a pixel counts as clipped."""


@dataclass(frozen=True)
class Takes:
    """The pairs that a scene is calibrated from.

    Attributes:
        even: lightbox pairs, or whiteboard pairs where there are none: for the colour constants.
        white: whiteboard pairs, or lightbox pairs: for the white balance.
        static: static pairs.
        chart: colorchecker pairs; may be empty.
        example: the first static pair, loaded.
    """

    even: list[PairRecord]
    white: list[PairRecord]
    static: list[PairRecord]
    chart: list[PairRecord]
    example: RawPair = field(repr=False)

    @classmethod
    def of(cls, session: Session, scene: str) -> Takes:
        """Collect the takes of a scene.

        Raises:
            SessionError: if there is no such scene.
            TakeMissing: without a static take, or without a lightbox and a whiteboard take.
        """
        session.scene(scene)
        found = {
            kind: session.pairs(scene, kind)[-MAX_FRAMES:]
            for kind in ("lightbox", "whiteboard", "static", "colorchecker")
        }
        if not found["static"]:
            raise TakeMissing(f"scene {scene} has no static pair", hint="capture one: --kind static")
        even = found["lightbox"] or found["whiteboard"]
        if not even:
            raise TakeMissing(
                f"scene {scene} has neither lightbox nor whiteboard", hint="capture one: --kind whiteboard"
            )
        white = found["whiteboard"] or found["lightbox"]
        return cls(even, white, found["static"], found["colorchecker"], found["static"][0].load())

    def sources(self) -> tuple[Source, ...]:
        """List the files with their hashes from the journal."""
        roles = (("colour", self.even), ("white", self.white), ("static", self.static), ("chart", self.chart))
        return tuple(
            Source(role, record.id, camera, str(meta["sha256"]))
            for role, records in roles
            for record in records
            for camera, meta in (("B", record.meta_b), ("S", record.meta_s))
        )

    @staticmethod
    def mean_mosaics(records: Sequence[PairRecord]) -> dict[str, Mosaic]:
        """Average the frames of each camera: (H, W) float32 DN above black."""
        frames: dict[str, list[NDArray[np.uint16]]] = {"B": [], "S": []}
        black: dict[str, float] = {}
        for record in records:
            pair = record.load()
            for camera, raw in (("B", pair.b), ("S", pair.s)):
                frames[camera].append(raw.pixels)
                black[camera] = raw.black_level
        return {camera: mean_mosaic(images, black[camera]) for camera, images in frames.items()}


def calibrate(
    takes: Takes, scene: str, profile: Profile, progress: Callable[[str], None], *, degree: int = 3
) -> SceneCalibration:
    """Measure everything for one scene, in the order of the pipeline.

    Args:
        takes: the scene's calibration takes.
        scene: its name.
        profile: order of the steps, see `isp`.
        progress: told what is being done.
        degree: of the colour constants' polynomial.

    Raises:
        ProcessingError: if a step fails.
    """
    example = takes.example
    cfa = example.s.cfa
    progress("colour constants")
    even = takes.mean_mosaics(takes.even)
    colour = {camera: fit_colour_constants(mosaic, cfa, degree=degree) for camera, mosaic in even.items()}
    gains = {camera: constants.gain_map() for camera, constants in colour.items()}

    progress("brightness and white balance")
    static = takes.mean_mosaics(takes.static)
    range_dn = min(raw.white_level - raw.black_level for raw in (example.b, example.s))
    valid = unsaturated_cells([static["B"], static["S"]], CLIP_PART * range_dn)
    beta = brightness_coefficients(static["B"] * gains["B"], static["S"] * gains["S"], cfa, valid=valid)
    white = even if takes.white is takes.even else takes.mean_mosaics(takes.white)
    balance = white_balance(white["S"] * gains["S"], cfa)
    own_balance = {camera: white_balance(mosaic, cfa) for camera, mosaic in white.items()}
    matrix, matrix_source = _colour_matrix(takes, colour["S"], balance)

    progress("registration of the static pair")
    chains = {
        "B": Chain.build(example.b, colour["B"], beta, balance, matrix, profile),
        "S": Chain.build(example.s, colour["S"], NEUTRAL, balance, matrix, profile),
    }
    gray = {camera: _gray(chains[camera], static[camera]) for camera in ("B", "S")}
    flow: Flow
    if profile == "best":
        flow = register(gray["S"], gray["B"])
    else:
        flow = dense(to_8bit(gray["S"]), to_8bit(gray["B"]), "dis")
    box = valid_box(flow)
    align, crop = _aligner(flow, box)
    left = residual(np.ascontiguousarray(gray["S"][crop]), align(gray["B"]))

    progress("figures of the static pair")
    metrics = _figures(example, chains, own_balance, align, crop)
    return SceneCalibration(
        scene=scene,
        profile=profile,
        shape=(example.s.pixels.shape[0], example.s.pixels.shape[1]),
        colour=colour,
        beta=beta,
        balance=balance,
        own_balance=own_balance,
        matrix=matrix,
        matrix_source=matrix_source,
        flow=flow,
        box=box,
        residual=left,
        static_metrics=metrics,
        sources=takes.sources(),
    )


def _colour_matrix(takes: Takes, colour: ColourConstants, balance: Gains) -> tuple[NDArray[np.float64], str]:
    """Fit the colour map to a chart take of S; without one take the RAW file's own matrix."""
    example = takes.example.s
    if not takes.chart:
        return colour_map.from_raw_tag(example.color_matrix), "ColorMatrix1 of the RAW files"
    chain = Chain.build(example, colour, NEUTRAL, balance, np.eye(3), "best")
    mosaic = takes.mean_mosaics(takes.chart)["S"]
    return colour_map.from_chart(chain.linear_mosaic(mosaic)), f"colour chart of {takes.chart[-1].id}"


def _gray(chain: Chain, mosaic: Mosaic) -> Float:
    return np.asarray(cv2.cvtColor(encode_srgb(chain.linear_mosaic(mosaic)), cv2.COLOR_RGB2GRAY), np.float32)


def _aligner(flow: Flow, box: tuple[int, int, int, int]) -> tuple[SplineWarp, tuple[slice, slice]]:
    crop = (slice(box[0], box[1]), slice(box[2], box[3]))
    map_x, map_y = flow.grid()
    return SplineWarp(map_x[crop], map_y[crop]), crop


def _figures(
    pair: RawPair,
    chains: dict[str, Chain],
    own_balance: dict[str, Gains],
    align: SplineWarp,
    crop: tuple[slice, slice],
) -> dict[str, PairMetrics]:
    """Compare S with B on the common box, as two unrelated photographs and after the pipeline."""
    after_b = to_8bit(align(chains["B"].encoded(pair.b)))
    after_s = to_8bit(chains["S"].encoded(pair.s)[crop])
    before = {}
    for camera, raw in (("B", pair.b), ("S", pair.s)):
        chain = chains[camera]
        plain = Chain.build(raw, None, NEUTRAL, own_balance[camera], chain.matrix, chain.profile)
        before[camera] = to_8bit(plain.encoded(raw)[crop])
    return {"before": pair_metrics(before["S"], before["B"]), "after": pair_metrics(after_s, after_b)}
