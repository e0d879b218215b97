"""Makes the inference engine of the Deblur page; imported by name so that the window starts without torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.deblur import DeblurEngine


def default_engine(weights: Path | None = None) -> DeblurEngine:
    """Make the engine with these weights, else those of ``$BEAMRIG_WEIGHTS``, else the shipped ones.

    Nothing is measured yet: the first picture is answered first.

    Raises:
        BeamrigError: The weights cannot be used.
    """
    from models.deblur import DeblurEngine
    from models.weights import choose_weights

    return DeblurEngine(choose_weights(weights), measure_now=False)
