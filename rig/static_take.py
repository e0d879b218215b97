"""The newest static take of a scene: what the pairs of its action takes are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rig.records import PairRecord

if TYPE_CHECKING:
    from rig.session import Session


def newest_static(session: Session, scene: str) -> list[PairRecord]:
    """Return the pairs of a scene's newest static take that has any; empty without one."""
    pairs = session.pairs(scene, "static")
    newest = max((record.take for record in pairs), default=0)
    return [record for record in pairs if record.take == newest]
