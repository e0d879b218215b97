"""Takes of every schedule on the virtual rig: by hand, at intervals, until stopped, with a pre-roll."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from rig import Rig
from rig.capture.disk import DiskState
from rig.capture.findings import Finding
from rig.capture.flow import TakeCounters
from rig.capture.result import Shot, TakeResult
from rig.capture.schedule import ByHand, Counted, Interval, Schedule, TakeControl, UntilStopped
from rig.errors import CaptureError
from rig.exposure import ExposurePlan
from rig.records import RawPair
from rig.session import Session

PATIENCE_S = 60


@pytest.fixture
def ready(rig: Rig, plan: ExposurePlan) -> Rig:
    rig.apply_plan(plan)
    return rig


class Running:
    """A take in a thread of its own, as an app makes it."""

    def __init__(self, rig: Rig, session: Session, schedule: Schedule, **options: object) -> None:
        self.control = TakeControl()
        self.shots: list[Shot] = []
        self._rig = rig
        self._options = {
            "schedule": schedule, "control": self.control, "on_shot": self.shots.append, **options,
        }  # fmt: skip
        self._session = session
        self.outcome: list[TakeResult | BaseException] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            result = self._rig.capture(self._session, "s01", "static", **self._options)  # type: ignore[arg-type]
            self.outcome.append(result)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.outcome.append(error)

    def until(self, condition: Callable[[TakeCounters], bool]) -> TakeCounters:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            now = self._rig.status().take
            if now is not None and condition(now):
                return now
            assert not self.outcome, self.outcome
            assert time.monotonic() < deadline, now
            time.sleep(0.01)

    def end(self) -> TakeResult:
        self._thread.join(PATIENCE_S)
        (result,) = self.outcome
        assert isinstance(result, TakeResult), result
        return result


def test_pairs_are_on_the_disk_while_the_take_runs(ready: Rig, session: Session) -> None:
    running = Running(ready, session, Counted(40, 0.25))
    now = running.until(lambda take: take.paired >= 3)
    assert now.paired < 40
    assert (now.scene, now.kind, now.asked, now.phase, now.disk_level) == (
        "s01",
        "static",
        40,
        "shooting",
        "ok",
    )
    with Session.open(session.root) as another:  # what a reader of the folder sees at that moment
        known = another.pairs()
        assert len(known) >= 3
        assert known[0].load().b.trigger_index == 0
    running.control.stop()
    result = running.end()
    assert (result.state, result.paired) == ("cancelled", result.fired)
    assert [pair.index for pair in session.pairs()] == list(range(result.fired))
    assert session.problems() == []
    assert ready.status().take is None


def test_by_hand_each_press_is_a_volley_and_the_index_runs_on(ready: Rig, session: Session) -> None:
    running = Running(ready, session, ByHand(pairs_a_press=2))
    for presses in (1, 2):
        running.until(lambda take: take.phase == "waiting")
        running.control.fire()
        running.until(lambda take, wanted=2 * presses: take.paired == wanted)  # type: ignore[misc]
    running.control.stop()
    result = running.end()
    assert (result.state, result.fired, result.paired) == ("complete", 4, 4)
    assert [pair.index for pair in session.pairs()] == [0, 1, 2, 3]
    ids = [pair.meta_b["frame_id"] for pair in session.pairs()]
    assert ids == list(range(ids[0], ids[0] + 4)), "the cameras stayed armed between the presses"
    (take,) = session.takes()
    assert (take.state, take.asked, take.details["schedule"]["type"]) == ("complete", 0, "ByHand")


def test_an_intervalometer_fires_one_pulse_at_a_time(ready: Rig, session: Session) -> None:
    started = time.monotonic()
    result = Running(ready, session, Interval(0.6, pairs=3)).end()
    assert time.monotonic() - started >= 1.2
    assert (result.state, result.paired) == ("complete", 3)
    starts = [pair.meta_s["timestamp_ns"] for pair in session.pairs()]
    assert all(later - earlier > 0.3e9 for earlier, later in pairwise(starts))


def test_until_stopped_ends_with_every_pulse_settled(ready: Rig, session: Session) -> None:
    running = Running(ready, session, UntilStopped(0.25))
    running.until(lambda take: take.paired >= 4)
    running.control.stop()
    result = running.end()
    assert result.state == "complete"
    assert result.paired == result.fired >= 4
    assert session.problems() == []


def test_a_pre_roll_that_is_kept_writes_the_seconds_before_the_button(ready: Rig, session: Session) -> None:
    running = Running(ready, session, UntilStopped(0.25, preroll_s=1.0))
    now = running.until(lambda take: take.fired >= 12)
    assert session.pairs() == []
    assert list((session.root / "scenes").rglob("*.dng*")) == []
    running.control.keep()
    running.until(lambda take: take.phase == "shooting" and take.paired >= 4)
    running.control.stop()
    result = running.end()
    assert result.discarded >= 1
    assert result.discarded + result.paired == result.fired
    indices = [pair.index for pair in session.pairs()]
    assert indices == list(range(result.discarded, result.fired))
    assert now.fired - 5 <= indices[0] <= now.fired + 2, "the second before the button is there"
    assert session.problems() == []


def test_a_pre_roll_that_is_not_kept_writes_nothing_but_its_take(ready: Rig, session: Session) -> None:
    running = Running(ready, session, UntilStopped(0.25, preroll_s=0.5))
    running.until(lambda take: take.fired >= 3)
    running.control.stop()
    result = running.end()
    assert (result.paired, result.discarded) == (0, result.fired)
    assert [path.name for path in (session.root / "scenes" / "s01" / "static").iterdir()] == []
    (take,) = session.takes()
    assert (take.state, take.outcome["kept"], take.outcome["discarded"]) == ("complete", False, result.fired)


def test_a_pre_roll_that_does_not_fit_into_memory_is_refused(ready: Rig, session: Session) -> None:
    with pytest.raises(CaptureError, match="GB of memory") as refused:
        ready.capture(session, "s01", "static", schedule=UntilStopped(0.05, preroll_s=100_000))
    assert "at most" in refused.value.hint
    assert session.takes() == []


def test_warm_up_shots_are_fired_thrown_away_and_journalled(ready: Rig, session: Session) -> None:
    result = ready.capture(session, "s01", "static", 2, period_s=0.25, warmup=3)
    assert (result.fired, result.paired) == (2, 2)
    assert [pair.index for pair in session.pairs()] == [0, 1]
    (event,) = [event for event in session.journal.events() if event["event"] == "warmup"]
    assert (event["pulses"], event["frames"], event["notes"]) == (3, {"B": 3, "S": 3}, [])
    first = session.pairs()[0].meta_b["frame_id"]
    assert first == 3, "the cameras stayed armed, and the warm-up's frames count"


def test_a_finding_that_says_stop_ends_the_take_and_keeps_its_pair(ready: Rig, session: Session) -> None:
    def check(pair: RawPair) -> list[Finding]:
        if pair.b.trigger_index != 1:
            return [Finding("note", "fine")]
        return [Finding("stop", "the frame of B is black", "is the cap on?", 0.0)]

    result = ready.capture(session, "s01", "static", 200, period_s=0.25, check=check)
    assert result.state == "stopped"
    assert "the frame of B is black (is the cap on?)" in result.reason
    assert 2 <= result.fired < 200
    assert session.pairs()[1].warnings == ("the frame of B is black (is the cap on?)",)
    assert session.takes()[0].outcome["reason"] == result.reason


def test_at_the_hard_limit_of_the_disk_the_take_stops_and_nothing_is_lost(
    ready: Rig, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The disk of another cannot be filled; what the guard sees of it is all that is changed.
    looks = iter(range(10_000))

    def shrinking(guard: object) -> DiskState:
        look = next(looks)
        return DiskState(100 - look, 10**9, "ok" if look < 20 else "soft" if look < 120 else "hard")

    monkeypatch.setattr("rig.capture.disk.DiskGuard.left", shrinking)
    result = ready.capture(session, "s01", "static", 50, period_s=0.25)
    assert result.state == "stopped"
    assert "which is the limit" in result.reason
    assert result.paired == result.fired < 50
    assert any("make room soon" in warning for warning in result.warnings)
    assert session.problems() == []


def test_the_live_view_goes_on_during_a_take_at_a_lower_rate(ready: Rig, session: Session) -> None:
    ready.start_live()
    running = Running(ready, session, Counted(24, 0.1))
    running.until(lambda take: take.phase == "shooting")
    seen: list[int] = []
    began = time.monotonic()
    while not running.outcome:
        found = ready.latest("S", seen[-1] if seen else 0)
        if found is not None:
            seen.append(found[0])
        time.sleep(0.005)
    spent = time.monotonic() - began
    ready.stop_live()
    assert running.end().paired == 24
    assert len(seen) >= 3
    assert seen == sorted(set(seen))
    assert len(seen) <= spent * ready.profile.live_rate_hz / 2 + 2


def test_frames_of_earlier_triggers_are_thrown_away_before_a_volley(ready: Rig, session: Session) -> None:
    running = Running(ready, session, ByHand())
    running.until(lambda take: take.phase == "waiting")
    stray(ready)
    running.control.fire()
    running.until(lambda take: take.paired == 1)
    running.control.stop()
    result = running.end()
    assert (result.fired, result.paired) == (1, 1)
    assert [line.split(":")[1] for line in result.refused] == [" it came without a pulse of the take"] * 2


def stray(rig: Rig) -> None:
    """Fire the box once behind the take's back: the cameras, which wait for a pulse, cannot know."""
    before = rig.cameras["S"].counters(fresh=True).delivered
    rig.box.arm()
    rig.box.fire()
    rig.box.wait_done(5)
    deadline = time.monotonic() + 10
    while rig.cameras["S"].counters(fresh=True).delivered == before:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.2)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Counted(0), lambda: Counted(3, -1.0), lambda: ByHand(0), lambda: Interval(float("nan")),
        lambda: UntilStopped(0.2, -1.0),
    ],
)  # fmt: skip
def test_an_impossible_schedule_is_refused(make: Callable[[], Schedule]) -> None:
    with pytest.raises(CaptureError):
        make()


def test_an_interval_shorter_than_exposure_and_readout_is_refused(ready: Rig, session: Session) -> None:
    for schedule in (Interval(0.01), UntilStopped(0.01)):
        with pytest.raises(CaptureError, match="too short for this plan"):
            ready.capture(session, "s01", "static", schedule=schedule)


def test_names_of_shots_keep_their_form_beyond_9999(session: Session) -> None:
    path = session.shot_path("s01", "action", 2, 12_345, "B")
    assert path == Path(session.root) / "scenes" / "s01" / "action" / "t02_12345_B.dng"
