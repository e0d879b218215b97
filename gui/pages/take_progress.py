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
        kept: Whether its pre-roll was kept.
        stopping: Whether it was told to stop.
    """

    def __init__(self, panel: CapturePanel) -> None:
        self._panel = panel
        self.running: TakeRequest | None = None
        self.kept = self.stopping = False

    def started(self, request: TakeRequest) -> None:
        """Show that a take began."""
        self.running = request
        self.kept = self.stopping = False
        self._panel.start(request.kind, request.asked)

    def follow(self, status: RigStatus) -> None:
        """Show the counters of the take under way."""
        if self.running is not None and status.take is not None:
            self._panel.counters.show_counters(status.take)

    def stop(self) -> bool:
        """Note that the take was told to stop; returns whether it was told before already."""
        again, self.stopping = self.stopping, True
        self._panel.show_stopping(True)
        return again

    def shot(self, shot: Shot) -> None:
        """Show the verdict on one shot."""
        if shot.paired:
            skew = "" if shot.skew_us is None else f"  skew {shot.skew_us:+.2f} µs"
            text = f"paired{skew}" + "".join(f"; {warning}" for warning in shot.warnings)
        else:
            text = f"rejected: {shot.reason}"
        self._panel.add_shot(shot.record.index, shot.number, shot.paired and not shot.warnings, text)

    def finished(self, result: TakeResult) -> None:
        """Show the outcome; after a good take the next open step is chosen, unless the operator chose one."""
        self.running = None
        self._panel.finish()
        good = result.state == "complete" and bool(result.paired) and not result.rejected
        text = f"{result.kind.capitalize()}: {result.paired} paired of {result.fired} fired"
        if result.rejected:
            text += f", {result.rejected} rejected"
        if result.discarded:
            text += f", {result.discarded} of the pre-roll let go"
        if result.state != "complete":
            text += f", {result.state}"
        if result.reason:
            text += f": {result.reason}"
        self._panel.say(text, theme.OK if good else theme.WARN)
        checklist = self._panel.checklist
        if good and checklist.current == result.kind:
            checklist.choose(checklist.open_after(result.kind))

    def failed(self, trouble: Trouble) -> None:
        """Show why a take could not be made."""
        self.running = None
        self._panel.finish()
        self._panel.say(f"Take failed: {sentence(trouble.message)}. {sentence(trouble.hint)}", theme.BAD)
