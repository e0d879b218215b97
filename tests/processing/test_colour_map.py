"""The colour map: from the RAW file's matrix, from patches, from a chart in the picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from processing.chart.colour_fit import least_squares
from processing.colour_map import CHART_SRGB, chart_fit, find_chart, from_raw_tag
from processing.errors import CalibrationError
from processing.isp import decode_srgb, encode_srgb, to_8bit
from rig.raw_image import XYZ_TO_SRGB
from tests.processing.laboratory import chart_light
from tests.processing.scenes import kodak, linear, noisy

CAMERA_FROM_SRGB = np.array([[0.76, 0.18, 0.06], [0.14, 0.76, 0.10], [0.04, 0.22, 0.74]])


def _chart(camera_from_srgb: np.ndarray) -> np.ndarray:
    picture = np.full((620, 860, 3), 0.18, np.float32)
    picture[60:560, 80:780] = 0.03
    for index, colour in enumerate(decode_srgb(CHART_SRGB / np.float32(255))):
        row, column = divmod(index, 6)
        picture[78 + 118 * row : 178 + 118 * row, 98 + 112 * column : 192 + 112 * column] = colour
    shown = (picture @ camera_from_srgb.T).astype(np.float32)
    return cv2.GaussianBlur(cv2.resize(shown, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST), (0, 0), 0.8)


def test_a_camera_with_srgbs_own_primaries_needs_no_map() -> None:
    np.testing.assert_array_equal(from_raw_tag(XYZ_TO_SRGB), np.eye(3))


def test_the_raw_files_matrix_is_inverted_with_white_kept() -> None:
    tag = (2.5 * CAMERA_FROM_SRGB) @ np.reshape(XYZ_TO_SRGB, (3, 3))
    np.testing.assert_allclose(from_raw_tag(tag.ravel().tolist()), np.linalg.inv(CAMERA_FROM_SRGB), atol=1e-4)


def test_a_singular_matrix_is_refused() -> None:
    with pytest.raises(CalibrationError):
        from_raw_tag([1.0] * 9)


def test_the_fit_finds_a_white_preserving_map_and_keeps_white() -> None:
    target = np.random.default_rng(0).random((24, 3))
    found = least_squares(target @ CAMERA_FROM_SRGB.T, target)
    np.testing.assert_allclose(found, np.linalg.inv(CAMERA_FROM_SRGB), atol=1e-9)


@pytest.mark.parametrize("turn_deg", [0.0, 4.0, -11.0, 90.0, 180.0])
def test_the_chart_in_a_picture_gives_the_map(turn_deg: float) -> None:
    chart = _chart(CAMERA_FROM_SRGB)
    middle = (chart.shape[1] / 2, chart.shape[0] / 2)
    turned = cv2.warpAffine(
        chart,
        cv2.getRotationMatrix2D(middle, turn_deg, 0.7),
        chart.shape[1::-1],
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(0.18, 0.18, 0.18),
    )
    np.testing.assert_allclose(chart_fit(turned)[0], np.linalg.inv(CAMERA_FROM_SRGB), atol=5e-3)


def test_the_chart_lies_where_opencvs_own_detector_finds_it() -> None:
    """`cv2.mcc` repeats itself only with a seed and one thread, and misses many a chart (see `finder`)."""
    light = chart_light()
    shown = to_8bit(encode_srgb(light))[..., ::-1]
    large = cv2.resize(shown, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    cv2.setRNGSeed(7)
    try:
        detector = cv2.mcc.CCheckerDetector_create()
        if not detector.process(large):
            pytest.skip("this version of OpenCV does not find the chart")
        box = np.asarray(detector.getBestColorChecker().getBox()).reshape(4, 2)
    finally:
        cv2.setNumThreads(threads)
    corners = find_chart(light * np.float32(0.8))[1]
    np.testing.assert_allclose(corners.mean(axis=(0, 1)), (box.mean(axis=0) + 0.5) / 2 - 0.5, atol=3)


def test_the_same_picture_always_gives_the_same_map() -> None:
    chart = noisy(_chart(CAMERA_FROM_SRGB), np.random.default_rng(0))
    np.testing.assert_array_equal(chart_fit(chart)[0], chart_fit(chart)[0])


def test_a_picture_without_chart_is_refused() -> None:
    with pytest.raises(CalibrationError, match="chart"):
        chart_fit(linear(kodak("08")))


def test_a_clipped_chart_is_refused() -> None:
    with pytest.raises(CalibrationError, match="clipped"):
        chart_fit(np.minimum(_chart(CAMERA_FROM_SRGB) * 1.15, 1))
