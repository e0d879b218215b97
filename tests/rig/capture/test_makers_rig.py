"""The whole rig with other makers' cameras: what their frames say becomes pairs, or is refused."""

from __future__ import annotations

from pathlib import Path

from rig import Rig
from rig.exposure import plan_exposure
from rig.profiles import profile_text
from rig.session import Session


def rig_with(folder: Path, personality: str, profile: str, line: str, quirks: str = "") -> Path:
    """Write a rig profile that is the virtual one but for its cameras."""
    path = folder / "maker.yaml"
    text = profile_text("virtual")
    env = f'BEAMRIG_PERSONALITY: {personality}, BEAMRIG_QUIRKS: "{quirks}"'
    for old, new in (
        ("name: virtual\n", "name: maker\n"),
        ("--rig, virtual]", f'--rig, "{path}"]'),
        ("env: {BEAMRIG_WORLD:", f"env: {{{env}, BEAMRIG_WORLD:"),
        ("profile: virtual_camera", f"profile: {profile}"),
        ("trigger_line: Line0", f"trigger_line: {line}"),
    ):
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return path


def test_frames_that_a_network_camera_numbers_from_one_become_pairs(tmp_path: Path) -> None:
    with Rig.open(rig_with(tmp_path, "avt_mako", "avt_mako", "Line1")) as rig:
        plan = plan_exposure(rig.source, speed_mps=1.4, distance_m=5.0, blur_s_px=4.0)
        rig.apply_plan(plan)
        with Session.create(tmp_path / "session", rig.source) as session:
            session.add_scene("s01", plan)
            result = rig.capture(session, "s01", "action", 4)
            pairs = session.pairs("s01", "action")
            assert (result.state, result.fired, result.paired) == ("complete", 4, 4)
            assert [pair.sync.trigger_index for pair in pairs] == [0, 1, 2, 3]
            assert [pair.meta_b["frame_id"] for pair in pairs] == [1, 2, 3, 4]
            assert [pair.sync.skew_us for pair in pairs] == [0.0] * 4
            assert session.problems() == []


def test_pulses_that_only_arm_a_camera_shift_no_pair(tmp_path: Path) -> None:
    """A Lucid camera can take every second pulse only; here its profile does not look at TriggerArmed."""
    blind = tmp_path / "blind.yaml"
    text = profile_text("lucid_triton")
    assert text.count("  trigger_waiting: [TriggerArmed]\n") == 1
    blind.write_text(text.replace("  trigger_waiting: [TriggerArmed]\n", ""))
    path = rig_with(tmp_path, "lucid_triton", str(blind), "Line0", quirks="pulse_arms")
    with Rig.open(path) as rig:
        plan = plan_exposure(rig.source, speed_mps=1.4, distance_m=5.0, blur_s_px=4.0)
        rig.apply_plan(plan)
        with Session.create(tmp_path / "session", rig.source) as session:
            session.add_scene("s01", plan)
            result = rig.capture(session, "s01", "action", 4)
            assert (result.fired, result.paired, result.rejected) == (4, 0, 4)
            assert session.pairs("s01", "action") == []
            assert all(shot.reason for shot in result.shots)
