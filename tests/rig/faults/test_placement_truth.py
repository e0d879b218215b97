"""S at the start, centre or end of B's exposure, timed by camera or by pulse: the sensor saw just that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rig import Rig
from rig.exposure import place_again
from rig.profiles import RigProfile, load_rig
from rig.session import Session
from rig.virtual.client import WorldClient
from rig.virtual.pair_truth import PairTruth
from tests.rig.small_rig import small_plan, write_small_rig


def profile_with(folder: Path, control: str) -> RigProfile:
    path = write_small_rig(folder)
    path.write_text(path.read_text() + f"\nexposure_control: {control}\n")
    return load_rig(str(path))


@pytest.fixture(scope="module", params=["timed", "width"])
def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with Rig.open(profile_with(tmp_path_factory.mktemp("placement"), request.param)) as opened:
        yield opened


@pytest.mark.parametrize("placement", ["start", "centre", "end"])
def test_the_world_sees_s_where_it_was_placed(rig: Rig, placement: str, tmp_path: Path) -> None:
    plan = place_again(rig.source, small_plan(rig.source), placement)  # type: ignore[arg-type]
    rig.apply_plan(plan)
    world = WorldClient(rig.run_dir)
    world.set(speed_mps=0.5)
    with Session.create(tmp_path / "session", rig.source) as session:
        session.add_scene("s01", plan)
        result = rig.capture(session, "s01", "action", 4)
        assert (result.paired, result.refused) == (4, ())
        truths: list[PairTruth] = []
        for pair in session.pairs():
            truth = world.pair_truth(pair.meta_b["timestamp_ns"], pair.meta_s["timestamp_ns"])
            assert truth is not None
            assert truth.one_pulse
            assert pair.sync.placement == placement
            assert pair.sync.s_delay_us == pytest.approx(truth.s_delay_us, abs=0.01)
            assert pair.sync.skew_us == pytest.approx(0.0, abs=0.01)
            assert pair.meta_b["exposure_us"] == pytest.approx(truth.exposure_us("B"), abs=0.01)
            assert pair.meta_s["exposure_us"] == pytest.approx(truth.exposure_us("S"), abs=0.01)
            truths.append(truth)
    t_l, t_s = plan.applied_us["B"], plan.applied_us["S"]
    expected_us = {"start": 0.0, "centre": (t_l - t_s) / 2, "end": t_l - t_s}[placement]
    for truth in truths:
        assert truth.s_delay_us == pytest.approx(expected_us, abs=0.02)
        assert (truth.exposure_us("B"), truth.exposure_us("S")) == pytest.approx((t_l, t_s), abs=0.02)
        if len(truth.b.objects[0].pieces) > 1:
            continue  # it turned round in this frame
        assert truth.blur_px("B") / truth.blur_px("S") == pytest.approx(t_l / t_s, rel=1e-3)
        (begin_b, end_b), (begin_s, end_s) = truth.span_px("B"), truth.span_px("S")
        same = {
            "start": (begin_b, begin_s),
            "centre": (truth.position_px("B"), truth.position_px("S")),
            "end": (end_b, end_s),
        }[placement]
        assert same[0] == pytest.approx(same[1], abs=1e-3)
