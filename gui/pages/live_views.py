"""Both live views together: new frames, zoom, marks, and why a picture stands still or is covered."""

from __future__ import annotations

from gui.frames import CAMERAS, FramePreparer
from gui.planning import sentence
from gui.settings import Settings
from gui.widgets.capture_bar import CaptureBar
from gui.widgets.live_view import LiveView
from gui.widgets.view_state import ViewState

DURING_TAKE = "live during take, reduced rate"


class LiveViews:
    """The two views of the Capture page.

    Args:
        state: Where both look at.
        settings: Remembers the switches.
        preparer: Where prepared frames come from.
        bar: Has the switches.
    """

    def __init__(
        self, state: ViewState, settings: Settings, preparer: FramePreparer, bar: CaptureBar
    ) -> None:
        self.state = state
        self.views = {camera: LiveView(camera, state) for camera in CAMERAS}
        self.numbers = dict.fromkeys(CAMERAS, 0)
        self._settings = settings
        self._preparer = preparer
        self._bar = bar
        self._notes = dict.fromkeys(CAMERAS, "")
        self._live, self._in_take = True, False
        self._set_clipping(settings.show_clipping)
        self._set_grid(settings.show_grid)
        bar.fit_wanted.connect(self.fit)
        bar.actual_wanted.connect(self.show_actual_pixels)
        bar.clipping.toggled.connect(self._set_clipping)
        bar.grid.toggled.connect(self._set_grid)

    def pull_frames(self) -> int:
        """Show what the preparer has that is new; return how many frames that were."""
        shown = 0
        for camera, view in self.views.items():
            found = self._preparer.slots[camera].take(self.numbers[camera])
            if found is not None:
                self.numbers[camera], frame = found
                view.show_frame(frame)
                self._notes[camera] = frame.note
                self._show_badge(camera)
                shown += 1
            self._preparer.set_wish(camera, view.canvas.wanted())
        return shown

    def fit(self) -> None:
        """Show the whole picture in both views."""
        self.state.fit()

    def show_actual_pixels(self) -> None:
        """Show actual pixels in both views."""
        self.views["B"].canvas.show_actual_pixels()

    def set_live(self, live: bool) -> None:
        """Show whether the live views run."""
        self._bar.live.setChecked(live)
        self._live = live
        self._show_pause()

    def set_in_take(self, in_take: bool) -> None:
        """Say that the pictures are those of a take."""
        self._in_take = in_take
        self._show_pause()

    def camera_lost(self, camera: str, reason: str, attempt: int) -> None:
        """Show that a camera is gone and being restarted."""
        again = "" if attempt <= 1 else f" (attempt {attempt})"
        self.views[camera].show_trouble(f"Camera {camera} lost", f"{sentence(reason)}\nRestarting it{again}…")

    def camera_given_up(self, camera: str, reason: str) -> None:
        """Show that a camera does not come back by itself."""
        self.views[camera].show_trouble(
            f"Camera {camera} does not come back",
            f"{sentence(reason)}\nRestart it when it is there again.",
        )

    def camera_back(self, camera: str) -> None:
        """Take the cover away."""
        self.views[camera].clear_trouble()

    def clear(self, text: str) -> None:
        """Show a line instead of pictures while the rig is closed."""
        for view in self.views.values():
            view.clear_trouble()
            view.canvas.clear(text)

    def _show_pause(self) -> None:
        words = "" if self._live or self._in_take else "Live view is off  [L]"
        for camera, view in self.views.items():
            view.canvas.set_pause(words)
            self._show_badge(camera)

    def _show_badge(self, camera: str) -> None:
        """Say what kind of pictures these are."""
        words = [DURING_TAKE] if self._in_take else []
        words += [self._notes[camera]] if self._notes[camera] else []
        self.views[camera].canvas.set_badge("; ".join(words))

    def _set_clipping(self, shown: bool) -> None:
        self._settings.show_clipping = shown
        for view in self.views.values():
            view.set_show_clipping(shown)

    def _set_grid(self, shown: bool) -> None:
        self._settings.show_grid = shown
        for view in self.views.values():
            view.set_show_grid(shown)
