"""Takes on the real virtual rig, from the plan to the files on disk, judged by the world's own truth."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import rawpy

from rig import Rig
from rig.capture.arming import Bench
from rig.capture.disk import DiskGuard, frame_bytes
from rig.capture.order import TakeOrder
from rig.capture.result import Shot, TakeFailed
from rig.capture.schedule import Counted
from rig.capture.take import run_take
from rig.dng import read_dng
from rig.errors import CaptureError, DeviceError, DeviceLost, DiskFull, RawFileError, SessionError
from rig.exposure import ExposurePlan
from rig.profiles import TakeHook
from rig.records import PairRecord, RawPair
from rig.session import Session
from rig.virtual.client import WorldClient
from rig.virtual.frames import RenderedFrame


def truth_of(rig: Rig, pair: PairRecord) -> dict[str, RenderedFrame]:
    """Return what the world rendered at the very times that the two files claim."""
    times = {"B": pair.meta_b["timestamp_ns"], "S": pair.meta_s["timestamp_ns"]}
    frames = WorldClient(rig.run_dir).frames()
    return {
        name: next(f for f in frames if f.camera == name and f.t_start_ns == times[name]) for name in times
    }


@pytest.mark.parametrize(("kind", "pulses"), [("whiteboard", 2), ("static", 2), ("action", 4)])
def test_every_pulse_of_a_take_becomes_a_pair_that_the_world_confirms(
    rig: Rig, plan: ExposurePlan, session: Session, kind: str, pulses: int
) -> None:
    applied = rig.apply_plan(plan)
    seen: list[Shot] = []

    def on_shot(shot: Shot) -> None:
        seen.append(shot)
        assert shot.id in [pair.id for pair in session.pairs("s01", kind)]

    result = rig.capture(session, "s01", kind, pulses, on_shot=on_shot)
    assert (result.state, result.fired, result.paired, result.rejected) == ("complete", pulses, pulses, 0)
    assert [shot.record for shot in seen] == session.pairs("s01", kind)
    assert session.problems() == []
    for index, pair in enumerate(session.pairs("s01", kind)):
        raw = pair.load()
        true = truth_of(rig, pair)
        assert true["B"].t_start_ns == true["S"].t_start_ns
        assert (pair.sync.skew_us, pair.sync.clock, pair.sync.trigger_index) == (0.0, "common", index)
        for image, name in ((raw.b, "B"), (raw.s, "S")):
            assert image.trigger_index == index
            assert image.serial_number == rig.profile.cameras[name].serial_number  # type: ignore[index]
            assert image.exposure_us * 1000 == true[name].exposure_ns
            assert image.exposure_us == applied.exposure_us[name] == plan.applied_us[name]
            assert true[name].stage == kind
            assert (image.black_level, image.white_level, image.cfa) == (64, 4095, "RGGB")
            assert image.extra["pair"] == pair.id
    starts = np.array([pair.meta_b["timestamp_ns"] for pair in session.pairs("s01", kind)])
    np.testing.assert_allclose(np.diff(starts), plan.period_s * 1e9, atol=1000)


def test_the_pixels_on_disk_are_those_that_the_camera_process_delivered(
    rig: Rig, plan: ExposurePlan, session: Session
) -> None:
    rig.apply_plan(plan)
    rig.capture(session, "s01", "static", 1)
    pair = session.pairs()[0]
    for camera, path in (("B", pair.path_b), ("S", pair.path_s)):
        newest = rig.latest(camera)
        assert newest is not None
        frame = newest[1]
        image = read_dng(path)
        assert frame.timestamp_ns == image.timestamp_ns
        np.testing.assert_array_equal(image.pixels, frame.pixels)
        with rawpy.imread(str(path)) as raw:
            np.testing.assert_array_equal(raw.raw_image_visible, frame.pixels)
            assert raw.white_level == 4095


def test_the_live_view_goes_on_after_a_take(rig: Rig, plan: ExposurePlan, session: Session) -> None:
    rig.apply_plan(plan)
    rig.start_live()
    states: list[tuple[bool, str]] = []

    def look(_: Shot) -> None:
        status = rig.status()
        states.append((status.capturing, str(status.cameras["B"].state)))

    rig.capture(session, "s01", "static", 1, on_shot=look)
    assert [capturing for capturing, _ in states] == [True]
    before = rig.latest("B")
    deadline = time.monotonic() + 20
    while rig.latest("B", before[0] if before else 0) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    status = rig.status()
    assert (status.live, status.capturing, status.cameras["S"].state) == (True, False, "live")
    rig.stop_live()
    assert rig.status().cameras["S"].state == "idle"


def test_what_a_check_finds_is_recorded_with_the_pair(rig: Rig, plan: ExposurePlan, session: Session) -> None:
    def check(pair: RawPair) -> list[str]:
        if pair.b.trigger_index == 1:
            raise RawFileError("no reference yet")
        return [f"mean of S is {'dark' if pair.s.pixels.mean() < 100 else 'light'}"]

    rig.apply_plan(plan)
    result = rig.capture(session, "s01", "dark", 2, check=check)
    warnings = [("mean of S is dark",), ("the pair could not be checked: no reference yet",)]
    assert [shot.warnings for shot in result.shots] == warnings
    assert [pair.warnings for pair in session.pairs(kind="dark")] == warnings


def test_a_cancelled_take_keeps_the_shots_that_were_fired(
    rig: Rig, plan: ExposurePlan, session: Session
) -> None:
    rig.apply_plan(plan)
    cancel = threading.Event()
    seen = rig.cameras["S"].counters(fresh=True).delivered

    def cancel_after_two_frames() -> None:
        while rig.cameras["S"].counters().delivered < seen + 2:
            time.sleep(0.01)
        cancel.set()

    watcher = threading.Thread(target=cancel_after_two_frames, daemon=True)
    watcher.start()
    result = rig.capture(session, "s01", "static", 50, cancel=cancel)
    watcher.join()
    assert result.state == "cancelled"
    assert 0 < result.fired < 50
    assert result.paired >= result.fired - 1
    assert len(session.pairs()) == result.paired
    assert session.takes()[0].state == "cancelled"
    assert session.problems() == []
    assert rig.status().box == "safe"


def test_pulses_too_fast_for_one_camera_are_rejected_by_their_reason_and_never_mispaired(
    rig: Rig, plan: ExposurePlan, session: Session
) -> None:
    rig.apply_plan(plan)
    outputs = {str(name): output for name, output in rig.profile.trigger_box.outputs.items()}
    guard = DiskGuard(session.root, frame_bytes(2448, 2048), 0, 0)
    order = TakeOrder(session, "s01", "static", Counted(5, 0.034), plan, guard)
    for _ in range(4):
        result = run_take(Bench(rig.cameras, rig.camera_profiles, rig.box, outputs), order)
        if not any("more than a period late" in shot.reason for shot in result.shots):
            break  # else the computer is so busy that nothing can be proven at 34 ms a pulse
    assert [shot.paired for shot in result.shots] == [True, False, True, False, True]
    assert {shot.reason for shot in result.shots if not shot.paired} == {"camera B: it ignored the trigger"}
    for pair in session.pairs():
        raw = pair.load()
        assert raw.b.timestamp_ns == raw.s.timestamp_ns
        assert raw.b.trigger_index == raw.s.trigger_index == pair.index
    assert session.problems() == []


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGSTOP])
def test_a_camera_that_dies_or_hangs_in_a_take_costs_the_open_shots_and_comes_back(
    rig: Rig, plan: ExposurePlan, session: Session, death: signal.Signals
) -> None:
    rig.apply_plan(plan)
    seen = rig.cameras["B"].counters(fresh=True).delivered

    def strike_after_two_frames() -> None:
        while rig.cameras["B"].counters().delivered < seen + 2:
            time.sleep(0.01)
        os.kill(rig.cameras["B"].pid or 0, death)

    striker = threading.Thread(target=strike_after_two_frames)
    striker.start()
    with pytest.raises(TakeFailed, match="was ended: camera VR-B-0001 is lost") as caught:
        rig.capture(session, "s01", "action", 8)
    striker.join()
    result = caught.value.result
    assert isinstance(caught.value.__cause__, DeviceLost)
    assert result.paired >= 2
    assert [pair.index for pair in session.pairs()] == list(range(result.paired))
    if death == signal.SIGSTOP:  # the hang is noticed late: the box has fired everything by then
        assert (result.fired, result.rejected) == (8, 8 - result.paired)
    assert all("camera VR-B-0001 is lost" in shot.reason for shot in result.shots if not shot.paired)
    assert session.takes()[-1].state == "failed"
    assert session.problems() == []
    assert rig.status().cameras["B"].state == "lost"
    assert rig.status().box == "safe"
    rig.restart_camera("B")
    again = rig.capture(session, "s01", "action", 2)
    assert (again.paired, again.take) == (2, 2)


def test_a_take_needs_a_plan_room_a_scene_and_a_possible_period(
    rig: Rig, plan: ExposurePlan, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.apply_plan(plan)
    with pytest.raises(CaptureError, match="too short for this plan"):
        rig.capture(session, "s01", "static", 1, period_s=0.01)
    with pytest.raises(CaptureError, match="0 pairs"):
        rig.capture(session, "s01", "static", 0)
    with pytest.raises(SessionError, match="no scene"):
        rig.capture(session, "s02", "static", 1)
    with pytest.raises(SessionError, match="no kind"):
        rig.capture(session, "s01", "party", 1)
    monkeypatch.setattr("rig.capture.disk.RESERVE_BYTES", 1 << 60)
    with pytest.raises(DiskFull, match="there is room for 0"):
        rig.capture(session, "s01", "static", 1)
    assert session.takes() == []
    assert session.problems() == []


def test_a_hook_that_fails_stops_the_take_before_the_first_pulse(
    rig: Rig, plan: ExposurePlan, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.apply_plan(plan)
    hook = TakeHook(command=["/bin/sh", "-c", "echo lamp is unplugged >&2; exit 7"])
    changed = rig.profile.model_copy(update={"take_hooks": {"lightbox": hook}})
    monkeypatch.setattr(rig, "profile", changed)
    with pytest.raises(CaptureError, match="failed with code 7") as caught:
        rig.capture(session, "s01", "lightbox", 1)
    assert caught.value.hint == "lamp is unplugged"
    assert session.takes() == []


def test_a_plan_that_a_camera_cannot_apply_is_refused(rig: Rig, plan: ExposurePlan) -> None:
    impossible = replace(plan, applied_us={"B": 1e9, "S": 3000.0})
    with pytest.raises(DeviceError):
        rig.apply_plan(impossible)


def test_a_journal_that_cannot_be_written_does_not_end_in_silence(
    rig: Rig, plan: ExposurePlan, session: Session
) -> None:
    rig.apply_plan(plan)
    session.close()
    with pytest.raises(SessionError, match="is closed"):
        rig.capture(session, "s01", "static", 1)
    assert rig.status().box == "safe"
    assert rig.status().cameras["B"].state == "idle"
