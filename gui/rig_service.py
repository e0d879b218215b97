"""Owns the rig: every operation on it runs in one worker thread, and what comes of it is told by signals.

The window never calls the rig. `latest` (frames thread) and `status` (watch thread) are the only calls from
elsewhere; the rig allows them at any time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gui.frames import CAMERAS, FramePreparer
from gui.planning import sentence
from gui.rig_tests import RigTests
from gui.sessions import SessionKeeper
from gui.take import PARTS, StatusNow, TakeRequest, blame, raw_format
from gui.take_job import make_take, status_now
from gui.watch import Recovery, StatusWatch
from gui.widgets.readiness import Readiness
from gui.workers import Trouble, Worker
from rig.capture.schedule import TakeControl
from rig.errors import BeamrigError, CaptureError
from rig.exposure import ExposurePlan
from rig.profiles import load_rig
from rig.rig import Rig
from rig.status import RigStatus

BOX_PATIENCE_S = 3.0
"""How long a box that was just plugged in may take to appear."""

logger = logging.getLogger(__name__)


class RigService(QObject):
    """The window's door to the rig.

    Args:
        rig_name: Profile, a name or a file.
        keeper: The session.
        preparer: The thread that shows frames.
    """

    readiness = Signal(object)
    opened = Signal(object)
    closed = Signal()
    live_changed = Signal(bool)
    applied = Signal(object)
    take_started = Signal(object)
    shot = Signal(object)
    take_finished = Signal(object)
    take_failed = Signal(object)
    restarting = Signal(str, str, int)
    restarted = Signal(str)
    gave_up = Signal(str, str)
    box_restarted = Signal(str)
    session_changed = Signal()
    told = Signal(str, str, str)
    trouble = Signal(object)

    def __init__(self, rig_name: str, keeper: SessionKeeper, preparer: FramePreparer) -> None:
        super().__init__()
        self.rig_name = rig_name
        self.keeper = keeper
        keeper.on_change = self.session_changed.emit
        self._preparer = preparer
        self._rig: Rig | None = None
        self._control = TakeControl()
        self._worker = Worker("rig", limit=6, parent=self)
        self._worker.failed.connect(self._job_failed)
        self.tests = RigTests(self._submit, self._with_plan, self)
        self.recovery = {camera: Recovery() for camera in CAMERAS}
        self.watch: StatusWatch[StatusNow] = StatusWatch(self)
        self._seen = 0
        self._live_wanted = True

    @property
    def rig(self) -> Rig | None:
        """The open rig; None while it is closed. For tests and read-only questions."""
        return self._rig

    @property
    def live_wanted(self) -> bool:
        """Whether the operator wants live views."""
        return self._live_wanted

    # ---- what the window asks for; every call returns at once

    def open(self, plan: ExposurePlan | None = None) -> None:
        """Open the rig, or open it anew, and give it a plan if there is one."""
        self.recovery = {camera: Recovery() for camera in CAMERAS}
        self._submit(lambda: self._open(plan), "open")

    def apply_plan(self, plan: ExposurePlan) -> None:
        """Write a plan to the rig."""
        self._submit(lambda: self._apply(plan), "apply")

    def set_live(self, wanted: bool) -> None:
        """Start or stop the live views."""
        self._live_wanted = wanted
        self._submit(self._follow_live, "live", newest_only=True)

    def capture(self, request: TakeRequest) -> None:
        """Make a take."""
        self._control = control = TakeControl()
        self._submit(lambda: self._capture(request, control), "capture")

    def fire(self) -> None:
        """Make a shot in a take by hand."""
        self._control.fire()

    def keep(self) -> None:
        """Keep the pre-roll of the take that runs."""
        self._control.keep()

    def cancel(self) -> None:
        """Stop a running take after the present shot."""
        self._control.stop()

    def abort(self) -> None:
        """Stop a running take at once; frames that are still under way are given up."""
        self._control.abort()

    def restart_camera(self, camera: str) -> None:
        """Restart the process of a camera, on the operator's wish."""
        self.recovery[camera].reset()
        self.restarting.emit(camera, "restart asked for", 1)
        self._submit(lambda: self._restart(camera), f"restart {camera}", newest_only=True)

    def restart_box(self) -> None:
        """Open the trigger box anew, on the operator's wish."""
        self._submit(self._restart_box, "restart Box", newest_only=True)

    def with_rig(self, job: Callable[[Rig | None], None], key: str) -> bool:
        """Do something with the rig, or without one, in its thread: after a take, never beside an opening.

        Returns:
            False when too much is waiting already; the job is then not done, and the operator was told.
        """
        return self._submit(lambda: job(self._rig), key)

    def switch_session(self, folder: Path) -> None:
        """Go over to another session folder, after the take under way."""
        self._submit(lambda: self.keeper.switch(folder), "session")

    @property
    def applied_plan(self) -> ExposurePlan | None:
        """The plan that the rig has; None before the first."""
        plan = self._rig.plan if self._rig is not None else None
        return plan.plan if plan is not None else None

    def close(self, wait_ms: int = 40_000) -> bool:
        """Close the rig and end both threads; the only call that waits, for the end of the program.

        Returns:
            Whether everything ended in time.
        """
        self._control.stop()
        self.tests.cancel()
        self.watch.end()
        self._preparer.set_source(None)
        return self._worker.end(self._close, wait_ms)

    # ---- jobs, in the worker's thread

    def _open(self, plan: ExposurePlan | None) -> None:
        try:
            self._close()
        except BeamrigError as error:
            # a rig that broke cannot close cleanly; all its parts are let go all the same
            logger.warning("the rig did not close cleanly: %s", error.one_line())
        serials: dict[str, str] = {}
        for part in PARTS:
            self.readiness.emit(Readiness(part, "working", "opening"))
        try:
            profile = load_rig(self.rig_name)
            formats = {camera: raw_format(profile, camera) for camera in CAMERAS}
            serials = {camera: slot.serial_number for camera, slot in profile.cameras.items()}
            rig = Rig.open(profile, on_event=self._device_event)
        except BeamrigError as error:
            for part in PARTS:
                self.readiness.emit(Readiness(part, "off", "not opened"))
            self.readiness.emit(Readiness(blame(error, serials), "failed", sentence(error.one_line())))
            return
        self._rig = rig
        for part in PARTS[:1] + PARTS[3:]:
            self.readiness.emit(Readiness(part, "ready", "ready"))
        self._preparer.set_source(rig.latest, formats)
        self.watch.follow(lambda: self._status_now(rig))
        self.opened.emit(rig.profile)
        if plan is not None:
            self._apply(plan)
        self._follow_live()

    def _close(self) -> None:
        rig, self._rig = self._rig, None
        self._preparer.set_source(None)
        self.watch.follow(None)
        if rig is not None:
            self.closed.emit()
            rig.close()

    def _status_now(self, rig: Rig) -> StatusNow:
        """Ask the rig and the disk; runs in the watch's thread."""
        return status_now(rig, self.keeper.folder)

    def _device_event(self, camera: str, kind: str, message: str) -> None:
        """Tell what a camera went through; comes from the camera's own thread."""
        self.told.emit(camera, kind, message)
        if kind == "opened":
            self.readiness.emit(Readiness(PARTS[0], "ready", "ready"))
            self.readiness.emit(Readiness(f"Camera {camera}", "ready", message))

    def _need(self) -> Rig:
        if self._rig is None:
            raise CaptureError("the rig is not open", hint="reopen it with Ctrl+R")
        return self._rig

    def _with_plan(self, plan: ExposurePlan | None) -> Rig:
        """Return the open rig; this plan is applied where none is in force yet."""
        rig = self._need()
        if rig.plan is None and plan is not None:
            self._apply(plan)
        return rig

    def _apply(self, plan: ExposurePlan) -> None:
        self.applied.emit(self._need().apply_plan(plan))

    def _follow_live(self) -> None:
        rig = self._rig
        if rig is None:
            return
        if self._live_wanted:
            rig.start_live()
        else:
            rig.stop_live()
        self.live_changed.emit(self._live_wanted)

    def _capture(self, request: TakeRequest, control: TakeControl) -> None:
        self.take_started.emit(request)
        try:
            rig = self._with_plan(request.plan)
            result = make_take(rig, self.keeper, request, control, self.shot.emit)
        except BeamrigError as error:
            self.take_failed.emit(Trouble.of(error, "capture"))
        else:
            self.take_finished.emit(result)

    def _restart(self, camera: str) -> None:
        rig = self._rig
        if rig is None:
            return
        try:
            rig.restart_camera(camera)
        except BeamrigError as error:
            # the watch still sees it lost and tries again after a pause, or gives up in words
            logger.warning("camera %s could not be restarted: %s", camera, error.one_line())

    def _restart_box(self) -> None:
        try:
            self._need().restart_box(BOX_PATIENCE_S)
        except BeamrigError as error:
            logger.warning("the trigger box could not be reconnected: %s", error.one_line())
            self.box_restarted.emit(error.one_line())
        else:
            self.box_restarted.emit("")

    # ---- status and recovery, called by the window's timer

    def poll(self) -> StatusNow | None:
        """Return the rig's newest status if there is a new one, after starting what lost cameras need."""
        found = self.watch.slot.take(self._seen)
        if found is None:
            return None
        self._seen, now = found
        for camera in CAMERAS:
            self._recover(camera, now.rig)
        return now

    def _recover(self, camera: str, status: RigStatus) -> None:
        now = status.cameras[camera]
        key = f"restart {camera}"
        decision = self.recovery[camera].look(now.state, self._worker.pending(key))
        reason = now.message or "its process ended"
        if decision == "restart":
            self.readiness.emit(Readiness(f"Camera {camera}", "failed", reason))
            self.restarting.emit(camera, reason, self.recovery[camera].attempts)
            self._submit(lambda: self._restart(camera), key, newest_only=True)
        elif decision == "give up":
            self.gave_up.emit(camera, reason)
        elif decision == "back":
            self.readiness.emit(Readiness(f"Camera {camera}", "ready", ""))
            self.restarted.emit(camera)

    def _submit(self, job: Callable[[], None], key: str, *, newest_only: bool = False) -> bool:
        taken = self._worker.submit(job, key, newest_only=newest_only)
        if not taken:
            self.trouble.emit(Trouble("The rig is busy", "wait until it has done what was asked before"))
        return taken

    def _job_failed(self, trouble: Trouble) -> None:
        self.trouble.emit(trouble)
