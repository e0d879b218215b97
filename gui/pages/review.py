"""Review page: shots of the session, both pictures of a pair under a slider, why they belong together."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSizeF, Signal
from PySide6.QtGui import QImage, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from gui import actions, theme
from gui.pages.review_work import ReviewWork
from gui.pair_overlay import PairOverlay
from gui.pictures import PairView, derived_path, load_view
from gui.planning import sentence
from gui.reviewer import ReasonDialog, Reviewer
from gui.session_index import Listing, SessionIndex, Shot
from gui.sessions import SessionKeeper
from gui.verdicts import FILTERS
from gui.widgets.compare_slider import CompareSlider
from gui.widgets.elided import ElidedLabel
from gui.widgets.fields import CalmComboBox
from gui.widgets.shot_facts import ShotFacts
from gui.widgets.shot_list import ShotList
from gui.workers import NewestSlot, Trouble, Worker
from rig.records import PairRecord
from rig.review import Decision

NO_SESSION = "No session yet.\nIt is made at the first capture; Ctrl+O opens one from the disk."


class ReviewPage(QWidget):
    """List, slider and facts; pictures load in a worker, the newest wish wins."""

    trouble = Signal(object)
    deblur_wanted = Signal(object)
    _loaded = Signal()

    def __init__(self, keeper: SessionKeeper, index: SessionIndex) -> None:
        super().__init__()
        self.setObjectName("page")
        self._keeper = keeper
        self._index = index
        self.listing = Listing(keeper.folder)
        self.shots = ShotList()
        self.slider = CompareSlider("B", "S")
        self.slider.set_names("B  long, blurred", "S  short, sharp", (theme.CAMERA["B"], theme.CAMERA["S"]))
        self.slider.clear("Reading the session", busy=True)
        self.shown = ElidedLabel()
        self.facts = ShotFacts()
        self.filter_box = CalmComboBox()
        self.filter_box.setAccessibleName("Which shots are listed")
        self.filter_box.setToolTip(actions.tooltip("review.filter"))
        for key, words in FILTERS.items():
            self.filter_box.addItem(words, key)
        self.work = ReviewWork(keeper)
        self.reviewer = Reviewer(keeper, self)
        self._reason = {"reject": "", "accept": ""}
        self._view: NewestSlot[PairView] = NewestSlot()
        self._seen = 0
        self._waiting: PairRecord | None = None
        self._loader = Worker("review", limit=2, parent=self)
        self._loader.failed.connect(self._load_failed)
        self.overlay = PairOverlay(self.slider, self._loader)
        self._build()
        self._loaded.connect(self._take_view)
        self.shots.chosen.connect(self.show_shot)
        self.filter_box.currentIndexChanged.connect(self._filter)
        self.facts.verdict.reject_wanted.connect(self.toggle_reject)
        self.facts.verdict.accept_wanted.connect(self.toggle_accept)
        self.work.trouble.connect(self.trouble)
        self.work.processed.connect(self._processed)
        self.work.deblur_button.clicked.connect(self._deblur)
        self.reviewer.decided.connect(self.refresh)
        self.reviewer.failed.connect(self.trouble)
        self._update_buttons()

    def _build(self) -> None:
        title = QLabel("Review")
        title.setObjectName("title")
        left = QFrame()
        left.setFixedWidth(286)
        left_column = QVBoxLayout(left)
        left_column.setContentsMargins(0, 0, 0, 0)
        head = QHBoxLayout()
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self.filter_box)
        left_column.addLayout(head)
        left_column.addWidget(self.shots, 1)
        middle = QVBoxLayout()
        middle.setSpacing(8)
        top = QHBoxLayout()
        top.addWidget(self.shown, 1)
        top.addWidget(self.overlay.box)
        middle.addLayout(top)
        middle.addWidget(self.slider, 1)
        middle.addWidget(self.work)
        body = QHBoxLayout(self)
        body.setContentsMargins(16, 12, 16, 12)
        body.setSpacing(14)
        body.addWidget(left)
        body.addLayout(middle, 1)
        body.addWidget(self.facts)

    # ---- list

    def refresh(self) -> None:
        """Read the session anew."""
        self._index.refresh()

    def show_listing(self, listing: Listing) -> None:
        """Show what the session holds."""
        if listing.folder != self.listing.folder:
            self._clear_shot()
        self.listing = listing
        self.shots.show_listing(listing)
        shot = self.shots.current_shot()
        if shot is None:
            self._clear_shot()
            self.slider.clear(self._nothing(listing))
        else:
            self.facts.show_shot(shot, listing.states.get(shot.id))
        self._update_buttons()

    def _nothing(self, listing: Listing) -> str:
        if listing.shots:
            return f"No shot is listed by “{self.filter_box.currentText()}”.\nV shows more."
        return "The session holds no shots yet." if listing.made else NO_SESSION

    def _filter(self) -> None:
        self.shots.set_filter(str(self.filter_box.currentData()))
        self.show_listing(self.listing)

    def next_filter(self) -> None:
        """Go on to the next filter of the list; from the last to the first."""
        self.filter_box.setCurrentIndex((self.filter_box.currentIndex() + 1) % self.filter_box.count())

    def show_unreadable(self, trouble: Trouble) -> None:
        """Say why the session cannot be read, where its pictures would be."""
        if not self.listing.shots:
            self.slider.clear(f"{sentence(trouble.message)}\n{sentence(trouble.hint)}")

    def select_next(self) -> None:
        """Select the next shot."""
        self.shots.step(1)

    def select_previous(self) -> None:
        """Select the shot before."""
        self.shots.step(-1)

    # ---- shot

    def show_shot(self, shot: Shot) -> None:
        """Show the facts of a shot at once, its pictures as soon as they are loaded."""
        self.facts.show_shot(shot, self.listing.states.get(shot.id))
        self._update_buttons()
        if not isinstance(shot, PairRecord):
            self._waiting = None
            self._loader.drop("view")
            self.shown.setText(shot.id)
            self.slider.clear(f"Rejected: {shot.sync.reason}\nNo frame of it is kept as a pair.")
            return
        self.shown.setText(f"{shot.id}   loading")
        self.shown.set_colour(theme.MUTED)
        if not self.slider.has_image():
            self.slider.clear(f"Loading {shot.id}", busy=True)
        self._waiting = shot
        if self.isVisible():  # a take goes on undisturbed: pictures load when somebody looks
            self._load_waiting()

    def _load_waiting(self) -> None:
        pair, root = self._waiting, self.listing.folder
        self._waiting = None
        if pair is not None:
            self._loader.submit(lambda: self._load(root, pair), "view", newest_only=True)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        """Load the picture that was selected meanwhile."""
        super().showEvent(event)
        self._load_waiting()

    def _load(self, root: Path, pair: PairRecord) -> None:
        self._view.put(load_view(root, pair))
        self._loaded.emit()

    def _take_view(self) -> None:
        found = self._view.take(self._seen)
        if found is None:
            return
        self._seen, view = found
        if view.pair_id != self.shots.current_id():
            return  # another shot was selected meanwhile
        self.slider.set_pair(view.b, view.s, QSizeF(*view.size))
        self.overlay.show_pair(self.listing, self.shots.current_shot(), view.mask)
        self.shown.setText(f"{view.pair_id}   {view.label}")
        self.shown.set_colour(theme.OK if view.developed else theme.MUTED)

    def _load_failed(self, trouble: Trouble) -> None:
        self.slider.clear(f"{sentence(trouble.message)}\n{sentence(trouble.hint)}")
        self.trouble.emit(trouble)

    def _clear_shot(self) -> None:
        self.facts.clear_shot()
        self.shown.setText("")
        self.overlay.show_pair(self.listing, None, QImage())

    # ---- the reviewer's decision

    def toggle_reject(self) -> None:
        """Leave the selected pair out, with a reason; or take that back."""
        self._decide("reject")

    def toggle_accept(self) -> None:
        """Keep the selected pair whatever the checks say, with a reason; or take that back."""
        self._decide("accept")

    def _decide(self, decision: Decision) -> None:
        shot = self.shots.current_shot()
        if not isinstance(shot, PairRecord):
            return
        known = self.listing.states.get(shot.id)
        if known is not None and known.review is not None and known.review.decision == decision:
            self.reviewer.decide(shot.id, "withdraw")
            return
        dialog = ReasonDialog(self, decision, shot.id, self._reason[decision])
        if dialog.exec() and dialog.reason:
            self._reason[decision] = dialog.reason
            self.reviewer.decide(shot.id, decision, dialog.reason)
        dialog.deleteLater()

    # ---- processing

    @property
    def scene(self) -> str:
        """Scene of the selected shot; the last scene when none is selected."""
        shot = self.shots.current_shot()
        if shot is not None:
            return shot.scene
        return self.listing.scenes[-1] if self.listing.scenes else ""

    @property
    def processing(self) -> bool:
        """Whether a scene is being processed, or a report or a data set made."""
        return self.work.running

    def cancel(self) -> None:
        """Stop what is being made."""
        self.work.cancel()

    def _processed(self) -> None:
        self._update_buttons()
        self.refresh()
        shot = self.shots.current_shot()
        if shot is not None:
            self.show_shot(shot)

    def _deblur(self) -> None:
        path = self._developed_b()
        if path is not None:
            self.deblur_wanted.emit(path)

    def _developed_b(self) -> Path | None:
        shot = self.shots.current_shot()
        return derived_path(self.listing.folder, shot, "B") if isinstance(shot, PairRecord) else None

    def _update_buttons(self) -> None:
        self.work.follow(self.listing, self.scene)
        self.work.deblur_button.setEnabled(self._developed_b() is not None)

    def end(self) -> None:
        """End the threads of the page."""
        self.work.end()
        self.reviewer.end()
        self._loader.end()
