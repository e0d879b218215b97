"""One take: both cameras wait, counted pulses, frames from both, pairs by trigger index, all recorded."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from rig.capture.arming import Bench, apply_triggered, start_both, stop_all
from rig.capture.findings import Check
from rig.capture.flow import TakeCounters
from rig.capture.order import TakeOrder
from rig.capture.result import Shot, TakeResult
from rig.capture.running import Take
from rig.capture.schedule import TakeControl, asked_pairs
from rig.capture.timing import Timing
from rig.placement import pulses, widths_us
from rig.profiles import CAMERAS
from rig.raw_store import RawStore
from rig.trigger.base import PulsePlan

OnShot = Callable[[Shot], None]
OnCounters = Callable[[Callable[[], TakeCounters]], None]


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
        running = Take(bench, order, applied, outputs, first, take, store, timing, control, on_shot, check)
        if on_counters is not None:
            on_counters(running.counters)
        return running.run()
