"""While a take runs each pair is compared with the scene's static take, on RAW frames alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from processing.checks.live import LiveCheck
from processing.errors import ProcessingError
from rig.capture.findings import Finding
from rig.exposure import plan_exposure
from rig.plan import ExposurePlan
from rig.profiles import load_rig
from rig.records import PairRecord, RawPair
from tests.processing.scenes import B_BLUR_PX, S_BLUR_PX, record_session


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[PairRecord], list[RawPair]]:
    session = record_session(tmp_path_factory.mktemp("live") / "session", pairs=4)
    return session.pairs("s01", "static"), [one.load() for one in session.pairs("s01", "action")]


@pytest.fixture(scope="module")
def plan() -> ExposurePlan:
    usual = plan_exposure(load_rig("virtual"), speed_mps=1.4, blur_s_px=4.0)
    return replace(usual, blur_px={"B": B_BLUR_PX, "S": S_BLUR_PX})


Scene = tuple[list[PairRecord], list[RawPair]]


def lines(found: list[Finding]) -> list[tuple[str, str]]:
    """Return level and text of what was found, but for the brightness: these scenes have another filter."""
    return [(one.level, one.text) for one in found if "times as bright" not in one.text]


def test_right_pairs_pass(scene: Scene, plan: ExposurePlan) -> None:
    static, action = scene
    check = LiveCheck("action", plan, static)
    assert [lines(check(pair)) for pair in action] == [[]] * len(action)


def test_s_of_the_next_or_the_last_shot_stops_the_take(scene: Scene, plan: ExposurePlan) -> None:
    static, action = scene
    for b, s in ((0, 1), (2, 1), (0, 3), (3, 0)):
        ((level, text),) = lines(LiveCheck("action", plan, static)(RawPair(action[b].b, action[s].s)))
        assert level == "stop"
        assert "do not show the same moment" in text


def test_a_knock_at_one_camera_stops_and_a_flickering_lamp_is_told(scene: Scene, plan: ExposurePlan) -> None:
    static, action = scene
    b, s = action[1].b, action[1].s
    knocked = RawPair(replace(b, pixels=np.roll(b.pixels, 2, axis=0)), s)
    found = lines(LiveCheck("action", plan, static)(knocked))
    assert any(level == "stop" and "moved against each other by" in text for level, text in found)
    brighter = np.clip((b.pixels - b.black_level) * 1.05 + b.black_level, 0, b.white_level).astype(np.uint16)
    found = lines(LiveCheck("action", plan, static)(RawPair(replace(b, pixels=brighter), s)))
    assert any(level == "warn" and "the lamp flickers" in text for level, text in found)


def test_without_a_static_take_the_missing_checks_are_said_once(scene: Scene, plan: ExposurePlan) -> None:
    check = LiveCheck("action", plan, [])
    first, second = (lines(check(pair)) for pair in scene[1][:2])
    assert first == [
        ("note", "bump, light and moment of the pairs are not checked: the scene has no static take yet")
    ]
    assert second == []


def test_a_static_take_of_another_frame_size_is_no_reference(scene: Scene, plan: ExposurePlan) -> None:
    static, action = scene
    small = [replace(one, pixels=one.pixels[:256, :512]) for one in (action[0].b, action[0].s)]

    with pytest.raises(ProcessingError, match="another size"):
        LiveCheck("action", plan, static)(RawPair(small[0], small[1]))
