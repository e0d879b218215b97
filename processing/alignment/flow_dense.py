"""Dense optical flow, as the paper has it: OpenCV's DIS, or pyflow where the user has installed it.

The paper used pyflow (Ce Liu's coarse-to-fine flow). Its C++ carries no licence, so it cannot be shipped: it
is called if it is there, and asked for if it is not. Nothing stands in for it silently.
"""

from __future__ import annotations

import importlib
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.alignment.flow_model import DenseFlow, Float
from processing.errors import ImageMismatch, RegistrationFailed, ToolMissing

DenseMethod = Literal["dis", "pyflow"]

STEP: Final = 8
"""Both cameras are rigid: nothing in the map is finer than this many px, only the estimator's noise."""
PYFLOW_SETTINGS: Final = (0.012, 0.75, 20, 7, 1, 30)
"""alpha, ratio, minWidth, outer and inner fixed-point and SOR iterations, of pyflow's own demo."""


def dense(sharp: NDArray[np.uint8], blurred: NDArray[np.uint8], method: DenseMethod = "dis") -> DenseFlow:
    """Estimate a dense flow from S's grid into B's.

    Args:
        sharp: (H, W) or (H, W, 3) uint8 image of camera S, sRGB-encoded; DIS looks at the luma of colours.
        blurred: the same of camera B.
        method: "dis" (OpenCV, medium preset down to full size), or "pyflow" (takes about a minute and 3 GB
            for 2152 x 1436 px; twice as accurate on colours as on luma).

    Returns:
        The flow on every 8th pixel, each the mean of its 8 x 8 block.

    Raises:
        ImageMismatch: if the images differ in size or kind.
        ToolMissing: if pyflow is asked for and not installed.
        RegistrationFailed: if the flow is not finite.
    """
    if sharp.shape != blurred.shape or sharp.dtype != np.uint8 or blurred.dtype != np.uint8:
        raise ImageMismatch(
            f"a dense flow needs two 8-bit images of one size, not {sharp.dtype} {sharp.shape} and "
            f"{blurred.dtype} {blurred.shape}"
        )
    field = _dis(_luma(sharp), _luma(blurred)) if method == "dis" else _pyflow(sharp, blurred)
    if not np.isfinite(field).all():
        raise RegistrationFailed(f"the dense flow ({method}) of the static pair is not finite")
    shape = (sharp.shape[0], sharp.shape[1])
    size = (shape[1] // STEP, shape[0] // STEP)
    cut = field[: size[1] * STEP, : size[0] * STEP]
    small = np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.float32)
    return DenseFlow(shape, small[..., 0].copy(), small[..., 1].copy(), STEP)


def _luma(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def _dis(sharp: NDArray[np.uint8], blurred: NDArray[np.uint8]) -> Float:
    estimator = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    estimator.setFinestScale(0)
    return np.asarray(estimator.calc(sharp, blurred, np.zeros((*sharp.shape, 2), np.float32)), np.float32)


def _pyflow(sharp: NDArray[np.uint8], blurred: NDArray[np.uint8]) -> Float:
    try:
        pyflow: Any = importlib.import_module("pyflow")
        estimate = pyflow.coarse2fine_flow
    except (ImportError, AttributeError) as error:
        raise ToolMissing(
            "the flow of this calibration is to come from pyflow, which is not installed",
            hint="install github.com/pathak22/pyflow yourself (its licence is unclear, so beamrig does not "
            "ship it), or choose the flow 'dis' or 'polynomial'",
        ) from error
    colours = 1 if sharp.ndim == 2 else sharp.shape[2]
    images = [
        np.ascontiguousarray(image.reshape(*image.shape[:2], colours).astype(np.float64) / 255)
        for image in (sharp, blurred)
    ]
    u, v, _ = estimate(*images, *PYFLOW_SETTINGS, 0 if colours == 3 else 1)
    return np.stack([u, v], axis=2).astype(np.float32)
