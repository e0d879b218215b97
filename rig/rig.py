"""The rig: its companion, two cameras and the trigger box, opened together and closed together."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from rig.camera.process import CameraProcess
from rig.camera.types import Frame
from rig.cameras import CameraPair, OnEvent
from rig.capture.arming import Bench, run_hook
from rig.capture.disk import free_bytes, pairs_left
from rig.capture.findings import Check
from rig.capture.flow import TakeCounters
from rig.capture.order import check_plan, order_take
from rig.capture.result import AppliedPlan, Shot, TakeFailed, TakeResult
from rig.capture.schedule import Counted, Schedule, Stop, TakeControl
from rig.capture.take import run_take
from rig.companion import Companion, make_run_dir
from rig.errors import CompanionError, DeviceError, PlanError
from rig.exposure import ExposurePlan
from rig.profiles import CAMERAS, RigProfile, expand, load_profile, load_rig
from rig.session import Session
from rig.status import RigStatus
from rig.trigger import open_box

_WATCH_S = 1.0


class Rig:
    """An open rig; make one with :meth:`open` and use it as a context manager.

    Takes, plans and live view are done one after the other, from any thread; :meth:`latest` and
    :meth:`status` never wait for them.

    Args:
        source: Profile of the rig, as loaded.
        on_event: Called with (camera, kind, message) when a camera is lost, restarted and so on; from another
            thread, must return soon.

    Attributes:
        source: The profile as loaded; what a session keeps.
        profile: The same with the places of this run.
        run_dir: Private folder of this run.
        box: The trigger box.

    Raises:
        ProfileError: The profile is wrong.
        CompanionError: The companion did not start.
        DeviceError: A camera cannot be opened.
        TriggerError: The box cannot be opened.
    """

    def __init__(self, source: RigProfile, on_event: OnEvent | None = None) -> None:
        self.source = source
        self._busy = threading.RLock()
        self._plan: AppliedPlan | None = None
        self._capturing = self._closed = False
        self._counters: Callable[[], TakeCounters] | None = None
        self._looked_at: dict[str, float] = {}
        self._message = ""
        self._disk = Path.cwd()
        self._quit = threading.Event()
        self._companion: Companion | None = None
        with contextlib.ExitStack() as closing:
            folder = make_run_dir()
            closing.callback(folder.remove)
            self.run_dir = folder.path
            self._open(closing, on_event)
            self._closing = closing.pop_all()

    @classmethod
    def open(cls, rig: str | os.PathLike[str] | RigProfile, on_event: OnEvent | None = None) -> Self:
        """Open a rig by the name or path of its profile, or by the profile; raises as the class does."""
        return cls(rig if isinstance(rig, RigProfile) else load_rig(str(rig)), on_event)

    def _open(self, closing: contextlib.ExitStack, on_event: OnEvent | None) -> None:
        self.profile = expand(self.source, self.run_dir)
        slots = self.profile.cameras
        self.camera_profiles = {str(name): load_profile(slots[name].profile, "camera") for name in CAMERAS}
        self.box_profile = load_profile(self.profile.trigger_box.profile, "trigger_box")
        wanted = self.profile.companion
        self._env = dict(wanted.env) if wanted else {}
        if wanted is not None:
            self._companion = Companion(wanted.command, wanted.env, self.run_dir, wanted.ready_timeout_s)
            closing.callback(self._companion.stop)
        self._pair = CameraPair(self.profile, self.camera_profiles, self._env, on_event)
        closing.callback(self._pair.close)
        self._pair.open()
        self.box = open_box(self.profile.trigger_box, self.box_profile)
        closing.callback(self.box.close)
        watch = threading.Thread(target=self._watch, name="rig-watch", daemon=True)
        watch.start()
        closing.callback(watch.join)
        closing.callback(self._quit.set)

    def close(self) -> None:
        """Close everything in reverse order; each part is closed whatever becomes of the others.

        Raises:
            BeamrigError: A part did not close as it should.
        """
        with self._busy:
            self._closed = True
            self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- plan and live view

    @property
    def cameras(self) -> dict[str, CameraProcess]:
        """The cameras "B" and "S"."""
        return self._pair.each

    @property
    def plan(self) -> AppliedPlan | None:
        """The plan in force with what the cameras made of it; None before the first."""
        return self._plan

    def apply_plan(self, plan: ExposurePlan) -> AppliedPlan:
        """Give both cameras the exposures of a plan and read them back; the live view goes on with them.

        Raises:
            PlanError: The plan was made for another rig: its optics and limits are not these.
            DeviceError: A camera refused.
        """
        if plan.rig != self.source.name:
            raise PlanError(
                f"the plan was made for the rig {plan.rig}, this is {self.source.name}",
                hint="plan the scene again for this rig",
            )
        with self._busy:
            self._check_open()
            with self._pair.at_rest():
                settings = self._pair.expose(plan)
                self._plan = AppliedPlan(plan, self._pair.read_exposures(), settings)
            return self._plan

    def start_live(self) -> None:
        """Start the live view of both cameras; fine when it is on already.

        Raises:
            DeviceError: A camera cannot be started.
        """
        with self._busy:
            self._check_open()
            self._pair.start_live()

    def stop_live(self) -> None:
        """Stop the live view; fine when it is off already.

        Raises:
            DeviceLost: A camera is gone (the other one was stopped).
        """
        with self._busy:
            self._pair.stop_live()

    def latest(self, camera: str, after_seq: int = 0) -> tuple[int, Frame] | None:
        """Return a camera's newest frame and its sequence number, if there is a newer one; never waits.

        Also during a take, but at half the rate of the live view: a copy must not compete with recording.
        """
        if self._capturing:
            now = time.monotonic()
            if now - self._looked_at.get(camera, 0.0) < 2 / self.profile.live_rate_hz:
                return None
            self._looked_at[camera] = now
        return self.cameras[camera].latest(after_seq)

    def restart_camera(self, name: str) -> None:
        """Open a lost camera anew in a new process, with its settings; the live view goes on if it was on.

        Raises:
            DeviceError: It cannot be opened.
        """
        with self._busy:
            self._check_open()
            self._pair.restart(name)

    def restart_box(self, patience_s: float = 0.0) -> None:
        """Open the trigger box anew, after it was plugged in again or got stuck; it is safe then.

        Args:
            patience_s: How long to wait for its port, in s.

        Raises:
            TriggerError: It is not there, does not obey, or another device is.
        """
        with self._busy:
            self._check_open()
            self.box.reopen(patience_s)

    # ---- takes

    def capture(
        self,
        session: Session,
        scene: str,
        kind: str,
        pairs: int | None = None,
        period_s: float | None = None,
        on_shot: Callable[[Shot], None] | None = None,
        check: Check | None = None,
        cancel: Stop | None = None,
        *,
        schedule: Schedule | None = None,
        warmup: int = 0,
        control: TakeControl | None = None,
    ) -> TakeResult:
        """Make one take with the plan in force, and record it; the live view goes on afterwards if it was on.

        Args:
            session: Where it is recorded.
            scene: Name of a scene of the session.
            kind: Kind of the take.
            pairs: Number of pulses to fire, where no schedule is given.
            period_s: Time from pulse to pulse, in s; None takes the plan's.
            on_shot: Called after each shot was recorded or rejected, while the take runs and from its own
                thread; must return soon.
            check: Looks at the content of each pair; its findings are recorded with the pair, and one of
                level "stop" ends the take.
            cancel: An event that ends the take after the present shot.
            schedule: When the pulses come: `Counted`, `ByHand`, `Interval` or `UntilStopped`.
            warmup: Pulses fired before, whose frames are thrown away.
            control: Stops the take, fires by hand, keeps a pre-roll.

        Raises:
            CaptureError: No plan, an impossible number or period, a hook failed, or (`TakeFailed`, with the
                outcome so far) an error ended the take.
            DiskFull: There is no room.
            SessionError: No such scene or kind.
            DeviceError: A camera cannot be set up.
            TriggerError: The box cannot be set up.
        """
        with self._busy:
            self._check_open()
            if schedule is None:
                schedule = Counted(1 if pairs is None else pairs, period_s)
            plan = self._plan.plan if self._plan is not None else None
            order = order_take(self.profile, session, scene, kind, schedule, plan, warmup)
            self._disk = session.root
            bench = self._bench()
            with self._pair.at_rest():
                self._capturing = True
                try:
                    run_hook(self.profile, kind, self._env)
                    steer = control or TakeControl(cancel)
                    return run_take(bench, order, on_shot, check, steer, self._follow)
                except TakeFailed as error:
                    self._blame_companion(error)
                    raise
                finally:
                    self._capturing, self._counters = False, None

    def _follow(self, counters: Callable[[], TakeCounters]) -> None:
        self._counters = counters

    @contextlib.contextmanager
    def bench(self, period_s: float | None = None) -> Iterator[tuple[Bench, ExposurePlan]]:
        """Have cameras and box to yourself, at rest, with the plan in force; the live view goes on after.

        Raises:
            CaptureError: No plan is in force, or the period is too short for it.
        """
        with self._busy:
            self._check_open()
            plan = check_plan(Counted(1, period_s), self._plan.plan if self._plan is not None else None)
            with self._pair.at_rest():
                self._capturing = True
                try:
                    yield self._bench(), plan
                finally:
                    self._capturing = False

    def _bench(self) -> Bench:
        outputs = {str(name): output for name, output in self.profile.trigger_box.outputs.items()}
        most = self.box_profile.limits.max_burst
        return Bench(self.cameras, self.camera_profiles, self.box, outputs, self.source.shared_clock, most)

    def _blame_companion(self, failed: TakeFailed) -> None:
        """Name the companion when its end is what took cameras and box away."""
        try:
            self._check_open()
        except CompanionError as error:
            hint = error.one_line()
            raise TakeFailed(failed.message, hint=hint, result=failed.result) from failed.__cause__

    # ---- state

    def status(self) -> RigStatus:
        """Return the state of everything; asks no device, never waits, may be called from any thread."""
        optics, counters = self.profile.optics, self._counters
        return RigStatus(
            cameras=self._pair.statuses(),
            box="closed" if self._closed else str(self.box.state()),
            live=self._pair.live,
            capturing=self._capturing,
            disk_free_bytes=free_bytes(self._disk),
            pairs_left=pairs_left(self._disk, optics.width_px, optics.height_px),
            message=self._message,
            take=counters() if counters is not None else None,
        )

    def _check_open(self) -> None:
        if self._closed:
            raise DeviceError("the rig is closed")
        if self._companion is not None:
            self._companion.check()

    def _watch(self) -> None:
        """Look after the companion and read temperatures, once in a while and never during a take."""
        while not self._quit.wait(_WATCH_S):
            if self._companion is not None:
                try:
                    self._companion.check()
                except CompanionError as error:
                    self._message = error.one_line()
            if not self._capturing:
                self._pair.read_temperatures()
