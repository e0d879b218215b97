"""What happens to a camera's process, and what its parent sees of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rig.camera.errors import DeviceNotFound, ProducerError
from rig.camera.process import CameraProcess, FrameRecord
from rig.errors import CameraTimeout, DeviceError, DeviceLost, FrameOverflow
from rig.profiles import CameraProfile, CameraSlot

Opened = Callable[[CameraProcess], CameraProcess]
LIVE = {"plan.exposure_us": 2000.0, "live.rate_hz": 50.0}

ORPHAN = """
import os, sys
from rig.camera.process import CameraProcess
camera = CameraProcess.bare(sys.argv[1], "VR-B-0001")
camera.open()
camera.start("live")
print(camera.pid, flush=True)
os.kill(os.getpid(), 9)
"""


def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it never happened"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def take_all(camera: CameraProcess, records: list[FrameRecord] | None = None) -> None:
    """Take records, without giving any back, until the camera says why there are no more."""
    for _ in range(1000):
        record = camera.next_record(5)
        if records is not None:
            records.append(record)


@pytest.fixture
def camera(opened: Opened, slot: CameraSlot, profile: CameraProfile) -> CameraProcess:
    """A small, fast camera: 64x64 at 50 frames a second."""
    small = [step for step in profile.steps_common if step.set not in {"Width", "Height"}]
    made = opened(CameraProcess(slot, profile.model_copy(update={"steps_common": small})))
    made.apply("common")
    made.write("Width", 64)
    made.write("Height", 64)
    made.apply("live", LIVE)
    return made


def test_frames_carry_what_the_camera_itself_says_about_them(camera: CameraProcess) -> None:
    camera.start("science")
    records = [camera.next_record(5) for _ in range(5)]
    assert [record.meta.frame_id for record in records] == [0, 1, 2, 3, 4]
    for record in records:
        assert record.meta.exposure_us == 2000.0
        assert record.meta.sources["exposure_us"] == "chunk"
        assert record.meta.black_level_dn == 64.0
        assert camera.pixels(record).dtype == np.uint16
        assert camera.pixels(record).shape == record.meta.shape == (64, 64)
    spacing = np.diff([record.meta.timestamp_ns for record in records])
    np.testing.assert_allclose(spacing, 20e6, rtol=0.01)


def test_every_pixel_format_tells_the_same_picture(camera: CameraProcess) -> None:
    pictures = {}
    for name in ("BayerRG8", "BayerRG12", "BayerRG12p", "BayerRG16"):
        camera.write("PixelFormat", name)
        camera.start("science")
        record = camera.next_record(5)
        assert (record.meta.frame_id, record.meta.pixel_format) == (0, name)
        pictures[name] = camera.pixels(record).copy()
        camera.release(record)
        camera.stop()
    np.testing.assert_array_equal(pictures["BayerRG12p"], pictures["BayerRG12"])
    np.testing.assert_array_equal(pictures["BayerRG8"], pictures["BayerRG12"] >> 4)


def test_live_view_gives_the_newest_frame_and_counts_those_nobody_saw(camera: CameraProcess) -> None:
    camera.start("live")
    until(lambda: camera.latest())
    found = camera.latest()
    assert found is not None
    until(lambda: (camera.latest(found[0] + 5) or (0,))[0] > found[0] + 5)
    assert camera.counters().live_dropped >= 5
    assert camera.state == "live"


def test_a_killed_process_is_lost_and_a_restart_goes_on_where_it_was(camera: CameraProcess) -> None:
    camera.start("live")
    until(lambda: camera.latest())
    before = camera.latest()
    assert before is not None
    first = camera.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    until(lambda: camera.state == "lost")
    with pytest.raises(DeviceLost, match="ended by SIGKILL"):
        camera.read("Width")
    camera.restart()
    assert camera.state == "live"
    assert camera.pid not in {None, first}
    until(lambda: camera.latest(before[0]))
    after = camera.latest(before[0])
    assert after is not None
    assert after[1].shape == (64, 64)
    assert after[1].exposure_us == 2000.0


def test_a_process_that_hangs_is_lost_killed_and_replaced(camera: CameraProcess) -> None:
    camera.start("live")
    stuck = camera.pid
    assert stuck is not None
    os.kill(stuck, signal.SIGSTOP)
    until(lambda: camera.state == "lost")
    until(lambda: not alive(stuck))
    camera.restart()
    until(lambda: camera.latest())


def test_a_call_to_a_hanging_process_ends_by_its_deadline(camera: CameraProcess) -> None:
    assert camera._link is not None
    assert camera.pid is not None
    os.kill(camera.pid, signal.SIGSTOP)
    with pytest.raises(DeviceLost, match="did not answer to read"):
        camera._link.call("read", 0.3, name="Width")
    assert camera.state == "lost"


def test_losses_are_told_once_with_their_reason(opened: Opened, virtual_cti: Path) -> None:
    told: list[tuple[str, str]] = []
    camera = CameraProcess.bare(virtual_cti, "VR-B-0001")
    camera._on_event = lambda kind, message: told.append((kind, message))
    opened(camera).kill()
    until(lambda: camera.state == "lost" and len(told) > 1)
    camera.close()
    assert [kind for kind, _ in told] == ["opened", "lost", "closed"]
    assert "VR-B-0001" in told[1][1]


def test_a_waiting_recorder_hears_of_the_loss_after_the_frames_that_came_before(
    camera: CameraProcess,
) -> None:
    camera.start("science")
    until(lambda: camera.counters(fresh=True).delivered >= 3)
    camera.kill()
    until(lambda: camera.state == "lost")
    kept = [camera.next_record(1) for _ in range(3)]
    assert camera.pixels(kept[2]).any()
    with pytest.raises(DeviceLost):
        take_all(camera)
    camera.restart()
    assert camera.pixels(kept[0]).any()


def test_science_stops_rather_than_lose_a_frame(camera: CameraProcess) -> None:
    camera.start("science")
    records: list[FrameRecord] = []
    with pytest.raises(FrameOverflow, match="128 frames"):
        take_all(camera, records)
    assert [record.meta.frame_id for record in records] == list(range(128))
    assert camera.state == "idle"
    for record in records:
        assert camera.pixels(record).any()
        camera.release(record)
    camera.start("science")
    assert camera.next_record(5).meta.frame_id == 0


def test_live_view_goes_on_while_records_wait_to_be_written(camera: CameraProcess) -> None:
    camera.start("science")
    kept = camera.next_record(5)
    picture = camera.pixels(kept).copy()
    camera.stop()
    camera.start("live")
    start = kept.sequence + 40
    until(lambda: (camera.latest() or (0,))[0] > start)
    np.testing.assert_array_equal(camera.pixels(kept), picture)


def test_the_gui_may_look_while_another_thread_waits_for_a_frame(camera: CameraProcess) -> None:
    camera.apply("triggered", {"plan.exposure_us": 2000.0})
    camera.start("science")
    outcome: list[BaseException] = []

    def wait() -> None:
        with pytest.raises(CameraTimeout) as timeout:
            camera.next_record(1.0)
        outcome.append(timeout.value)

    waiter = threading.Thread(target=wait)
    waiter.start()
    looks = 0
    while waiter.is_alive():
        assert camera.latest() is None
        assert camera.counters().delivered == 0
        assert camera.state == "science"
        looks += 1
    waiter.join()
    assert looks > 100
    assert "triggered" in str(getattr(outcome[0], "hint", ""))


def test_ignored_triggers_are_counted_by_the_camera(camera: CameraProcess) -> None:
    camera.apply("triggered", {"plan.exposure_us": 50_000.0})
    camera.write("TriggerSource", "Software")
    camera.start("science")
    camera.execute("TriggerSoftware")
    camera.execute("TriggerSoftware")
    assert camera.next_record(5).meta.exposure_us == 50_000.0
    assert camera.counters(fresh=True).ignored_triggers == 1


def test_a_host_does_not_outlive_its_parent(virtual_cti: Path) -> None:
    root = str(Path(__file__).resolve().parents[3])
    parent = subprocess.run(
        [sys.executable, "-c", ORPHAN, str(virtual_cti)],
        env={**os.environ, "PYTHONPATH": root},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    assert parent.returncode == -signal.SIGKILL
    pid = int(parent.stdout)
    until(lambda: not alive(pid))


def test_an_unknown_device_is_an_error_that_lists_the_known_ones(virtual_cti: Path) -> None:
    with pytest.raises(DeviceNotFound, match="nobody") as error:
        CameraProcess.bare(virtual_cti, "nobody").open()
    assert "VR-S-0002" in error.value.hint


def test_a_missing_producer_is_an_error_when_a_camera_is_opened(tmp_path: Path) -> None:
    with pytest.raises(ProducerError, match="no GenTL producer"):
        CameraProcess.bare(tmp_path / "none.cti").open()


def test_a_camera_whose_world_cannot_be_reached_does_not_open(
    slot: CameraSlot, profile: CameraProfile
) -> None:
    camera = CameraProcess(slot, profile, {"BEAMRIG_WORLD": "/nonexistent/world.sock"})
    with pytest.raises(DeviceError, match="cannot be opened"):
        camera.open()
    assert camera.state == "closed"
    assert camera.pid is None


def test_a_second_program_cannot_open_a_camera_twice_in_one_object(camera: CameraProcess) -> None:
    with pytest.raises(DeviceError, match="open already"):
        camera.open()
    camera.start("live")
    with pytest.raises(DeviceError, match="runs for live already"):
        camera.start("science")
    assert camera.state == "live"
