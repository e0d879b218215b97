"""The slider of the Deblur page: B or S on the left, what the network made of B on the right, mask on top."""

from __future__ import annotations

from PySide6.QtGui import QImage

from gui import theme
from gui.deblur_view import DeblurView
from gui.widgets.compare_slider import CompareSlider


class DeblurSlider(CompareSlider):
    """Shows views as they come, and remembers how they are to be compared."""

    def __init__(self) -> None:
        super().__init__("Before", "After")
        self._view: DeblurView | None = None
        self._sharp_wanted = False
        self._mask_wanted = False
        self._show_names()

    def show_view(self, view: DeblurView) -> None:
        """Show a view; zoom and handle stay where they are."""
        same = self._view is not None and self._view.before is view.before
        self._view = view
        right = view.before if view.after.isNull() else view.after  # S never stands for what was not run
        if same:
            self.set_right(right)
        else:
            self.set_pair(view.before, right)
        self._show_left()
        self._show_mask()

    def forget(self, placeholder: str, *, busy: bool = False) -> None:
        """Show a line of text instead of a view."""
        self._view = None
        self.clear(placeholder, busy=busy)
        self._show_names()

    def compare_with_s(self, wanted: bool) -> None:
        """Put S on the left side, where a view has it, instead of B."""
        self._sharp_wanted = wanted
        self._show_left()

    def show_mask(self, wanted: bool, opacity: float) -> None:
        """Lay the mask over the pictures."""
        self._mask_wanted, self._opacity = wanted, opacity
        self._show_mask()

    def _sharp(self) -> QImage:
        return self._view.sharp if self._sharp_wanted and self._view is not None else QImage()

    def _show_left(self) -> None:
        if self._view is not None:
            sharp = self._sharp()
            self.set_left(self._view.before if sharp.isNull() else sharp)
        self._show_names()

    def _show_names(self) -> None:
        left = ("Before  B", theme.CAMERA["B"]) if self._sharp().isNull() else ("Sharp  S", theme.CAMERA["S"])
        after = "After  not run yet"
        if self._view is not None and not self._view.after.isNull():
            after = "After  LBAG" if self._view.stage == "full" else "After  LBAG, coarse"
        self.set_names(left[0], after, (left[1], theme.OK))

    def _show_mask(self) -> None:
        wanted = self._mask_wanted and self._view is not None
        self.set_overlay(self._view.mask if wanted and self._view is not None else QImage(), self._opacity)
