"""Single pulses on two clocks that run freely: the pair before is the witness that they lack."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rig import Rig
from rig.capture.flow import TakeCounters
from rig.capture.pairing import Burst, FrameStamp, Pairing, Trace, pair
from rig.capture.reference import Reference, Witness
from rig.capture.result import TakeResult
from rig.capture.schedule import ByHand, TakeControl
from rig.session import Session
from rig.virtual.client import WorldClient
from tests.rig.capture.test_schedules import stray
from tests.rig.small_rig import small_plan, small_rig

PERIOD_NS = 60_000_000
APART_NS = 7_000_000_123


def single(at_ns: int, spike_ns: int = 0, drift_ppm: float = 0.0) -> Pairing:
    """Pair one pulse at a time after the reference; S's frame may be of a spike so much before or after."""
    s_ns = APART_NS + round(at_ns * (1 + drift_ppm * 1e-6)) + spike_ns
    burst = Burst(1, PERIOD_NS, reference=Reference(0, APART_NS))
    return pair(burst, Trace((FrameStamp(4, at_ns),), 0, 4), Trace((FrameStamp(4, s_ns),), 0, 4))


@pytest.mark.parametrize("spike_ns", [-41_000_000, 300_000, 60_000_000])
def test_a_frame_of_a_spike_does_not_fit_the_distance_of_the_clocks(spike_ns: int) -> None:
    result = single(400_000_000, spike_ns)
    assert result.pairs == ()
    assert result.off_ns == spike_ns
    assert f"{spike_ns / 1e6:.3f} ms further apart than those of the pair before" in result.rejected[0].reason


@pytest.mark.parametrize("drift_ppm", [-150.0, 0.0, 150.0])
@pytest.mark.parametrize("at_s", [1, 60, 3600])
def test_clocks_that_drift_apart_between_two_presses_contradict_nothing(drift_ppm: float, at_s: int) -> None:
    assert len(single(at_s * 10**9, drift_ppm=drift_ppm).pairs) == 1


def test_a_burst_that_is_shifted_by_a_period_does_not_fit_the_pair_before() -> None:
    b = Trace(tuple(FrameStamp(n, n * PERIOD_NS) for n in range(5)), 0)
    s = Trace(tuple(FrameStamp(n, APART_NS + (n - 1) * PERIOD_NS) for n in range(5)), 0)
    assert len(pair(Burst(5, PERIOD_NS), b, s).pairs) == 5, "without a witness nobody can see it"
    assert pair(Burst(5, PERIOD_NS, reference=Reference(-(10**9), APART_NS)), b, s).pairs == ()


def test_of_two_pairs_that_contradict_each_other_none_is_trusted_unless_a_third_speaks_for_it() -> None:
    witness = Witness()
    witness.confirm(Reference(0, APART_NS), range(1), free=True)
    assert witness.refute() == range(1)
    for pulse in range(2):
        witness.confirm(Reference(pulse, APART_NS), range(pulse, pulse + 1), free=True)
    assert witness.refute() == range(0)
    witness.confirm(Reference(0, APART_NS), range(1), free=False)
    assert witness.refute() == range(0), "on one clock a pair needs no other"


