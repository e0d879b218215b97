"""The dense flow of the paper: OpenCV's DIS, and pyflow called the way its own demo calls it.

pyflow cannot be shipped. A module of its name and signature that computes a real flow stands in for it here,
so that order, sign, type and units of what goes in and out are seen.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from processing.alignment.flow_dense import dense
from processing.errors import ImageMismatch, ToolMissing
from tests.processing.scenes import kodak

SHIFT = (2.25, -1.5)
"""Where S's points lie in B, x and y, in px."""

PYFLOW = """
import cv2
import numpy as np


def coarse2fine_flow(im1, im2, alpha, ratio, minWidth, nOuterFPIterations, nInnerFPIterations,
                     nSORIterations, colType):
    for image in (im1, im2):
        assert image.dtype == np.float64 and image.flags.c_contiguous
        assert 0 <= image.min() and image.max() <= 1
        assert image.ndim == 3 and image.shape[2] == (3 if colType == 0 else 1)
    assert (alpha, ratio, minWidth) == (0.012, 0.75, 20)
    assert (nOuterFPIterations, nInnerFPIterations, nSORIterations) == (7, 1, 30)
    gray = [np.round(image.mean(axis=2) * 255).astype(np.uint8) for image in (im1, im2)]
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow.setFinestScale(0)
    field = flow.calc(*gray, None).astype(np.float64)
    return field[..., 0], field[..., 1], im2
"""


def _views(colour: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return S and B, 8 bits; B's content lies further by SHIFT (moved in the frequency domain)."""
    picture = kodak("13").astype(np.float64)
    picture = picture if colour else picture.mean(axis=2, keepdims=True)
    fy, fx = np.fft.fftfreq(picture.shape[0])[:, None], np.fft.fftfreq(picture.shape[1])[None, :]
    phase = np.exp(-2j * np.pi * (fx * SHIFT[0] + fy * SHIFT[1]))[..., None]
    lens = np.exp(-2 * (np.pi * 0.7) ** 2 * (fx**2 + fy**2))[..., None]
    spectrum = np.fft.fft2(picture, axes=(0, 1)) * lens
    views = [np.fft.ifft2(spectrum * turn, axes=(0, 1)).real for turn in (1, phase)]
    of_s, of_b = (np.clip(np.round(view), 0, 255).astype(np.uint8) for view in views)
    return (of_s, of_b) if colour else (of_s[..., 0], of_b[..., 0])


@pytest.fixture
def pyflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put a package of pyflow's name and calling convention on the path."""
    (tmp_path / "pyflow.py").write_text(PYFLOW, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield
    sys.modules.pop("pyflow", None)


def _assert_shift(colour: bool, method: str) -> None:
    flow = dense(*_views(colour), method)  # type: ignore[arg-type]
    found = np.stack([flow.u, flow.v], axis=-1)[4:-4, 4:-4]
    np.testing.assert_allclose(np.median(found, axis=(0, 1)), SHIFT, atol=0.06)
    map_x, map_y = flow.map(np.array([[100.0]]), np.array([[90.0]]))
    assert map_x[0, 0] == pytest.approx(100 + SHIFT[0], abs=0.4)
    assert map_y[0, 0] == pytest.approx(90 + SHIFT[1], abs=0.4)


@pytest.mark.parametrize("colour", [False, True])
def test_dis_finds_a_known_shift(colour: bool) -> None:
    _assert_shift(colour, "dis")


@pytest.mark.usefixtures("pyflow")
@pytest.mark.parametrize("colour", [False, True])
def test_pyflow_is_called_as_its_demo_does_and_its_flow_keeps_sign_and_unit(colour: bool) -> None:
    _assert_shift(colour, "pyflow")


def test_without_pyflow_the_user_is_told_and_nothing_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyflow", None)  # what Python keeps for "cannot be imported"
    with pytest.raises(ToolMissing) as refused:
        dense(*_views(colour=False), "pyflow")
    assert "pyflow" in str(refused.value)
    assert "dis" in (refused.value.hint or "")


def test_images_that_are_not_8_bits_or_differ_in_size_are_refused() -> None:
    image = np.zeros((64, 64), np.uint8)
    with pytest.raises(ImageMismatch):
        dense(image, image[:, :48])
    with pytest.raises(ImageMismatch):
        dense(image.astype(np.float32), image, "dis")  # type: ignore[arg-type]
