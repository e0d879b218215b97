"""What commands that record into a scene share: open or make the session, find or make the scene's plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rig.errors import PlanError, SessionError
from rig.plan import ExposurePlan
from rig.profiles import RigProfile

if TYPE_CHECKING:  # it loads numpy; --help must not wait for it
    from rig.session import Session

PLAN_HINT = "give --speed and --blur-s, as for 'beamrig plan'"


def opened_session(folder: Path, profile: RigProfile, operator: str) -> Session:
    """Open the session, or make it; a session belongs to one rig.

    Raises:
        SessionError: It cannot be opened or made, or belongs to another rig.
    """
    from rig.session import Session

    if not (folder / "session.yaml").exists():
        return Session.create(folder, profile, operator)
    session = Session.open(folder)
    if session.rig_profile.name != profile.name:
        name = session.rig_profile.name
        session.close()
        hint = f"give --rig {name}, or another --session"
        raise SessionError(f"{folder} was made with the rig {name!r}", hint=hint)
    return session


def scene_plan(session: Session, name: str, made: ExposurePlan | None) -> ExposurePlan:
    """Return the scene's plan; a new one is given to the scene, a new scene is added.

    Raises:
        PlanError: The scene has no plan and none was made.
    """
    if name not in {scene.name for scene in session.scenes()}:
        if made is None:
            raise PlanError(f"scene {name!r} is new and needs a plan", hint=PLAN_HINT)
        session.add_scene(name, made)
        return made
    plan = session.scene(name).plan
    if made is not None and made != plan:
        session.set_plan(name, made)
        return made
    if plan is None:
        raise PlanError(f"scene {name!r} has no plan", hint=PLAN_HINT)
    return plan
