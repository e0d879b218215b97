"""One take: both cameras wait, N counted pulses, N frames from each, pairs by trigger index, all recorded."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from rig.capture.arming import TakeCamera, apply_triggered, for_both, start_both
from rig.capture.collector import Collector
from rig.capture.pairing import Burst, Pairing, pair
from rig.capture.recorder import Place, Recorder
from rig.capture.result import AppliedPlan, Shot, TakeFailed, TakeResult
from rig.capture.settle import Check, end_take, settle, take_outcome
from rig.errors import BeamrigError, CaptureError
from rig.exposure import ExposurePlan
from rig.placement import pulses, s_delay_ns, widths_us
from rig.profiles import CAMERAS, CameraProfile
from rig.session import Session
from rig.trigger.base import Pulse, PulsePlan, TriggerBox

MARGIN_S: Final = 5.0
"""How much later than its exposure and readout a frame may arrive before it counts as lost."""

GRACE_S: Final = 1.0
"""How long a frame may be under way when the burst is over."""

_POLL_S: Final = 0.01
OnShot = Callable[[Shot], None]


@dataclass(frozen=True)
class TakeOrder:
    """What is to be taken.

    Attributes:
        session: Where it is recorded.
        scene: Name of the scene.
        kind: Kind of the take.
        pulses: Number of pulses.
        period_s: Time from pulse to pulse, in s.
        plan: Exposures.
    """

    session: Session
    scene: str
    kind: str
    pulses: int
    period_s: float
    plan: ExposurePlan


@dataclass(frozen=True)
class Bench:
    """What it is taken with: cameras, their profiles, the box and its outputs, one clock or two."""

    cameras: Mapping[str, TakeCamera]
    profiles: Mapping[str, CameraProfile]
    box: TriggerBox
    outputs: Mapping[str, str]
    shared_clock: bool = False


def run_take(
    bench: Bench,
    order: TakeOrder,
    on_shot: OnShot | None = None,
    check: Check | None = None,
    cancel: threading.Event | None = None,
) -> TakeResult:
    """Make one take.

    Args:
        bench: Cameras (idle) and box.
        order: What is to be taken.
        on_shot: Called after each shot was recorded or rejected, in this thread; must not raise.
        check: Looks at a pair's content and returns warnings; they are recorded with the pair.
        cancel: When set, the box stops; shots fired until then are recorded.

    Returns:
        The outcome; every fired pulse is in it.

    Raises:
        TakeFailed: A camera was lost, the box did not obey, or a frame could not be written; what was
            recorded is in the error's result.
        DeviceError: A camera could not be set up; nothing was fired.
        TriggerError: The box could not be set up; nothing was fired.
    """
    cancel = cancel or threading.Event()
    bench.box.safe()
    applied = apply_triggered(bench.cameras, order.plan)
    wanted = PulsePlan(order.pulses, order.period_s, _outputs(bench, applied))
    try:
        start_both(bench.cameras, bench.profiles)
        pulses = bench.box.configure(wanted)
        if order.plan.exposure_control == "width":
            applied = dataclasses.replace(applied, exposure_us=widths_us(pulses, bench.outputs))
        details = {**applied.to_dict(), "period_s": pulses.period_s, "pulses": dataclasses.asdict(pulses)}
        take = order.session.start_take(order.scene, order.kind, order.pulses, details)
    except BaseException:
        _stop(bench)
        raise
    recorder = Recorder(Place(order.session, order.scene, order.kind, take), bench.cameras, bench.profiles)
    result = TakeResult(order.session.root, order.scene, order.kind, take, "failed", 0, (), applied)
    error: BeamrigError | None = None
    try:
        made_us = applied.exposure_us if order.plan.exposure_control == "width" else {}
        burst = _Burst(bench, pulses, recorder, cancel, made_us)
        error = burst.run(max(applied.exposure_us.values()) * 1e-6)
        result, failure = settle(
            recorder,
            burst.told(),
            burst.pairing(),
            burst.collectors,
            bench,
            result,
            on_shot,
            check,
            burst.shots,
        )
    except BaseException as stray:
        # Nobody knows how far the shots got: parts stay on the disk, and the journal does not count them.
        recorder.close(keep=True)
        end_take(order.session, result, {"error": f"{type(stray).__name__}: {stray}"})
        raise
    error = error or failure
    state = "failed" if error else "complete" if burst.complete else "cancelled"
    result = dataclasses.replace(result, state=state)
    unended = end_take(order.session, result, take_outcome(result, error, burst.collectors))
    error = error or unended
    if error is not None:
        raise TakeFailed(
            f"take {order.scene}/{order.kind} {take} was ended: {error.message}"
            f" ({result.paired} pairs were recorded before)",
            hint=error.hint,
            result=result,
        ) from error
    return result


def _outputs(bench: Bench, applied: AppliedPlan) -> dict[str, Pulse]:
    """A pulse as long as the exposure, so that it also works for cameras that expose by pulse width."""
    wanted = pulses(applied.exposure_us, applied.plan.placement)
    return {bench.outputs[name]: wanted[name] for name in CAMERAS}


def _stop(bench: Bench) -> BeamrigError | None:
    """Bring box and cameras to rest whatever state they are in; return the first error."""
    first: BeamrigError | None = None
    for rest in (bench.box.safe, *(camera.stop for camera in bench.cameras.values())):
        try:
            rest()
        except BeamrigError as error:
            first = first or error
    return first


class _Burst:
    """The burst itself: from the first pulse to the last frame, with everything stopped afterwards."""

    def __init__(
        self,
        bench: Bench,
        pulses: PulsePlan,
        recorder: Recorder,
        cancel: threading.Event,
        made_us: Mapping[str, float],
    ) -> None:
        self._bench = bench
        self._pulses = pulses
        self._recorder = recorder
        self._cancel = cancel
        self._made_us = made_us
        self.complete = True
        self.shots: int | None = None
        self._fired_ns: int | None = None
        self.collectors: dict[str, Collector] = {}

    def run(self, exposure_s: float) -> BeamrigError | None:
        """Fire and collect; return the error that ended it, if one did."""
        readout_s = max(profile.timing.readout_us for profile in self._bench.profiles.values()) * 1e-6
        tail_s = exposure_s + readout_s + MARGIN_S
        error: BeamrigError | None = None
        try:
            self.collectors = for_both(self._collector)
            for collector in self.collectors.values():
                collector.start()
            if self._cancel.is_set():  # while everything was set up
                self.complete = False
            else:
                self._bench.box.arm()
                self._fired_ns = time.monotonic_ns()
                self._bench.box.fire()
                self._watch((self._pulses.count - 1) * self._pulses.period_s + tail_s)
        except BeamrigError as caught:
            error = caught
            self.complete = False
        finally:
            failed = self._count_pulses() if self.complete else self._safe()
            error = error or failed
            # Where frames are missing, those that are being exposed or read out can still come: after an
            # early stop, and when the triggers that a camera ignored were not the box's pulses.
            last = time.monotonic() + exposure_s + readout_s + GRACE_S
            for collector in self.collectors.values():
                collector.give_up_at(last)
            for collector in self.collectors.values():
                collector.join()
            lost = next((c.error for c in self.collectors.values() if c.error is not None), None)
            stopped = _stop(self._bench)
            for collector in self.collectors.values():
                collector.drain()
        return lost or error or stopped

    def pairing(self) -> Pairing:
        """Pair what was collected."""
        if not self.collectors:
            return Pairing(0, (), (), (), "none")
        return pair(self.told(), self.collectors["B"].trace(), self.collectors["S"].trace())

    def told(self) -> Burst:
        """Return what the box was told, and what is known of the clocks."""
        return Burst(
            self._pulses.count,
            round(self._pulses.period_s * 1e9),
            complete=self.complete,
            s_delay_ns=s_delay_ns(self._pulses, self._bench.outputs),
            shared_clock=self._bench.shared_clock,
            earliest_ns=self._fired_ns,
        )

    def _collector(self, name: str) -> Collector:
        camera = self._bench.cameras[name]
        return Collector(name, camera, self._pulses.count, self._recorder, self._made_us.get(name))

    def _watch(self, patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        while any(collector.open_pulses > 0 for collector in self.collectors.values()):
            if self._cancel.is_set() or self._recorder.failed.is_set():
                self.complete = False
                return
            if any(collector.error for collector in self.collectors.values()):
                self.complete = self._bench.box.done()
                return
            # A slow line or computer brings frames late; as long as they keep coming none is given up.
            heard = max(collector.last_frame_at for collector in self.collectors.values())
            if time.monotonic() > max(deadline, heard + MARGIN_S):
                return
            time.sleep(_POLL_S)

    def _count_pulses(self) -> BeamrigError | None:
        """Ask the box whether it fired all that it was told."""
        try:
            fired = self._bench.box.wait_done(self._pulses.period_s + MARGIN_S)
            self.shots = self._bench.box.shots()
        except BeamrigError as error:
            self.complete = False
            return error
        if fired != self._pulses.count:
            self.complete = False
            return CaptureError(f"the box fired {fired} pulses instead of {self._pulses.count}")
        return None

    def _safe(self) -> BeamrigError | None:
        try:
            self._bench.box.safe()
        except BeamrigError as error:
            return error
        return None
