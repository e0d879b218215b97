"""Cameras that are unplugged, and makers' libraries that hang or crash."""

from __future__ import annotations

import time

import pytest

from rig.camera.errors import DeviceNotFound
from rig.errors import DeviceLost
from tests.rig.faults.bench import PAIRS, Bench, error_of
from tests.rig.faults.told import is_documented


def until_lost(bench: Bench, *names: str) -> None:
    deadline = time.monotonic() + 20
    while any(bench.rig.cameras[name].state != "lost" for name in names):  # type: ignore[index]
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("camera", ["B", "S", "both"])
def test_an_unplugged_camera_is_noticed_at_rest_and_live(bench: Bench, camera: str, live: bool) -> None:
    names = ("B", "S") if camera == "both" else (camera,)
    if live:
        bench.rig.start_live()
    bench.order(f"unplug camera={camera}")
    until_lost(bench, *names)
    for name in names:
        assert "check cable and power" in error_of(bench, name).hint
        assert is_documented(error_of(bench, name).one_line()), error_of(bench, name).one_line()
        with pytest.raises(DeviceNotFound, match="does not show a camera") as still:
            bench.rig.restart_camera(name)
        assert is_documented(still.value.one_line()), still.value.one_line()
    bench.mend()
    if live:
        assert {status.state for status in bench.rig.status().cameras.values()} == {"live"}
        bench.rig.stop_live()


@pytest.mark.parametrize("camera", ["B", "S", "both"])
def test_a_camera_unplugged_in_a_burst_costs_the_open_shots(bench: Bench, camera: str) -> None:
    proven = []
    for _ in range(3):
        outcome = bench.take(f"unplug camera={camera} after=3")
        assert outcome.failure is not None
        assert "is lost" in outcome.failure.message
        assert outcome.failure.hint == "check cable and power"
        assert is_documented(outcome.failure.one_line()), outcome.failure.one_line()
        # The third frame of one camera may still be on its way when the other one's pulls the plug.
        assert outcome.paired in ([0, 1, 2], [0, 1]) or outcome.came_late
        proven.append(outcome.paired)
        if [0, 1, 2] in proven or camera == "both":
            return
        bench.mend()
    raise AssertionError(f"three times the third pair was not proven: {proven}")


def test_a_crash_of_the_makers_library_costs_the_open_shots(bench: Bench) -> None:
    outcome = bench.take("crash camera=S after=3")
    assert outcome.failure is not None
    assert "the maker's library crashed (SIGSEGV)" in outcome.failure.message
    assert is_documented(outcome.failure.one_line()), outcome.failure.one_line()
    assert set(outcome.paired) <= {0, 1, 2}
    assert len(outcome.paired) >= 2


def test_a_crash_at_rest_is_noticed(bench: Bench) -> None:
    bench.order("crash camera=B")
    until_lost(bench, "B")
    assert "the maker's library crashed (SIGSEGV)" in error_of(bench, "B").message


@pytest.mark.parametrize("call", ["event", "stream", "port"])
def test_a_call_that_hangs_for_a_while_costs_nothing(bench: Bench, call: str) -> None:
    outcome = bench.take(f"hang camera=S call={call} after=3 seconds=1")
    assert (outcome.struck, outcome.failure, len(outcome.paired)) == (1, None, PAIRS)


def test_a_call_that_never_comes_back_costs_the_open_shots(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rig.camera.process._SCIENCE_SILENCE_S", 1.0)
    monkeypatch.setattr("rig.camera.remote_frames._COUNTERS_S", 2.0)
    outcome = bench.take("hang camera=S call=event after=3")
    assert outcome.failure is not None
    assert isinstance(outcome.failure.__cause__, DeviceLost)
    assert "camera VR-S-0002 is lost" in outcome.failure.message
    assert is_documented(outcome.failure.one_line()), outcome.failure.one_line()
    assert outcome.paired == [0, 1, 2] or outcome.came_late
