"""The demo producer of the genicam wheel: somebody else's code and conventions through ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from rig.camera.discovery import discover
from rig.camera.process import CameraProcess
from rig.camera.types import Limits

IN_PROCESS = """
import json, os, sys
from rig.camera.gentl import GenTLCamera
from rig.camera.types import CameraSpec
camera = GenTLCamera(CameraSpec(sys.argv[1], "VikyTL_DEV_blue", buffers=4))
camera.start()
camera._counts_ready = sys.argv[2] == "counts"
frames = [camera.wait(5) for _ in range(5)]
counters = camera.counters
camera.stop()
camera.start()
again = camera.wait(5)
camera.close()
ids = [frame.frame_id for frame in frames]
print(json.dumps({"ids": ids, "delivered": counters.delivered, "again": again.frame_id}))
sys.stdout.flush()
os._exit(0)
"""


def test_it_shows_its_three_cameras(viky: Path) -> None:
    found = discover(viky)
    assert [one.serial_number for one in found] == ["0", "1", "2"]
    assert {one.model for one in found} == {"Viky"}
    assert {one.cti for one in found} == {str(viky)}
    assert found[0].user_name == ""


def test_it_delivers_frames_in_order_and_in_both_of_its_formats(
    viky: Path, opened: Callable[[CameraProcess], CameraProcess]
) -> None:
    camera = opened(CameraProcess.bare(viky, "1"))
    assert camera.info.id == "VikyTL_DEV_green"
    assert camera.limits("Width") == Limits(100.0, 800.0, 1.0, "")
    for name, shape in (("RGBa8", (400, 400, 4)), ("Mono8", (400, 400))):
        camera.write("PixelFormat", name)
        camera.start("science")
        records = [camera.next_record(5) for _ in range(4)]
        assert [record.meta.frame_id for record in records] == [1, 2, 3, 4]
        for record in records:
            pixels = camera.pixels(record)
            assert (pixels.dtype, pixels.shape) == (np.uint8, shape)
            assert pixels.min() < pixels.max()
            camera.release(record)
        camera.stop()


def test_what_it_does_not_know_is_said_to_be_unknown(
    viky: Path, opened: Callable[[CameraProcess], CameraProcess]
) -> None:
    camera = opened(CameraProcess.bare(viky, "2"))
    camera.start("science")
    meta = camera.next_record(5).meta
    assert np.isnan(meta.exposure_us)
    assert meta.sources["exposure_us"] == "none"
    assert meta.sources["timestamp_ns"] == "host"
    assert meta.timestamp_ns == meta.host_monotonic_ns
    assert camera.counters(fresh=True).ignored_triggers is None


def in_process(viky: Path, way: str) -> dict[str, object]:
    """Drive the camera inside one process, which is a child: GenTL objects do not share one with others."""
    root = str(Path(__file__).resolve().parents[3])
    done = subprocess.run(
        [sys.executable, "-c", IN_PROCESS, str(viky), way],
        env={**os.environ, "PYTHONPATH": root},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    return dict(json.loads(done.stdout))


def test_the_camera_itself_can_be_started_again_and_again(viky: Path) -> None:
    assert in_process(viky, "counts") == {"ids": [1, 2, 3, 4, 5], "delivered": 5, "again": 1}


def test_a_producer_that_cannot_say_whether_a_frame_is_ready_loses_none(viky: Path) -> None:
    assert in_process(viky, "blind") == {"ids": [1, 2, 3, 4, 5], "delivered": 5, "again": 1}
