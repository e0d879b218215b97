"""What the rig's threads do for the window: make a take as it was asked for, say how rig and disk stand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gui.scene_check import make_pair_check
from gui.sessions import SessionKeeper
from gui.take import StatusNow, TakeRequest
from rig.capture.disk import DiskGuard, frame_bytes
from rig.capture.result import Shot, TakeResult
from rig.capture.schedule import TakeControl
from rig.errors import CaptureError
from rig.rig import Rig
from rig.static_take import newest_static


def make_take(
    rig: Rig,
    keeper: SessionKeeper,
    request: TakeRequest,
    control: TakeControl,
    on_shot: Callable[[Shot], None],
) -> TakeResult:
    """Make a take; session and scene are made where they are missing, and the scene keeps the plan.

    Args:
        rig: The rig with a plan applied.
        keeper: The session.
        request: The take.
        control: Steers it.
        on_shot: Called after each shot.

    Raises:
        CaptureError: No plan, or what `Rig.capture` raises.
        SessionError: The session cannot be used.
    """
    session = keeper.ensure(rig.source)
    if rig.plan is None:
        raise CaptureError("no plan is applied", hint="use a plan of the Plan page first")
    plan = rig.plan.plan
    if request.scene not in {scene.name for scene in session.scenes()}:
        session.add_scene(request.scene, plan)
    elif session.scene(request.scene).plan != plan:
        session.set_plan(request.scene, plan)
    return rig.capture(
        session,
        request.scene,
        request.kind,
        schedule=request.schedule,
        warmup=request.warmup,
        on_shot=on_shot,
        check=make_pair_check(request.kind, plan, newest_static(session, request.scene)),
        control=control,
    )


def status_now(rig: Rig, folder: Path) -> StatusNow:
    """Ask the rig, and the disk where the session is or will be; asks no device.

    Raises:
        SessionError: The disk cannot be asked.
    """
    profile = rig.profile
    size = frame_bytes(profile.optics.width_px, profile.optics.height_px)
    disk = DiskGuard(folder, size, profile.disk_soft_pairs, profile.disk_hard_pairs).left()
    return StatusNow(rig.status(), disk)
