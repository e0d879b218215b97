"""The producer as a host sees it: through harvesters and genicam, which know nothing of it."""

from __future__ import annotations

import ctypes
import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rig.virtual

ROOT = Path(rig.virtual.__file__).parents[2]
CTI = Path(rig.virtual.__file__).with_name("beamrig_virtual.cti")
PROBE = Path(__file__).with_name("producer_probe.py")


def run_probe(name: str, folder: Path, world: str = "") -> Any:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "BEAMRIG_WORLD": world, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(PROBE), name, str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def probed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Results of the probes, each run once."""
    return functools.cache(lambda name: run_probe(name, tmp_path_factory.mktemp(name)))


@pytest.fixture(scope="module")
def pixels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[dict[str, Any], np.ndarray]]:
    folder = tmp_path_factory.mktemp("pixels")
    frames = run_probe("pixels", folder)
    return {frame["format"]: (frame, np.load(folder / f"{frame['format']}.npy")) for frame in frames}


def test_two_cameras_are_listed_with_serial_numbers_and_names(probed: Any) -> None:
    found = [(one["serial_number"], one["user_defined_name"]) for one in probed("enumerate")]
    assert found == [("VR-B-0001", "Camera B"), ("VR-S-0002", "Camera S")]


def test_no_gentl_function_is_missing() -> None:
    library = ctypes.CDLL(str(CTI))
    header = (ROOT / "rig/virtual/producer/gentl.h").read_text()
    names = [line.split("(")[0].split()[-1] for line in header.splitlines() if line.startswith("GC_API ")]
    assert len(names) == 65  # 64 of GenTL 1.6 and beamrig_edge
    assert [name for name in names if not hasattr(library, name)] == []


def test_limits_and_increments_are_told(probed: Any) -> None:
    assert probed("features")["limits"] == {
        "Width": [64, 2448, 8],
        "Height": [64, 2048, 2],
        "OffsetX": [0, 0, 4],
        "OffsetY": [0, 0, 2],
        "ExposureTime": [10.0, 10_000_000.0, 1.0],
    }


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("off_step", "OutOfRangeException"),
        ("too_long", "OutOfRangeException"),
        ("no_such_entry", "InvalidArgumentException"),
        ("exposure_locked", "AccessException"),
    ],
)
def test_values_outside_the_limits_are_refused(probed: Any, what: str, error: str) -> None:
    assert probed("features")[what] == error


def test_region_and_offset_limit_each_other(probed: Any) -> None:
    assert probed("features")["offset_max_beside_1024"] == 2448 - 1024
    assert probed("features")["width_max_beside_400"] == 2448 - 400


def test_exposure_time_is_applied_in_whole_microseconds(probed: Any) -> None:
    assert probed("features")["exposure_rounded"] == 1234.0


def test_every_trigger_has_settings_of_its_own(probed: Any) -> None:
    assert probed("features")["delay_of_frame_start"] == 11.0


def test_user_sets_bring_settings_back_but_not_the_name(probed: Any) -> None:
    features = probed("features")
    assert features["after_default"] == [10_000.0, 2448, "left one"]
    assert features["after_user_set"] == [1234.0, 1024, 400]
    assert not features["default_can_be_saved"]


def test_latched_time_is_the_hosts_monotonic_clock(probed: Any) -> None:
    before, latched, after = probed("features")["latch"]
    assert before <= latched <= after


def test_readout_time_follows_the_height(probed: Any) -> None:
    height, readout_us = probed("features")["readout_us"]
    assert readout_us == pytest.approx(13_000.0 * height / 2048)


def expected_codes(frame: dict[str, Any]) -> np.ndarray:
    """The formula at the top of source_pattern.c, at 7 ms, 0 dB and a black level of 64."""
    y, x = np.mgrid[0:258, 0:1032]
    k = (x + frame["offset"][0] + 2 * (y + frame["offset"][1]) + 16 * frame["id"]) % 2048
    return np.minimum(64 + k * 7_000_000 // 10_000_000, 4095)


@pytest.mark.parametrize(
    ("name", "shift", "dtype", "bits"),
    [
        ("BayerRG8", -4, np.uint8, 8),
        ("BayerRG10", -2, np.uint16, 16),
        ("BayerRG10p", -2, np.uint16, 10),
        ("BayerRG12", 0, np.uint16, 16),
        ("BayerRG12p", 0, np.uint16, 12),
        ("BayerRG12Packed", 0, np.uint16, 12),
        ("BayerRG16", 4, np.uint16, 16),
    ],
)
def test_every_pixel_format_carries_the_pattern_exactly(
    pixels: dict[str, tuple[dict[str, Any], np.ndarray]], name: str, shift: int, dtype: type, bits: int
) -> None:
    frame, image = pixels[name]
    codes = expected_codes(frame)
    assert frame["offset"] == [804, 1102]
    assert frame["payload"] == 1032 * 258 * bits // 8
    assert image.dtype == dtype
    np.testing.assert_array_equal(image, codes << shift if shift > 0 else codes >> -shift)


def test_the_pattern_moves_with_the_frame_id(
    pixels: dict[str, tuple[dict[str, Any], np.ndarray]],
) -> None:
    frame, _ = pixels["BayerRG12"]
    assert frame["id"] == 1
    assert not np.array_equal(expected_codes(frame), expected_codes(frame | {"id": 0}))


def test_a_software_trigger_makes_one_frame(probed: Any) -> None:
    assert probed("triggers")["software"] == [0, 0]


def test_both_cameras_report_the_time_of_the_edge(probed: Any) -> None:
    triggers = probed("triggers")
    asked = triggers["asked_ns"]
    assert [(one["id"], one["timestamp_ns"] - asked) for one in triggers["b"]] == [(0, 0), (1, 8_000_000)]
    assert [(one["id"], one["timestamp_ns"] - asked) for one in triggers["s"]] == [
        (0, 0),
        (1, 2_000_000),
        (2, 8_000_000),
    ]


def test_a_trigger_during_exposure_is_ignored_and_counted(probed: Any) -> None:
    assert probed("triggers")["ignored"] == [1, 0]


def test_chunks_tell_how_this_frame_was_made(probed: Any) -> None:
    chunks = probed("triggers")["chunks"]
    assert chunks["ids"] == [3, 3]
    assert chunks["timestamps_ns"][0] == chunks["timestamps_ns"][1]
    assert chunks["exposure_us"] == 1234.5  # TriggerWidth: the width of the pulse
    assert chunks["gain_db"] == 3.5


def test_underrun_shows_as_a_gap_in_the_frame_ids(probed: Any) -> None:
    assert probed("underrun") == {"ids": [0, 1, 2, 10], "underruns": 7}


def test_a_camera_whose_world_is_missing_does_not_open(tmp_path: Path) -> None:
    result = run_probe("opening", tmp_path, "/nonexistent/world.sock")
    assert result["refused"] == "IoException"
    assert "no world at BEAMRIG_WORLD=/nonexistent/world.sock: No such file or directory" in result["message"]
