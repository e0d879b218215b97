"""What the window shows of the rig: how it opens, is ready, fails, and what a plan became."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer

from gui.frames import CAMERAS
from gui.planning import sentence
from gui.take import StatusNow, raw_format
from gui.widgets.readiness import Readiness
from gui.workers import Trouble
from rig.errors import BeamrigError
from rig.profiles import RigProfile, load_rig

if TYPE_CHECKING:
    from gui.main_window import MainWindow

READY_STAYS_MS = 1500


class RigView(QObject):
    """Hands the rig's state to the pages and the readiness panel.

    Args:
        window: The window.

    Attributes:
        title: Of the rig's profile; empty where it cannot be loaded.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._message = ""
        self.title = ""

    def load_profile(self, name: str) -> None:
        """Fit the pages to a rig's profile before the rig is open."""
        try:
            profile = load_rig(name)
            for camera in CAMERAS:
                self._window.capture_page.set_format(camera, raw_format(profile, camera))
        except BeamrigError as error:
            self._window.show_trouble(Trouble.of(error))
            return
        self.title = profile.title
        self._window.show_title()
        self._window.plan_page.set_rig(profile)

    def open(self) -> None:
        """Open the rig in the background, or open it anew."""
        window = self._window
        window.readiness.set_title("Opening the rig")
        window.readiness.show()
        window.capture_page.set_ready(False, "The rig is opening")
        window.plan_page.set_usable(False, "The rig is opening")
        window.devices_page.rig_opening()
        window.service.open(window.plan_page.plan())

    def show_readiness(self, readiness: Readiness) -> None:
        """Show the state of a part of the rig that opens, failed or came back."""
        window = self._window
        window.readiness.set_part(readiness)
        window.status_view.show_readiness(readiness)
        if readiness.state == "failed" and window.service.rig is None:
            window.readiness.set_title("The rig is not ready")
            window.capture_page.set_ready(False, "The rig is not open: see above")
            window.plan_page.set_usable(False, "The rig is not open")
            window.devices_page.rig_failed()
            window.readiness.show()

    def opened(self, profile: RigProfile) -> None:
        """Let takes and plans begin."""
        window = self._window
        window.readiness.set_title("The rig is ready")
        QTimer.singleShot(READY_STAYS_MS, self._hide_readiness)
        window.capture_page.set_ready(True)
        window.plan_page.set_usable(True)
        window.banner.dismiss()

    def _hide_readiness(self) -> None:
        if self._window.readiness.all_ready():
            self._window.readiness.hide()

    def closed(self) -> None:
        """Show that there is no rig."""
        window = self._window
        window.capture_page.live.clear("The rig is closed")
        window.capture_page.set_plan(None)
        window.device_watch.closed()
        window.plan_page.results.applied.clear()

    def plan_applied(self, applied: Any) -> None:
        """Show what the rig made of a plan."""
        window = self._window
        window.plan_page.results.applied.show_rows(window.status_view.applied_rows(applied))
        window.capture_page.set_plan(window.service.applied_plan)

    def show_status(self, now: StatusNow) -> None:
        """Show the newest status everywhere; a message of the rig is told once."""
        window = self._window
        window.capture_page.show_status(now.rig)
        window.status_view.show_status(now)
        window.device_watch.show_status(now.rig)
        window.devices_page.show_status(now)
        if now.rig.message and now.rig.message != self._message:
            window.banner.show_message(sentence(now.rig.message), "Reopen the rig with Ctrl+R")
        self._message = now.rig.message
