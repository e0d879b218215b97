"""Light, speed and filter measured on the virtual rig, against its truth; and the commands that do it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from beamrig.measure import measure
from processing.survey.measure import check_tau, measure_light, replan
from processing.survey.motion import MotionNotMeasurable, Speed, measure_speed
from rig import Rig
from rig.exposure import plan_exposure
from rig.live_frames import live_frames
from rig.plan import ExposurePlan
from rig.session import Session
from rig.virtual.client import WorldClient
from tests.rig.small_rig import small_plan, small_rig


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig.open("virtual") as opened:
        opened.apply_plan(_plan(opened))
        opened.start_live()
        yield opened


def _speed(rig: Rig, tries: int = 12) -> Speed:
    """Measure again where the object turned too often between the frames, as an operator would."""
    for left in reversed(range(tries)):
        try:
            return measure_speed(live_frames(rig, 5, ("S",))["S"], _plan(rig))
        except MotionNotMeasurable:
            if not left:
                raise
    raise AssertionError


def _plan(rig: Rig) -> ExposurePlan:
    return plan_exposure(rig.source, speed_mps=1.4, blur_s_px=4.0)


@pytest.mark.parametrize(
    ("speed_mps", "angle_deg"), [(0.3, 0.0), (1.4, 0.0), (1.4, 30.0), (1.4, 90.0), (0.7, 30.0)]
)
def test_the_speed_is_within_a_percent_of_the_worlds(rig: Rig, speed_mps: float, angle_deg: float) -> None:
    WorldClient(rig.run_dir).set(speed_mps=speed_mps, path_angle_deg=angle_deg)
    found = _speed(rig)
    assert found.speed_mps == pytest.approx(speed_mps, rel=0.01)
    assert found.angle_deg % 180 == pytest.approx(angle_deg, abs=1) or found.angle_deg % 180 > 179
    new = replan(rig.source, _plan(rig), found)
    assert new.plan is not None
    assert new.plan.speed_mps == found.speed_mps
    assert new.plan.blur_px["S"] == pytest.approx(4.0, rel=0.01)


def test_the_transmittance_is_within_half_a_percent_of_the_truth_though_an_object_moves(rig: Rig) -> None:
    truth = WorldClient(rig.run_dir).truth()
    found = check_tau(live_frames(rig, 2), truth.tau_nominal)
    b, s = truth.camera("B"), truth.camera("S")
    true = [b.share * b.tau * response / s.share for response in b.response]
    assert [found.tau[name] for name in "RGB"] == pytest.approx(true, rel=0.005)
    assert found.overall == pytest.approx((true[0] + 2 * true[1] + true[2]) / 4, rel=0.003)
    assert found.fits_label


def test_at_the_exposure_said_the_camera_begins_to_clip(rig: Rig) -> None:
    truth = WorldClient(rig.run_dir).truth()
    before = measure_light(live_frames(rig, 2), 0.125, rig.source)
    noise = before.cameras["S"].noise
    assert noise.gain_dn_per_e == pytest.approx(truth.gain_dn_per_e, rel=0.02)
    colour, clips_us = min(before.cameras["S"].clips_us.items(), key=lambda item: item[1])
    shares = []
    for part in (0.97, 1.03):
        exposure_s = part * clips_us * 1e-6
        rig.apply_plan(plan_exposure(rig.source, speed_mps=1.4, exposure_s=exposure_s))
        raw = live_frames(rig, 1, ("S",))["S"][0]
        assert colour == "G"
        greens = [raw.pixels[0::2, 1::2], raw.pixels[1::2, 0::2]]
        shares.append(sum(float((green >= raw.white_level).mean()) for green in greens) / 2)
    rig.apply_plan(_plan(rig))
    assert shares[0] < 0.001 < shares[1]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of the small rig with an action take in which the object does not turn."""
    folder = tmp_path_factory.mktemp("recorded")
    profile = small_rig(folder)
    plan = small_plan(profile)
    with Rig.open(profile) as rig:
        rig.apply_plan(plan)
        for number in range(8):
            with Session.create(folder / f"session{number}", profile) as session:
                session.add_scene("s01", plan)
                rig.capture(session, "s01", "action", 6, 0.1)
                session.add_scene("empty", plan)
                frames = [record.load().s for record in session.pairs("s01", "action")]
            with suppress(MotionNotMeasurable):
                if len(frames) == 6 and measure_speed(frames, plan).confidence > 0.5:
                    return session.root
    raise AssertionError("the object turned in every take")


def _json(*words: str) -> dict[str, Any]:
    result = CliRunner().invoke(measure, [*words, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_the_speed_of_a_recorded_take_becomes_the_scenes_plan(recorded: Path) -> None:
    found = _json("speed", "--session", str(recorded), "--scene", "s01", "--apply")
    assert found["speed_mps"] == pytest.approx(1.4, rel=0.03)
    assert found["applied"] is True
    with Session.open(recorded) as session:
        plan = session.scene("s01").plan
    assert plan is not None
    assert plan.speed_mps == pytest.approx(found["speed_mps"])


def test_the_light_of_a_recorded_take_names_its_source(recorded: Path) -> None:
    found = _json("light", "--session", str(recorded), "--scene", "s01")
    assert found["source"] == "s01/action take 1"
    assert found["cameras"]["S"]["noise"]["source"] == "photon transfer"
    assert found["exposure_s_us"]["least"] < found["exposure_s_us"]["most"]


def test_the_filter_is_checked_on_the_live_view() -> None:
    words = [sys.executable, "-m", "beamrig", "measure", "tau", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["tau"] == pytest.approx(0.1254, rel=0.01)
    assert found["source"] == "live view of virtual"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("light", "--session", "x"), "go together"),
        (("speed", "--apply"), "needs --session"),
        (("tau", "--live"), "--live is for a session"),
    ],
)
def test_options_that_do_not_fit_are_refused(words: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(measure, list(words))
    assert result.exit_code == 2
    assert said in result.output


def test_a_scene_without_pairs_says_so(recorded: Path) -> None:
    result = CliRunner().invoke(measure, ["tau", "--session", str(recorded), "--scene", "empty"])
    assert "no static or whiteboard pair" in str(result.exception)
