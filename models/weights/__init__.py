"""The weights that ship with beamrig, told of in `MODEL_CARD.md` beside them, and which weights are used."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["UNTRAINED", "WEIGHTS_VARIABLE", "are_shipped", "choose_weights", "default_weights"]

FOLDER = Path(__file__).parent
SMALL = "lbag_small.safetensors"

WEIGHTS_VARIABLE = "BEAMRIG_WEIGHTS"
"""Names the weights for the whole computer; an option or a choice in the window goes before it."""

UNTRAINED = "untrained"
"""Value of `WEIGHTS_VARIABLE` that asks for the seeded network without training, to see the way alone."""


def default_weights() -> Path | None:
    """Return the shipped weights; None where a package was built without them."""
    path = FOLDER / SMALL
    return path if path.is_file() else None


def choose_weights(asked: Path | None = None) -> Path | None:
    """Return the weights to run: those asked for, else ``$BEAMRIG_WEIGHTS``, else the shipped ones.

    Args:
        asked: What an option or the window names.

    Returns:
        The file, which need not exist: whoever reads it says so. None for the untrained network.
    """
    if asked is not None:
        return asked
    named = os.environ.get(WEIGHTS_VARIABLE, "")
    if named == UNTRAINED:
        return None
    return Path(named).expanduser() if named else default_weights()


def are_shipped(weights: Path | str | None) -> bool:
    """Return whether these are the weights that ship."""
    return weights is not None and Path(weights).resolve() == (FOLDER / SMALL).resolve()
