"""Which weights the Deblur page runs with, and adapting them to the open session."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gui.adapt_job import AdaptJob
from gui.adapt_process import Adapted, adapted_weights
from gui.deblur_job import DeblurJob
from gui.pictures import derived_path
from gui.session_index import Listing
from gui.sessions import SessionKeeper
from gui.widgets.adapt_card import AdaptCard
from gui.widgets.weights_box import WeightsBox
from gui.workers import Trouble
from models.weights import choose_weights
from rig.records import PairRecord

LEAST_PAIRS = 2
"""One to learn from, and one held out to measure the gain on."""


class AdaptMode(QObject):
    """Joins the card, the choice of weights, the adapting and the engine.

    Args:
        keeper: The session.
        card: Where it is asked for, followed and answered.
        box: The choice of weights.
        job: Runs the engine.
    """

    trouble = Signal(object)

    def __init__(
        self,
        keeper: SessionKeeper,
        card: AdaptCard,
        box: WeightsBox,
        job: DeblurJob,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._card, self._box, self._job = card, box, job
        self._folder = keeper.folder
        self._pairs = 0
        self.work = AdaptJob(keeper, self)
        card.wanted.connect(self.start)
        card.stop_wanted.connect(self.stop)
        card.use_wanted.connect(self.use)
        self.work.progressed.connect(self._progressed)
        self.work.adapted.connect(self._adapted)
        self.work.finished.connect(self._finished)
        self.work.failed.connect(self._failed)
        self._show_possible()

    @property
    def running(self) -> bool:
        """Whether weights are being adapted."""
        return self.work.running

    def show_listing(self, listing: Listing) -> None:
        """Know the session's developed pairs and the weights that were adapted to it."""
        if listing.folder != self._folder:
            self.stop()
            if self._job.weights is not None and self._job.weights.is_relative_to(self._folder):
                self.use(None)  # they were made for another set
            self._folder = listing.folder
            self._card.show_ended("")
        shots = (shot for shot in listing.shots if isinstance(shot, PairRecord) and shot.kind == "action")
        self._pairs = sum(_is_developed(listing.folder, shot) for shot in shots)
        self._box.show_adapted(adapted_weights(listing.folder))
        self._show_possible()

    def use(self, weights: Path | None) -> None:
        """Run the network with other weights; None for the usual ones."""
        self._job.use_weights(weights)
        self._box.show_current(weights)
        self._show_possible()

    def trigger(self) -> None:
        """Begin, as the button does; without pairs the reason is told."""
        if self._card.button.isVisible() and self._card.button.isEnabled():
            self._card.button.click()
        elif not self.running:
            self.trouble.emit(Trouble("Nothing to adapt to", self._why_not()))

    def start(self, minutes: float) -> None:
        """Begin to adapt."""
        weights = choose_weights(self._job.weights)
        if weights is not None and self.work.start(minutes, weights):
            self._card.show_running("starting")

    def stop(self) -> None:
        """End the learning; the best until then counts."""
        if self.work.running:
            self._card.show_stopping()
            self.work.cancel()

    def end(self) -> None:
        """End the thread."""
        self.work.end()

    def _why_not(self) -> str:
        if self._pairs == 0:
            return "No developed action pairs in this session: process a scene on the Review page."
        if self._pairs < LEAST_PAIRS:
            return "One developed action pair is too few: one more is needed to measure the gain on."
        if choose_weights(self._job.weights) is None:
            return "There are no trained weights to begin with: choose some above."
        return ""

    def _show_possible(self) -> None:
        words = (
            f"Learns from the {self._pairs} developed action pairs of this session, and measures the gain."
        )
        self._card.show_possible(self._why_not(), words)

    def _progressed(self, text: str, done: float) -> None:
        if self.work.running:
            self._card.show_running(text, done)

    def _adapted(self, gained: Adapted) -> None:
        if gained.weights is None:
            self._card.show_ended(gained.words())
            return
        self._box.show_adapted(adapted_weights(self._folder))
        self._card.ask(Path(gained.weights), gained.words())

    def _finished(self, text: str) -> None:
        if self._card.running:  # else it asks
            self._card.show_ended(text)

    def _failed(self, trouble: Trouble) -> None:
        self._card.show_ended(trouble.message, good=False)
        self.trouble.emit(trouble)


def _is_developed(folder: Path, shot: PairRecord) -> bool:
    return all(derived_path(folder, shot, part) is not None for part in ("B", "S", "mask"))
