"""Kinds of arguments of the command line that click lacks."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import click


class PathName(click.Path):
    """A path, given to the command as `pathlib.Path`.

    The empty text is refused: `Path("")` is the present folder, and an unset variable in a script
    (`--session "$DIR"`) must not record a session there.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(path_type=Path, **settings)

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """Convert as click does, but not the empty text."""
        if value == "":
            self.fail("the path is empty (write . for this folder)", param, ctx)
        return super().convert(value, param, ctx)


class FiniteRange(click.FloatRange):
    """A range of numbers; click lets nan through, which is neither below nor above any limit."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Convert as click does, but not nan."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return number
