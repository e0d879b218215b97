"""The trigger box goes away in a take: what was taken is kept, and work goes on when it is back."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig import Rig
from rig.capture.result import TakeFailed
from rig.errors import TriggerError
from rig.exposure import plan_exposure
from rig.session import Session
from rig.virtual.client import WorldClient


def test_a_take_whose_box_is_unplugged_fails_and_the_next_one_after_replugging_is_whole(
    tmp_path: Path,
) -> None:
    with Rig.open("virtual") as rig:
        plan = plan_exposure(rig.source, speed_mps=1.4, distance_m=5.0, blur_s_px=4.0)
        rig.apply_plan(plan)
        world = WorldClient(rig.run_dir)
        with Session.create(tmp_path / "session", rig.source) as session:
            session.add_scene("s01", plan)
            world.ask("fault", name="box unplug", options={"at": "fire", "after": 2})
            with pytest.raises(TakeFailed, match="is gone") as failed:
                rig.capture(session, "s01", "action", 3)
            assert "cable" in failed.value.hint
            assert rig.status().box == "lost"
            with pytest.raises(TriggerError, match="cannot open"):
                rig.restart_box()
            world.ask("fault", name="box replug", options={})
            rig.restart_box(patience_s=5)
            assert rig.status().box == "safe"
            assert rig.capture(session, "s01", "action", 3).paired == 3
            assert session.problems() == []
