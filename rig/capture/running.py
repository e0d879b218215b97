"""A take that runs: volley after volley, with all that is asked between two of them, to its record."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Final

from rig.camera.inbox import FrameRecord
from rig.camera.types import FrameMeta
from rig.capture.arming import Bench, start_both, stop_all
from rig.capture.between import Numbers, flush
from rig.capture.collector import ID_ROOM, first_id_of
from rig.capture.committer import Committer, Job
from rig.capture.findings import Check
from rig.capture.flow import Flow, TakeCounters
from rig.capture.order import TakeOrder
from rig.capture.pairing import Burst
from rig.capture.recorder import Place, Recorder
from rig.capture.result import AppliedPlan, Shot, TakeFailed, TakeResult
from rig.capture.rolling import MARGIN_S
from rig.capture.schedule import TakeControl, asked_pairs
from rig.capture.tally import Tally
from rig.capture.timing import Timing
from rig.capture.volley import Deliver, Volley
from rig.errors import BeamrigError, CaptureError
from rig.profiles import CAMERAS
from rig.raw_store import RawStore
from rig.records import revoked_event
from rig.trigger.base import Pulse, PulsePlan

CONTRADICTED: Final = (
    "the next volley contradicts it: by the cameras' clocks one of the two has a frame of no pulse"
)
OVERTAKEN: Final = "a frame came after it that may be the true one of its pulse"


class Take:
    """A take whose cameras are armed and whose box is configured.

    Args:
        bench: Cameras and box.
        order: What is to be taken.
        applied: Exposures as the cameras took them.
        outputs: Pulse of each output of the box.
        first: The burst as the box read it back.
        take: Number of the take.
        store: The store of RAW files.
        timing: When volleys are due.
        control: The operator's wishes.
        on_shot: Told of each shot.
        check: Looks at each pair.
    """

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
        on_shot: Callable[[Shot], None] | None,
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
        self._tally = Tally()
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
                self._tally.error = self._tally.error or caught
            finally:
                stopped = stop_all(self._bench)
            self._tally.error = self._tally.error or stopped
            self._flow.end()
            self._committer.finish()
            self._recorder.close()
        except BaseException as stray:
            # Nobody knows how far the shots got: parts stay on the disk, and the journal does not count them.
            self._committer.end()
            self._recorder.close(keep=True)
            self._end(self._result("failed"), {"error": f"{type(stray).__name__}: {stray}"})
            raise
        error = self._tally.error or self._flow.failure()
        result = self._result(self._state(error))
        preroll = {"discarded": result.discarded, "kept": not self._flow.holding} if self._order.hold else {}
        unended = self._end(result, self._tally.outcome(result, error, **preroll))
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
        while self._tally.error is None and not self._tally.reason:
            self._phase = "waiting"
            count = self._timing.wait(self._numbers.pulse, self._between)
            if self._tally.reason or self._tally.error or count == 0:
                break
            self._phase = "shooting"
            self._volley(count)
        self._tally.early = not self._timing.all_done(self._numbers.pulse)

    def _between(self) -> bool:
        """Look after disk and button between two volleys; returns whether the take may go on."""
        self._tally.reason = self._tally.reason or self._stop_now()
        return not (self._tally.reason or self._control.stopping or self._flow.failure())

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
        volley = self._make(self._recorder.deliver, flow.give)
        end = volley.run()
        last = end.error is not None or end.stopped or self._timing.all_done(first_pulse + count)
        if last or self._control.stopping:
            stopped = stop_all(self._bench)  # before the last look: what a camera still holds comes out now
            end.error = end.error or stopped
            self._armed = False
        end = volley.settle()
        flow.fired = max(flow.fired, self._numbers.pulse)
        self._tally.add(end)
        if self._flow.holding and self._control.kept:
            flow.keep()
        if end.doubted:
            self._take_back(end.doubted, CONTRADICTED)
        if end.alarm:
            self._revoke(first_pulse, end.alarm)
        elif not end.full:
            self._armed = False
        self._committer.log.forget_before(self._numbers.witness.first_doubtful(self._numbers.pulse))

    def _make(self, deliver: Deliver, give: Callable[[Job], None]) -> Volley:
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
            self._tally.refused += [
                f"camera {name}, frame {meta.frame_id}: it came without a pulse of the take"
                for name, meta in stale
            ]
            self._doubt(stale)
            self._armed = not stale and room
        if not self._armed:
            self._arm_again()
        if self._pulses.count != count or str(self._bench.box.state()) == "safe":
            self._pulses = self._bench.box.configure(PulsePlan(count, self._timing.period_s, self._outputs))

    def _doubt(self, stale: list[tuple[str, FrameMeta]]) -> None:
        """Take back the last volley when a frame came after it that may be the true one of its pulse."""
        witness, period_ns = self._numbers.witness, round(self._timing.period_s * 1e9)
        jitter_ns = Burst(1, period_ns).jitter_ns
        if any(
            witness.overtaken(name, meta.timestamp_ns, period_ns, jitter_ns, round(MARGIN_S * 1e9))
            for name, meta in stale
        ):
            doubted = witness.last
            witness.refute()
            self._take_back(doubted, OVERTAKEN)

    def _take_back(self, doubted: range, reason: str) -> None:
        """Turn recorded pairs of an earlier volley into rejected shots; the take goes on."""
        self._committer.settled()
        log, order = self._committer.log, self._order
        indices = [index for index in log.pairs_from(doubted.start) if index in doubted]
        if not indices:
            return
        place = (order.scene, order.kind, self._take)
        log.revoke(indices, reason)
        order.session.journal.append(*(revoked_event(*place, index, reason) for index in indices))
        which = ", ".join(str(index) for index in indices[:5]) + (" ..." if len(indices) > 5 else "")
        self._flow.warnings.append(f"pairs that were recorded were taken back ({which}): {reason}")

    def _arm_again(self) -> None:
        """Stop and start both cameras, so that their numbers start anew."""
        for camera in self._bench.cameras.values():
            camera.stop()
        start_both(self._bench.cameras, self._bench.profiles)
        self._start_numbers()
        self._recorder.guess_anew()
        self._armed = True

    def _start_numbers(self) -> None:
        self._numbers.next_id = {name: first_id_of(camera) for name, camera in self._bench.cameras.items()}

    def _warm_up(self) -> None:
        """Fire pulses whose frames nobody wants: some cameras lose the first ones after a pause."""
        self._prepare(self._order.warmup)
        came: dict[str, int] = dict.fromkeys(CAMERAS, 0)

        def throw_away(camera: str, number: int, guess: int, record: FrameRecord) -> None:
            came[camera] += 1
            self._bench.cameras[camera].release(record)

        volley = self._make(throw_away, lambda job: None)
        end = volley.run()
        end = volley.settle()
        self._tally.error = end.error
        self._tally.reason = end.stopped
        self._armed = end.full
        self._numbers.pulse, self._numbers.frame = 0, dict.fromkeys(CAMERAS, 0)
        witness = self._numbers.witness
        witness.lone = witness.last = range(0)  # nothing of it was recorded
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
        self._tally.error = CaptureError(
            f"the evidence contradicts itself: {alarm}; {len(indices)} pairs were taken back",
            hint="look for spikes on the trigger lines, then make the take again",
        )
        if indices:
            self._order.session.journal.append(*(revoked_event(*place, index, alarm) for index in indices))

    # ---- the end

    def _state(self, error: BeamrigError | None) -> str:
        if error is not None:
            return "failed"
        if self._tally.reason:
            return "stopped"
        open_end = asked_pairs(self._order.schedule) == 0
        return "complete" if open_end or not self._tally.early else "cancelled"

    def _result(self, state: str) -> TakeResult:
        order, log = self._order, self._committer.log
        return TakeResult(
            order.session.root,
            order.scene,
            order.kind,
            self._take,
            state,
            self._numbers.pulse,
            log.shots(),
            self._applied,
            self._tally.lines(),
            log.counts,
            self._flow.discarded,
            self._tally.reason,
            tuple(self._flow.warnings),
        )

    def _end(self, result: TakeResult, outcome: Mapping[str, Any]) -> BeamrigError | None:
        """Write the end of the take into the journal; return the error when that is not possible."""
        try:
            self._order.session.end_take(result.scene, result.kind, result.take, result.state, outcome)
        except BeamrigError as error:
            return error
        return None
