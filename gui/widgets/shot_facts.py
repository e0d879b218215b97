"""Why a shot is a pair, and what its frames say of themselves: the tabs beside the pictures."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from gui.session_index import Shot
from gui.verdicts import PairState
from gui.widgets.facts import meta_rows, proof_rows
from gui.widgets.readout import ValueTable
from gui.widgets.verdict_panel import VerdictPanel
from rig.records import PairRecord


class ShotFacts(QTabWidget):
    """Verdict, sync proof, and the metadata of both frames."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedWidth(318)
        self.verdict = VerdictPanel()
        self.proof = ValueTable()
        self.meta = {camera: ValueTable() for camera in ("B", "S")}
        self.warnings = QLabel("")
        self.warnings.setObjectName("warning")
        self.warnings.setWordWrap(True)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.proof)
        column.addWidget(self.warnings)
        column.addStretch(1)
        self.addTab(_scrolled(self.verdict), "Verdict")
        self.addTab(_scrolled(content), "Sync proof")
        for camera, table in self.meta.items():
            self.addTab(_scrolled(table), camera)
            self.setTabToolTip(self.count() - 1, f"What frame {camera} says of itself")

    def show_shot(self, shot: Shot, known: PairState | None = None) -> None:
        """Show the facts of a shot, and what is known for or against it."""
        self.verdict.show_shot(shot, known)
        self.proof.show_all(proof_rows(shot.sync))
        for camera, table in self.meta.items():
            table.show_all(meta_rows(shot, camera))
        self.warnings.setText("\n".join(shot.warnings) if isinstance(shot, PairRecord) else "")

    def clear_shot(self) -> None:
        """Show nothing."""
        self.verdict.clear_shot()
        for table in (self.proof, *self.meta.values()):
            table.show_all({})
        self.warnings.setText("")


def _scrolled(content: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(4, 10, 8, 8)
    column.addWidget(content)
    column.addStretch(1)
    area.setWidget(holder)
    return area
