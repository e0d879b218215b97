"""What the checks say of a pair, with hints and figures, and the reviewer's own decision."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui import actions, theme
from gui.planning import sentence
from gui.session_index import Shot
from gui.verdicts import MARKS, PairState
from gui.widgets.readout import ValueTable
from rig.records import PairRecord

UNITS = {"_percent": " %", "_px": " px", "_hz": " Hz", "_deg": "°"}
SHARES = ("delta_l", "drift", "clipped", "background_apart")
FIRST = ("blur_", "delta_l", "mask", "shift_", "moment", "sharpness", "level", "ratio")
SILENT = {
    "good": "The checks found nothing.",
    "note": "Nothing that matters was found.",
    "unchecked": "Not checked yet: process the scene.",
}


class VerdictPanel(QWidget):
    """Verdict, reasons, decision, figures: the first tab beside the pictures."""

    reject_wanted = Signal()
    accept_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.head = QLabel()
        self.head.setStyleSheet("font-size: 16px; font-weight: 600;")
        self.reasons = QLabel()
        self.reasons.setWordWrap(True)
        self.reasons.setTextFormat(Qt.TextFormat.RichText)
        self.reasons.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.reject_button = QPushButton("Reject…")
        self.reject_button.setToolTip(actions.tooltip("review.reject"))
        self.reject_button.clicked.connect(self.reject_wanted)
        self.accept_button = QPushButton("Accept…")
        self.accept_button.setToolTip(actions.tooltip("review.accept"))
        self.accept_button.clicked.connect(self.accept_wanted)
        self.figures = ValueTable()
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.reject_button, 1)
        buttons.addWidget(self.accept_button, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.head)
        column.addWidget(self.reasons)
        column.addLayout(buttons)
        column.addSpacing(4)
        column.addWidget(self.figures)

    def show_shot(self, shot: Shot, known: PairState | None) -> None:
        """Show what is known of a shot."""
        paired = isinstance(shot, PairRecord)
        known = known or PairState()
        state = known.state if paired else "rejected"
        mark, word, colour = MARKS[state]
        self.head.setText(f"<span style='color:{colour}'>{mark}</span>&nbsp; {word.capitalize()}")
        lines = [] if paired else [f"At the capture: {escape(shot.sync.reason)}"]
        if known.review is not None:
            lines.append(
                f"{escape(sentence(known.review.line()))}{_muted(known.review.time[:16].replace('T', ' '))}"
            )
        if known.failed:
            lines.append(f"Processing failed: {escape(known.failed)}")
        for one in known.findings:
            sign, _, tint = MARKS[one.level]
            hint = _muted(sentence(one.hint)) if one.hint else ""
            lines.append(
                f"<span style='color:{tint}'><b>{sign}</b></span> {escape(sentence(one.text))}{hint}"
            )
        if paired and not known.findings:
            lines.append(_plain(SILENT.get(known.level, "")))
        self.reasons.setText("<br>".join(filter(None, lines)))
        for button, decision, verb in (
            (self.reject_button, "reject", "Reject…"),
            (self.accept_button, "accept", "Accept…"),
        ):
            taken = known.review is not None and known.review.decision == decision
            button.setText(f"Take back {decision}" if taken else verb)
            button.setEnabled(paired)
        self.figures.show_all(figure_rows(known.figures))

    def clear_shot(self) -> None:
        """Show nothing."""
        self.head.setText("")
        self.reasons.setText("")
        self.reject_button.setEnabled(False)
        self.accept_button.setEnabled(False)
        self.figures.show_all({})


def figure_rows(figures: Mapping[str, float]) -> dict[str, str]:
    """Return figures as name and text, the telling ones first; nothing clipped is not worth a row."""
    order = {name: place for place, name in enumerate(FIRST)}
    wanted = [key for key, value in figures.items() if value or not key.startswith("clipped_")]
    wanted.sort(key=lambda key: next((order[name] for name in FIRST if key.startswith(name)), len(FIRST)))
    return {name_words(key): figure(key, figures[key]) for key in wanted}


def name_words(key: str) -> str:
    """Return a figure's name in words, its unit left to the value."""
    for suffix in UNITS:
        key = key.removesuffix(suffix)
    words = key.replace("delta_l", "ΔL").replace("_", " ").replace("iou", "IoU")
    return words[:1].upper() + words[1:]


def figure(key: str, value: float) -> str:
    """Return a figure with its unit; shares in percent."""
    if any(part in key for part in SHARES):
        return f"{100 * value:.3g} %"
    return f"{value:.4g}" + next((unit for suffix, unit in UNITS.items() if key.endswith(suffix)), "")


def _muted(text: str) -> str:
    return f"<br><span style='color:{theme.MUTED}'>{escape(text)}</span>"


def _plain(text: str) -> str:
    return f"<span style='color:{theme.MUTED}'>{escape(text)}</span>" if text else ""
