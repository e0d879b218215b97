"""The counters of the take that runs: six figures and, where a number was asked for, how far it is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from gui import theme
from gui.widgets.readout import EMPTY
from rig.capture.flow import TakeCounters

CELLS = {
    "fired": ("Fired", "Trigger pulses known to have been fired"),
    "paired": ("Paired", "Proven pairs on the disk"),
    "rejected": ("Rejected", "Pulses that gave no proven pair"),
    "waiting": ("Waiting", "Frames that are in no recorded pair yet"),
    "disk": ("Disk left", "Pairs that still find room on the disk"),
    "ring": ("Ring", "How full the fuller camera's memory is; the take stops at 75 %"),
}
RING_HIGH = 0.5
LEVEL_COLOURS = {"ok": theme.TEXT, "soft": theme.WARN, "hard": theme.BAD}


class TakeCounterGrid(QWidget):
    """Figures that keep their places, so that nothing dances while they count."""

    def __init__(self) -> None:
        super().__init__()
        self.progress = QProgressBar()
        self.phase = QLabel("")
        self.phase.setObjectName("muted")
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(0)
        self._cells: dict[str, QLabel] = {}
        for index, (key, (name, hint)) in enumerate(CELLS.items()):
            heading, value = QLabel(name), QLabel(EMPTY)
            heading.setObjectName("muted")
            value.setFont(theme.font(15, mono=True))
            for label in (heading, value):
                label.setToolTip(hint)
                label.setAlignment(Qt.AlignmentFlag.AlignRight)
            row, column = divmod(index, 3)
            grid.addWidget(heading, 2 * row, column)
            grid.addWidget(value, 2 * row + 1, column)
            grid.setColumnStretch(column, 1)
            self._cells[key] = value
        column_of_all = QVBoxLayout(self)
        column_of_all.setContentsMargins(0, 0, 0, 0)
        column_of_all.setSpacing(6)
        column_of_all.addWidget(self.progress)
        column_of_all.addWidget(self.phase)
        column_of_all.addLayout(grid)
        self.hide()

    def start(self, asked: int) -> None:
        """Begin with a take of so many pairs; 0 when that is open."""
        self.progress.setVisible(asked > 0)
        self.progress.setRange(0, max(asked, 1))
        self.progress.setValue(0)
        self.progress.setFormat("getting ready")
        self.phase.setText("Getting ready")
        for key in CELLS:
            self._set(key, EMPTY)
        self.show()

    def settled(self, number: int) -> None:
        """Count settled shots; they come faster than the rig's counters."""
        self.progress.setFormat("%v of %m settled")
        self.progress.setValue(min(number, self.progress.maximum()))

    def show_counters(self, now: TakeCounters) -> None:
        """Show how the take stands."""
        self.phase.setText(PHASES.get(now.phase, now.phase))
        self._set("fired", f"{now.fired}" + (f"/{now.asked}" if now.asked else ""))
        self._set("paired", f"{now.paired}", theme.OK if now.paired else theme.TEXT)
        self._set("rejected", f"{now.rejected}", theme.WARN if now.rejected else theme.TEXT)
        self._set("waiting", f"{now.waiting}")
        self._set("disk", f"{now.pairs_left:,}".replace(",", "\u202f"), LEVEL_COLOURS[now.disk_level])
        self._set("ring", f"{now.ring_fill:.0%}", theme.WARN if now.ring_fill > RING_HIGH else theme.TEXT)
        if now.asked:
            self.settled(now.paired + now.rejected)

    def text(self, key: str) -> str:
        """Return what a cell shows."""
        return self._cells[key].text()

    def _set(self, key: str, text: str, colour: str = theme.TEXT) -> None:
        self._cells[key].setText(text)
        self._cells[key].setStyleSheet(f"color: {colour}; font-size: 15px;")


PHASES = {
    "warm-up": "Warm-up: these frames are thrown away",
    "waiting": "Waiting for the next shot",
    "pre-roll": "Pre-roll: held in memory, not written yet",
    "shooting": "Shooting",
}
