"""Turns what rig, takes and devices go through into lines for the log of messages."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from gui.device_facts import BOX_HINTS, BOX_STATES
from gui.planning import sentence
from gui.take import StatusNow
from gui.widgets.readiness import Readiness
from rig.capture.result import TakeResult
from rig.profiles import RigProfile

EVENTS = {
    "opened": ("info", "opened"),
    "lost": ("error", "lost"),
    "overflow": ("warning", "frames could not be kept"),
    "restarted": ("info", "restarted"),
    "closed": ("info", "closed"),
}
BAD_BOX = ("lost", "fault")


class Happenings(QObject):
    """Hears the rig service and tells the log: (level, text, part)."""

    told = Signal(str, str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._box = ""
        self._open = False

    def device_event(self, camera: str, kind: str, message: str) -> None:
        """A camera tells what it went through."""
        level, words = EVENTS.get(kind, ("info", kind))
        self.told.emit(level, f"{words}: {message}" if message else words, f"Camera {camera}")

    def restarting(self, camera: str, reason: str, attempt: int) -> None:
        """A camera is opened anew."""
        self.told.emit("info", f"is opened anew, attempt {attempt}", f"Camera {camera}")

    def gave_up(self, camera: str, reason: str) -> None:
        """No restart helped."""
        self.told.emit("error", f"no restart helped, the button is left: {reason}", f"Camera {camera}")

    def readiness(self, readiness: Readiness) -> None:
        """The rig could not be opened for a part; what becomes of an open one is told elsewhere."""
        if readiness.state == "failed" and not self._open:
            self.told.emit("error", readiness.text, readiness.part)

    def box_restarted(self, problem: str) -> None:
        """The box was opened anew, or could not be; that it is well again is seen by its state."""
        if problem:
            self.told.emit("error", f"could not be reconnected: {problem}", "Trigger box")

    def opened(self, profile: RigProfile) -> None:
        """The rig is open."""
        self._box, self._open = "", True
        self.told.emit("info", f"opened: {profile.title}", "Rig")

    def closed(self) -> None:
        """The rig was closed."""
        self._open = False
        self.told.emit("info", "closed", "Rig")

    def status(self, now: StatusNow) -> None:
        """Notice when the box is lost or stuck, and when it is well again."""
        box, before = now.rig.box, self._box
        self._box = box
        if box == before:
            return
        words = BOX_STATES.get(box, ("off", box))[1]
        if box in BAD_BOX:
            self.told.emit("error", sentence(f"{words}. {BOX_HINTS[box]}"), "Trigger box")
        elif before in BAD_BOX or not before:
            self.told.emit("info", words, "Trigger box")

    def take_finished(self, result: TakeResult) -> None:
        """A take is over."""
        level = "info" if result.state == "complete" and not result.rejected else "warning"
        take = f"{result.scene} {result.kind}, take {result.take}"
        text = f"{take}: {result.paired} paired of {result.fired} fired"
        reasons = [*result.warnings, *([result.reason] if result.reason else [])]
        self.told.emit(level, "\n".join([text, *reasons]), "Take")
