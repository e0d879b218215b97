"""The whole rig with cameras that are set in raw steps, or deliver 12 bit at the top of 16."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig import Rig
from rig.exposure import plan_exposure
from rig.session import Session
from tests.rig.capture.test_makers_rig import rig_with


@pytest.mark.parametrize(
    ("name", "line"), [("basler_ace", "Line1"), ("flir_bfs_u3", "Line0"), ("generic_sfnc", "Line1")]
)
def test_four_pulses_are_four_pairs(name: str, line: str, tmp_path: Path) -> None:
    with Rig.open(rig_with(tmp_path, name, name, line)) as rig:
        plan = plan_exposure(rig.source, speed_mps=1.4, distance_m=5.0, blur_s_px=4.0)
        rig.apply_plan(plan)
        with Session.create(tmp_path / "session", rig.source) as session:
            session.add_scene("s01", plan)
            result = rig.capture(session, "s01", "action", 4)
            pairs = session.pairs("s01", "action")
            assert (result.state, result.fired, result.paired) == ("complete", 4, 4)
            assert [pair.sync.trigger_index for pair in pairs] == [0, 1, 2, 3]
            assert [pair.sync.skew_us for pair in pairs] == [0.0] * 4
            assert session.problems() == []
