"""Adapt to this set: how long, how far it is, and what was gained."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from gui import actions, theme
from gui.widgets.fields import CalmSpinBox

MINUTES = (1, 240, 10)
"""Least, most and first choice."""


class AdaptCard(QWidget):
    """A button while nothing runs, progress while something does, and a question at the end.

    The question stands in the page: a dialog would cover the picture while somebody shoots.
    """

    wanted = Signal(int)
    stop_wanted = Signal()
    use_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._made: Path | None = None
        self.button = QPushButton("Adapt")
        self.button.setToolTip(actions.tooltip("deblur.adapt"))
        self.button.clicked.connect(self._begin)
        low, high, first = MINUTES
        self.minutes = CalmSpinBox(low, high, first)
        self.minutes.setSuffix(" min")
        self.minutes.setAccessibleName("Minutes to adapt")
        self.minutes.setToolTip("How long it may learn; it can be stopped at any time")
        self.stop = QPushButton("Stop")
        self.stop.setToolTip("End the learning; the best until then counts")
        self.stop.clicked.connect(self.stop_wanted)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.use = QPushButton("Use them")
        self.use.setToolTip("Run the network with the new weights from now on")
        self.use.clicked.connect(self._use)
        self.keep = QPushButton("Keep the present")
        self.keep.setToolTip("Go on as before; the new weights stay in the session and in the list above")
        self.keep.clicked.connect(self._answered)
        first_row = QHBoxLayout()
        first_row.setSpacing(8)
        first_row.addWidget(self.button, 1)
        first_row.addWidget(self.minutes)
        first_row.addWidget(self.progress, 1)
        first_row.addWidget(self.stop)
        answers = QHBoxLayout()
        answers.setSpacing(8)
        answers.addWidget(self.use, 1)
        answers.addWidget(self.keep)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(first_row)
        column.addWidget(self.words)
        column.addLayout(answers)
        self._show(running=False, asking=False)

    def show_possible(self, why_not: str, words: str) -> None:
        """Say whether there is anything to learn from; kept back while something runs or is asked.

        Args:
            why_not: What is missing; empty when nothing is.
            words: What it would learn from.
        """
        if self.running or self._made is not None:
            return
        self.button.setEnabled(not why_not)
        self._say(why_not or words, theme.MUTED)

    @property
    def running(self) -> bool:
        """Whether progress is shown."""
        return not self.stop.isHidden()

    def show_running(self, words: str, done: float = 0.0) -> None:
        """Show how far it is."""
        self._made = None
        self._show(running=True, asking=False)
        self.stop.setEnabled(True)
        self.progress.setValue(int(done * 1000))
        self._say(words, theme.TEXT)

    def show_stopping(self) -> None:
        """Show that the end was asked for."""
        self.stop.setEnabled(False)
        self._say("Stopping", theme.MUTED)

    def ask(self, made: Path, words: str) -> None:
        """Tell what was gained and ask which weights to use."""
        self._made = made
        self._show(running=False, asking=True)
        self._say(words, theme.OK)

    def show_ended(self, words: str, *, good: bool = True) -> None:
        """Show the button again, and how it ended."""
        self._made = None
        self._show(running=False, asking=False)
        self._say(words, theme.MUTED if good else theme.WARN)

    def _begin(self) -> None:
        self.wanted.emit(self.minutes.value())

    def _use(self) -> None:
        made = self._made
        self._answered()
        if made is not None:
            self.use_wanted.emit(made)

    def _answered(self) -> None:
        self.show_ended(self.words.text())

    def _show(self, *, running: bool, asking: bool) -> None:
        idle = not running and not asking
        for shown, widgets in (
            (running, (self.progress, self.stop)),
            (asking, (self.use, self.keep)),
            (idle, (self.button, self.minutes)),
        ):
            for widget in widgets:
                widget.setVisible(shown)

    def _say(self, text: str, colour: str) -> None:
        self.words.setText(text)
        self.words.setStyleSheet(f"color: {colour};")
