"""Pictures of a session's report, as data URIs: small JPEGs made for the eye."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from processing.calibration.scene import SceneCalibration
from processing.errors import ProcessingError
from processing.isp import to_8bit
from processing.jobs.derived import DerivedPair, DerivedScene
from processing.page.pair_figures import Image, read_8bit
from processing.pipeline import ScenePipeline
from rig.errors import BeamrigError

PANEL_PX: Final = 560
DIFFERENCE_GAIN: Final = 8.0
CAST_GAIN: Final = 4.0
_MASK_RGB: Final = (178, 92, 255)


@dataclass(frozen=True)
class Picture:
    """A picture of the page: where it stands, what it shows, and its bytes."""

    caption: str
    uri: str
    width: int
    height: int


@dataclass(frozen=True)
class ScenePictures:
    """The pictures of a scene; a part that could not be made says why in ``notes``.

    Attributes:
        static: B, S and their difference, before and after the pipeline.
        action: B with the mask's outline, S, and both at actual pixels where it moves.
        cast: evenly lit board of each camera before and after the colour correction.
        notes: what is missing, and why.
    """

    static: tuple[Picture, ...] = ()
    action: tuple[Picture, ...] = ()
    cast: tuple[Picture, ...] = ()
    notes: tuple[str, ...] = ()


def picture(caption: str, image: Image, *, width: int = PANEL_PX) -> Picture:
    """Return an (H, W, 3) uint8 RGB image reduced to a width, as a JPEG.

    Raises:
        ProcessingError: if it cannot be encoded.
    """
    if image.shape[1] > width:
        height = max(1, round(image.shape[0] * width / image.shape[1]))
        image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    good, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 86])
    if not good:
        raise ProcessingError("a picture of the report cannot be encoded")
    text = base64.b64encode(np.asarray(data, np.uint8).tobytes()).decode("ascii")
    return Picture(caption, f"data:image/jpeg;base64,{text}", image.shape[1], image.shape[0])


def scene_pictures(scene: DerivedScene) -> ScenePictures:
    """Make the pictures of a processed scene; what cannot be made is told in words."""
    notes: list[str] = []
    static: tuple[Picture, ...] = ()
    cast: tuple[Picture, ...] = ()
    try:
        pipeline = _pipeline(scene)
        static = _static(pipeline)
        cast = _cast(pipeline.calibration)
    except BeamrigError as error:
        notes.append(f"no pictures of the calibration: {error.one_line()}")
    shown = [pair for pair in scene.of_kind("action") if pair.state == "developed" and not pair.left_out]
    action: tuple[Picture, ...] = ()
    if shown:
        action = _action(shown[len(shown) // 2])
    else:
        notes.append("no action pair is developed")
    return ScenePictures(static, action, cast, tuple(notes))


def _pipeline(scene: DerivedScene) -> ScenePipeline:
    """Open the stored calibration that the scene was developed with."""
    wanted = str(scene.metrics.get("calibration", ""))
    folder = scene.session.root / "calibration"
    found = next((path for path in sorted(folder.glob("*.json")) if wanted and wanted in path.name), None)
    if found is None:
        raise ProcessingError(
            f"calibration {wanted} is not in {folder.name}/", hint="process the scene again"
        )
    return ScenePipeline.from_calibration(scene.session, SceneCalibration.load(found))


def _static(pipeline: ScenePipeline) -> tuple[Picture, ...]:
    raw = pipeline.takes.static[0].load()
    pictures = []
    for state, developed in (
        ("before", pipeline.develop_unaligned(raw.b, raw.s)),
        ("after", pipeline.develop(raw.b, raw.s)),
    ):
        b, s = developed.as_8bit()
        apart = np.abs(developed.b - developed.s) * np.float32(DIFFERENCE_GAIN)
        pictures += [
            picture(f"B {state}", b),
            picture(f"S {state}", s),
            picture(f"|B − S| × {DIFFERENCE_GAIN:.0f}, {state}", to_8bit(apart)),
        ]
    return tuple(pictures)


def _action(pair: DerivedPair) -> tuple[Picture, ...]:
    b, s = read_8bit(pair, "B"), read_8bit(pair, "S")
    outlined, close = b.copy(), (slice(None), slice(None))
    if "mask" in pair.files:
        mask = read_8bit(pair, "mask")
        edges, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(outlined, list(edges), -1, _MASK_RGB, max(2, round(b.shape[1] / 500)))
        close = _close_up(mask)
    return (
        picture(f"B of {pair.record.id}, outline of the mask", outlined, width=2 * PANEL_PX),
        picture("B, where it moves most", b[close]),
        picture("S, the same part", s[close]),
    )


def _close_up(mask: Image) -> tuple[slice, slice]:
    """Return a window of four to three in the middle of the mask."""
    height, width = mask.shape
    ys, xs = np.nonzero(mask)
    if not ys.size:
        return slice(None), slice(None)
    low, up = np.percentile(ys, (5, 95))  # single specks are not what moves
    high = int(min(max((up - low) * 0.8, 160), height, width * 3 // 4))
    wide = high * 4 // 3
    y, x = (
        int(np.clip(np.median(at) - side // 2, 0, limit - side))
        for at, side, limit in ((ys, high, height), (xs, wide, width))
    )
    return slice(y, y + high), slice(x, x + wide)


def _cast(scene: SceneCalibration) -> tuple[Picture, ...]:
    """Show the cast of the plate on even light: deviations of each channel from its mean, enlarged.

    They are those of the calibration, so also a laboratory's. The captions give their 1st to 99th percentile.
    """
    pictures: list[Picture] = []
    for camera, maps in sorted(scene.cast.items()):
        for state, tables in (("before", maps.before), ("after", maps.after)):
            green = (tables["Gr"] + tables["Gb"]) / 2
            percent = np.stack([tables["R"], green, tables["B"]], axis=2)
            low, high = np.percentile(percent, (1, 99))
            shown = np.clip(0.75 + CAST_GAIN * percent / 100, 0, 1).astype(np.float32)
            enlarged = np.asarray(cv2.resize(shown, (360, 300), interpolation=cv2.INTER_CUBIC), np.float32)
            pictures.append(picture(f"{camera} {state}: {high - low:.1f} %", to_8bit(enlarged)))
    return tuple(pictures)