def test_only_a_frame_that_may_be_of_the_last_pulse_casts_doubt_on_a_volley() -> None:
    within_ns, jitter_ns = 5 * 10**9, 200_000
    witness = Witness()
    witness.confirm(Reference(0, APART_NS), range(3, 4), free=True)
    witness.ended_ns = {"B": 0, "S": 10**12}
    assert witness.overtaken("S", 10**12 + 40_000_000, PERIOD_NS, jitter_ns, within_ns)
    assert not witness.overtaken("S", 10**12 + 6 * 10**9, PERIOD_NS, jitter_ns, within_ns)
    witness.confirm(Reference(0, APART_NS), range(4, 9), free=True)
    assert witness.overtaken("B", PERIOD_NS, PERIOD_NS, jitter_ns, within_ns)
    assert not witness.overtaken("B", PERIOD_NS // 2, PERIOD_NS, jitter_ns, within_ns)


def cross_talk(pulses: int, ignored: int) -> Pairing:
    """B's edge also reaches S, a delay too early; S ignores its own pulse so many times."""
    frames = tuple(FrameStamp(n, n * PERIOD_NS) for n in range(pulses))
    return pair(Burst(pulses, PERIOD_NS), Trace(frames, 0), Trace(frames, ignored))


@pytest.mark.parametrize("pulses", [2, 3, 8, 500])
def test_a_full_house_of_a_camera_that_ignored_as_many_triggers_is_cross_talk(pulses: int) -> None:
    result = cross_talk(pulses, pulses)
    assert result.pairs == ()
    assert "cross-talk" in result.rejected[0].reason
    assert "ringing" in result.rejected[0].reason


@pytest.mark.parametrize("ignored", [1, 2])
def test_one_or_two_ignored_triggers_beside_a_full_house_are_spikes(ignored: int) -> None:
    assert len(cross_talk(8, ignored).pairs) == 8


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with Rig.open(small_rig(tmp_path_factory.mktemp("small"))) as rig:
        rig.apply_plan(small_plan(rig.source))
        yield rig


@pytest.fixture
def record(small: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    # The virtual cameras share a clock; not taking them at their word makes two free ones of it.
    monkeypatch.setattr("rig.capture.pairing.COMMON_CLOCK_NS", -1)
    monkeypatch.setattr(small, "source", small.source.model_copy(update={"shared_clock": False}))
    with Session.create(tmp_path / "session", small.source) as session:
        session.add_scene("s01", small_plan(small.source))
        yield session


class Presses:
    """A take by hand in a thread of its own."""

    def __init__(self, rig: Rig, session: Session) -> None:
        self.rig, self.control, self.result = rig, TakeControl(), list[TakeResult]()
        self._thread = threading.Thread(target=self._run, args=(session,), daemon=True)
        self._thread.start()

    def _run(self, session: Session) -> None:
        control = self.control
        self.result.append(self.rig.capture(session, "s01", "action", schedule=ByHand(), control=control))

    def until(self, condition: Callable[[TakeCounters], bool]) -> None:
        deadline = time.monotonic() + 60
        while (now := self.rig.status().take) is None or not condition(now):
            assert time.monotonic() < deadline, now
            time.sleep(0.01)

    def end(self) -> TakeResult:
        self._thread.join(60)
        return self.result[0]


def test_a_frame_that_comes_late_takes_the_pair_before_back_and_the_take_goes_on(
    small: Rig, record: Session
) -> None:
    take = Presses(small, record)
    take.control.fire()
    take.until(lambda now: now.paired == 1 and now.phase == "waiting")
    stray(small)
    take.control.fire()
    take.control.fire(last=True)  # no press, but the end of them
    result = take.end()
    assert (result.state, result.paired, result.rejected) == ("complete", 1, 1)
    assert [pair.index for pair in record.pairs()] == [1]
    assert "may be the true one of its pulse" in record.rejected()[0].sync.reason
    assert "were taken back (0)" in result.warnings[0]
    assert record.problems() == []


def test_two_presses_that_contradict_each_other_give_no_pair_and_the_next_ones_do(
    small: Rig, record: Session
) -> None:
    world = WorldClient(small.run_dir)
    take = Presses(small, record)
    take.control.fire()
    take.until(lambda now: now.paired == 1 and now.phase == "waiting")
    world.fault("skew", skew_us=20_000)
    take.control.fire()
    take.until(lambda now: now.rejected == 2 and now.phase == "waiting")
    world.clear_faults()
    take.control.fire()
    take.control.fire()
    take.control.fire(last=True)  # no press, but the end of them
    result = take.end()
    assert (result.state, result.paired, result.rejected) == ("complete", 2, 2)
    assert [pair.index for pair in record.pairs()] == [2, 3]
