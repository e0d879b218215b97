"""Writes the reviewer's decisions into the session's journal, in a thread of its own."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui.sessions import SessionKeeper
from gui.widgets.fields import CalmComboBox
from gui.workers import Worker
from rig.errors import SessionError
from rig.review import MOST_REASON, Decision, review_pairs

REASONS = {
    "reject": (
        "Something else moves in the picture",
        "The object leaves the picture",
        "Out of focus",
        "Light changed",
        "Mask is wrong",
    ),
    "accept": ("Looked at: nothing wrong with it", "What was found does not touch the object"),
}


class Reviewer(QObject):
    """Keeps what a person decides about pairs; the newest decision counts, none is deleted.

    Args:
        keeper: The session.
        parent: The Qt parent.
    """

    decided = Signal()
    failed = Signal(object)

    def __init__(self, keeper: SessionKeeper, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._keeper = keeper
        self._worker = Worker("review-journal", limit=32, parent=self)
        self._worker.failed.connect(self.failed)

    def decide(self, pair: str, decision: Decision, reason: str = "") -> None:
        """Write a decision about a pair."""
        self._worker.submit(lambda: self._write(pair, decision, reason), "decide")

    def end(self) -> None:
        """End the thread after the line under way."""
        self._worker.end()

    def _write(self, pair: str, decision: Decision, reason: str) -> None:
        session = self._keeper.open_existing()
        if session is None:
            raise SessionError("no session is open", hint="open one with Ctrl+O")
        review_pairs(session, [pair], decision, reason)
        self.decided.emit()


class ReasonDialog(QDialog):
    """Asks why; the usual reasons are at hand.

    Args:
        parent: The page.
        decision: "reject" or "accept".
        pair: Id of the pair.
        last: The reason given last, to give it again with Return.
    """

    def __init__(self, parent: QWidget, decision: Decision, pair: str, last: str = "") -> None:
        super().__init__(parent)
        verb = "Reject" if decision == "reject" else "Accept"
        self.setWindowTitle(f"{verb} {pair}")
        self.setMinimumWidth(460)
        self.box = CalmComboBox()
        self.box.setEditable(True)
        self.box.setAccessibleName("Reason")
        self.box.addItems(list(dict.fromkeys(filter(None, (last, *REASONS[decision])))))
        editor = self.box.lineEdit()
        if editor is not None:
            editor.setMaxLength(MOST_REASON)
            editor.selectAll()
        effect = (
            "Its files stay. Exports leave it out and list it with this reason."
            if decision == "reject"
            else "It is exported also where a check stops it; the reason stands beside it."
        )
        said = QLabel(effect)
        said.setObjectName("muted")
        said.setWordWrap(True)
        self.go = QPushButton(verb)
        self.go.setObjectName("primary")
        self.go.setDefault(True)
        self.go.clicked.connect(self.accept)
        cancel = QPushButton("Cancel")
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.go)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 16)
        column.setSpacing(12)
        column.addWidget(QLabel("Why?"))
        column.addWidget(self.box)
        column.addWidget(said)
        column.addLayout(buttons)
        self.box.currentTextChanged.connect(lambda text: self.go.setEnabled(bool(text.strip())))
        self.box.setFocus()

    @property
    def reason(self) -> str:
        """What was given as the reason."""
        return self.box.currentText().strip()
