"""S at the start, the centre or the end of B's exposure: pulses, plans, what a box cannot do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.errors import PlanError
from rig.exposure import ExposurePlan, place_again, plan_exposure
from rig.placement import PLACEMENTS, Placement, explain, pulses, s_delay_ns
from rig.profiles import load_rig, profile_text
from rig.records import SyncProof
from rig.trigger.base import PulsePlan

RIG = load_rig("virtual")


@given(short=st.floats(10, 1e5), factor=st.floats(1, 100))
def test_start_centre_and_end_align_the_edges_or_the_middles(short: float, factor: float) -> None:
    exposure_us = {"B": short * factor, "S": short}
    for placement, share in (("start", 0.0), ("centre", 0.5), ("end", 1.0)):
        made = pulses(exposure_us, placement)
        b, s = made["B"], made["S"]
        at_b, at_s = (pulse.delay_s + share * pulse.width_s for pulse in (b, s))
        assert at_s == pytest.approx(at_b, abs=2e-12)
        assert (b.width_s, s.width_s) == (pytest.approx(short * factor * 1e-6), pytest.approx(short * 1e-6))


def test_s_is_never_triggered_before_b() -> None:
    assert pulses({"B": 100.0, "S": 101.0}, "end")["S"].delay_s == 0


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_a_plan_tells_where_s_lies_and_survives_json(placement: Placement) -> None:
    plan = plan_exposure(RIG, speed_mps=1.4, blur_s_px=4, placement=placement)
    assert plan.placement == placement
    assert plan.s_delay_us == pytest.approx({"start": 0, "centre": 10747, "end": 21494}[placement])
    assert ExposurePlan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


def test_plans_from_before_placements_are_at_the_start() -> None:
    data = plan_exposure(RIG, speed_mps=1.4, blur_s_px=4).to_dict()
    for name in ("placement", "s_delay_us", "exposure_control"):
        del data[name]
    assert ExposurePlan.from_dict(data).placement == "start"


def test_the_text_names_the_delay() -> None:
    assert "S opens 10.75 ms after B for 3.07 ms" in explain({"B": 24564, "S": 3070}, "centre")


def test_the_rigs_usual_place_holds_when_none_is_named() -> None:
    rig = RIG.model_copy(update={"placement": "end"})
    assert plan_exposure(rig, speed_mps=1.4, blur_s_px=4).placement == "end"


def test_a_slow_readout_of_s_after_a_late_start_lengthens_the_period(tmp_path: Path) -> None:
    """S alone reads out for 20 ms: at the end of B that is what the next trigger has to wait for."""
    slow = profile_text("virtual_camera").replace("readout_us: 13000", "readout_us: 20000")
    (tmp_path / "slow.yaml").write_text(slow.replace("name: virtual_camera", "name: slow"), encoding="utf-8")
    text = profile_text("virtual")
    head, tail = text.split("  S:", maxsplit=1)
    mine = head + "  S:" + tail.replace("profile: virtual_camera", "profile: slow.yaml", 1)
    (tmp_path / "mine.yaml").write_text(mine, encoding="utf-8")
    rig = load_rig(tmp_path / "mine.yaml")
    at = {
        placement: plan_exposure(rig, speed_mps=1.4, blur_s_px=4, placement=placement).min_period_s
        for placement in PLACEMENTS
    }
    assert at["start"] == pytest.approx((24564 + 13000) * 1.1e-6, abs=2e-8)
    assert at["centre"] == pytest.approx(at["start"])
    assert at["end"] == pytest.approx((24564 + 20000) * 1.1e-6, abs=2e-8)
    with pytest.raises(PlanError, match=r"camera S is busy for 44.56 ms \(delay 21.49 ms, exposure 3.07 ms"):
        plan_exposure(rig, speed_mps=1.4, blur_s_px=4, placement="end", period_s=0.045)


def test_a_plan_is_moved_to_another_place_and_keeps_the_rest() -> None:
    plan = plan_exposure(RIG, speed_mps=1.4, blur_s_px=4, period_s=0.5)
    moved = place_again(RIG, plan, "centre")
    assert (moved.placement, moved.period_s, moved.applied_us) == ("centre", 0.5, plan.applied_us)


def test_a_box_without_delays_refuses_all_but_the_start() -> None:
    slot = RIG.trigger_box.model_copy(
        update={"profile": "prawnblaster", "outputs": {"B": "GPIO9", "S": "GPIO11"}}
    )
    rig = RIG.model_copy(update={"trigger_box": slot})
    assert plan_exposure(rig, speed_mps=1.4, blur_s_px=4, placement="start")
    with pytest.raises(PlanError, match=r"PrawnBlaster .* cannot make") as refusal:
        plan_exposure(rig, speed_mps=1.4, blur_s_px=4, placement="centre")
    assert "place S at the start" in refusal.value.hint


def test_an_unknown_place_is_answered_with_the_known_ones() -> None:
    with pytest.raises(PlanError, match="no place for S") as refusal:
        plan_exposure(RIG, speed_mps=1.4, blur_s_px=4, placement="middle")
    assert refusal.value.hint == "one of start, centre, end"


def test_the_delay_is_the_one_that_the_box_read_back() -> None:
    made = pulses({"B": 24564, "S": 3070}, "centre")
    plan = PulsePlan(1, 0.2, {"AB": made["B"], "CD": made["S"]})
    assert s_delay_ns(plan, {"B": "AB", "S": "CD"}) == 10_747_000


def test_a_proof_from_before_placements_still_opens() -> None:
    old = {
        "trigger_index": 0, "frame_id": {"B": 0, "S": 0}, "timestamp_ns": {"B": 1, "S": 2}, "skew_us": 0.0,
        "residual_us": 0.0, "fired": 1, "ignored": {"B": 0, "S": 0}, "verdict": "paired", "reason": "",
        "clock": "common",
    }  # fmt: skip
    proof = SyncProof.from_dict(old)
    assert (proof.placement, proof.s_delay_us, proof.box_shots) == ("start", 0.0, None)
    assert SyncProof.from_dict(json.loads(json.dumps(proof.to_dict()))) == proof
