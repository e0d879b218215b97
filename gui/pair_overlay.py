"""What lies over the pictures of a pair: nothing, its mask, or how sure the mask is."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from gui import actions
from gui.mask_confidence import MaskConfidence
from gui.session_index import Listing, Shot
from gui.widgets.compare_slider import CompareSlider
from gui.widgets.fields import CalmComboBox
from gui.workers import NewestSlot, Worker
from rig.records import PairRecord

MASK_OPACITY = 0.5
SURE_OPACITY = 0.8
CHOICES = ("No overlay", "Mask", "Confidence")
MASK, SURE = 1, 2


class PairOverlay(QObject):
    """A box to choose, and the overlay it chose.

    Args:
        slider: Shows the pair.
        loader: The thread that works out how sure a mask is.
    """

    _measured = Signal()

    def __init__(self, slider: CompareSlider, loader: Worker) -> None:
        super().__init__(slider)
        self._slider, self._loader = slider, loader
        self._listing: Listing | None = None
        self._pair: PairRecord | None = None
        self._mask = QImage()
        self._sure: NewestSlot[tuple[str, QImage]] = NewestSlot()
        self._confidence = MaskConfidence()
        self.box = CalmComboBox()
        self.box.setAccessibleName("What lies over the pictures")
        self.box.setToolTip(actions.tooltip("review.mask"))
        self.box.addItems(list(CHOICES))
        self.box.currentIndexChanged.connect(self._show)
        self._measured.connect(self._show_sure)

    def next(self) -> None:
        """Go on to the next choice; from the last to the first."""
        self.box.setCurrentIndex((self.box.currentIndex() + 1) % self.box.count())

    def show_pair(self, listing: Listing, shot: Shot | None, mask: QImage) -> None:
        """Lay over the slider what is chosen, of another pair.

        Args:
            listing: The session.
            shot: The shot whose pictures the slider shows; None for none.
            mask: Its mask as an overlay; null where it has none.
        """
        self._listing, self._mask = listing, mask
        self._pair = shot if isinstance(shot, PairRecord) else None
        self._show()

    def _show(self) -> None:
        chosen, pair, listing = self.box.currentIndex(), self._pair, self._listing
        self._loader.drop("sure")
        self._slider.set_overlay(self._mask if chosen == MASK else QImage(), MASK_OPACITY)
        if chosen == SURE and pair is not None and listing is not None and not self._mask.isNull():
            self._loader.submit(lambda: self._measure(listing, pair), "sure", newest_only=True)

    def _measure(self, listing: Listing, pair: PairRecord) -> None:
        """Work out how sure the mask is; in the thread."""
        static = [
            one
            for one in listing.shots
            if isinstance(one, PairRecord) and (one.scene, one.kind) == (pair.scene, "static")
        ]
        self._sure.put((pair.id, self._confidence.overlay(listing.folder, pair, static)))
        self._measured.emit()

    def _show_sure(self) -> None:
        found = self._sure.take(0)
        if found is None or self._pair is None or self.box.currentIndex() != SURE:
            return
        pair, overlay = found[1]
        if pair == self._pair.id and self._slider.has_image():
            self._slider.set_overlay(overlay, SURE_OPACITY)
