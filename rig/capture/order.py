"""From an operator's wish to a take that can be made: the period, the disk and the memory are asked first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from rig.capture.disk import DiskGuard, check_room, frame_bytes
from rig.capture.schedule import Counted, Interval, Schedule, UntilStopped, asked_pairs
from rig.errors import CaptureError
from rig.exposure import ExposurePlan
from rig.memory import free_memory_bytes
from rig.profiles import RigProfile
from rig.records import check_kind
from rig.session import Session

MEMORY_SHARE: Final = 0.5
"""Share of the memory that is free now which a pre-roll may take."""

_ON_THE_WAY_S: Final = 2.0
"""A shot is proven a little after its frames came; so much longer than asked for are frames held."""


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


def order_take(
    rig: RigProfile,
    session: Session,
    scene: str,
    kind: str,
    schedule: Schedule,
    plan: ExposurePlan | None,
    warmup: int = 0,
) -> TakeOrder:
    """Make sure that a take is possible.

    Args:
        rig: The rig.
        session: Where it is to be recorded.
        scene: Name of a scene of the session.
        kind: Kind of the take.
        schedule: When the pulses come.
        plan: The plan in force.
        warmup: Pulses before the take proper.

    Raises:
        CaptureError: No plan, too short a period, an impossible number, or a pre-roll that finds no room.
        DiskFull: There is no room on the disk.
        SessionError: No such scene or kind.
    """
    plan = check_plan(schedule, plan)
    if not 0 <= warmup <= 1000:
        raise CaptureError(f"{warmup} warm-up shots cannot be fired", hint="0 to 1000")
    session.scene(scene)
    optics = rig.optics
    check_room(session.root, max(asked_pairs(schedule), 1), optics.width_px, optics.height_px)
    size = frame_bytes(optics.width_px, optics.height_px)
    guard = DiskGuard(session.root, size, rig.disk_soft_pairs, rig.disk_hard_pairs)
    hold, on_the_way = _held_pairs(schedule, plan, size)
    return TakeOrder(session, scene, check_kind(kind), schedule, plan, guard, warmup, hold, on_the_way)


def check_plan(schedule: Schedule, plan: ExposurePlan | None) -> ExposurePlan:
    """Return the plan in force when a schedule may be made with it.

    A pulse that comes while a camera exposes or reads out is ignored, so what would make some is refused.

    Raises:
        CaptureError: There is no plan, or the period is too short for it.
    """
    if plan is None:
        raise CaptureError("there is no exposure plan", hint="apply a plan before the first take")
    asked = schedule.every_s if isinstance(schedule, Interval) else None
    if isinstance(schedule, Counted | UntilStopped):
        asked = schedule.period_s
    if asked is not None and asked < plan.min_period_s:
        raise CaptureError(
            f"a period of {asked:g} s is too short for this plan",
            hint=f"at least {plan.min_period_s:.4g} s: exposure and readout must fit in",
        )
    return plan


def _held_pairs(schedule: Schedule, plan: ExposurePlan, size: int) -> tuple[int, int]:
    """Return how many pulses a pre-roll holds, and how many more may be on the way to their proof."""
    if not isinstance(schedule, UntilStopped) or not schedule.preroll_s:
        return 0, 0
    period_s = schedule.period_s or plan.period_s
    pairs, more = math.ceil(schedule.preroll_s / period_s) + 1, math.ceil(_ON_THE_WAY_S / period_s)
    needed, free = 2 * (pairs + more) * size, free_memory_bytes()
    if needed > MEMORY_SHARE * free:
        most_s = MEMORY_SHARE * free / (2 * size) * period_s - _ON_THE_WAY_S
        raise CaptureError(
            f"a pre-roll of {schedule.preroll_s:g} s takes {needed / 1e9:.1f} GB of memory,"
            f" {free / 1e9:.1f} GB are free",
            hint=f"at most {max(most_s, 0):.0f} s, or a longer period",
        )
    return pairs, more
