"""A made pair with its record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.training.pairs import TrainingPair

__all__ = ["Made"]


@dataclass(frozen=True)
class Made:
    """A pair and how it was made.

    Attributes:
        pair: The pictures.
        record: Seed and parameters: plain JSON data.
    """

    pair: TrainingPair
    record: dict[str, Any]
