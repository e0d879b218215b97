"""Each check of pairs and takes finds what was put there, says how bad it is, and is silent otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from processing.checks.evenness import board_evenness
from processing.checks.pair import PairCheck
from processing.checks.take import check_take
from rig.exposure import plan_exposure
from rig.plan import ExposurePlan
from rig.profiles import load_rig
from rig.records import RawPair
from tests.processing.sensor import board, defocused, pair, photo, raw


@pytest.fixture(scope="module")
def plan() -> ExposurePlan:
    return plan_exposure(load_rig("virtual"), speed_mps=1.4, blur_s_px=4.0)


def _take(make: Callable[[np.random.Generator], RawPair], count: int = 5) -> list[RawPair]:
    rng = np.random.default_rng(1)
    return [make(rng) for _ in range(count)]


def _levels(findings: tuple[object, ...]) -> list[tuple[str, str]]:
    return [(one.level, one.text) for one in findings]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "light"), [("whiteboard", board()), ("static", photo()), ("action", photo())]
)
def test_a_good_take_has_figures_and_no_findings(kind: str, light: np.ndarray, plan: ExposurePlan) -> None:
    checked = check_take(kind, _take(lambda rng: pair(light, rng)), plan)
    assert checked.findings == ()
    assert checked.figures["pairs"] == 5
    assert checked.figures["ratio_G"] == pytest.approx(1, abs=0.01)
    assert checked.figures["ratio_expected"] == pytest.approx(1, abs=0.001)


def test_half_a_percent_clipped_is_a_warning_and_a_clipped_board_stops(plan: ExposurePlan) -> None:
    light = photo()
    light[:20] = 3.0
    (found,) = PairCheck("action", plan)(pair(light, np.random.default_rng(1)))[:1]
    assert (found.level, found.figure) == ("warn", pytest.approx(20 / 512, rel=0.2))
    bright = board()
    bright[:20] = 3.0
    assert PairCheck("whiteboard", plan)(pair(bright, np.random.default_rng(1)))[0].level == "stop"


def test_black_frames_stop_and_dim_ones_warn(plan: ExposurePlan) -> None:
    rng = np.random.default_rng(2)
    black = PairCheck("action", plan)(pair(photo(), rng, scale=0.0))
    assert _levels(tuple(black)) == [
        ("stop", "camera B delivers black frames"), ("stop", "camera S delivers black frames")
    ]  # fmt: skip
    dim = PairCheck("action", plan)(pair(photo(), rng, scale=0.03))
    assert {one.level for one in dim} == {"warn"}
    assert "too dark" in dim[0].text


def test_a_frame_that_comes_twice_stops_the_take(plan: ExposurePlan) -> None:
    rng = np.random.default_rng(3)
    check = PairCheck("action", plan)
    first, second = pair(photo(), rng), pair(photo(), rng)
    assert check(first) == []
    found = check(RawPair(second.b, first.s))
    assert _levels(tuple(found)) == [("stop", "camera S delivered the same frame twice")]


def test_b_out_of_focus_is_told(plan: ExposurePlan) -> None:
    def make(rng: np.random.Generator) -> RawPair:
        return RawPair(raw(defocused(photo(), 1.5), rng, "B"), raw(photo(), rng))

    (found,) = check_take("static", _take(make), plan).findings
    assert found.level == "warn"
    assert "camera B is less sharp" in found.text


def test_both_out_of_focus_is_told(plan: ExposurePlan) -> None:
    soft = defocused(photo(), 6.0)
    (found,) = check_take("static", _take(lambda rng: pair(soft, rng)), plan).findings
    assert "neither camera" in found.text


@pytest.mark.parametrize(("ratio", "level"), [(0.8, "warn"), (0.5, "stop"), (2.0, "stop")])
def test_a_brightness_that_no_such_filter_gives_is_told(ratio: float, level: str, plan: ExposurePlan) -> None:
    checked = check_take("static", _take(lambda rng: pair(photo(), rng, ratio=ratio, scale=0.4)), plan)
    assert [one.level for one in checked.findings] == [level]
    assert "filter" in checked.findings[0].hint


def test_a_lamp_that_flickers_is_told(plan: ExposurePlan) -> None:
    ratios = iter((1.0, 1.04, 0.97, 1.03, 0.98))
    found = check_take("action", _take(lambda rng: pair(photo(), rng, ratio=next(ratios))), plan).findings
    assert [one.text.partition(":")[0] for one in found] == ["the lamp flickers"]
    assert found[0].figure == pytest.approx(np.std(np.log([1.0, 1.04, 0.97, 1.03, 0.98])), rel=0.1)


def test_light_that_drifts_is_told(plan: ExposurePlan) -> None:
    scales = iter((0.60, 0.61, 0.62, 0.63, 0.64))
    found = check_take("static", _take(lambda rng: pair(photo(), rng, scale=next(scales))), plan).findings
    assert ["light changes" in one.text for one in found] == [True]


@pytest.mark.parametrize(("size_px", "level"), [(36, "warn"), (128, "stop")])
def test_what_moves_in_a_static_take_is_told_with_its_place(
    size_px: int, level: str, plan: ExposurePlan
) -> None:
    places = iter(range(0, 500, 40))

    def make(rng: np.random.Generator) -> RawPair:
        light = photo(shape=(1024, 1280))
        left = 400 + (next(places) if size_px > 100 else next(places) // 40)
        light[512 : 512 + size_px, left : left + size_px] = 0.02
        return pair(light, rng)

    (found,) = check_take("static", _take(make), plan).findings
    assert found.level == level
    assert "moves" in found.text
    assert "y 512" in found.text


def test_a_shadow_on_the_board_is_told_and_no_board_stops(plan: ExposurePlan) -> None:
    shadow = board()
    shadow[:128, :192] *= 0.9
    (found,) = check_take("whiteboard", _take(lambda rng: pair(shadow, rng), 2), plan).findings
    assert (found.level, "uneven" in found.text) == ("warn", True)
    (none,) = check_take("whiteboard", _take(lambda rng: pair(photo(), rng), 2), plan).findings
    assert none.level == "stop"


def test_a_smooth_cast_is_no_unevenness() -> None:
    even = board_evenness(raw(board(), np.random.default_rng(4)))
    assert even.off_share == 0
    assert even.rms < 0.005


def test_light_in_a_dark_take_is_told() -> None:
    rng = np.random.default_rng(5)
    assert PairCheck("dark", None)(pair(photo(), rng, scale=0.0)) == []
    assert "sees light" in PairCheck("dark", None)(pair(photo(), rng))[0].text


def test_a_take_without_a_pair_stops(plan: ExposurePlan) -> None:
    assert check_take("static", [], plan).findings[0].level == "stop"


def test_noise_is_measured_and_drowning_mid_tones_are_told(plan: ExposurePlan) -> None:
    light = photo() ** 4
    checked = check_take("static", _take(lambda rng: pair(light, rng, scale=0.12)), plan)
    assert any("drowns in noise" in one.text for one in checked.findings)
    assert checked.figures["gain_dn_per_e_S"] == pytest.approx(0.39, rel=0.05)


def test_without_a_plan_the_balance_is_a_figure_only() -> None:
    checked = check_take("static", _take(lambda rng: pair(photo(), rng, ratio=0.5)), None)
    assert checked.findings == ()
    assert checked.figures["ratio_G"] == pytest.approx(0.5, rel=0.01)


def test_exposures_of_the_frames_count_not_those_of_the_plan(plan: ExposurePlan) -> None:
    made = pair(photo(), np.random.default_rng(6), ratio=0.5)
    found = PairCheck("action", plan)(RawPair(replace(made.b, exposure_us=12_000.0), made.s))
    assert found == []
