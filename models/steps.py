"""Long work cut into steps, so that whoever does it can stop, or do something urgent, in between."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias, TypeVar

__all__ = ["Steps", "drained"]

T = TypeVar("T")

Steps: TypeAlias = Generator[None, None, T]
"""Work that yields after every pass of a network, and returns what it found."""


def drained(steps: Steps[T]) -> T:
    """Do all steps at once and return what the work found."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: T = end.value
            return found
