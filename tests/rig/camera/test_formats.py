"""Every pixel format from the virtual producer through harvesters and the host process, code by code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rig.camera.process import CameraProcess
from rig.camera.types import CameraSpec, FrameMeta
from rig.errors import DeviceLost

WIDTH, HEIGHT, OFFSET_X, OFFSET_Y = 1032, 66, 804, 1102

Opened = Callable[[CameraProcess], CameraProcess]


def pattern_codes(frame_id: int) -> np.ndarray:
    """The formula at the top of source_pattern.c, at 7 ms, 0 dB and a black level of 64."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    k = (x + OFFSET_X + 2 * (y + OFFSET_Y) + 16 * frame_id) % 2048
    return np.minimum(64 + k * 7_000_000 // 10_000_000, 4095)


def set_up(camera: CameraProcess, pixel_format: str) -> None:
    size = {"Width": WIDTH, "Height": HEIGHT, "OffsetX": OFFSET_X, "OffsetY": OFFSET_Y}
    light = {"ExposureTime": 7000.0, "BlackLevel": 64.0, "AcquisitionFrameRate": 100.0}
    for name, value in {"PixelFormat": pixel_format, **size, **light, "ChunkModeActive": True}.items():
        camera.write(name, value)


def shoot(camera: CameraProcess) -> list[tuple[FrameMeta, np.ndarray]]:
    """Two frames with copies of their codes."""
    taken = []
    camera.start("science")
    for _ in range(2):
        record = camera.next_record(5)
        taken.append((record.meta, camera.pixels(record).copy()))
        camera.release(record)
    camera.stop()
    return taken


def test_every_format_arrives_as_the_codes_of_the_pattern_with_its_chunk_data(
    opened: Opened, virtual_cti: Path
) -> None:
    camera = opened(CameraProcess.bare(virtual_cti, "VR-B-0001"))
    for depth, bits, by in (
        ("8", 8, 4), ("10", 10, 2), ("10p", 10, 2), ("10Packed", 10, 2),
        ("12", 12, 0), ("12p", 12, 0), ("12Packed", 12, 0),
    ):  # fmt: skip
        set_up(camera, f"BayerRG{depth}")
        for meta, codes in shoot(camera):
            assert (meta.pixel_format, meta.significant_bits) == (f"BayerRG{depth}", bits)
            chunks = dict.fromkeys(("timestamp_ns", "exposure_us", "gain_db"), "chunk")
            assert meta.sources == {"frame_id": "buffer", **chunks}
            np.testing.assert_array_equal(codes, pattern_codes(meta.frame_id) >> by)


def test_codes_at_the_top_of_16_bits_arrive_as_codes_of_their_significant_bits(
    opened: Opened, virtual_cti: Path
) -> None:
    spec = CameraSpec(cti=str(virtual_cti), device="VR-B-0001", significant_bits=12, msb_aligned=True)
    camera = opened(CameraProcess(spec, None))
    set_up(camera, "BayerRG16")
    for meta, codes in shoot(camera):
        assert meta.significant_bits == 12
        np.testing.assert_array_equal(codes, pattern_codes(meta.frame_id))


def test_a_profile_that_would_drop_bits_of_the_codes_ends_the_run_and_says_why(
    opened: Opened, virtual_cti: Path
) -> None:
    spec = CameraSpec(cti=str(virtual_cti), device="VR-B-0001", significant_bits=10, msb_aligned=True)
    camera = opened(CameraProcess(spec, None))
    set_up(camera, "BayerRG16")
    camera.start("science")
    with pytest.raises(DeviceLost, match="among the lowest 6") as caught:
        camera.next_record(5)
    assert "significant_bits" in caught.value.hint
