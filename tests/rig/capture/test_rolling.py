"""Proof while the burst runs, against bursts of known truth: no pair is ever wrong, good ones come early."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rig.capture.indexing import Burst, FrameStamp, Trace
from rig.capture.pairing import Match, Rejection
from rig.capture.rolling import OVERLAP, TOO_LATE, Rolling, Settled
from rig.capture.sight import Sight
from tests.rig.capture.rolling_bursts import PERIOD_NS, FaultyCamera, faulty_cameras, play


def matches(settled: list[Settled]) -> list[Match]:
    return [one.one for one in settled if isinstance(one.one, Match)]


def assert_true(settled: list[Settled], b: FaultyCamera, s: FaultyCamera) -> None:
    for match in matches(settled):
        assert b.truth[b.frames[match.b]] == match.index
        assert s.truth[s.frames[match.s]] == match.index


@settings(max_examples=300, deadline=None)
@given(st.data(), st.integers(1, 40), st.integers(-(10**15), 10**15))
def test_no_sequence_of_faults_ever_leads_to_a_wrong_pair(
    data: st.DataObject, pulses: int, offset_ns: int
) -> None:
    b, s = (data.draw(faulty_cameras(pulses, offset)) for offset in (0, offset_ns))
    fired = data.draw(st.none() | st.integers(1, pulses))
    early, rolling, closing = play(b, s, pulses, fired)
    assert_true([*early, *closing.settled], b, s)
    assert rolling.alarm == "", "a fault of the cameras is no contradiction"


@given(st.integers(2, 90), st.integers(0, 10**15), st.floats(-80, 80), st.integers(0, 50_000))
@settings(max_examples=20, deadline=None)
def test_without_faults_every_pair_is_settled_while_the_burst_runs(
    pulses: int, offset_ns: int, drift_ppm: float, jitter_ns: int
) -> None:
    b, s = FaultyCamera(), FaultyCamera(offset_ns=offset_ns, drift_ppm=drift_ppm, jitter_ns=jitter_ns)
    if 0 < (offset_ns + PERIOD_NS // 4) % PERIOD_NS < PERIOD_NS // 2:
        s.offset_ns += PERIOD_NS // 2  # two clocks that lie whole periods apart by chance prove nothing
    early, _, closing = play(b, s, pulses)
    assert [match.index for match in matches(early)] == list(range(pulses))
    assert closing.settled == closing.refused == ()


@given(st.integers(12, 40), st.data())
@settings(max_examples=30, deadline=None)
def test_after_a_lost_or_ignored_or_late_frame_the_proof_goes_on_while_the_burst_runs(
    where: int, data: st.DataObject
) -> None:
    fault = data.draw(st.sampled_from(["lost", "ignored", "late", "doubled"]))
    s = FaultyCamera()
    if fault in ("lost", "ignored"):
        getattr(s, fault).add(where)
    else:
        getattr(s, fault)[where] = 2
    b = FaultyCamera()
    early, _, closing = play(b, s, where + 20)
    assert_true(early, b, s)
    assert len(early) == where + 20
    rejected = [one.one.index for one in early if isinstance(one.one, Rejection)]
    assert rejected == ([where] if fault in ("lost", "ignored") else [])
    assert [one.reason for one in closing.refused] == (
        ["it was delivered twice"] if fault == "doubled" else []
    )


def test_a_frame_that_comes_when_its_shot_was_rejected_is_refused_and_costs_no_other() -> None:
    b, s = FaultyCamera(), FaultyCamera(late={10: 25})
    early, _, closing = play(b, s, 60)
    assert [one.one.index for one in early if isinstance(one.one, Rejection)] == [10]
    assert len(matches([*early, *closing.settled])) == 59
    assert [(one.camera, one.reason) for one in closing.refused] == [("S", TOO_LATE)]


def test_the_first_pulses_wait_for_the_third_as_a_spike_may_have_been_before_them() -> None:
    rolling = Rolling(Burst(5, PERIOD_NS), {"B": 0, "S": 0}, sound=True)
    stamps = [FrameStamp(index, index * PERIOD_NS) for index in range(3)]
    for count, settled in ((1, 0), (2, 0), (3, 3)):
        sight = Sight(stamps[:count], {0: count}, 0)
        assert len(rolling.advance({"B": sight, "S": sight})) == settled


def test_a_spike_before_the_burst_is_not_taken_for_its_first_pulse() -> None:
    b, s = FaultyCamera(), FaultyCamera(strays_ns=(-PERIOD_NS * 2 // 5,), lost={3})
    early, _, closing = play(b, s, 6)
    assert matches([*early, *closing.settled]) == []


def test_a_camera_that_does_not_count_ignored_triggers_is_proven_by_the_full_house_only() -> None:
    early, _, closing = play(FaultyCamera(), FaultyCamera(counts=False), 20)
    assert early == []
    assert len(matches(list(closing.settled))) == 20
    missed = FaultyCamera(counts=False, ignored={0})
    early, _, closing = play(FaultyCamera(), missed, 20)
    assert matches([*early, *closing.settled]) == []


def test_pulses_before_an_ignored_last_one_are_pairs_as_the_counter_stood_still_until_then() -> None:
    early, _, closing = play(FaultyCamera(), FaultyCamera(ignored={7}), 8)
    assert [match.index for match in matches(early)] == list(range(7))
    assert [one.one.index for one in closing.settled] == [7]


def test_only_a_few_proven_pulses_are_looked_at_again() -> None:
    rolling = Rolling(Burst(10_000, PERIOD_NS), {"B": 0, "S": 0}, sound=True)
    frames: list[FrameStamp] = []
    for index in range(1000):
        frames.append(FrameStamp(index, index * PERIOD_NS))
        sight = Sight(frames, {0: len(frames)}, 0)
        rolling.advance({"B": sight, "S": sight})
    assert rolling.settled == 1000
    assert rolling.settled - rolling._base <= 2 * OVERLAP


def test_one_exposure_more_than_pulses_is_an_alarm_and_nothing_open_becomes_a_pair() -> None:
    rolling = Rolling(Burst(6, PERIOD_NS), {"B": 0, "S": 0}, sound=True)
    stamps = [FrameStamp(index, index * PERIOD_NS) for index in range(7)]
    sight = Sight(stamps[:6], {0: 6}, 0)
    assert len(rolling.advance({"B": sight, "S": sight})) == 6
    trace = Trace(tuple(stamps), 0)
    closing = rolling.close({"B": trace, "S": trace}, complete=True)
    assert "exposed more often than the box was to fire" in rolling.alarm
    assert matches(list(closing.settled)) == []


def test_a_camera_that_tells_another_story_at_the_end_is_an_alarm() -> None:
    rolling = Rolling(Burst(50, PERIOD_NS), {"B": 0, "S": 0}, sound=True)
    stamps = tuple(FrameStamp(index, index * PERIOD_NS) for index in range(50))
    sight = Sight(stamps[:4], {0: 4}, 0)
    assert len(rolling.advance({"B": sight, "S": sight})) == 4
    closing = rolling.close({"B": Trace(stamps, 0), "S": Trace(stamps[1:], 0)}, complete=True)
    assert "the pair of pulse 0 is refuted" in rolling.alarm
    assert matches(list(closing.settled)) == []


def test_before_a_counter_was_read_there_is_neither_proof_nor_doubt() -> None:
    rolling = Rolling(Burst(50, PERIOD_NS), {"B": 0, "S": 0}, sound=True)
    stamps = [FrameStamp(index, index * PERIOD_NS) for index in range(3)]
    unread = Sight(stamps[:1], {}, None)
    assert rolling.advance({"B": unread, "S": unread}) == []
    read = Sight(stamps, {0: 3}, 0)
    assert len(rolling.advance({"B": read, "S": read})) == 3


def test_an_edge_that_nobody_counted_and_a_lost_first_frame_together_shift_no_pair() -> None:
    period = 200_000_000
    rolling = Rolling(Burst(80, period, earliest_ns=0), {"B": 0, "S": 0}, sound=True)
    b = [FrameStamp(index, index * period, index * period + 1000) for index in range(70)]
    # S's exposure 0 was of pulse 0 and its frame was lost; pulse 1 never arrived at its input.
    clock = period * 7 // 3
    s = [FrameStamp(i, (i + 1) * period + clock, (i + 1) * period + 1000) for i in range(1, 69)]
    settled = []
    for count in range(1, 70):
        seen = {"B": b[:count], "S": s[: max(count - 2, 0)]}
        settled += rolling.advance({name: Sight(one, {0: len(one)}, 0) for name, one in seen.items()})
    assert [
        match.index for match in matches(settled) if s[match.s].timestamp_ns != match.index * period
    ] == []


def test_a_spike_during_an_exposure_does_not_hold_up_the_proof_for_the_rest_of_the_burst() -> None:
    period, pulses, drift = 33_000_000, 3000, 80e-6
    rolling = Rolling(Burst(pulses, period), {"B": 0, "S": 0}, sound=True)
    b = [FrameStamp(index, index * period) for index in range(pulses)]
    s = [FrameStamp(index, 9_000_000 + round(index * period * (1 + drift))) for index in range(pulses)]
    ignored: dict[int, int] = {}
    for count in range(1, pulses + 1, 7):
        counted = int(count > 100)  # once, by a trigger that was no pulse
        ignored[counted] = count
        rolling.advance({"B": Sight(b[:count], {0: count}, 0), "S": Sight(s[:count], dict(ignored), counted)})
    assert rolling.settled > pulses - 20


def test_clocks_that_drift_by_whole_periods_in_a_long_burst_are_no_pulse_too_many() -> None:
    period, pulses, drift = 10_000_000, 15_000, 80e-6
    rolling = Rolling(Burst(pulses, period), {"B": 0, "S": 0}, sound=True)
    frames = [FrameStamp(index, round(index * period * (1 + drift))) for index in range(pulses)]
    early = Sight(frames[:4], {0: 4}, 0)
    assert len(rolling.advance({"B": early, "S": early})) == 4
    trace = Trace(tuple(frames), 0)
    closing = rolling.close({"B": trace, "S": trace}, complete=True)
    assert rolling.alarm == ""
    assert len(matches(list(closing.settled))) == pulses - 4
