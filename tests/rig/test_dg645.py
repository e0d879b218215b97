"""The DG645 driver sets bursts up and fires them, byte by byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import NotArmed, ProtocolError, TriggerError
from rig.trigger import BoxState, Pulse, PulsePlan
from rig.trigger.base import check_plan
from tests.rig.dg645_script import (
    AB,
    ARM,
    BURST,
    CD,
    CONFIGURE,
    FIRE,
    HELLO,
    PLAN,
    PROFILE,
    RESET,
    SAFE,
    open_on,
    sets,
)
from tests.rig.scripted_box import scripted

# -------------------------------------------------------------------------------------- configuring


def test_a_burst_is_set_up_checked_and_read_back() -> None:
    with scripted([*HELLO, *CONFIGURE, *SAFE]) as line, open_on(line) as box:
        applied = box.configure(PLAN)
        assert applied == PLAN
        assert box.state() is BoxState.CONFIGURED


def test_a_refused_value_is_an_error_in_words_and_leaves_the_box_safe() -> None:
    refused = sets("LAMP 1,5", "", "", error="10")
    with scripted([*HELLO, *SAFE, *refused, *SAFE, *SAFE]) as line, open_on(line) as box:
        with pytest.raises(TriggerError, match=r"refused 'LAMP 1,5': illegal value \(10\)"):
            box.configure(PLAN)
        assert box.state() is BoxState.SAFE


@pytest.mark.parametrize("answer", ["2,+0.020000000000", "0,+0.024564000000"])
def test_another_value_than_asked_is_an_error(answer: str) -> None:
    wrong = [*AB[:-1], ("DLAY?3", answer)]
    with (
        scripted([*HELLO, *SAFE, *wrong, *SAFE, *SAFE]) as line,
        open_on(line) as box,
        pytest.raises(TriggerError, match=r"the DG645 applied .* after 'DLAY 3,2,0.024564'"),
    ):
        box.configure(PLAN)


def test_an_answer_that_is_no_number_is_an_error() -> None:
    wrong = [("LAMP 1,5", None), ("LERR?", "0"), ("LAMP?1", "five")]
    with (
        scripted([*HELLO, *SAFE, *wrong, *SAFE, *SAFE]) as line,
        open_on(line) as box,
        pytest.raises(ProtocolError, match="answered 'five' to LAMP\\?1"),
    ):
        box.configure(PLAN)


def test_the_boxs_own_rounding_is_reported_as_applied() -> None:
    rounded = [*AB[:-1], ("DLAY?3", "2,+0.024563999998")]
    with scripted([*HELLO, *SAFE, *rounded, *CD, *BURST, *SAFE]) as line, open_on(line) as box:
        assert box.configure(PLAN).outputs["AB"].width_s == 0.024563999998


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (PulsePlan(0, 0.2, PLAN.outputs), "cannot fire 0 pulses"),
        (PulsePlan(8, 1e-9, PLAN.outputs), "cannot fire every 1e-09 s"),
        (PulsePlan(8, float("nan"), PLAN.outputs), "cannot fire every nan s"),
        (PulsePlan(8, 0.2, {}), "no output has a pulse"),
        (PulsePlan(8, 0.2, {"XY": Pulse(0, 0.01)}), "no output 'XY'"),
        (PulsePlan(8, 0.2, {"AB": Pulse(-0.1, 0.01)}), "delay of -0.1 s"),
        (PulsePlan(8, 0.2, {"AB": Pulse(0, 0)}), "pulse of 0 s"),
        (PulsePlan(8, 0.2, {"AB": Pulse(0.1, 0.1)}), "the next one comes after 0.2 s"),
    ],
)
def test_what_the_box_cannot_do_is_not_sent(plan: PulsePlan, said: str) -> None:
    with (
        scripted([*HELLO, *SAFE]) as line,
        open_on(line) as box,
        pytest.raises(TriggerError, match=said),
    ):
        box.configure(plan)


@given(delay=st.floats(0, 1), width=st.floats(1e-9, 1), spare=st.floats(1e-6, 1), count=st.integers(1, 1000))
def test_a_burst_lasts_until_the_end_of_its_last_pulse(
    delay: float, width: float, spare: float, count: int
) -> None:
    plan = PulsePlan(count, delay + width + spare, {"AB": Pulse(delay, width)})
    check_plan(plan, PROFILE.limits, "the box")
    assert plan.duration_s == pytest.approx((count - 1) * plan.period_s + delay + width)
    assert plan.duration_s < count * plan.period_s


# ------------------------------------------------------------------------------------------- firing


def test_a_whole_burst() -> None:
    running = [("INSR?", "0"), ("INSR?", "5"), ("INSR?", "13")]
    with scripted([*HELLO, *CONFIGURE, *ARM, *FIRE, *running, *SAFE]) as line, open_on(line) as box:
        box.configure(PLAN)
        box.arm()
        assert box.state() is BoxState.ARMED
        box.fire()
        assert box.state() is BoxState.RUNNING
        assert box.wait_done(timeout_s=5) == 8
        assert box.state() is BoxState.DONE
        assert box.shots() is None  # it has no counter
        assert box.done()  # and the box is not asked again


def test_the_same_burst_again_needs_arming_again() -> None:
    again = [*ARM, *FIRE, ("INSR?", "13")]
    with scripted([*HELLO, *CONFIGURE, *again, *again, *SAFE]) as line, open_on(line) as box:
        box.configure(PLAN)
        for _ in range(2):
            box.arm()
            box.fire()
            assert box.wait_done(timeout_s=5) == 8
            with pytest.raises(NotArmed, match="is done, not armed"):
                box.fire()


def test_nothing_is_fired_that_is_not_configured_and_armed() -> None:
    with scripted([*HELLO, *CONFIGURE, *SAFE]) as line, open_on(line) as box:
        with pytest.raises(NotArmed):
            box.arm()
        with pytest.raises(NotArmed):
            box.fire()
        box.configure(PLAN)
        with pytest.raises(NotArmed):
            box.fire()
        with pytest.raises(TriggerError, match="no burst is running"):
            box.done()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (3, "a trigger came while a burst was running"),
        (17, "pulses were inhibited"),
        (33 + 8, "aborted early"),  # an end of burst does not make up for it
        (65 + 8, "time base lost lock"),
    ],
)
def test_a_burst_with_a_fault_is_no_burst(status: int, said: str) -> None:
    script = [
        *HELLO,
        *CONFIGURE,
        *ARM,
        *FIRE,
        ("INSR?", str(status)),
        ("*RST", None),
        ("*CLS", None),
        ("LERR?", "0"),
    ]
    with scripted([*script, *SAFE]) as line, open_on(line) as box:
        box.configure(PLAN)
        box.arm()
        box.fire()
        for _ in range(2):  # reading the register has cleared it; the fault stays
            with pytest.raises(TriggerError, match=said):
                box.wait_done(timeout_s=5)


def test_a_burst_that_does_not_end_is_stopped_by_a_reset() -> None:
    script = [*HELLO, *CONFIGURE, *ARM, *FIRE, ("INSR?", "1"), *RESET, *SAFE, *SAFE]
    with scripted(script) as line, open_on(line) as box:
        box.configure(PLAN)
        box.arm()
        box.fire()
        with pytest.raises(TriggerError, match="has not ended its burst"):
            box.wait_done(timeout_s=0)
        box.safe()
        assert box.state() is BoxState.SAFE


def test_a_refused_trigger_is_an_error() -> None:
    script = [
        *HELLO,
        *CONFIGURE,
        *ARM,
        ("*TRG", None),
        ("LERR?", "11"),
        ("*RST", None),
        ("*CLS", None),
        ("LERR?", "0"),
        *SAFE,
    ]
    with scripted([*script, *SAFE]) as line, open_on(line) as box:
        box.configure(PLAN)
        box.arm()
        with pytest.raises(TriggerError, match=r"refused '\*TRG': illegal mode \(11\)"):
            box.fire()
