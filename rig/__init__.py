"""The rig: cameras, trigger box, capture, and the record on disk; the ground floor of beamrig."""

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
