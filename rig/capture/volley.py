"""One volley: a counted burst of the box, its frames collected and its pulses settled while it runs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from rig.camera.inbox import FrameRecord
from rig.capture.arming import Bench, for_both
from rig.capture.between import Numbers, VolleyEnd
from rig.capture.collector import Collector
from rig.capture.committer import Job
from rig.capture.indexing import HOST_PPM
from rig.capture.pairing import Burst, Match, Rejection, Trace
from rig.capture.reference import Reference
from rig.capture.rolling import MARGIN_S, Rolling, Settled
from rig.capture.schedule import TakeControl
from rig.errors import BeamrigError, CaptureError
from rig.placement import s_delay_ns
from rig.profiles import CAMERAS
from rig.trigger.base import PulsePlan

GRACE_S: Final = 1.0
"""How long a frame may be under way when the burst is over."""

SILENCE_S: Final = 2 * MARGIN_S
"""When a camera delivers nothing for so long and three periods while the box fires, the take ends."""

_POLL_S: Final = 0.01
_LINGER_S: Final = 1.0
_TRANSPORT_S: Final = 0.1
"""How long a frame may be under way when it is read out, before the volley of a single pulse is closed; one
that comes later still is found before the next volley (:func:`flush`)."""

Deliver = Callable[[str, int, int, FrameRecord], None]
"""Takes camera, number of the frame within the take, the pulse that it most likely is of, and the frame."""


class Volley:
    """One counted burst, from the first pulse to the last frame.

    Args:
        bench: Cameras, armed, and the box, configured.
        pulses: The burst as the box read it back.
        numbers: Where counting stands.
        exposure_us: Exposures as applied.
        made_us: Exposures made by the widths of the pulses; empty where the cameras time them.
        control: The operator's wishes.
        deliver: Takes every frame.
        give: Takes every settled pulse, in order.
        stop_now: Says why the box must be stopped between two shots; empty while all is well.
    """

    def __init__(
        self,
        bench: Bench,
        pulses: PulsePlan,
        numbers: Numbers,
        exposure_us: Mapping[str, float],
        made_us: Mapping[str, float],
        control: TakeControl,
        deliver: Deliver,
        give: Callable[[Job], None],
        stop_now: Callable[[], str],
    ) -> None:
        self._bench = bench
        self._pulses = pulses
        self._numbers = numbers
        self._made_us = made_us
        self._control = control
        self._deliver = deliver
        self._give = give
        self._stop_now = stop_now
        readout_us = max(profile.timing.readout_us for profile in bench.profiles.values())
        self._frame_s = (max(exposure_us.values()) + readout_us) * 1e-6
        self._complete = True
        self._shots: int | None = None
        self._fired_ns: int | None = None
        self._at_most: int | None = None
        self._collectors: dict[str, Collector] = {}
        self._rolling: Rolling | None = None
        self._end = VolleyEnd()
        self._last: tuple[Reference, bool] | None = None
        self._contradicted = False

    def run(self) -> VolleyEnd:
        """Fire and collect, settle what is proven; the cameras stay armed."""
        end = self._end
        try:
            self._collectors = for_both(self._collector)
            self._rolling = self._start_proof()
            for collector in self._collectors.values():
                collector.start()
            if self._control.stopping:  # while everything was set up
                self._complete = False
            else:
                self._bench.box.arm()
                self._fired_ns = time.monotonic_ns()
                self._rolling.burst = self._told()
                self._bench.box.fire()
                self._watch()
                if self._complete and any(one.error for one in self._collectors.values()):
                    self._complete = self._bench.box.done()
        except BeamrigError as caught:
            end.error = caught
            self._complete = False
        except BaseException:  # Ctrl+C in a script, say: the box must not go on firing
            self._complete = False
            raise
        finally:
            failed = self._count_pulses() if self._complete else self._safe()
            end.error = end.error or failed
            self._wait_for_last_frames()
        lost = next((c.error for c in self._collectors.values() if c.error is not None), None)
        end.error = lost or end.error
        return end

    def settle(self) -> VolleyEnd:
        """Settle what is still open, with all that came; after :meth:`run`, before the next volley."""
        end, rolling = self._end, self._rolling
        if rolling is None:
            return end
        for collector in self._collectors.values():
            collector.drain()
        self._advance()
        traces: dict[str, Trace] = {name: self._collectors[name].trace() for name in CAMERAS}
        if self._fired_ns is None:  # no pulse, so no frame is of one, and there is nothing to reject
            for name, trace in traces.items():
                end.refused += [
                    f"camera {name}, frame {stamp.frame_id}: no pulse was fired" for stamp in trace.frames
                ]
            self._count(end)
            return end
        closing = rolling.close(traces, complete=self._complete, at_most=self._at_most)
        end.fired, end.alarm = closing.fired, rolling.alarm
        for settled in closing.settled:
            self._pass_on(settled, self._numbers.pulse + closing.fired)
        for one in closing.refused:
            number = traces[one.camera].frames[one.position].frame_id
            end.refused.append(f"camera {one.camera}, frame {number}: {one.reason}")
        exact = all(len(collector.stamps) == self._pulses.count for collector in self._collectors.values())
        end.full = self._complete and exact and not closing.refused and not end.alarm
        end.full = end.full and not self._contradicted
        self._testify(end)
        self._count(end)
        return end

    def _testify(self, end: VolleyEnd) -> None:
        """Say what this volley means for the next one, and for the one before."""
        witness = self._numbers.witness
        witness.last = range(0)
        if end.alarm or self._contradicted:
            end.doubted = witness.refute()
        elif self._last is not None:
            reference, free = self._last
            witness.confirm(reference, range(self._numbers.pulse, self._numbers.pulse + end.fired), free=free)
            witness.ended_ns = {
                name: max(stamp.timestamp_ns for stamp in one.stamps)
                for name, one in self._collectors.items()
            }

    def _count(self, end: VolleyEnd) -> None:
        """Note what the cameras lost, and let the numbers run on."""
        self._numbers.pulse += end.fired
        for name, collector in self._collectors.items():
            end.losses[name] = collector.losses()
            self._numbers.frame[name] += len(collector.stamps)
            self._numbers.next_id[name] += len(collector.stamps)

    # ---- the proof while it runs

    def _start_proof(self) -> Rolling:
        sound = all(collector.counts_ignored for collector in self._collectors.values())
        first_id: dict[str, int | None] = {name: one.first_id for name, one in self._collectors.items()}
        return Rolling(self._told(), first_id, sound)

    def _told(self) -> Burst:
        return Burst(
            self._pulses.count,
            round(self._pulses.period_s * 1e9),
            s_delay_ns=s_delay_ns(self._pulses, self._bench.outputs),
            shared_clock=self._bench.shared_clock,
            earliest_ns=self._fired_ns,
            reference=None if self._bench.shared_clock else self._numbers.witness.reference,
        )

    def _advance(self) -> None:
        if self._rolling is None or self._fired_ns is None:
            return
        sights = {name: collector.sight() for name, collector in self._collectors.items()}
        for settled in self._rolling.advance(sights):
            self._pass_on(settled, self._numbers.pulse + settled.one.index + 1)

    def _pass_on(self, settled: Settled, fired: int) -> None:
        one = settled.one
        places = {"B": one.b, "S": one.s}
        self._contradicted = self._contradicted or settled.pairing.off_ns is not None
        if isinstance(one, Match):
            b_ns, s_ns = (self._collectors[name].stamps[places[name] or 0].timestamp_ns for name in CAMERAS)
            apart_ns = s_ns - b_ns - s_delay_ns(self._pulses, self._bench.outputs)
            self._last = Reference(b_ns, apart_ns), settled.pairing.clock == "fitted"
        index = self._numbers.pulse + one.index
        moved: Match | Rejection = replace(one, index=index)
        metas = {
            name: None if place is None else self._collectors[name].metas.pop(place, None)
            for name, place in places.items()
        }
        self._give(
            Job(
                moved,
                {
                    name: None if place is None else self._numbers.frame[name] + place
                    for name, place in places.items()
                },
                metas,
                self._told(),
                settled.pairing,
                {name: self._collectors[name].ignored for name in CAMERAS},
                fired,
                self._shots,
            )
        )

    # ---- the burst

    def _collector(self, name: str) -> Collector:
        camera, numbers = self._bench.cameras[name], self._numbers
        first_id, first_frame, first_pulse = numbers.next_id[name], numbers.frame[name], numbers.pulse

        def take(position: int, record: FrameRecord) -> None:
            guess = first_pulse + record.meta.frame_id - first_id
            self._deliver(name, first_frame + position, guess, record)

        made_us = self._made_us.get(name)
        return Collector(name, camera, self._pulses.count, first_id, take, made_us)

    def _watch(self) -> None:
        started = time.monotonic()
        period_s = self._pulses.period_s
        deadline = started + (self._pulses.count - 1) * period_s + self._frame_s + MARGIN_S
        while any(collector.open_pulses > 0 for collector in self._collectors.values()):
            self._advance()
            end = self._end
            end.stopped = end.stopped or self._stop_now()
            if self._control.stopping or end.stopped or (self._rolling and self._rolling.alarm):
                self._complete = False
                return
            if any(collector.error for collector in self._collectors.values()):
                return
            # A slow line or computer brings frames late; as long as they keep coming none is given up.
            now = time.monotonic()
            heard = {
                name: max(collector.last_frame_at, started) for name, collector in self._collectors.items()
            }
            if now > max(deadline, max(heard.values()) + MARGIN_S):
                return
            patience_s = SILENCE_S + 3 * period_s + self._frame_s
            quiet = [name for name in CAMERAS if now - heard[name] > patience_s]
            if quiet and now < deadline:
                raise CaptureError(
                    f"camera {' and '.join(quiet)} delivered nothing for {patience_s:.0f} s",
                    hint="look at its trigger cable; the shots until then are safe",
                )
            time.sleep(_POLL_S)

    def _wait_for_last_frames(self) -> None:
        # Where frames are missing, those that are being exposed or read out can still come: after an early
        # stop, and when the triggers that a camera ignored were not the box's pulses.
        now = time.monotonic()
        if self._fired_ns is not None and not self._complete:
            elapsed_s = (time.monotonic_ns() - self._fired_ns) * 1e-9
            longest_s = elapsed_s * (1 + HOST_PPM * 1e-6)  # the box's clock may run faster than ours
            self._at_most = math.floor(longest_s / self._pulses.period_s) + 2
        grace_s = 0.0 if self._control.aborting else self._frame_s + GRACE_S
        for collector in self._collectors.values():
            collector.give_up_at(now + grace_s)
        while any(collector.is_alive() for collector in self._collectors.values()):
            self._advance()
            if self._control.aborting:
                for collector in self._collectors.values():
                    collector.give_up_at(now)
            time.sleep(_POLL_S)

    def _count_pulses(self) -> BeamrigError | None:
        """Ask the box whether it fired all that it was told."""
        try:
            fired = self._bench.box.wait_done(self._pulses.period_s + MARGIN_S)
            self._shots = self._bench.box.shots()
            if not self._control.stopping:
                # One exposure too many is evidence, too: it shows a pulse that was none of the box's count.
                self._linger()
        except BeamrigError as error:
            self._complete = False
            return error
        if fired != self._pulses.count:
            self._complete = False
            return CaptureError(f"the box fired {fired} pulses instead of {self._pulses.count}")
        return None

    def _linger(self) -> None:
        """Wait for a frame too many; after a single pulse, until its own must have come, too."""
        if self._pulses.count > 1:
            time.sleep(self._frame_s + min(self._pulses.period_s, _LINGER_S))
        elif self._fired_ns is not None:
            burst = self._told()
            since_s = (time.monotonic_ns() - self._fired_ns) * 1e-9
            time.sleep(max(burst.s_delay_ns * 1e-9 + self._frame_s + _TRANSPORT_S - since_s, 0.0))

    def _safe(self) -> BeamrigError | None:
        try:
            self._bench.box.safe()
        except BeamrigError as error:
            return error
        return None
