"""Calibrate page: what a session is calibrated from, how good and how old it is, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gui import actions
from gui.calibration_job import CalibrationJob
from gui.calibration_words import NEW_FILE, file_choices, scene_words, words
from gui.planning import sentence
from gui.session_index import Listing
from gui.sessions import SessionKeeper
from gui.widgets.calibration_card import TITLES, CalibrationCard
from gui.widgets.calibration_detail import CalibrationDetail
from gui.widgets.elided import ElidedLabel
from gui.widgets.fields import CalmComboBox
from gui.widgets.static_figures import StaticFigures
from gui.workers import Trouble
from processing.calibration.overview import Known, Overview, SceneKnown
from processing.profile import PROFILES, Profile


class CalibratePage(QWidget):
    """Cards of the four kinds on the left; figures of the static pair and the chosen calibration right.

    Args:
        keeper: The session.
    """

    trouble = Signal(object)
    capture_wanted = Signal(str, str)
    changed = Signal()
    """Something was made: the session is to be listed anew."""

    def __init__(self, keeper: SessionKeeper) -> None:
        super().__init__()
        self.setObjectName("page")
        self._keeper = keeper
        self.overview = Overview(keeper.folder)
        self.current = "scene"
        self._seen = 0
        self._stale = True
        self.job = CalibrationJob(keeper, self)
        self.scene_box = CalmComboBox()
        self.scene_box.setAccessibleName("Scene")
        self.scene_box.setToolTip("Whose takes and figures these are")
        self.cards = {
            kind: CalibrationCard(
                kind,
                "Profile of the pipeline"
                if kind == "scene"
                else "What the session's scenes are processed with",
            )
            for kind in TITLES
        }
        self._group = QButtonGroup(self)
        self.figures = StaticFigures()
        self.detail = CalibrationDetail()
        self.progress = QProgressBar()
        self.progress.setRange(0, 0)
        self.outcome = ElidedLabel()
        self.cancel_button = QPushButton("Stop")
        self.cancel_button.setToolTip(actions.tooltip("capture.cancel"))
        self.cancel_button.clicked.connect(self.cancel)
        self.file_button = QPushButton("Use a file…")
        self.file_button.setToolTip(actions.tooltip("calibrate.file"))
        self.file_button.clicked.connect(self.choose_file)
        self._build()
        self._connect()
        self._show()

    def _build(self) -> None:
        title = QLabel("Calibrate")
        title.setObjectName("title")
        head = QHBoxLayout()
        head.addWidget(title)
        head.addStretch(1)
        name = QLabel("Scene")
        name.setObjectName("muted")
        head.addWidget(name)
        head.addWidget(self.scene_box)
        inside = QWidget()
        stack = QVBoxLayout(inside)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(8)
        for card in self.cards.values():
            stack.addWidget(card)
            self._group.addButton(card.title)
        stack.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        left = QFrame()
        left.setFixedWidth(404)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(head)
        column.addWidget(scroll, 1)
        right = QVBoxLayout()
        right.setSpacing(8)
        right.addWidget(self.figures)
        right.addWidget(self.detail, 1)
        right.addWidget(self.progress)
        low = QHBoxLayout()
        low.setSpacing(10)
        low.addWidget(self.cancel_button)
        low.addWidget(self.outcome, 1)
        low.addWidget(self.file_button)
        right.addLayout(low)
        body = QHBoxLayout(self)
        body.setContentsMargins(16, 12, 16, 12)
        body.setSpacing(14)
        body.addWidget(left)
        body.addLayout(right, 1)

    def _connect(self) -> None:
        self.scene_box.currentIndexChanged.connect(self._show)
        for card in self.cards.values():
            card.selected.connect(self.select)
            card.make_wanted.connect(self._make)
            card.capture_wanted.connect(lambda kind: self.capture_wanted.emit(self.scene, kind))
            card.choice_made.connect(self._choice)
        self.job.looked.connect(self.show_overview)
        self.detail.picture_wanted.connect(self.job.draw)
        self.job.drawn.connect(self._take_picture)
        self.job.progressed.connect(self.progress.setFormat)
        self.job.made.connect(self._made)
        self.job.chosen.connect(self.job.look)
        self.job.failed.connect(self._failed)

    # ---- what there is

    @property
    def scene(self) -> str:
        """Name of the chosen scene."""
        return self.scene_box.currentText()

    @property
    def profile(self) -> Profile:
        """The profile that a scene is measured with."""
        chosen = self.cards["scene"].box.currentData()
        return cast("Profile", chosen if chosen in PROFILES else PROFILES[0])

    @property
    def running(self) -> bool:
        """Whether a calibration is being made."""
        return self.job.running

    def show_listing(self, listing: Listing) -> None:
        """Follow the session: read its calibrations anew once somebody looks."""
        self._stale = not self.isVisible()
        if not self._stale:
            self.job.look()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        """Read what changed meanwhile."""
        super().showEvent(event)
        if self._stale:
            self._stale = False
            self.job.look()

    def show_overview(self, overview: Overview) -> None:
        """Show what the session is calibrated with."""
        before, self.overview = self.scene, overview
        self.detail.forget()
        self.scene_box.blockSignals(True)
        self.scene_box.clear()
        self.scene_box.addItems(list(overview.scenes))
        wanted = before if before in overview.scenes else (overview.scenes[-1] if overview.scenes else "")
        self.scene_box.setCurrentText(wanted)
        self.scene_box.setEnabled(len(overview.scenes) > 1)
        self.scene_box.blockSignals(False)
        if overview.trouble:
            self.outcome.setText(sentence(overview.trouble))
        self._show()

    def select(self, kind: str) -> None:
        """Show the calibration of a kind."""
        self.current = kind
        self._show_chosen()

    def _known(self, kind: str) -> Known | None:
        """Return the calibration of a kind that holds for the scene, or the newest there is."""
        if kind == "scene":
            own = self.overview.own.get(self.scene, ())
            fitting = [one for one in own if one.profile == self.profile]
            return next(iter(fitting or own), None)
        return self.overview.chosen_file(kind) or self.overview.best(kind)

    def _show(self) -> None:
        overview, scene = self.overview, self.scene
        profile = self.profile
        own = overview.own.get(scene, ())
        for kind, card in self.cards.items():
            known = self._known(kind)
            if kind == "scene":
                card.offer([("Profile best", "best"), ("Profile paper", "paper")], profile)
                card.show_known(known, *scene_words(cast("SceneKnown | None", known), scene, overview))
            else:
                chosen = overview.chosen.get(kind)
                card.offer(file_choices(kind, overview), chosen.path if chosen else None)
                card.show_known(known, *words(known, kind, overview))
            card.set_missing(overview.missing.get((scene, kind), ()), scene, busy=self.running)
        self.figures.show_scene(scene, own)
        self._show_chosen()
        self._update_buttons()

    def _show_chosen(self) -> None:
        for kind, card in self.cards.items():
            card.set_chosen(kind == self.current)
        known = self.cards[self.current].shown
        self.detail.show_known(known, self.current)
        self.file_button.setEnabled(self.current != "scene" and bool(self.overview.scenes))

    def _take_picture(self) -> None:
        found = self.job.view.take(self._seen)
        if found is None:
            return
        self._seen, view = found
        self.detail.show_view(view)

    # ---- what is done

    def make(self) -> None:
        """Make the chosen kind from the takes of the scene."""
        if self.cards[self.current].makeable:
            self._make(self.current)

    def _make(self, kind: str) -> None:
        if self.scene and self.job.make(kind, self.scene, self.profile):
            self.progress.setFormat(f"{TITLES[kind][0]}: starting")
            self.outcome.setText("")
            self._show()

    def cancel(self) -> None:
        """Stop what is being made."""
        self.job.cancel()

    def _made(self, kind: str, text: str) -> None:
        self.outcome.setText(text)
        if kind:
            self.current = kind
            self.changed.emit()
        self._show()
        self.job.look()

    def _choice(self, kind: str, value: object) -> None:
        if kind == "scene":
            self._show()
        elif value == NEW_FILE:
            self.choose_file()
        else:
            self.job.choose(kind, cast("Path | None", value))

    def choose_file(self) -> None:
        """Ask for a laboratory's file and use it for the session."""
        if self.current == "scene" or not self.file_button.isEnabled():
            return
        start = str(self.overview.folder / "calibration")
        name = TITLES[self.current][0].lower()
        chosen, _ = QFileDialog.getOpenFileName(
            self, f"A {name} calibration of the laboratory", start, "Calibrations (*.json)"
        )
        if chosen:
            self.job.choose(self.current, Path(chosen))
        else:
            self._show()

    def _failed(self, trouble: Trouble) -> None:
        self.outcome.setText(sentence(trouble.message))
        self._show()
        self.trouble.emit(trouble)

    def _update_buttons(self) -> None:
        self.progress.setVisible(self.running)
        self.cancel_button.setVisible(self.running)
        self.outcome.setVisible(not self.running)

    def end(self) -> None:
        """End the threads of the page."""
        self.job.end()
