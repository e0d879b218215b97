"""A device of the open rig that fails: why, in the strip above the page, with a button that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from gui.device_facts import BOX_HINTS, BOX_STATES
from gui.planning import sentence
from gui.status_view import STATE_WORDS
from gui.take import PARTS
from gui.widgets.readiness import Readiness
from rig.status import RigStatus

if TYPE_CHECKING:
    from gui.main_window import MainWindow

BOX = PARTS[3]
STAYS_MS = 1500


def parts_of(status: RigStatus) -> list[Readiness]:
    """Return the state of every part of an open rig, with the reason where it is not ready."""
    found = [Readiness(PARTS[0], "failed" if status.message else "ready", sentence(status.message))]
    for name, camera in status.cameras.items():
        state, words = STATE_WORDS.get(camera.state, ("off", camera.state))
        reason = sentence(camera.message) or "Its process ended"
        found.append(
            Readiness(f"Camera {name}", "failed", reason)
            if state == "failed"
            else Readiness(f"Camera {name}", "ready", words)
        )
    state, words = BOX_STATES.get(status.box, ("off", status.box))
    failed = state == "failed"
    found.append(Readiness(BOX, "failed" if failed else "ready", BOX_HINTS.get(status.box, words)))
    return found


class DeviceWatch(QObject):
    """Shows the strip while a part of the open rig fails, and mends on request.

    Args:
        window: The window.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._panel = window.readiness
        self._box_error = ""
        self._shown = False
        self._panel.mend_wanted.connect(self.mend)
        window.service.box_restarted.connect(self._box_restarted)

    def show_status(self, status: RigStatus) -> None:
        """Show what fails; the strip goes a moment after the last part is well again."""
        parts = parts_of(status)
        failed = any(part.state == "failed" for part in parts)
        if failed:
            for part in parts:
                bad_box = part.part == BOX and part.state == "failed" and self._box_error
                shown = Readiness(BOX, "failed", self._box_error) if bad_box else part
                if shown != self._panel.parts[part.part]:
                    self._panel.set_part(shown)
            if not self._shown:
                self._panel.set_title("A part of the rig does not work")
                self._panel.set_mendable(True)
                self._panel.show()
        elif self._shown:
            for part in parts:
                self._panel.set_part(part)
            self._panel.set_title("The rig is ready")
            QTimer.singleShot(STAYS_MS, self._hide)
        self._shown = failed

    def mend(self, part: str) -> None:
        """Restart a camera or reconnect the box."""
        if part == BOX:
            self._panel.set_part(Readiness(BOX, "working", "reconnecting"))
            self._window.service.restart_box()
        else:
            self._window.service.restart_camera(part.removeprefix("Camera "))

    def closed(self) -> None:
        """Forget the rig that was watched."""
        self._box_error, self._shown = "", False
        self._panel.set_mendable(False)

    def _box_restarted(self, error: str) -> None:
        self._box_error = sentence(error)
        if error:
            self._panel.set_part(Readiness(BOX, "failed", self._box_error))

    def _hide(self) -> None:
        if not self._shown and self._panel.all_ready():
            self._panel.hide()
