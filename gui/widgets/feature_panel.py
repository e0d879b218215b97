"""The property browser: choice of camera and level, search, tree, editor, snapshots."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gui import actions, theme
from gui.feature_reader import TAKE_RUNS, FeatureReader
from gui.frames import CAMERAS
from gui.planning import sentence
from gui.rig_service import RigService
from gui.take import StatusNow
from gui.widgets.elided import ElidedLabel
from gui.widgets.feature_editor import FeatureEditor
from gui.widgets.feature_model import FeatureModel
from gui.widgets.feature_tree import FeatureTree
from gui.widgets.fields import CalmComboBox, TextEdit
from gui.widgets.snapshot_buttons import SnapshotButtons
from gui.workers import Trouble
from rig.camera.browser import VISIBILITIES, FeatureBrowser, FeatureNode, FeatureState, Visibility
from rig.camera.feature_diff import Difference
from rig.camera.types import Applied, FeatureValue

REFRESH_MS = 1000
SEARCH_MS = 120


class FeaturePanel(QWidget):
    """Browses one camera of the open rig at a time.

    Args:
        service: The window's door to the rig.
    """

    live_wanted = Signal(bool)

    def __init__(self, service: RigService) -> None:
        super().__init__()
        self.reader = FeatureReader(service, self)
        self.camera = CAMERAS[0]
        self.browser: FeatureBrowser | None = None
        self._capturing = self._live = self._usable = self._loading = self._failing = False
        self.model = FeatureModel(self)
        self.tree = FeatureTree(self.model)
        self.editor = FeatureEditor()
        self.cameras = {name: QPushButton(f"Camera {name}") for name in CAMERAS}
        self.level = CalmComboBox()
        self.level.addItems([one.capitalize() for one in VISIBILITIES])
        self.level.setToolTip("How many settings are shown: those of this level of user")
        self.search = TextEdit(placeholder="Search settings")
        self.search.setToolTip(actions.tooltip("devices.search"))
        self.changed_only = QCheckBox("Not the profile's")
        self.changed_only.setToolTip("Show only settings that differ from the camera's profile")
        self.state = ElidedLabel()
        self.live_button = QPushButton("Stop live view")
        self.live_button.setToolTip("Many settings are locked while the camera acquires")
        self.snapshots = SnapshotButtons(self.reader, self.camera)
        self._typing = self._timer(SEARCH_MS, single=True)
        self._refreshing = self._timer(REFRESH_MS, single=False)
        self._build()
        self._connect()
        self.close_rig("The rig is not open")

    def _timer(self, interval_ms: int, *, single: bool) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(interval_ms)
        timer.setSingleShot(single)
        return timer

    def _build(self) -> None:
        group = QButtonGroup(self)
        top = QHBoxLayout()
        top.setSpacing(8)
        for name, button in self.cameras.items():
            button.setCheckable(True)
            button.setChecked(name == self.camera)
            group.addButton(button)
            top.addWidget(button)
        top.addWidget(self.level)
        top.addWidget(self.search, 1)
        top.addWidget(self.changed_only)
        bottom = QHBoxLayout()
        bottom.setSpacing(8)
        bottom.addWidget(self.state, 1)
        bottom.addWidget(self.live_button)
        bottom.addWidget(self.snapshots)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 10, 0, 0)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(self.tree, 1)
        column.addWidget(self.editor)
        column.addLayout(bottom)

    def _connect(self) -> None:
        for name, button in self.cameras.items():
            button.clicked.connect(lambda _=False, name=name: self.show_camera(name))
        self.level.currentIndexChanged.connect(lambda _: self._fill())
        self.search.textEdited.connect(lambda _: self._typing.start())
        self.search.committed.connect(self.tree.setFocus)
        self._typing.timeout.connect(self._fill)
        self.changed_only.toggled.connect(lambda _: self._fill())
        self._refreshing.timeout.connect(self._refresh)
        self.tree.looked_at.connect(self._ask)
        self.tree.chosen.connect(self._chosen)
        self.tree.edit_wanted.connect(self.editor.focus_editor)
        self.editor.write_wanted.connect(self._write)
        self.live_button.clicked.connect(lambda: self.live_wanted.emit(not self._live))
        reader = self.reader
        reader.loaded.connect(self._loaded)
        reader.states.connect(self._states)
        reader.differs.connect(self._differs)
        reader.written.connect(self._written)
        reader.refused.connect(self._refused)
        reader.told.connect(lambda _, words: self.state.setText(words))
        reader.failed.connect(self._failed)

    # ---- rig and camera

    def open_rig(self) -> None:
        """A rig was opened: its cameras may be others."""
        self.reader.forget()
        self._usable = True
        self.show_camera(self.camera)

    def close_rig(self, why: str) -> None:
        """There is no rig; say why."""
        self._usable, self.browser = False, None
        self._refreshing.stop()
        self.model.forget()
        self.editor.show_feature(None, None)
        self.say(why)
        self._update_buttons()

    def camera_restarted(self, camera: str) -> None:
        """Another device may be there now."""
        self.reader.forget(camera)
        if camera == self.camera and self._usable:
            self.show_camera(camera)

    def show_camera(self, camera: str) -> None:
        """Show the settings of a camera."""
        self.camera, self.browser = camera, None
        self.snapshots.camera = camera
        self.cameras[camera].setChecked(True)
        self.model.forget()
        self.editor.show_feature(None, None)
        if self._usable:
            self.say(f"Reading the settings of camera {camera}")
            self._loading = True
            self.reader.load(camera)
        self._update_buttons()

    def show_status(self, now: StatusNow) -> None:
        """Follow the rig: no writing during a take, and whether the camera acquires."""
        if (now.rig.capturing, now.rig.live) != (self._capturing, self._live):
            self._capturing, self._live = now.rig.capturing, now.rig.live
            self.editor.set_locked(sentence(TAKE_RUNS) if self._capturing else "")
            self._update_buttons()
            self._refresh()
        there = self._usable and now.rig.cameras[self.camera].state in ("idle", "live")
        if there and self.browser is None and not self._loading:
            self.show_camera(self.camera)  # it was not there when its settings were asked for

    def _update_buttons(self) -> None:
        self.snapshots.setEnabled(self.browser is not None and not self._capturing)
        self.live_button.setEnabled(self._usable and not self._capturing)
        self.live_button.setText("Stop live view" if self._live else "Start live view")

    # ---- what is shown

    def visibility(self) -> Visibility:
        """Return the chosen level of user."""
        return VISIBILITIES[max(self.level.currentIndex(), 0)]

    def focus_search(self) -> None:
        """Give the keyboard to the search."""
        self.search.setFocus()
        self.search.selectAll()

    def _fill(self) -> None:
        browser = self.browser
        if browser is None:
            return
        chosen = self.tree.current()
        text, changed = self.search.text().strip(), self.changed_only.isChecked()
        if text or changed:
            found = browser.search(text, self.visibility())
            self.model.show_list([one for one in found if not changed or one.name in self.model.differs])
        else:
            self.model.show_tree(browser.tree(self.visibility()))
            self.tree.expandAll()
        if not (chosen is not None and self.tree.select(chosen.name)) and text:
            self.tree.setCurrentIndex(self.model.index(0, 0))
        self._count()

    def _count(self) -> None:
        text, changed = self.search.text().strip(), self.changed_only.isChecked()
        number = self.model.count()
        words = f"{number} setting{'' if number == 1 else 's'}"
        self.say(f"{words} found" if text or changed else words)
        if text:
            self.tree.placeholder = "No setting has these words"
        elif changed:
            self.tree.placeholder = "Everything is as the camera's profile says"

    def say(self, words: str) -> None:
        """Say how it stands with the camera; in the tree too, while that is empty."""
        self.state.setText(words)
        self.tree.placeholder = words
        self.tree.viewport().update()

    def _chosen(self, node: FeatureNode | None) -> None:
        if node is not None and self.editor.node is not None and node.name == self.editor.node.name:
            return
        self.editor.show_feature(node, self.model.states.get(node.name) if node is not None else None)

    # ---- reading

    def _refresh(self) -> None:
        if self.isVisible() and self.browser is not None and not self._capturing:
            self._ask(self.tree.visible_names())

    def _ask(self, names: list[str]) -> None:
        if self.browser is not None and not self._capturing and self.isVisible():
            shown = self.editor.node
            more = [shown.name] if shown is not None and shown.type != "category" else []
            self.reader.ask(self.camera, dict.fromkeys([*names, *more]))

    def _loaded(self, camera: str, browser: FeatureBrowser) -> None:
        if camera != self.camera:
            return
        self.browser, self._loading = browser, False
        self._fill()
        self._refreshing.start()
        self._update_buttons()
        if not self._capturing:
            self.reader.compare_with_profile(camera)

    def _states(self, camera: str, states: dict[str, FeatureState]) -> None:
        if camera != self.camera:
            return
        self.model.set_states(states)
        if self._failing:
            self._failing = False
            self._count()
        shown = self.editor.node
        if shown is not None and shown.name in states:
            self.editor.show_state(states[shown.name])

    def _differs(self, camera: str, found: dict[str, Difference]) -> None:
        if camera == self.camera:
            self.model.set_differs(found)
            if self.changed_only.isChecked():
                self._fill()

    def _failed(self, camera: str, trouble: Trouble) -> None:
        if camera == self.camera:
            self._loading, self._failing = False, True
            self.say(sentence(f"{trouble.message} {trouble.hint}".strip()))

    # ---- writing

    def _write(self, node: FeatureNode, value: FeatureValue) -> None:
        self.reader.write(self.camera, node, value)

    def _written(self, camera: str, applied: Applied, states: dict[str, FeatureState]) -> None:
        if camera != self.camera:
            return
        self.model.set_applied(applied)
        self._states(camera, states)
        if self.editor.node is not None and self.editor.node.name == applied.name:
            self.editor.show_outcome(applied)
        self._refresh()
        self.reader.compare_with_profile(camera)

    def _refused(self, camera: str, name: str, trouble: Trouble) -> None:
        if camera == self.camera and self.editor.node is not None and self.editor.node.name == name:
            hint = f" ({trouble.hint})" if trouble.hint else ""
            self.editor.say(sentence(trouble.message) + hint, theme.BAD)
        self._refresh()

    def end(self) -> None:
        """End the thread."""
        self.reader.end()
