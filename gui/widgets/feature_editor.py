"""The selected feature in full, with an editor for its type and what became of the last write."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSpacerItem,
    QVBoxLayout,
    QWidget,
)

from gui import theme
from gui.feature_text import limits_text, value_text
from gui.widgets.elided import ElidedLabel
from gui.widgets.fields import CalmComboBox, TextEdit
from gui.widgets.number_box import RETURN, NumberBox
from rig.camera.browser import FeatureNode, FeatureState
from rig.camera.types import Applied, FeatureValue

EDITOR_PX = 260
NOTHING = "Choose a setting above."
LINES, ROW_PX = 2, 34


class StillComboBox(CalmComboBox):
    """A combo box that the wheel never changes, not even after a choice left the focus there."""

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 (Qt's name)
        """Settings of a camera are never changed by scrolling."""
        event.ignore()


class SubmitEdit(TextEdit):
    """A line edit whose Return sends the text, and Escape only leaves it."""

    submitted = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        """Tell the two ways of ending an entry apart."""
        sends = event.key() in RETURN
        super().keyPressEvent(event)
        if sends:
            self.submitted.emit()


class FeatureEditor(QFrame):
    """Details and editor; says by signal what is to be written."""

    write_wanted = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.node: FeatureNode | None = None
        self.state: FeatureState | None = None
        self.editor: QWidget | None = None
        self._locked = ""
        self._dirty = False
        self._title = QLabel()
        self._title.setTextFormat(Qt.TextFormat.RichText)
        self._text = QLabel()
        self._text.setObjectName("muted")
        self._text.setWordWrap(True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._text.setFixedHeight(LINES * self.fontMetrics().lineSpacing())
        self._text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._whole = ""
        self._limits = ElidedLabel()
        self.note = ElidedLabel(colour=theme.TEXT)
        self.button = QPushButton("Apply")
        self.button.setObjectName("primary")
        self.button.clicked.connect(self.submit)
        self._row = QHBoxLayout()
        self._row.setSpacing(10)
        self._row.addWidget(self.button)
        self._row.addWidget(self._limits, 1)
        self._row.addSpacerItem(QSpacerItem(0, ROW_PX))
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 10)
        column.setSpacing(6)
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addLayout(self._row)
        column.addWidget(self.note)
        self.show_feature(None, None)

    # ---- what is shown

    def show_feature(self, node: FeatureNode | None, state: FeatureState | None) -> None:
        """Show another feature."""
        self.node, self.state, self._dirty = node, None, False
        self.say("")
        self._drop_editor()
        self._limits.setText("")
        if node is None or node.type == "category":
            self._title.setVisible(node is not None)
            self._title.setText("" if node is None else f"<b>{_escape(node.display_name)}</b>")
            self._describe(NOTHING if node is None else node.description or node.tooltip)
            self.button.hide()
            return
        kind = f"{node.type}, {node.visibility}"
        if node.selectors:
            kind += f", one for each of {', '.join(node.selectors)}"
        words = f"<span style='color:{theme.MUTED}'>{_escape(kind)}</span>"
        self._title.setText(f"<b>{_escape(node.name)}</b>&nbsp;&nbsp;{words}")
        self._title.show()
        self._describe(node.description or node.tooltip or node.display_name)
        if state is not None:
            self.show_state(state)

    def show_state(self, state: FeatureState) -> None:
        """Show the present state; what is being typed is left alone."""
        node, before = self.node, self.state
        if node is None or state.name != node.name or state == before:
            return
        self.state = state
        if before is None or before.writable != state.writable or before.entries != state.entries:
            self._make_editor(node, state)
        elif not self._dirty:
            self._fill(state)
        numeric = node.type in ("integer", "float")
        self._limits.setText((limits_text(state) if numeric else "") if state.writable else "")
        if not state.writable:
            self.say(state.why[:1].upper() + state.why[1:], theme.WARN)
        elif before is not None and not before.writable:
            self.say("")
        self._follow_lock()

    def set_locked(self, why: str) -> None:
        """Refuse all writing for a reason; an empty one allows it."""
        if why != self._locked:
            self._locked = why
            if self.state is not None and self.state.writable:
                self.say(why, theme.WARN)
            self._follow_lock()

    def say(self, text: str, colour: str = theme.TEXT) -> None:
        """Say what became of a write, or why there can be none."""
        self.note.set_colour(colour)
        self.note.setText(text)

    def show_outcome(self, applied: Applied) -> None:
        """Say what the camera made of a write; what was typed is no longer waiting."""
        self._dirty = False
        if self.state is not None and self.editor is not None:
            self._fill(self.state)
        got = value_text(applied.applied, applied.unit)
        if applied.applied is None:
            self.say("Done", theme.OK)
        elif applied.applied == applied.asked:
            self.say(f"Applied: {got}", theme.OK)
        else:
            self.say(f"Asked {value_text(applied.asked)}, applied {got}", theme.ACCENT)

    def focus_editor(self) -> None:
        """Give the keyboard to the editor."""
        if self.editor is not None and self.editor.isEnabled():
            self.editor.setFocus(Qt.FocusReason.TabFocusReason)
            if isinstance(self.editor, NumberBox):
                self.editor.selectAll()
        elif self.button.isVisible() and self.button.isEnabled():
            self.button.setFocus(Qt.FocusReason.TabFocusReason)

    # ---- writing

    def submit(self) -> None:
        """Ask for the value to be written."""
        node, editor = self.node, self.editor
        if node is None or self._locked:
            return
        value: FeatureValue
        if isinstance(editor, NumberBox):
            try:
                value = editor.value()
            except ValueError as error:
                self.say(str(error)[:1].upper() + str(error)[1:], theme.BAD)
                return
        elif isinstance(editor, StillComboBox):
            value = editor.currentText()
        elif isinstance(editor, QCheckBox):
            value = editor.isChecked()
        elif isinstance(editor, TextEdit):
            value = editor.text()
        elif node.type == "command":
            value = True
        else:
            return
        self.say("Writing", theme.MUTED)
        self.write_wanted.emit(node, value)

    # ---- inside

    def _describe(self, text: str) -> None:
        self._whole = text
        room = int(LINES * self._text.width() * 0.94)  # lines are broken at words
        short = self.fontMetrics().elidedText(" ".join(text.split()), Qt.TextElideMode.ElideRight, room)
        self._text.setText(short)
        self._text.setToolTip(text if short.endswith("…") else "")

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        """Shorten the description to what fits."""
        super().resizeEvent(event)
        self._describe(self._whole)

    def _drop_editor(self) -> None:
        if self.editor is not None:
            self._row.removeWidget(self.editor)
            self.editor.hide()
            self.editor.deleteLater()
            self.editor = None

    def _make_editor(self, node: FeatureNode, state: FeatureState) -> None:
        self._drop_editor()
        self._dirty = False
        self.editor = editor = self._editor(node, state)
        self.button.setText("Execute" if node.type == "command" else "Apply")
        self.button.setVisible(state.writable and not isinstance(editor, StillComboBox | QCheckBox))
        if editor is not None:
            editor.setAccessibleName(node.name)
            self._row.insertWidget(0, editor)
            self._fill(state)

    def _editor(self, node: FeatureNode, state: FeatureState) -> QWidget | None:
        if node.type == "command":
            return None
        if not state.writable:
            shown = QLabel()
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            return shown
        if node.type in ("integer", "float"):
            number = NumberBox(node.type == "integer")
            number.setFixedWidth(EDITOR_PX)
            number.submitted.connect(self.submit)
            number.edited.connect(self._typed)
            return number
        if node.type == "enumeration":
            combo = StillComboBox()
            combo.setFixedWidth(EDITOR_PX)
            combo.addItems(list(state.entries))
            combo.activated.connect(self.submit)
            return combo
        if node.type == "boolean":
            box = QCheckBox("on")
            box.clicked.connect(self.submit)
            return box
        text = SubmitEdit()
        text.setFixedWidth(EDITOR_PX)
        text.textEdited.connect(self._typed)
        text.submitted.connect(self.submit)
        return text

    def _typed(self) -> None:
        self._dirty = True
        self.say("Return or Apply writes it", theme.MUTED)

    def _fill(self, state: FeatureState) -> None:
        editor, value = self.editor, state.value
        if isinstance(editor, NumberBox):
            editor.show_state(state)
        elif isinstance(editor, StillComboBox):
            editor.setCurrentText("" if value is None else str(value))
        elif isinstance(editor, QCheckBox):
            editor.setChecked(bool(value))
        elif isinstance(editor, TextEdit):
            editor.setText("" if value is None else str(value))
        elif isinstance(editor, QLabel):
            editor.setText(value_text(value, state.unit))

    def _follow_lock(self) -> None:
        for widget in (self.editor, self.button):
            if widget is not None:
                widget.setEnabled(not self._locked)
                widget.setToolTip(self._locked)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
