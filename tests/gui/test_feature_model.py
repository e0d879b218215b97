"""The tree of settings with thousands of them, and the box for their numbers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from gui.widgets.feature_model import FeatureModel
from gui.widgets.feature_tree import FeatureTree
from gui.widgets.number_box import NumberBox
from rig.camera.browser import FeatureBrowser, FeatureNode, FeatureState
from rig.camera.types import Applied, FeatureValue

MANY = 3000


class BigCamera:
    """A camera with thirty categories of a hundred numbers each, which remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.nodes = []
        for number in range(MANY):
            if number % 100 == 0:
                name = f"Category{number // 100}"
                self.nodes.append(FeatureNode(name, "category", "", "beginner", name))
            self.nodes.append(
                FeatureNode(f"Feature{number}", "integer", name, "beginner", f"Feature {number}")
            )

    def catalogue(self, start: int, count: int) -> tuple[int, list[FeatureNode]]:
        return len(self.nodes), self.nodes[start : start + count]

    def feature_states(self, names: Sequence[str]) -> list[FeatureState]:
        self.asked += names
        return [FeatureState(name, "read/write", int(name.removeprefix("Feature"))) for name in names]

    def write(
        self, name: str, value: FeatureValue, *, abs_tol: float | None = None, rel_tol: float | None = None
    ) -> Applied:
        return Applied(name, value, value)


def test_the_model_keeps_qts_rules_in_tree_and_list(qtbot: QtBot) -> None:
    model, browser = FeatureModel(), FeatureBrowser(BigCamera())
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.show_tree(browser.tree())
    assert model.count() == MANY
    model.set_states(browser.states(["Feature150"]))
    index = model.index_of("Feature150")
    assert index.parent().data() == "Category1"
    assert index.siblingAtColumn(1).data() == "150"
    model.show_list(browser.search("feature2999"))
    assert model.rowCount() == 1
    assert model.index(0, 0).data() == "Feature2999"
    model.forget()
    assert model.rowCount() == 0


def test_of_thousands_of_settings_only_those_on_the_screen_are_read(qtbot: QtBot) -> None:
    camera = BigCamera()
    browser, model = FeatureBrowser(camera), FeatureModel()
    tree = FeatureTree(model)
    qtbot.addWidget(tree)
    tree.resize(700, 500)
    tree.looked_at.connect(lambda names: model.set_states(browser.states(names)))
    tree.show()
    model.show_tree(browser.tree())
    tree.expandAll()
    qtbot.waitUntil(lambda: "Feature0" in camera.asked)
    assert len(set(camera.asked)) < 60
    camera.asked.clear()
    tree.verticalScrollBar().setValue(tree.verticalScrollBar().maximum())
    qtbot.waitUntil(lambda: f"Feature{MANY - 1}" in camera.asked)
    assert len(set(camera.asked)) < 60
    assert model.index_of(f"Feature{MANY - 1}").siblingAtColumn(1).data() == str(MANY - 1)
    assert model.index_of("Feature1500").siblingAtColumn(1).data() == "…"


def integer(value: int, **limits: float) -> FeatureState:
    return FeatureState("Width", "read/write", value, **limits)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("wide", "not a whole number"),
        ("10.5", "not a whole number"),
        ("0", "8 to 2448, in steps of 4"),
        ("2452", "8 to 2448, in steps of 4"),
        ("1002", "1000 or 1004"),
    ],
)
def test_a_number_says_what_is_wrong_with_it(qtbot: QtBot, text: str, complaint: str) -> None:
    box = NumberBox(integer=True)
    qtbot.addWidget(box)
    box.show_state(integer(1000, minimum=8, maximum=2448, increment=4))
    box.lineEdit().setText(text)
    with pytest.raises(ValueError, match=complaint):
        box.value()


def test_steps_follow_the_cameras_increment_and_stop_at_its_limits(qtbot: QtBot) -> None:
    box = NumberBox(integer=True)
    qtbot.addWidget(box)
    box.show_state(integer(2440, minimum=8, maximum=2448, increment=4))
    box.stepBy(1)
    assert box.value() == 2444
    box.stepBy(10)
    assert box.value() == 2448
    box.stepBy(-1000)
    assert box.value() == 8


def test_numbers_of_64_bits_keep_every_digit(qtbot: QtBot) -> None:
    box = NumberBox(integer=True)
    qtbot.addWidget(box)
    box.show_state(integer(2**62 + 1, minimum=-(2.0**63), maximum=2.0**63, increment=1))
    assert box.value() == 2**62 + 1
    box.stepBy(1)
    assert box.value() == 2**62 + 2
    box.lineEdit().setText("0xFF")
    assert box.value() == 255
