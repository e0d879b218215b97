"""The take that runs: its progress in the operator's column, and its verdict when it is over."""

from __future__ import annotations

from gui import theme
from gui.planning import sentence
from gui.take import TakeRequest
from gui.widgets.capture_panel import CapturePanel
from gui.workers import Trouble
from rig.capture.result import Shot, TakeResult
from rig.status import RigStatus


class TakeProgress:
    """Follows one take after the other.

    Args:
        panel: Where it is shown.

    Attributes:
        running: The take under way; None while there is none.
    """

    def __init__(self, panel: CapturePanel) -> None:
        self._panel = panel
        self.running: TakeRequest | None = None
        self._delivered_before: dict[str, int] = {}

    def started(self, request: TakeRequest) -> None:
        """Show that a take began."""
        self.running = request
        self._delivered_before = {}
        self._panel.start(request.kind, request.pairs)

    def follow(self, status: RigStatus) -> None:
        """Count the frames of a burst; the verdicts come when it is over."""
        if self.running is None or any(camera.state != "science" for camera in status.cameras.values()):
            return
        delivered = {name: camera.counters.delivered for name, camera in status.cameras.items()}
        if not self._delivered_before:
            self._delivered_before = delivered
        self._panel.show_frames(min(delivered[name] - self._delivered_before[name] for name in delivered))

    def shot(self, shot: Shot) -> None:
        """Show the verdict on one shot."""
        if shot.paired:
            skew = "" if shot.skew_us is None else f"  skew {shot.skew_us:+.2f} µs"
            text = f"paired{skew}" + "".join(f"; {warning}" for warning in shot.warnings)
        else:
            text = f"rejected: {shot.reason}"
        self._panel.add_shot(shot.record.index, shot.paired and not shot.warnings, text)

    def finished(self, result: TakeResult) -> None:
        """Show the outcome; after a good take the next open step is chosen, unless the operator chose one."""
        self.running = None
        self._panel.finish()
        good = result.state == "complete" and bool(result.paired) and not result.rejected
        text = f"{result.kind.capitalize()}: {result.paired} paired of {result.fired} fired"
        if result.rejected:
            text += f", {result.rejected} rejected"
        if result.state != "complete":
            text += f", {result.state}"
        self._panel.say(text, theme.OK if good else theme.WARN)
        checklist = self._panel.checklist
        if good and checklist.current == result.kind:
            checklist.choose(checklist.open_after(result.kind))

    def failed(self, trouble: Trouble) -> None:
        """Show why a take could not be made."""
        self.running = None
        self._panel.finish()
        self._panel.say(f"Take failed: {sentence(trouble.message)}. {sentence(trouble.hint)}", theme.BAD)
