"""Pictures, mosaics, moving objects and small recorded sessions for the tests, from real photographs.

Objects move by physics: the exact mean over the exposure, taken in the frequency domain, in linear light.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, spline_filter

from rig.dng import RawImage, write_dng
from rig.profiles import load_rig
from rig.records import PairRecord, SyncProof
from rig.session import Session

DATA = Path(__file__).parents[1] / "data"
FULL_WELL_E = 10_500.0
READ_NOISE_E = 2.4
BLACK_DN, WHITE_DN = 64.0, 4095.0
NEUTRAL_RAW = (0.5, 1.0, 0.6)

Float = NDArray[np.float32]


def kodak(name: str) -> NDArray[np.uint8]:
    """Return an (256, 384, 3) uint8 RGB photograph."""
    picture = cv2.imread(str(DATA / f"kodak_{name}.png"), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.ascontiguousarray(picture[..., ::-1])


def linear(picture: NDArray[np.uint8]) -> Float:
    """Return about linear light in 0.02 .. 0.9 of an sRGB picture."""
    return (np.power(picture / 255.0, 2.2) * 0.88 + 0.02).astype(np.float32)


def filled(picture: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Fill a larger frame with a picture and its mirror images."""
    tall, wide = -(-height // picture.shape[0]), -(-width // picture.shape[1])
    row = np.concatenate([picture[:, :: 1 if i % 2 == 0 else -1] for i in range(wide)], axis=1)
    return np.concatenate([row[:: 1 if i % 2 == 0 else -1] for i in range(tall)], axis=0)[:height, :width]


def mosaic(rgb: NDArray[Any], cfa: str = "RGGB") -> NDArray[Any]:
    """Keep one colour a pixel of an (H, W, 3) picture."""
    out = np.empty(rgb.shape[:2], rgb.dtype)
    for index, colour in enumerate(cfa):
        row, column = divmod(index, 2)
        out[row::2, column::2] = rgb[row::2, column::2, "RGB".index(colour)]
    return out


class MovingScene:
    """A textured rectangle that moves over a textured background, rendered exactly.

    Args:
        background: (H, W, C) linear light.
        texture: (h, w, C) linear light of the object.
    """

    def __init__(self, background: Float, texture: Float) -> None:
        seen = cv2.GaussianBlur(background, (0, 0), 0.5).reshape(background.shape)
        self.background: Float = np.asarray(seen, np.float32)
        self.shape = background.shape[:2]
        self.size = texture.shape[:2]
        self._period = tuple(cv2.getOptimalDFTSize(n + 160) for n in self.shape)
        self._fy = np.fft.fftfreq(self._period[0])[:, None]
        self._fx = np.fft.rfftfreq(self._period[1])[None, :]
        alpha = np.ones((*self.size, 1), np.float32)
        planes = np.concatenate([texture, alpha], axis=2)
        self._planes = [np.fft.rfft2(planes[..., i], self._period) for i in range(planes.shape[2])]
        self._lens = np.exp(-2 * (np.pi * 0.5) ** 2 * (self._fx**2 + self._fy**2))

    def frame(self, x: float, y: float, blur_px: float, angle: float = 0.0, lag_px: float = 0.0) -> Float:
        """Return the mean over an exposure that starts with the object's corner at (x, y)."""
        ux, uy = np.cos(angle), np.sin(angle)
        along = self._fx * ux + self._fy * uy
        middle = lag_px + blur_px / 2
        phase = self._fx * (x + ux * middle) + self._fy * (y + uy * middle)
        kernel = np.sinc(along * blur_px) * np.exp(-2j * np.pi * phase) * self._lens
        planes = [
            np.fft.irfft2(p * kernel, self._period)[: self.shape[0], : self.shape[1]] for p in self._planes
        ]
        alpha = planes[-1][..., None]
        return (self.background * (1 - alpha) + np.stack(planes[:-1], axis=2)).astype(np.float32)


def noisy(light: Float, rng: np.random.Generator, full_well_e: float = FULL_WELL_E) -> Float:
    """Return linear light with photon and read noise of a sensor whose full well is at 1."""
    electrons = np.clip(light, 0, 1) * full_well_e
    return ((rng.poisson(electrons) + rng.normal(0, READ_NOISE_E, light.shape)) / full_well_e).astype(
        np.float32
    )


@dataclass
class TrueRig:
    """A small two-camera rig with known errors.

    Attributes:
        shape: (H, W) of the frames.
        seed: of the noise.
        cfa: colour order of the frames.
    """

    shape: tuple[int, int] = (512, 640)
    seed: int = 1
    cfa: str = "RGGB"
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def b_from_s(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return where in B the scene point at S pixel (x, y) lies: rotation, perspective, barrel, shift."""
        height, width = self.shape
        u, v = (x - (width - 1) / 2) / (width / 2), (y - (height - 1) / 2) / (width / 2)
        depth = 1 + 4e-4 * u - 3e-4 * v
        swell = 1 + 8e-4 * (u * u + v * v)
        bu = (u * 1.0008 - 0.0012 * v) / depth * swell
        bv = (v * 0.9995 + 0.0011 * u) / depth * swell
        return bu * width / 2 + (width - 1) / 2 + 1.3, bv * width / 2 + (height - 1) / 2 - 0.9

    def s_from_b(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the inverse of `b_from_s`, by fixed point."""
        xs, ys = x, y
        for _ in range(12):
            bx, by = self.b_from_s(xs, ys)
            xs, ys = xs + x - bx, ys + y - by
        return xs, ys

    @functools.cached_property
    def _seen_by_b(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Where in S's grid each of B's pixels looks."""
        y, x = np.mgrid[: self.shape[0], : self.shape[1]].astype(np.float64)
        return self.s_from_b(x, y)

    def cast(self, camera: str) -> Float:
        """Return the (H, W, 3) colour cast of a camera, 1 at the centre."""
        height, width = self.shape
        y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
        side = 1 if camera == "B" else -1
        tints = (0.06, 0.03, 0.05)
        planes = [1 + side * t * x - 0.06 * x * x - 0.04 * y * y + 0.015 * x**3 for t in tints]
        return np.stack(planes, axis=2).astype(np.float32)

    def expose(self, camera: str, light: Float, index: int) -> RawImage:
        """Return the RAW frame of a camera that sees (H, W, 3) linear light of S's grid."""
        if camera == "B":
            at_x, at_y = self._seen_by_b
            light = np.stack(
                [
                    map_coordinates(
                        spline_filter(light[..., i].astype(np.float64), 3, mode="mirror"),
                        [at_y, at_x], order=3, prefilter=False, mode="mirror",
                    )
                    for i in range(3)
                ],
                axis=2,
            ).astype(np.float32)  # fmt: skip
        level = np.array(NEUTRAL_RAW) * (np.array([0.96, 0.93, 0.95]) if camera == "B" else 1.0)
        electrons = noisy(mosaic(light * self.cast(camera) * level * 0.85, self.cfa), self.rng)
        codes = np.clip(np.round(electrons * (WHITE_DN - BLACK_DN) + BLACK_DN), 0, WHITE_DN)
        return RawImage(
            pixels=codes.astype(np.uint16), cfa=self.cfa, black_level=BLACK_DN, white_level=WHITE_DN,
            significant_bits=12, exposure_us=24_000.0 if camera == "B" else 3_000.0, gain_db=0.0,
            serial_number=f"T-{camera}", camera=camera, trigger_index=index, frame_id=index,
            timestamp_ns=index * 10**8,
        )  # fmt: skip

    def record(
        self, session: Session, kind: str, lights: list[tuple[Float, Float]], scene: str = "s01"
    ) -> None:
        """Write a take of pairs (light in B's exposure, light in S's) into a session."""
        take = session.start_take(scene, kind, len(lights), {})
        records = []
        for index, pair in enumerate(lights):
            written = {
                camera: write_dng(
                    session.shot_path(scene, kind, take, index, camera), self.expose(camera, light, index)
                )
                for camera, light in zip("BS", pair, strict=True)
            }
            stamps: dict[str, int | None] = {"B": index, "S": index}
            sync = SyncProof(index, stamps, stamps, 0.0, 0.0, len(lights), {"B": 0, "S": 0}, "paired")
            meta = {camera: {"sha256": file.sha256} for camera, file in written.items()}
            records.append(
                PairRecord(
                    scene, kind, take, index, written["B"].path, written["S"].path, sync, meta["B"], meta["S"]
                )
            )
        session.record_shots(records)
        session.end_take(scene, kind, take, "complete", {})


B_BLUR_PX, S_BLUR_PX = 12.0, 1.5


def record_session(
    folder: Path, *, pairs: int = 3, kinds: tuple[str, ...] = ("lightbox", "static", "action")
) -> Session:
    """Record a small session: an object of 200x140 pixels moves right by 12 px in B and 1.5 px in S."""
    rig = TrueRig()
    session = Session.create(folder, load_rig("virtual"))
    session.add_scene("s01", None)
    even = np.full((*rig.shape, 3), 0.8, np.float32)
    scene = MovingScene(linear(filled(kodak("13"), *rig.shape)), linear(kodak("08"))[40:180, 60:260])
    still = scene.background
    takes = {
        "lightbox": [(even, even)] * 4,
        "static": [(still, still)] * 3,
        "action": [
            (scene.frame(150 + 60 * k, 180, B_BLUR_PX), scene.frame(150 + 60 * k, 180, S_BLUR_PX))
            for k in range(pairs)
        ],
    }
    for kind in kinds:
        rig.record(session, kind, takes[kind])
    return session
