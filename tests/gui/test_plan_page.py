from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from gui.pages.plan import PlanPage
from gui.planning import PlanInput, make_plan
from gui.settings import Settings
from rig.errors import PlanError
from rig.exposure import plan_exposure
from rig.profiles import RigProfile, load_rig

RIG = load_rig("virtual")


@pytest.fixture
def page(qtbot: QtBot) -> PlanPage:
    widget = PlanPage(Settings(speed="1.4 m/s", distance="5 m", target="blur_s", target_value="4"))
    qtbot.addWidget(widget)
    widget.set_rig(RIG)
    widget.show()
    return widget


def type_in(page: PlanPage, field: str, text: str) -> None:
    editor = getattr(page, field).editor
    assert isinstance(editor, QLineEdit)
    editor.setText(text)
    page.recompute()


def test_the_page_shows_the_numbers_of_the_planner(page: PlanPage) -> None:
    plan = plan_exposure(RIG, speed_mps=1.4, distance_m=5.0, blur_s_px=4.0)
    shown = page.results.readouts
    assert shown["t_s"].text == f"{plan.applied_us['S'] / 1e3:.3f} ms"
    assert shown["t_l"].text == f"{plan.applied_us['B'] / 1e3:.3f} ms"
    assert shown["blur_s"].text == f"{plan.blur_px['S']:.2f} px"
    assert shown["blur_b"].text == f"{plan.blur_px['B']:.2f} px"
    assert shown["ratio"].text == f"{plan.ratio_applied:.4f}"
    assert shown["period"].text == f"{plan.period_s * 1e3:.1f} ms"
    assert page.plan() == plan


@given(st.floats(0.3, 5.0), st.floats(2.0, 20.0), st.floats(1.0, 6.0))
@settings(max_examples=25, deadline=None)
def test_typed_quantities_plan_as_numbers_do(speed: float, distance: float, blur: float) -> None:
    outcome = make_plan(RIG, PlanInput(f"{speed} m/s", f"{distance} m", "blur_s", f"{blur} px"))
    try:
        expected = plan_exposure(RIG, speed_mps=speed, distance_m=distance, blur_s_px=blur)
    except PlanError:
        assert outcome.plan is None
    else:
        assert outcome.plan == expected


def test_the_plan_follows_while_typing(page: PlanPage, qtbot: QtBot) -> None:
    before = page.results.readouts["t_s"].text
    editor = page.speed.editor
    assert isinstance(editor, QLineEdit)
    editor.clear()
    with qtbot.waitSignal(page.plan_changed):
        qtbot.keyClicks(editor, "2.8 m/s")
    qtbot.waitUntil(lambda: page.results.readouts["t_s"].text != before)
    plan = plan_exposure(RIG, speed_mps=2.8, distance_m=5.0, blur_s_px=4.0)
    assert page.results.readouts["t_s"].text == f"{plan.applied_us['S'] / 1e3:.3f} ms"


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("speed", "1.4", "m/s"),
        ("speed", "fast", "speed"),
        ("distance", "5 s", "5 s"),
        ("target_value", "four", "pixels"),
        ("target_value", "-1", "above 0"),
        ("period", "10", "ms"),
    ],
)
def test_a_field_says_itself_what_is_wrong_with_it(page: PlanPage, field: str, text: str, words: str) -> None:
    type_in(page, field, text)
    assert words in getattr(page, field).error
    assert page.plan() is None
    assert not page.use_button.isEnabled()
    others = {"speed", "distance", "target_value", "period"} - {field}
    assert all(not getattr(page, other).error for other in others)


def test_an_impossible_plan_says_why_and_what_to_change(page: PlanPage) -> None:
    type_in(page, "target_value", "0.001")
    with pytest.raises(PlanError) as refused:
        plan_exposure(RIG, speed_mps=1.4, distance_m=5.0, blur_s_px=0.001)
    assert page.results.reason.text().lower() == refused.value.message.lower()
    assert page.results.hint.text().lower() == refused.value.hint.lower()
    assert not page.results.trouble.isHidden()
    assert page.target_value.error
    type_in(page, "target_value", "4")
    assert page.results.trouble.isHidden()
    assert not page.target_value.error


def test_a_period_that_is_too_short_is_blamed_on_the_period(page: PlanPage) -> None:
    type_in(page, "period", "5 ms")
    assert page.period.error
    assert not page.target_value.error


def test_the_given_quantity_can_be_the_exposure(page: PlanPage) -> None:
    page.target_choice.setCurrentIndex(page.target_choice.findData("exposure"))
    type_in(page, "target_value", "2 ms")
    plan = plan_exposure(RIG, speed_mps=1.4, distance_m=5.0, exposure_s=2e-3)
    assert page.plan() == plan
    page.target_choice.setCurrentIndex(page.target_choice.findData("blur_b"))
    page.recompute()
    assert not page.target_value.error  # "2 ms" is no blur: a number of pixels stands there now


def test_another_filter_is_planned_with_its_own_transmittance(page: PlanPage) -> None:
    page.filter_choice.setCurrentIndex(page.filter_choice.findData("ND 0.6"))
    page.recompute()
    plan = page.plan()
    assert plan is not None
    assert plan.tau == 0.25
    assert "ND 0.6" in page.results.notes.text()


def test_a_plan_is_used_only_when_the_rig_is_there(page: PlanPage, qtbot: QtBot) -> None:
    page.set_usable(False, "The rig is opening")
    with qtbot.assertNotEmitted(page.use_plan):
        page.send_plan()
    page.set_usable(True)
    with qtbot.waitSignal(page.use_plan) as sent:
        page.use_button.click()
    assert sent.args == [page.plan()]


def test_the_form_is_remembered(qtbot: QtBot) -> None:
    remembered = Settings()
    page = PlanPage(remembered)
    qtbot.addWidget(page)
    page.set_rig(RIG)
    type_in(page, "speed", "5 km/h")
    assert remembered.speed == "5 km/h"
    type_in(page, "speed", "nonsense")
    assert remembered.speed == "5 km/h"


def test_the_rig_profile_is_the_one_that_is_planned_for(page: PlanPage) -> None:
    slower = RIG.model_copy(update={"period_s": 0.5})
    assert isinstance(slower, RigProfile)
    page.set_rig(slower)
    assert page.results.readouts["period"].text == "500.0 ms"
