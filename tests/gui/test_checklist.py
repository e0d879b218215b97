from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from gui.pages.take_progress import TakeProgress
from gui.settings import Settings
from gui.widgets.capture_panel import CapturePanel
from rig.capture.result import AppliedPlan, Shot, TakeResult
from rig.exposure import plan_exposure
from rig.profiles import load_rig
from rig.records import PairRecord, RejectedShot, SyncProof

SUGGESTED = {"whiteboard": 2, "lightbox": 4, "static": 5, "action": 8}


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def panel(qtbot: QtBot, settings: Settings) -> CapturePanel:
    made = CapturePanel(settings)
    qtbot.addWidget(made)
    return made


def test_each_step_suggests_its_number_of_pairs(panel: CapturePanel) -> None:
    for kind, pairs in SUGGESTED.items():
        panel.checklist.choose(kind)
        assert panel.pairs_spin.value() == pairs


def test_the_operators_own_number_is_kept_for_its_step_and_for_the_next_run(
    panel: CapturePanel, settings: Settings
) -> None:
    panel.checklist.choose("static")
    panel.pairs_spin.setValue(12)
    panel.checklist.choose("action")
    assert panel.pairs_spin.value() == 8
    panel.checklist.choose("static")
    assert panel.pairs_spin.value() == 12
    assert settings.own_pairs == {"static": 12}
    panel.pairs_spin.setValue(SUGGESTED["static"])
    assert settings.own_pairs == {}


def test_a_scene_goes_on_with_its_first_open_step(panel: CapturePanel) -> None:
    checklist = panel.checklist
    assert checklist.next_open() == "whiteboard"
    checklist.set_counts({"whiteboard": 2, "static": 5}, {})
    assert checklist.next_open() == "lightbox"
    assert checklist.open_after("static") == "action"
    checklist.set_counts(dict.fromkeys(SUGGESTED, 1), {})
    assert checklist.next_open() == "action"
    assert checklist.open_after("static") == "static"  # a take made again: nothing else is open


def result(kind: str, paired: int, rejected: int = 0) -> TakeResult:
    fired = paired + rejected
    shots = []
    for index in range(fired):
        good = index < paired
        none: dict[str, int | None] = {"B": index, "S": index}
        proof = SyncProof(index, none, none, 0.0, 0.0, fired, none, "paired" if good else "rejected")
        path = Path(f"{index}.dng")
        record = (
            PairRecord("s01", kind, 1, index, path, path, {}, {}, proof)
            if good
            else RejectedShot("s01", kind, 1, index, proof)
        )
        shots.append(Shot(record, index + 1, fired))
    plan = plan_exposure(load_rig("virtual"), speed_mps=1.4, blur_s_px=4)
    applied = AppliedPlan(plan, plan.applied_us, {})
    return TakeResult(Path("session"), "s01", kind, 1, "complete", fired, tuple(shots), applied)


def test_a_good_take_goes_on_and_a_bad_one_stays(panel: CapturePanel) -> None:
    progress, checklist = TakeProgress(panel), panel.checklist
    progress.finished(result("whiteboard", 2))
    assert checklist.current == "lightbox"
    progress.finished(result("lightbox", 3, rejected=1))
    assert checklist.current == "lightbox"
    assert "1 rejected" in panel.verdict.text()


def test_a_step_that_was_chosen_during_the_take_is_not_taken_away(panel: CapturePanel) -> None:
    progress = TakeProgress(panel)
    panel.checklist.choose("action")
    progress.finished(result("static", 5))
    assert panel.checklist.current == "action"
