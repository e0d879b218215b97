"""The guided scene in the window: what the checks found is shown, and what they refuse waits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from gui import theme
from gui.frames import FramePreparer
from gui.pages.capture import CapturePage
from gui.scene_check import in_the_way, newest_checks
from gui.session_index import Listing
from gui.sessions import SessionKeeper
from gui.settings import Settings
from gui.take_checker import TakeChecker
from rig.capture.findings import Finding
from rig.exposure import plan_exposure
from rig.profiles import load_rig
from rig.session import Session
from rig.take_check import Checked, TakeCheck, record_check, session_checks

Wait = Callable[..., None]
RIG = load_rig("virtual")
STOP = Finding("stop", "something moves in the static take", "clear the view and take again", 0.02)
WARN = Finding("warn", "the light changes by 3.0% over the static take", "", 0.03)


@pytest.fixture
def page(qtbot: QtBot) -> CapturePage:
    made = CapturePage(Settings(), FramePreparer())
    qtbot.addWidget(made)
    made.set_ready(True)
    made.set_plan(plan_exposure(RIG, speed_mps=1.4, blur_s_px=4))
    return made


def listing(*checks: TakeCheck) -> Listing:
    return Listing(Path("session"), True, ("s01",), (), checks)


def refused(*, overruled: bool = False, take: int = 1) -> TakeCheck:
    return TakeCheck("s01", "static", take, (STOP, WARN), {"moving_share": 0.02}, overruled)


def test_findings_stand_at_their_step_with_every_figure(page: CapturePage) -> None:
    page.show_listing(listing(refused()))
    row = page.panel.checklist.row("static")
    assert row.hint() == ("Something moves in the static take (+1)", theme.BAD)
    assert "clear the view" in row.toolTip()
    assert "moving_share 0.02" in row.toolTip()
    assert page.panel.checklist.row("action").hint() == ("The object moves through the scene", theme.MUTED)


def test_a_refused_take_blocks_the_next_step_with_its_reason_but_not_itself(page: CapturePage) -> None:
    page.show_listing(listing(refused()))
    page.panel.checklist.choose("action")
    assert not page.panel.button.isEnabled()
    assert "something moves" in page.panel.why_not.text()
    assert not page.panel.anyway.isHidden()
    page.panel.checklist.choose("static")
    assert page.panel.button.isEnabled()
    assert page.panel.anyway.isHidden()


def test_a_newer_take_takes_the_refusal_away(page: CapturePage) -> None:
    good = TakeCheck("s01", "static", 2, (), {})
    page.show_listing(listing(refused(take=1), good))
    page.panel.checklist.choose("action")
    assert page.panel.button.isEnabled()
    assert page.panel.checklist.row("static").hint()[0] == "Checked: nothing found"


def test_a_later_step_waits_while_a_take_is_looked_at(page: CapturePage) -> None:
    page.panel.checklist.choose("static")
    page.set_checking("whiteboard")
    assert not page.panel.button.isEnabled()
    page.panel.checklist.choose("whiteboard")
    assert page.panel.button.isEnabled()
    page.panel.checklist.choose("static")
    page.set_checking("")
    assert page.panel.button.isEnabled()


def test_going_on_anyway_is_recorded_and_opens_the_next_step(
    page: CapturePage, tmp_path: Path, wait_until: Wait
) -> None:
    keeper = SessionKeeper(tmp_path / "session")
    with Session.create(tmp_path / "session", RIG) as session:
        record_check(session.journal, "s01", "static", 1, Checked((STOP,), {}))
    checker = TakeChecker(keeper)
    page.overrule_wanted.connect(checker.overrule)
    opened = keeper.open_existing()
    assert opened is not None
    done: list[bool] = []
    checker.recorded.connect(lambda: done.append(True))
    page.show_listing(listing(*session_checks(opened)))
    page.panel.checklist.choose("action")
    page.panel.anyway.click()
    wait_until(lambda: bool(done), "the line in the journal")
    checks = session_checks(opened)
    assert [one.overruled for one in checks] == [True]
    assert in_the_way(newest_checks(checks, "s01"), "action") is None
    page.show_listing(listing(*checks))
    assert page.panel.button.isEnabled()
    checker.end()
    keeper.close()
