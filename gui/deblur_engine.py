"""Makes the inference engine of the Deblur page; imported by name so that the window starts without torch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.deblur import DeblurEngine

WEIGHTS_VARIABLE = "BEAMRIG_WEIGHTS"
"""Names a checkpoint for the preview; without it the engine runs untrained weights, and says so."""


def default_engine() -> DeblurEngine:
    """Make the engine with the weights that ``$BEAMRIG_WEIGHTS`` names, or none.

    Raises:
        BeamrigError: The weights cannot be used.
    """
    from models.deblur import DeblurEngine

    weights = os.environ.get(WEIGHTS_VARIABLE)
    return DeblurEngine(Path(weights) if weights else None)
