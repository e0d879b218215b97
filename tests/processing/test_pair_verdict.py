"""The verdict on a developed pair: right pairs pass, each fault is found and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from processing.checks.clipping import clipped_shares
from processing.checks.pair_verdict import judge
from processing.checks.static_reference import StaticReference
from processing.checks.verdict import PairVerdict
from processing.errors import ProcessingError
from processing.masks import FrozenBackground
from processing.pipeline import ScenePipeline
from rig.capture.findings import Finding
from rig.exposure import plan_exposure
from rig.plan import ExposurePlan
from rig.profiles import load_rig
from rig.raw_image import RawImage
from rig.records import RawPair
from tests.processing.scenes import B_BLUR_PX, S_BLUR_PX, record_session
from tests.processing.sensor import photo, raw


@dataclass
class Bench:
    """A developed scene, its recorded pairs, and the plan they were rendered by."""

    pipeline: ScenePipeline
    static: list[RawPair]
    action: list[RawPair]
    plan: ExposurePlan
    background: FrozenBackground
    reference: StaticReference

    def judge(self, pair: RawPair, *, plan: ExposurePlan | None = None, **more: object) -> PairVerdict:
        """Develop, mask and judge an action pair."""
        developed = self.pipeline.develop(pair.b, pair.s)
        mask = self.background.mask(*developed.as_8bit())
        more |= {"reference": self.reference, "unrounded": (developed.b, developed.s)}
        return judge(self.pipeline, pair, developed.as_8bit(), mask, plan or self.plan, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder: Path = tmp_path_factory.mktemp("verdict")
    session = record_session(folder / "session")
    pipeline = ScenePipeline.from_session(session, "s01")
    static, action = ([one.load() for one in session.pairs("s01", kind)] for kind in ("static", "action"))
    usual = plan_exposure(load_rig("virtual"), speed_mps=1.4, blur_s_px=4.0)
    plan = replace(usual, blur_px={"B": B_BLUR_PX, "S": S_BLUR_PX})
    background = FrozenBackground(pipeline.static_8bit())
    return Bench(pipeline, static, action, plan, background, StaticReference.of_scene(pipeline))


def changed(image: RawImage, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> RawImage:
    """Change the light of a frame, in DN above black."""
    light = change(image.pixels.astype(np.float64) - image.black_level) + image.black_level
    return replace(image, pixels=np.clip(np.round(light), 0, image.white_level).astype(np.uint16))


def texts(verdict: PairVerdict, *levels: str) -> list[str]:
    return [one.text for one in verdict.findings if one.level in levels]


def test_right_pairs_pass_and_their_figures_are_those_they_were_rendered_with(bench: Bench) -> None:
    for pair in bench.action:
        verdict = bench.judge(pair)
        assert verdict.findings == ()
        figures = verdict.figures
        assert figures["blur_B_px"] == pytest.approx(B_BLUR_PX, rel=0.02)
        assert figures["blur_S_px"] == pytest.approx(S_BLUR_PX, abs=0.5)
        assert figures["shift_B_S_mean_px"] < 0.02
        assert figures["delta_l_background"] == pytest.approx(figures["delta_l_static"], rel=0.01)
        assert abs(figures["ratio_drift_G"]) < 0.01


def test_a_static_pair_is_judged_without_a_mask(bench: Bench) -> None:
    for pair in bench.static:
        developed = bench.pipeline.develop(pair.b, pair.s).as_8bit()
        verdict = judge(bench.pipeline, pair, developed, None, None, reference=bench.reference)
        assert verdict.findings == ()
        assert "moment_asked" not in verdict.figures


@pytest.mark.parametrize("other", [1, -1])
def test_s_of_another_shot_is_not_taken_for_b_s(bench: Bench, other: int) -> None:
    shots = bench.action[::other]
    for b, s in pairwise(shots):
        verdict = bench.judge(RawPair(b.b, s.s))
        assert verdict.level == "stop"
        assert "do not show the same moment" in verdict.findings[0].text


def test_a_frame_that_came_twice_stops_and_so_does_one_picture_from_both_cameras(bench: Bench) -> None:
    first, second, _ = bench.action
    twice = bench.judge(RawPair(second.b, first.s), before=first)
    assert "camera S delivered the same frame twice" in texts(twice, "stop")
    same = bench.judge(RawPair(first.s, first.s))
    assert texts(same, "stop") == ["B and S are the same picture"]


def test_what_stopped_the_take_stops_the_pair(bench: Bench) -> None:
    recorded = [Finding("stop", "camera B delivered the same frame twice"), Finding("warn", "a bit dark")]
    assert texts(bench.judge(bench.action[0], recorded=recorded), "stop", "warn") == [
        "while it was recorded: camera B delivered the same frame twice"
    ]


def test_flicker_of_the_lamp_is_measured_and_its_frequency_named(bench: Bench) -> None:
    pair = bench.action[0]
    verdict = bench.judge(RawPair(changed(pair.b, lambda dn: dn * 1.06), pair.s))
    (said,) = (text for text in texts(verdict, "warn") if "off that of the static take" in text)
    assert "the lamp flickers (100 or 120 Hz)" in said
    assert verdict.figures["ratio_drift_G"] == pytest.approx(0.06, abs=0.01)


def test_light_that_changed_for_both_cameras_is_told_with_its_size(bench: Bench) -> None:
    pair = bench.action[0]
    dimmed = RawPair(*(changed(one, lambda dn: dn * 0.9) for one in (pair.b, pair.s)))
    verdict = bench.judge(dimmed)
    assert any("the light changed by -" in text for text in texts(verdict, "warn"))
    assert verdict.figures["level_drift"] == pytest.approx(-0.1, abs=0.015)
    assert abs(verdict.figures["ratio_drift_G"]) < 0.015


def test_a_rig_that_was_bumped_is_told_from_cameras_that_moved_against_each_other(bench: Bench) -> None:
    pair = bench.action[0]
    moved = [replace(one, pixels=np.roll(one.pixels, 2, axis=1)) for one in (pair.b, pair.s)]
    whole = bench.judge(RawPair(moved[0], moved[1]))
    assert whole.figures["shift_S_mean_px"] == pytest.approx(2, abs=0.15)
    assert whole.figures["shift_B_S_mean_px"] < 0.1
    assert any("the rig was bumped" in text for text in texts(whole, "stop", "warn"))
    apart = bench.judge(RawPair(moved[0], pair.s))
    assert apart.figures["shift_B_S_mean_px"] == pytest.approx(2, abs=0.15)
    assert any("the cameras moved against each other" in text for text in texts(apart, "stop"))
    assert "the rig moved: neither moment nor blur of the pair can be told" in texts(apart, "note")


def test_a_lens_that_was_touched_is_told(bench: Bench) -> None:
    def defocus(dn: NDArray[np.float64]) -> NDArray[np.float64]:
        out = dn.copy()
        for row, column in np.ndindex(2, 2):
            out[row::2, column::2] = cv2.GaussianBlur(dn[row::2, column::2], (0, 0), 0.7)
        return out

    pair = bench.action[0]
    verdict = bench.judge(RawPair(pair.b, changed(pair.s, defocus)))
    assert any("the focus of S has changed" in text for text in texts(verdict, "warn"))
    assert verdict.figures["sharpness_S_change"] < 0.8


def test_a_reflection_that_one_camera_sees_is_told_by_the_background(bench: Bench) -> None:
    pair = bench.action[0]
    glow = np.linspace(0.9, 1.1, pair.b.pixels.shape[0])[:, None]
    verdict = bench.judge(RawPair(changed(pair.b, lambda dn: dn * glow), pair.s))
    assert any("one camera sees light on the background" in text for text in texts(verdict, "warn"))
    assert verdict.figures["background_apart"] > 0.03


def test_blur_that_is_not_the_plan_s_is_told_with_both_numbers(bench: Bench) -> None:
    faster = replace(bench.plan, blur_px={"B": 2 * B_BLUR_PX, "S": 2 * S_BLUR_PX})
    verdict = bench.judge(bench.action[0], plan=faster)
    assert any("blur in B is 12.0 px, the plan says 24.0 px" in text for text in texts(verdict, "warn"))


def test_where_nothing_moves_neither_moment_nor_blur_can_be_told(bench: Bench) -> None:
    verdict = bench.judge(bench.static[1])
    assert verdict.level == "note"
    moment, blur = texts(verdict, "note")
    assert moment == "nothing moves that would show whether B and S are of the same moment"
    assert blur.startswith("blur not measurable: no")


def test_a_verdict_comes_back_from_json_and_sorts_the_worst_first() -> None:
    made = PairVerdict.of([Finding("note", "a"), Finding("stop", "b", "c", 0.5)], {"x": 1 / 3, "y": np.nan})
    assert made.level == "stop"
    assert [one.text for one in made.findings] == ["b", "a"]
    assert made.figures == {"x": 0.333333}
    assert PairVerdict.from_dict(json.loads(json.dumps(made.to_dict()))) == made
    with pytest.raises(ProcessingError, match="no verdict"):
        PairVerdict.from_dict({"findings": [{"level": "worse", "text": ""}], "figures": {}})


def test_clipped_shares_are_told_apart_for_object_and_background() -> None:
    light = photo()
    light[100:200, 100:300, 1] = 3.0  # green clips in half of the object
    mask = np.zeros((480, 600), np.uint8)
    mask[84:184, 80:480] = 255  # the box starts at row 16, column 20
    shares = clipped_shares(raw(light, np.random.default_rng(1)), mask, (16, 496, 20, 620))
    assert shares["object"]["G"] == pytest.approx(0.5, abs=0.02)
    assert shares["background"]["G"] == pytest.approx(0, abs=0.002)
    assert shares["object"]["R"] < 0.01
