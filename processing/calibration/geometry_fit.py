"""Whether a geometry of the laboratory holds for a scene: what it leaves of the scene's own static pair.

Neither distance nor focus nor lens of a scene is known for certain, and a mount that was bumped knows nothing
of it. All of them show in one figure: the displacement left between S and the B that the geometry aligned.
"""

from __future__ import annotations

from typing import Final

from processing.alignment.flow import Residual
from processing.errors import CalibrationError

REFUSED_PX: Final = 0.5
"""Mean displacement that is refused: half of what the paper leaves (1 px), and seen as a seam of the mask."""
TOLD_PX: Final = 0.1
"""Mean displacement that is told: ten times what a registration of the scene's own leaves (some 0.01 px)."""

_HINT: Final = "another distance, focus or lens, or the mount moved; leave the geometry out to register anew"


def refuse_misfit(left: Residual) -> None:
    """Refuse a given geometry that does not bring the scene's static pair together.

    Raises:
        CalibrationError: with the displacement it leaves.
    """
    if left.mean_px > REFUSED_PX:
        raise CalibrationError(
            f"the given geometry does not fit the scene: its static pair stays {left.mean_px:.2f} px apart",
            hint=_HINT,
        )


def misfit_note(left: Residual) -> str:
    """Return what to tell of a given geometry that is used, empty if it fits well."""
    if left.mean_px <= TOLD_PX:
        return ""
    return f"the given geometry leaves the static pair {left.mean_px:.2f} px apart ({_HINT})"
