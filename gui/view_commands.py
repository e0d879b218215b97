"""The actions of the View menu: each acts on the page that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gui.widgets.compare_slider import CompareSlider
from gui.widgets.image_canvas import ImageCanvas

if TYPE_CHECKING:
    from gui.main_window import MainWindow


class ViewCommands:
    """Fit, actual pixels and flip.

    Args:
        window: The window.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    @property
    def slider(self) -> CompareSlider | None:
        """The slider of the page that is shown; None where there is none."""
        sliders = {"review": self._window.review_page.slider, "deblur": self._window.deblur_page.slider}
        return sliders.get(self._window.page)

    @property
    def picture(self) -> ImageCanvas | None:
        """The picture of the page that is shown; None where there is none."""
        page = self._window.calibrate_page
        return page.detail.picture if self._window.page == "calibrate" else self.slider

    def fit(self) -> None:
        """Show the whole picture."""
        if self._window.page == "capture":
            self._window.capture_page.live.fit()
        elif self.picture is not None:
            self.picture.state.fit()

    def actual(self) -> None:
        """Show one picture pixel on one screen pixel."""
        if self._window.page == "capture":
            self._window.capture_page.live.show_actual_pixels()
        elif self.picture is not None:
            self.picture.show_actual_pixels()

    def flip(self) -> None:
        """Show all of one compared picture, then all of the other."""
        if self.slider is not None:
            self.slider.flip()
