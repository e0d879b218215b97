"""The rig: cameras, trigger box, capture, and the record on disk; the ground floor of beamrig.

In a script it takes ten lines from the plan to pairs on the disk; the app and the command line use the same
objects::

    from rig import Rig
    from rig.exposure import plan_exposure
    from rig.session import Session

    with Rig.open("virtual") as rig, Session.create("my-session", rig.source, operator="Ada") as session:
        plan = plan_exposure(rig.source, speed_mps=1.4, distance_m=5.0, blur_s_px=4.0)
        session.add_scene("s01", plan)
        rig.apply_plan(plan)
        result = rig.capture(session, "s01", "action", pairs=4, on_shot=lambda shot: print(shot.id))
        print(result.state, result.paired, [pair.path_b.name for pair in session.pairs("s01", "action")])

``rig.capture`` also takes a ``schedule`` (`rig.capture.schedule`: counted, by hand, at intervals, until
stopped with a pre-roll), a ``control`` to steer it from another thread, and a ``check`` that looks at every
pair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rig.rig import Rig

__all__ = ["Rig"]


def __getattr__(name: str) -> Any:
    """Load the rig itself only when it is used: units and profiles must not load camera libraries."""
    if name == "Rig":
        from rig.rig import Rig

        return Rig
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
