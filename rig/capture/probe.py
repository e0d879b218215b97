"""A counted burst that is looked at and not recorded: what both cameras made of N pulses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from rig.camera.inbox import FrameRecord
from rig.capture.arming import Bench, TakeCamera, apply_triggered, for_both, start_both
from rig.capture.indexing import FrameStamp, Trace
from rig.capture.pairing import Burst, Pairing, pair
from rig.errors import BeamrigError, CameraTimeout
from rig.placement import pulses as pulses_of
from rig.placement import s_delay_ns
from rig.plan import ExposurePlan
from rig.profiles import CAMERAS
from rig.trigger.base import PulsePlan

GRACE_S: Final = 2.0
"""How much later than its exposure and readout, or than the frame before, one may come before it is lost."""

_POLL_S: Final = 0.05
_LINGER_S: Final = 0.1
_FIRST_ID: Final = {"GEV": 1}
OnFrame = Callable[[str, int], None]


@dataclass(frozen=True)
class Seen:
    """What came of one burst.

    Attributes:
        pulses: The burst as the box read it back.
        burst: The same for pairing.
        traces: What each camera ("B", "S") delivered.
        losses: By how much each camera's counters rose: ignored_triggers (None where it has none), underruns,
            incomplete.
        pairing: The outcome.
        box_shots: Pulses by the box's own counter; None where it has none.
    """

    pulses: PulsePlan
    burst: Burst
    traces: dict[str, Trace]
    losses: dict[str, dict[str, int | None]]
    pairing: Pairing
    box_shots: int | None


class Prober:
    """Fires bursts with one plan; cameras and box are at rest before and after each.

    Args:
        bench: Cameras and box, at rest.
        plan: Exposures and the place of S.
        cancel: When set, the box stops and what came until then is returned.

    Raises:
        DeviceError: A camera refused the plan.
        TriggerError: The box does not obey.
    """

    def __init__(self, bench: Bench, plan: ExposurePlan, cancel: threading.Event | None = None) -> None:
        self._bench = bench
        self._plan = plan
        self.cancel = cancel or threading.Event()
        bench.box.safe()  # before a camera listens to its line
        self.exposure_us = apply_triggered(bench.cameras, plan).exposure_us

    @property
    def busy_s(self) -> float:
        """How long the pulses and then the readout keep a camera busy, in s."""
        pulses = pulses_of(self.exposure_us, self._plan.placement)
        return max(
            pulses[name].delay_s + pulses[name].width_s + self._bench.profiles[name].timing.readout_us * 1e-6
            for name in CAMERAS
        )

    @property
    def pulse_end_s(self) -> float:
        """When the last pulse of a trigger ends, in s; the period of a box must be longer."""
        return max(
            one.delay_s + one.width_s for one in pulses_of(self.exposure_us, self._plan.placement).values()
        )

    def fire(
        self, count: int, period_s: float, on_frame: OnFrame | None = None, *, hasty: bool = False
    ) -> Seen:
        """Fire ``count`` pulses and return what came; ``on_frame`` gets camera and number of its frames.

        In haste the burst is cut short when a camera ignores a trigger.

        Raises:
            BeamrigError: A camera was lost, or the box did not obey.
        """
        bench, box = self._bench, self._bench.box
        wanted = pulses_of(self.exposure_us, self._plan.placement)
        outputs = {bench.outputs[name]: wanted[name] for name in CAMERAS}
        complete = False
        try:
            start_both(bench.cameras, bench.profiles)
            applied = box.configure(PulsePlan(count, period_s, outputs))
            before = for_both(lambda name: bench.cameras[name].counters(fresh=True))
            box.arm()
            fired_ns = time.monotonic_ns()
            box.fire()
            deadline = time.monotonic() + (count - 1) * period_s + self.busy_s + GRACE_S
            listeners = {
                str(name): _Listener(
                    bench.cameras[name],
                    count,
                    before[name].ignored_triggers,
                    on_frame and partial(on_frame, name),
                )
                for name in CAMERAS
            }
            ignored = threading.Event()
            for_both(lambda name: listeners[name].listen(deadline, self.cancel, ignored, hasty=hasty))
            if not self.cancel.is_set() and not (hasty and ignored.is_set()):
                complete = box.wait_done(period_s + GRACE_S) == count
                time.sleep(self.busy_s + _LINGER_S)  # one frame too many is news, too
            for_both(lambda name: listeners[name].count_ignored())
            shots = box.shots()
        finally:
            self._rest()
        for name in CAMERAS:
            listeners[name].drain()
        after = {name: bench.cameras[name].counters() for name in CAMERAS}
        losses: dict[str, dict[str, int | None]] = {
            name: {
                "ignored_triggers": listeners[name].ignored,
                "underruns": after[name].underruns - before[name].underruns,
                "incomplete": after[name].incomplete - before[name].incomplete,
            }
            for name in CAMERAS
        }
        burst = Burst(
            count,
            round(applied.period_s * 1e9),
            complete=complete,
            s_delay_ns=s_delay_ns(applied, bench.outputs),
            shared_clock=bench.shared_clock,
            earliest_ns=fired_ns,
        )
        traces = {str(name): listeners[name].trace() for name in CAMERAS}
        return Seen(applied, burst, traces, losses, pair(burst, traces["B"], traces["S"]), shots)

    def _rest(self) -> None:
        """Stop box and cameras, each whatever becomes of the others; raise the first error."""
        first: BeamrigError | None = None
        for rest in (self._bench.box.safe, *(camera.stop for camera in self._bench.cameras.values())):
            try:
                rest()
            except BeamrigError as error:
                first = first or error
        if first is not None:
            raise first


class _Listener:
    """Takes the frames of one camera and gives their memory back at once."""

    def __init__(
        self,
        camera: TakeCamera,
        count: int,
        ignored_before: int | None,
        on_frame: Callable[[int], None] | None,
    ) -> None:
        self._camera, self._count, self._on_frame = camera, count, on_frame
        self._before = ignored_before
        self._sources: list[dict[str, str]] = []
        self._stamps: list[FrameStamp] = []
        self.ignored: int | None = None

    def listen(
        self, deadline: float, cancel: threading.Event, ignored: threading.Event, *, hasty: bool
    ) -> None:
        """Take frames until there is one for each pulse, or, in haste, until a trigger was ignored."""
        while not cancel.is_set() and time.monotonic() < deadline and len(self._stamps) < self._count:
            if hasty and ignored.is_set():
                return
            try:
                self._take(self._camera.next_record(_POLL_S))
                # A slow line or computer brings frames late; as long as they keep coming none is given up.
                deadline = max(deadline, time.monotonic() + GRACE_S)
            except CameraTimeout:
                self.count_ignored()
            if self.ignored:
                ignored.set()

    def drain(self) -> None:
        """Take what is still there."""
        while True:
            try:
                self._take(self._camera.next_record(0.0))
            except CameraTimeout:
                return

    def _take(self, record: FrameRecord) -> None:
        meta = record.meta
        self._camera.release(record)
        self._sources.append(meta.sources)
        self._stamps.append(FrameStamp.of(meta))
        if self._on_frame is not None:
            self._on_frame(len(self._stamps))

    def count_ignored(self) -> None:
        """Read by how much the count of ignored triggers rose."""
        now = self._camera.counters(fresh=True).ignored_triggers
        if now is not None and self._before is not None:
            self.ignored = now - self._before

    def trace(self) -> Trace:
        """Return what the camera said, for pairing."""
        numbered = all(sources.get("frame_id") != "host" for sources in self._sources)
        clocked = all(sources.get("timestamp_ns") != "host" for sources in self._sources)
        first_id = _FIRST_ID.get(self._camera.info.tl_type, 0) if numbered else None
        return Trace(tuple(self._stamps), self.ignored, first_id, clocked=clocked)
