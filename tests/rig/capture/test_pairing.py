"""Pairing against simulated bursts whose truth is known: no pair is ever wrong, good shots are kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from rig.capture.pairing import Burst, FrameStamp, Pairing, Trace, pair

PERIOD_NS = 200_000_000


@dataclass
class Camera:
    """What happens to the pulses in one camera, and what it will say."""

    ignored: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)
    doubled: set[int] = field(default_factory=set)
    strays_ns: tuple[int, ...] = ()
    offset_ns: int = 0
    drift_ppm: float = 0.0
    jitter_ns: int = 0
    counts_ignored: bool = True
    first_id: int | None = 0
    truth: dict[FrameStamp, int | None] = field(default_factory=dict)

    def trace(self, pulses: int, fired: int | None = None) -> Trace:
        exposures: list[tuple[int, int | None]] = [(time, None) for time in self.strays_ns]
        for index in range(pulses if fired is None else fired):
            if index not in self.ignored:
                exposures.append((index * PERIOD_NS + (-1) ** index * self.jitter_ns, index))
        frames = []
        for number, (time, index) in enumerate(sorted(exposures, key=lambda item: item[0])):
            stamp = FrameStamp(
                number + (self.first_id or 0), self.offset_ns + round(time * (1 + self.drift_ppm * 1e-6))
            )
            self.truth[stamp] = index
            if index not in self.lost:
                frames += [stamp] * (2 if index in self.doubled else 1)
        return Trace(tuple(frames), len(self.ignored) if self.counts_ignored else None, self.first_id)


def run(pulses: int, b: Camera, s: Camera, **burst: object) -> Pairing:
    """Pair, and check what must hold whatever happened."""
    trace_b, trace_s = b.trace(pulses), s.trace(pulses)
    result = pair(Burst(pulses, PERIOD_NS, **burst), trace_b, trace_s)  # type: ignore[arg-type]
    for match in result.pairs:
        assert b.truth[trace_b.frames[match.b]] == match.index
        assert s.truth[trace_s.frames[match.s]] == match.index
    assert sorted([m.index for m in result.pairs] + [r.index for r in result.rejected]) == list(
        range(result.fired)
    )
    assert all(rejection.reason for rejection in result.rejected)
    return result


@st.composite
def faulty(draw: st.DrawFn, pulses: int, offset_ns: int) -> Camera:
    # A sensor cannot start twice within one exposure: a stray keeps its distance from the pulses.
    places = st.tuples(st.integers(-3, pulses), st.floats(0.1, 0.9))
    stray = places.map(lambda place: round((place[0] + place[1]) * PERIOD_NS))
    strays = st.lists(stray, max_size=1).map(tuple)
    some = st.sets(st.integers(0, pulses - 1), max_size=3)
    return Camera(
        ignored=draw(some),
        lost=draw(some),
        doubled=draw(some),
        strays_ns=draw(strays) if pulses > 1 else (),
        offset_ns=offset_ns,
        drift_ppm=draw(st.floats(-50, 50)),
        jitter_ns=draw(st.integers(0, 20_000)),
        counts_ignored=draw(st.booleans()),
        first_id=draw(st.sampled_from([0, 1, None])),
    )


@given(st.data(), st.integers(1, 12), st.integers(-(10**15), 10**15))
def test_no_fault_ever_leads_to_a_wrong_pair(data: st.DataObject, pulses: int, offset_ns: int) -> None:
    b, s = (data.draw(faulty(pulses, offset)) for offset in (0, offset_ns))
    run(pulses, b, s)


@given(
    st.integers(2, 40),
    st.sampled_from([0, 1]),
    st.integers(10**9, 10**15),
    st.floats(-80, 80),
    st.integers(0, 50_000),
)
def test_without_faults_every_pulse_gives_a_pair_on_any_two_clocks(
    pulses: int, first_id: int, offset_ns: int, drift_ppm: float, jitter_ns: int
) -> None:
    offset_ns += PERIOD_NS // 3 - offset_ns % PERIOD_NS
    s = Camera(offset_ns=offset_ns, drift_ppm=drift_ppm, jitter_ns=jitter_ns, first_id=first_id)
    result = run(pulses, Camera(), s)
    assert len(result.pairs) == pulses
    assert result.clock == "fitted"


@given(st.integers(3, 20), st.data())
def test_a_lost_frame_costs_its_own_shot_only(pulses: int, data: st.DataObject) -> None:
    lost = data.draw(st.integers(0, pulses - 1))
    result = run(pulses, Camera(), Camera(lost={lost}))
    assert [rejection.index for rejection in result.rejected] == [lost]
    assert result.rejected[0].reason.startswith("camera S:")


@given(st.integers(4, 20), st.data())
def test_an_ignored_trigger_inside_the_burst_costs_its_own_shot_only(
    pulses: int, data: st.DataObject
) -> None:
    ignored = data.draw(st.integers(1, pulses - 2))
    result = run(pulses, Camera(ignored={ignored}), Camera())
    assert [rejection.reason for rejection in result.rejected] == ["camera B: it ignored the trigger"]


def test_when_the_first_or_the_last_trigger_was_ignored_nobody_can_tell_which() -> None:
    result = run(8, Camera(), Camera(ignored={0}))
    assert result.pairs == ()
    assert "may belong to any of the pulses 0 to 1" in result.rejected[0].reason


def test_one_pulse_is_proven_by_its_number() -> None:
    assert len(run(1, Camera(), Camera()).pairs) == 1
    stale = Trace((FrameStamp(5, 0),), 0)
    assert pair(Burst(1, PERIOD_NS), stale, Trace((FrameStamp(0, 0),), 0)).pairs == ()


def test_one_frame_of_several_pulses_proves_nothing() -> None:
    result = run(4, Camera(), Camera(lost={0, 1, 3}))
    assert result.pairs == ()


def test_a_frame_delivered_twice_is_used_once() -> None:
    result = run(5, Camera(), Camera(doubled={2}))
    assert len(result.pairs) == 5
    assert [(refusal.camera, refusal.reason) for refusal in result.refused] == [
        ("S", "it was delivered twice")
    ]


def test_a_frame_between_the_pulses_is_refused_and_the_others_are_kept() -> None:
    result = run(6, Camera(), Camera(strays_ns=(2 * PERIOD_NS + PERIOD_NS // 3,)))
    assert len(result.pairs) == 6
    assert [refusal.reason for refusal in result.refused] == [
        "it started at a time at which the box gave no pulse"
    ]


def test_a_stray_exposure_together_with_a_lost_frame_proves_nothing() -> None:
    result = run(6, Camera(), Camera(strays_ns=(-PERIOD_NS // 3,), lost={5}))
    assert result.pairs == ()


def test_frames_that_come_in_another_order_are_paired_by_their_times() -> None:
    b = Camera().trace(4)
    s = Trace(tuple(reversed(Camera().trace(4).frames)), 0)
    result = pair(Burst(4, PERIOD_NS), b, s)
    assert [(match.index, match.b, match.s) for match in result.pairs] == [
        (0, 0, 3),
        (1, 1, 2),
        (2, 2, 1),
        (3, 3, 0),
    ]


def test_times_that_are_shifted_by_whole_periods_are_not_trusted() -> None:
    result = run(6, Camera(), Camera(offset_ns=PERIOD_NS))
    assert result.pairs == ()
    assert "exactly 1 periods" in result.rejected[0].reason


def test_on_one_clock_the_skew_is_the_true_distance_of_the_two_starts() -> None:
    result = run(6, Camera(), Camera(offset_ns=37_000))
    assert result.clock == "common"
    assert [match.skew_us for match in result.pairs] == [37.0] * 6


def test_a_planned_delay_of_s_is_not_a_skew() -> None:
    result = run(6, Camera(), Camera(offset_ns=4_000_000), s_delay_ns=4_000_000)
    assert [match.skew_us for match in result.pairs] == [0.0] * 6


@given(st.integers(2, 10), st.integers(2, 10))
def test_after_a_cancel_the_shots_that_were_fired_are_kept(pulses: int, fired: int) -> None:
    fired = min(fired, pulses)
    trace = Camera().trace(pulses, fired)
    result = pair(Burst(pulses, PERIOD_NS, complete=False), trace, trace)
    assert (result.fired, len(result.pairs)) == (fired, fired)


def test_a_camera_that_was_silent_is_named_in_every_shot() -> None:
    result = pair(Burst(3, PERIOD_NS), Camera().trace(3), Trace((), 0))
    assert {rejection.reason for rejection in result.rejected} == {"camera S: it delivered no frame"}
    assert [rejection.b for rejection in result.rejected] == [0, 1, 2]


def test_a_camera_on_another_period_is_refused() -> None:
    wrong = Trace(tuple(FrameStamp(number, number * PERIOD_NS * 3 // 4) for number in range(6)), 0)
    result = pair(Burst(6, PERIOD_NS), Camera().trace(6), wrong)
    assert result.pairs == ()
    assert "do not fit the period" in result.rejected[0].reason


def test_one_pair_on_two_clocks_has_no_skew_that_could_be_told() -> None:
    result = run(1, Camera(), Camera(offset_ns=10**12))
    assert [(match.skew_us, match.residual_us) for match in result.pairs] == [(None, None)]
