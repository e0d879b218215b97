"""One take: both cameras wait, counted pulses, frames from both, pairs by trigger index, all recorded."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rig.capture.arming import Bench, apply_triggered, start_both
from rig.capture.collector import ID_ROOM, first_id_of
from rig.capture.committer import Committer
from rig.capture.disk import DiskGuard
from rig.capture.findings import Check
from rig.capture.flow import Flow, TakeCounters
from rig.capture.recorder import Place, Recorder
from rig.capture.result import AppliedPlan, Shot, TakeFailed, TakeResult
from rig.capture.schedule import Schedule, TakeControl, UntilStopped, asked_pairs
from rig.capture.timing import Timing
from rig.capture.volley import Numbers, Volley, VolleyEnd, flush
from rig.errors import BeamrigError, CaptureError
from rig.exposure import ExposurePlan
from rig.placement import pulses, widths_us
from rig.profiles import CAMERAS
from rig.raw_store import RawStore
from rig.records import revoked_event
from rig.session import Session
from rig.trigger.base import Pulse, PulsePlan

OnShot = Callable[[Shot], None]
OnCounters = Callable[[Callable[[], TakeCounters]], None]

REFUSED_LINES: Final = 1000


@dataclass(frozen=True)
class TakeOrder:
    """What is to be taken.

    Attributes:
        session: Where it is recorded.
        scene: Name of the scene.
        kind: Kind of the take.
        schedule: When the pulses come.
        plan: Exposures, and the period where the schedule leaves it open.
        guard: Watches the disk.
        warmup: Pulses fired before the take proper; their frames are thrown away.
        hold: Pulses that a pre-roll holds in memory; 0 without one.
        on_the_way: Pulses whose frames may be here before they are proven: held besides, of a pre-roll.
    """

    session: Session
    scene: str
    kind: str
    schedule: Schedule
    plan: ExposurePlan
    guard: DiskGuard
    warmup: int = 0
    hold: int = 0
    on_the_way: int = 0


def run_take(
    bench: Bench,
    order: TakeOrder,
    on_shot: OnShot | None = None,
    check: Check | None = None,
    control: TakeControl | None = None,
    on_counters: OnCounters | None = None,
) -> TakeResult:
    """Make one take.

    Args:
        bench: Cameras (idle) and box.
        order: What is to be taken.
        on_shot: Called after each shot was recorded or rejected, from the committer's thread; when it fails
            the take fails, and all shots are recorded all the same.
        check: Looks at a pair's content and returns findings, in the committer's thread; they are recorded
            with the pair, and one of level "stop" ends the take.
        control: Stops the take, fires by hand, keeps a pre-roll.
        on_counters: Given at the beginning what tells how the take stands, from any thread.

    Returns:
        The outcome; every fired pulse is in it.

    Raises:
        TakeFailed: A camera was lost, the box did not obey, a frame could not be written, or the evidence
            contradicts itself; what was recorded is in the error's result.
        DeviceError: A camera could not be set up; nothing was fired.
        TriggerError: The box could not be set up; nothing was fired.
    """
    control = control or TakeControl()
    bench.box.safe()
    applied = apply_triggered(bench.cameras, order.plan)
    counting = [camera.counters(fresh=True).ignored_triggers for camera in bench.cameras.values()]
    timing = Timing(order.schedule, order.plan.period_s, bench.max_burst, control, short=None in counting)
    wanted = pulses(applied.exposure_us, order.plan.placement)
    outputs = {bench.outputs[name]: wanted[name] for name in CAMERAS}
    try:
        start_both(bench.cameras, bench.profiles)
        first = bench.box.configure(PulsePlan(timing.first_count(), timing.period_s, outputs))
        if order.plan.exposure_control == "width":
            applied = dataclasses.replace(applied, exposure_us=widths_us(first, bench.outputs))
        details = {
            **applied.to_dict(),
            "period_s": first.period_s,
            "pulses": dataclasses.asdict(first),
            "schedule": {"type": type(order.schedule).__name__, **dataclasses.asdict(order.schedule)},
            "warmup": order.warmup,
        }
        take = order.session.start_take(order.scene, order.kind, asked_pairs(order.schedule), details)
    except BaseException:
        stop_all(bench)
        raise
    with RawStore() as store:
        running = _Take(bench, order, applied, outputs, first, take, store, timing, control, on_shot, check)
        if on_counters is not None:
            on_counters(running.counters)
        return running.run()


def stop_all(bench: Bench) -> BeamrigError | None:
    """Bring box and cameras to rest whatever state they are in; return the first error."""
    first: BeamrigError | None = None
    for rest in (bench.box.safe, *(camera.stop for camera in bench.cameras.values())):
        try:
            rest()
        except BeamrigError as error:
            first = first or error
    return first


@dataclass
class _Sum:
    """What the volleys of a take came to."""

    error: BeamrigError | None = None
    reason: str = ""
    early: bool = False
    refused: list[str] = field(default_factory=list)
    refused_more: int = 0
    losses: dict[str, dict[str, int | None]] = field(default_factory=dict)

    def add(self, end: VolleyEnd) -> None:
        room = REFUSED_LINES - len(self.refused)
        self.refused += end.refused[:room]
        self.refused_more += max(len(end.refused) - room, 0)
        self.error = self.error or end.error
        self.reason = self.reason or end.stopped
        for name, one in end.losses.items():
            total = self.losses.setdefault(name, dict.fromkeys(one, 0))
            for key, value in one.items():
                before = total[key]
                total[key] = None if value is None or before is None else before + value


class _Take:
    def __init__(
        self,
        bench: Bench,
        order: TakeOrder,
        applied: AppliedPlan,
        outputs: Mapping[str, Pulse],
        first: PulsePlan,
        take: int,
        store: RawStore,
        timing: Timing,
        control: TakeControl,
        on_shot: OnShot | None,
        check: Check | None,
    ) -> None:
        self._bench, self._order, self._applied, self._take = bench, order, applied, take
        self._outputs, self._pulses, self._timing, self._control = dict(outputs), first, timing, control
        place = Place(order.session, order.scene, order.kind, take)
        frames = order.hold + order.on_the_way if order.hold else 0
        self._recorder = Recorder(place, bench.cameras, bench.profiles, store, frames)
        serials: dict[str, str] = {name: bench.cameras[name].info.serial_number for name in CAMERAS}
        self._committer = Committer(self._recorder, serials, applied, on_shot, check)
        self._flow = Flow(self._recorder, self._committer, order.guard, order.hold)
        self._sum = _Sum()
        self._phase = "shooting"
        self._armed = True
        self._numbers = Numbers(0, dict.fromkeys(CAMERAS, 0), {})
        self._start_numbers()

    def run(self) -> TakeResult:
        """Make the take whose cameras are armed and whose box is configured."""
        self._committer.start()
        try:
            try:
                self._shoot()
            except BeamrigError as caught:
                self._sum.error = self._sum.error or caught
            finally:
                stopped = stop_all(self._bench)
            self._sum.error = self._sum.error or stopped
            self._flow.end()
            self._committer.finish()
            self._recorder.close()
        except BaseException as stray:
            # Nobody knows how far the shots got: parts stay on the disk, and the journal does not count them.
            self._recorder.close(keep=True)
            self._end(self._result("failed"), {"error": f"{type(stray).__name__}: {stray}"})
            raise
        error = self._sum.error or self._flow.failure()
        result = self._result(self._state(error))
        unended = self._end(result, self._outcome(result, error))
        error = error or unended
        if error is not None:
            raise TakeFailed(
                f"take {result.scene}/{result.kind} {result.take} was ended: {error.message}"
                f" ({result.paired} pairs were recorded before)",
                hint=error.hint,
                result=dataclasses.replace(result, state="failed"),
            ) from error
        return result

    def counters(self) -> TakeCounters:
        """Return how the take stands; never waits."""
        counts, flow = self._committer.log.counts, self._flow
        phase = "pre-roll" if flow.holding and self._phase == "shooting" else self._phase
        return TakeCounters(
            self._order.scene,
            self._order.kind,
            self._take,
            asked_pairs(self._order.schedule),
            phase,
            flow.fired,
            counts.paired,
            counts.rejected,
            self._recorder.waiting(),
            self._recorder.fill(),
            flow.disk.pairs_left,
            flow.disk.level,
        )

    # ---- volleys

    def _shoot(self) -> None:
        if self._order.warmup and not self._control.stopping:
            self._phase = "warm-up"
            self._warm_up()
        while self._sum.error is None and not self._sum.reason:
            self._phase = "waiting"
            count = self._timing.wait(self._numbers.pulse, self._between)
            if self._sum.reason or self._sum.error or count == 0:
                break
            self._phase = "shooting"
            self._volley(count)
        self._sum.early = not self._timing.all_done(self._numbers.pulse)

    def _between(self) -> bool:
        """Look after disk and button between two volleys; returns whether the take may go on."""
        self._sum.reason = self._sum.reason or self._stop_now()
        return not (self._sum.reason or self._control.stopping or self._flow.failure())

    def _stop_now(self) -> str:
        """Say why no further pulse must come; raises what went wrong with recording."""
        if self._flow.holding and self._control.kept:
            self._flow.keep()
        failure = self._flow.failure()
        if failure is not None:
            raise failure
        return self._committer.stop_reason or self._flow.too_slow() or self._flow.look()

    def _volley(self, count: int) -> None:
        self._prepare(count)
        flow = self._flow
        first_pulse = self._numbers.pulse
        volley = self._make(count, self._recorder.deliver, flow.give)
        end = volley.run()
        last = end.error is not None or end.stopped or self._timing.all_done(first_pulse + count)
        if last or self._control.stopping:
            stopped = stop_all(self._bench)  # before the last look: what a camera still holds comes out now
            end.error = end.error or stopped
            self._armed = False
        end = volley.settle()
        flow.fired = max(flow.fired, self._numbers.pulse)
        self._sum.add(end)
        if self._flow.holding and self._control.kept:
            flow.keep()
        if end.alarm:
            self._revoke(first_pulse, end.alarm)
        elif not end.full:
            self._armed = False

    def _make(self, count: int, deliver: Any, give: Any) -> Volley:
        width = self._order.plan.exposure_control == "width"
        return Volley(
            self._bench,
            self._pulses,
            self._numbers,
            self._applied.exposure_us,
            self._applied.exposure_us if width else {},
            self._control,
            deliver,
            give,
            self._stop_now,
        )

    def _prepare(self, count: int) -> None:
        """Set the box up for so many pulses; make sure that both cameras wait and number as is thought."""
        if self._armed:
            stale = flush(self._bench)
            room = all(
                self._numbers.next_id[name] + count < ID_ROOM.get(camera.info.tl_type, 1 << 62)
                for name, camera in self._bench.cameras.items()
            )
            self._sum.refused += stale
            self._armed = not stale and room
        if not self._armed:
            self._arm_again()
        if self._pulses.count != count or str(self._bench.box.state()) == "safe":
            self._pulses = self._bench.box.configure(PulsePlan(count, self._timing.period_s, self._outputs))

    def _arm_again(self) -> None:
        """Stop and start both cameras, so that their numbers start anew."""
        for camera in self._bench.cameras.values():
            camera.stop()
        start_both(self._bench.cameras, self._bench.profiles)
        self._start_numbers()
        self._armed = True

    def _start_numbers(self) -> None:
        self._numbers.next_id = {name: first_id_of(camera) for name, camera in self._bench.cameras.items()}

    def _warm_up(self) -> None:
        """Fire pulses whose frames nobody wants: some cameras lose the first ones after a pause."""
        self._prepare(self._order.warmup)
        came: dict[str, int] = dict.fromkeys(CAMERAS, 0)

        def throw_away(camera: str, number: int, guess: int, record: Any) -> None:
            came[camera] += 1
            self._bench.cameras[camera].release(record)

        volley = self._make(self._order.warmup, throw_away, lambda job: None)
        end = volley.run()
        end = volley.settle()
        self._sum.error = end.error
        self._sum.reason = end.stopped
        self._armed = end.full
        self._numbers.pulse, self._numbers.frame = 0, dict.fromkeys(CAMERAS, 0)
        place = {"scene": self._order.scene, "kind": self._order.kind, "take": self._take}
        event = {"event": "warmup", **place, "pulses": self._order.warmup, "frames": dict(came)}
        self._order.session.journal.append({**event, "notes": end.refused})
        if not end.full and end.error is None:
            self._flow.warnings.append(
                f"warm-up: of {self._order.warmup} pulses B delivered {came['B']} and S {came['S']} frames"
            )

    def _revoke(self, first_pulse: int, alarm: str) -> None:
        """Take back what was recorded of a volley that contradicts itself: nothing unproven stays a pair."""
        self._committer.finish()
        indices = self._committer.log.pairs_from(first_pulse)
        place = (self._order.scene, self._order.kind, self._take)
        self._committer.log.revoke(indices, alarm)
        self._sum.error = CaptureError(
            f"the evidence contradicts itself: {alarm}; {len(indices)} pairs were taken back",
            hint="look for spikes on the trigger lines, then make the take again",
        )
        if indices:
            self._order.session.journal.append(*(revoked_event(*place, index, alarm) for index in indices))

    # ---- the end

    def _state(self, error: BeamrigError | None) -> str:
        if error is not None:
            return "failed"
        if self._sum.reason:
            return "stopped"
        open_end = asked_pairs(self._order.schedule) == 0
        return "complete" if open_end or not self._sum.early else "cancelled"

    def _result(self, state: str) -> TakeResult:
        order, log = self._order, self._committer.log
        refused = tuple(self._sum.refused)
        if self._sum.refused_more:
            refused += (f"and {self._sum.refused_more} more",)
        return TakeResult(
            order.session.root,
            order.scene,
            order.kind,
            self._take,
            state,
            self._numbers.pulse,
            log.shots(),
            self._applied,
            refused,
            log.counts,
            self._flow.discarded,
            self._sum.reason,
            tuple(self._flow.warnings),
        )

    def _outcome(self, result: TakeResult, error: BeamrigError | None) -> dict[str, Any]:
        """Return what the journal keeps of a take that came to its end."""
        held = isinstance(self._order.schedule, UntilStopped) and self._order.hold > 0
        return {
            "fired": result.fired,
            "paired": result.paired,
            "rejected": result.rejected,
            "refused_frames": list(result.refused),
            "counters": self._sum.losses,
            "reason": result.reason,
            "warnings": list(result.warnings),
            **({"discarded": result.discarded, "kept": not self._flow.holding} if held else {}),
            "error": error.one_line() if error else "",
        }

    def _end(self, result: TakeResult, outcome: Mapping[str, Any]) -> BeamrigError | None:
        """Write the end of the take into the journal; return the error when that is not possible."""
        try:
            self._order.session.end_take(result.scene, result.kind, result.take, result.state, outcome)
        except BeamrigError as error:
            return error
        return None
