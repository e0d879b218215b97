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
    """With S in the centre of B where the box has delays, and with its own count where it keeps one."""
    placement = "start" if box == "prawnblaster" else "centre"
    with Rig.open(rig_with(tmp_path, box, BOXES[box])) as rig:
        plan = plan_exposure(rig.source, speed_mps=1.4, distance_m=5.0, blur_s_px=4.0, placement=placement)
        rig.apply_plan(plan)
        with Session.create(tmp_path / "session", rig.source) as session:
            session.add_scene("s01", plan)
            result = rig.capture(session, "s01", "action", 4)
            assert (result.state, result.fired, result.paired) == ("complete", 4, 4)
            pairs = session.pairs("s01", "action")
            assert [pair.sync.skew_us for pair in pairs] == [0.0] * 4
            delay_us = 0.0 if box == "prawnblaster" else 10_747.0
            assert {(pair.sync.placement, pair.sync.s_delay_us) for pair in pairs} == {(placement, delay_us)}
            assert pairs[-1].sync.box_shots == (4 if box == "highland_t560" else None)
            assert session.problems() == []
