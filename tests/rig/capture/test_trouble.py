"""Takes that meet trouble on the virtual rig: no proven shot is lost, and the journal tells the truth."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from rig import Rig
from rig.capture.result import Shot, TakeFailed
from rig.exposure import ExposurePlan, plan_exposure
from rig.records import RawPair
from rig.session import Session


def world_pid(rig: Rig) -> int:
    """The companion's process, found by the private folder that it was given."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue  # it ended while we looked
        if b"rig.virtual.world" in line and os.fsencode(rig.run_dir) in line:
            return int(path.parent.name)
    raise LookupError("the world does not run")


def test_when_the_world_dies_in_a_take_the_shots_until_then_are_kept(tmp_path: Path) -> None:
    with Rig.open("virtual") as rig:
        plan = plan_exposure(rig.source, speed_mps=1.4, distance_m=5.0, blur_s_px=4.0)
        rig.apply_plan(plan)
        with Session.create(tmp_path / "session", rig.source) as session:
            session.add_scene("s01", plan)
            pid = world_pid(rig)

            def kill() -> None:
                parts = session.root / "scenes" / "s01" / "static"
                while len(list(parts.glob("*.dng*"))) < 6:
                    pause.wait(0.05)
                os.kill(pid, signal.SIGKILL)

            pause = threading.Event()
            killer = threading.Thread(target=kill, daemon=True)
            killer.start()
            with pytest.raises(TakeFailed) as failed:
                rig.capture(session, "s01", "static", 200, period_s=0.4)
            killer.join(5)
            result = failed.value.result
            assert result.paired >= 1
            assert len(session.pairs()) == result.paired
            assert "rig.virtual.world" in failed.value.hint
            (take,) = session.takes()
            assert (take.state, take.outcome["paired"]) == ("failed", result.paired)
            assert session.problems() == []


@pytest.fixture
def ready(rig: Rig, plan: ExposurePlan) -> Rig:
    rig.apply_plan(plan)
    return rig


def test_a_take_that_is_cancelled_before_its_first_pulse_fires_none(ready: Rig, session: Session) -> None:
    cancel = threading.Event()
    cancel.set()
    result = ready.capture(session, "s01", "static", 3, cancel=cancel)
    assert (result.state, result.fired, result.shots) == ("cancelled", 0, ())


def test_who_is_told_of_a_shot_may_fail_and_every_shot_is_recorded(ready: Rig, session: Session) -> None:
    def tell(shot: Shot) -> None:
        raise RuntimeError("the window is gone")

    with pytest.raises(TakeFailed, match="the window is gone"):
        ready.capture(session, "s01", "static", 2, period_s=0.5, on_shot=tell)
    assert len(session.pairs()) == 2
    assert [take.state for take in session.takes()] == ["failed"]


def test_a_check_that_breaks_is_a_warning_of_its_pair(ready: Rig, session: Session) -> None:
    def check(pair: RawPair) -> list[str]:
        return [str(pair.b.pixels[10**6])]

    result = ready.capture(session, "s01", "static", 1, check=check)
    assert result.state == "complete"
    assert "IndexError" in session.pairs()[0].warnings[0]


def test_every_setting_is_made_and_read_back_for_each_take(ready: Rig, session: Session) -> None:
    ready.cameras["S"].write("$gain_db", 6.0)
    ready.capture(session, "s01", "static", 1)
    (pair,) = session.pairs()
    assert pair.meta_s["gain_db"] == 0.0
    recorded = session.takes()[0].details["settings"]["S"]
    read_back = {one["name"]: one["applied"] for one in recorded if not one["selector"]}
    assert read_back["Gain"] == 0.0
    assert read_back["PixelFormat"] == "BayerRG12"
    assert read_back["TriggerSource"] == "Line0"


def test_a_full_disk_under_the_journal_is_told_and_the_frames_stay(ready: Rig, session: Session) -> None:
    def fill(pair: RawPair) -> list[str]:
        full = os.open("/dev/full", os.O_RDWR)
        os.dup2(full, session.journal._file)
        os.close(full)
        return []

    with pytest.raises(TakeFailed, match="No space left") as failed:
        ready.capture(session, "s01", "static", 2, period_s=0.5, check=fill)
    assert failed.value.result.paired == 0
    assert all("journal" in shot.reason for shot in failed.value.result.shots)
    with Session.open(session.root) as again:
        assert [take.state for take in again.takes()] == ["unfinished"]
        assert sum("is in no pair" in problem for problem in again.problems()) == 4
