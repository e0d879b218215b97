"""The whole rig with each trigger box other than the DG645: four pulses, four proven pairs."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig import Rig
from rig.exposure import plan_exposure
from rig.profiles import profile_text
from rig.session import Session

BOXES = {
    "qc9520": ("A", "B"),
    "bnc575": ("C", "A"),
    "highland_t560": ("D", "B"),
    "prawnblaster": ("GPIO9", "GPIO13"),
}


def rig_with(folder: Path, box: str, outputs: tuple[str, str]) -> Path:
    """Write a rig profile that is the virtual one but for its box."""
    path = folder / f"virtual_{box}.yaml"
    text = profile_text("virtual")
    for old, new in (
        ("name: virtual\n", f"name: virtual_{box}\n"),
        ("--rig, virtual]", f'--rig, "{path}"]'),
        ("profile: dg645", f"profile: {box}"),
        ("port: ${run_dir}/dg645", f"port: ${{run_dir}}/{box}"),
        ("outputs: {B: AB, S: CD}", f"outputs: {{B: {outputs[0]}, S: {outputs[1]}}}"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    path.write_text(text)
    return path


@pytest.mark.parametrize("box", BOXES)
def test_four_pulses_are_four_pairs(box: str, tmp_path: Path) -> None:
    with Rig.open(rig_with(tmp_path, box, BOXES[box])) as rig:
        plan = plan_exposure(rig.source, speed_mps=1.4, distance_m=5.0, blur_s_px=4.0)
        rig.apply_plan(plan)
        with Session.create(tmp_path / "session", rig.source) as session:
            session.add_scene("s01", plan)
            result = rig.capture(session, "s01", "action", 4)
            assert (result.state, result.fired, result.paired) == ("complete", 4, 4)
            assert [pair.sync.skew_us for pair in session.pairs("s01", "action")] == [0.0] * 4
            assert session.problems() == []
