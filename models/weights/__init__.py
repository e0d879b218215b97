"""The weights that ship with beamrig; `MODEL_CARD.md` beside them says what they are and how made."""

from __future__ import annotations

from pathlib import Path

__all__ = ["default_weights"]

FOLDER = Path(__file__).parent
SMALL = "lbag_small.safetensors"


def default_weights() -> Path | None:
    """Return the shipped weights; None where a package was built without them."""
    path = FOLDER / SMALL
    return path if path.is_file() else None
