"""What goes wrong with the virtual rig after its static take is found in its pictures, live and developed.

The world renders each fault by its own optics; the verdicts know nothing of the order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest

from processing.checks.live_verdict import SceneWatch
from processing.checks.pair_verdict import judge
from processing.checks.static_reference import StaticReference
from processing.checks.verdict import PairVerdict
from processing.masks import FrozenBackground
from processing.pipeline import ScenePipeline
from rig.exposure import plan_exposure
from rig.plan import ExposurePlan
from rig.profiles import load_rig
from rig.raw_image import RawImage
from rig.records import RawPair
from rig.virtual.frames import RenderedFrame
from rig.virtual.render import CameraRenderer
from rig.virtual.state import SceneState
from rig.virtual.truth import Truth
from tests.processing import world_scene as world

PULSE_NS = world.PERIOD_NS


@dataclass
class Rig:
    """A rig whose scene was recorded, and which goes on exposing pairs."""

    state: SceneState
    renderers: dict[str, CameraRenderer]
    exposure_ns: dict[str, int]
    pipeline: ScenePipeline
    watch: SceneWatch
    background: FrozenBackground
    reference: StaticReference
    plan: ExposurePlan

    def expose(self, camera: str, pulse: int, **changed: float) -> tuple[RawImage, RenderedFrame]:
        """Expose one frame while the world has other settings."""
        before = self.state.to_dict()
        self.state.set_values(0, **changed)
        pixels = np.empty((world.HEIGHT, world.WIDTH), np.uint16)
        asked = SimpleNamespace(
            frame_id=pulse, t_start_ns=pulse * PULSE_NS, exposure_ns=self.exposure_ns[camera], gain_db=0.0,
            black_level_dn=64.0, offset_x=0, offset_y=0, triggered=True,
        )  # fmt: skip
        frame = self.renderers[camera].render(asked, pixels)
        self.state.set_values(0, **{name: before[name] for name in changed})
        raw = RawImage(
            pixels=pixels, cfa="RGGB", black_level=64, white_level=4095, significant_bits=12,
            exposure_us=self.exposure_ns[camera] / 1e3, gain_db=0.0, serial_number=f"V-{camera}",
            camera=camera, trigger_index=pulse, frame_id=pulse, timestamp_ns=pulse * PULSE_NS,
        )  # fmt: skip
        return raw, frame

    def pair(self, pulse: int = 2, **changed: float) -> RawPair:
        return RawPair(self.expose("B", pulse, **changed)[0], self.expose("S", pulse, **changed)[0])

    def verdicts(self, pair: RawPair, before: RawPair | None = None) -> tuple[PairVerdict, PairVerdict]:
        """Judge a pair live, then developed."""
        developed = self.pipeline.develop(pair.b, pair.s)
        eight = developed.as_8bit()
        mask = self.background.mask(*eight)
        late = judge(self.pipeline, pair, eight, mask, self.plan, reference=self.reference, before=before)
        return self.watch.judge(pair), late


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    patch = pytest.MonkeyPatch()
    patch.setattr(world, "TAKES", {"lightbox": 3, "static": 3})
    recorded = world.record_world(tmp_path_factory.mktemp("faults") / "session", 7, "mural")
    patch.undo()
    parameters = recorded.truth.parameters
    state = SceneState(parameters, (world.OBJECT,), speed_mps=world.SPEED_MPS, background="mural")
    pipeline = ScenePipeline.from_session(recorded.session, world.SCENE)
    usual = plan_exposure(load_rig("virtual"), speed_mps=world.SPEED_MPS, blur_s_px=4.0)
    plan = replace(usual, blur_px={"B": world.RATIO * world.BLUR_S_PX, "S": world.BLUR_S_PX})
    return Rig(
        state,
        {name: CameraRenderer(parameters, state, name) for name in "BS"},
        {name: round(value * 1e3) for name, value in recorded.exposure_us.items()},
        pipeline,
        SceneWatch.of(recorded.session.pairs(world.SCENE, "static"), plan),
        FrozenBackground(pipeline.static_8bit()),
        StaticReference.of_scene(pipeline),
        plan,
    )


def _texts(verdict: PairVerdict, *levels: str) -> str:
    return "; ".join(one.text for one in verdict.findings if one.level in levels)


def test_a_sound_pair_passes_both(rig: Rig) -> None:
    for verdict in rig.verdicts(rig.pair()):
        assert _texts(verdict, "stop", "warn") == ""


def test_a_knock_at_one_camera_stops_with_its_size(rig: Rig) -> None:
    for verdict in rig.verdicts(rig.pair(knock_b_x_px=1.5, knock_b_y_px=-0.8)):
        assert "moved against each other" in _texts(verdict, "stop")
        assert verdict.figures["shift_B_S_mean_px"] == pytest.approx(np.hypot(1.5, 0.8), rel=0.1)


def test_a_bump_of_the_whole_rig_is_told_with_its_size(rig: Rig) -> None:
    for verdict in rig.verdicts(rig.pair(knock_b_x_px=2.0, knock_s_x_px=2.0)):
        told = _texts(verdict, "stop", "warn")
        assert "the rig was bumped: the background moved by 2.0" in told or "moved by 1.9" in told
        assert "moved against each other" not in told


def test_a_lamp_that_flickers_between_both_exposures_is_told_with_its_size(rig: Rig) -> None:
    bright, dark = rig.expose("B", 2)[0], rig.expose("S", 2, illumination=0.88)[0]
    for verdict in rig.verdicts(RawPair(bright, dark)):
        assert "flicker" in _texts(verdict, "stop", "warn")
        assert verdict.figures["ratio_drift_G"] == pytest.approx(1 / 0.88 - 1, abs=0.02)


def test_s_of_the_next_pulse_is_not_taken_for_b_s(rig: Rig) -> None:
    wrong = RawPair(rig.expose("B", 1)[0], rig.expose("S", 2)[0])
    for verdict in rig.verdicts(wrong):
        assert "do not show the same moment" in _texts(verdict, "stop")


def test_a_picture_that_came_twice_is_told_once_it_is_developed(rig: Rig) -> None:
    before, now = rig.pair(1), rig.pair(2)
    frozen = RawPair(now.b, before.s)
    live, late = rig.verdicts(frozen, before)
    assert "camera S delivered the same frame twice" in _texts(late, "stop")
    assert "do not show the same moment" in _texts(live, "stop")


def test_the_truth_tells_of_a_knock(rig: Rig) -> None:
    """A knocked camera sees at (x, y) what it saw at (x, y) + knock; 0 leaves the map as it was."""
    state = rig.state.to_dict()
    x, y = np.meshgrid(np.arange(50.0, 700, 90), np.arange(50.0, 600, 90))
    plain = Truth(rig.renderers["S"].parameters, state)
    moved = Truth(plain.parameters, {**state, "knock_s_x_px": 2.0, "knock_b_y_px": -1.0})
    np.testing.assert_allclose(moved.b_from_s(x, y), plain.b_from_s(x + 2, y + 1), atol=1e-9)
    np.testing.assert_allclose(moved.s_from_b(*moved.b_from_s(x, y)), (x, y), atol=1e-6)
    _, frame = rig.expose("S", 2, knock_s_x_px=2.0)
    assert frame.knock_px == (2.0, 0.0)
    assert RenderedFrame.from_dict(frame.to_dict()) == frame
