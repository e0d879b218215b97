"""What the subcommands share: quantities with units, JSON output, the console, common options."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, TypeVar, get_args

import click
from rich.console import Console

from rig.errors import UnitError
from rig.profile_part import Placement
from rig.units import Dimension, parse_quantity

F = TypeVar("F", bound=Callable[..., Any])


class Quantity(click.ParamType[float]):
    """A quantity with its unit on the command line; the command gets the SI value as float."""

    def __init__(self, dimension: Dimension) -> None:
        self.dimension = dimension
        self.name = dimension

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse the text, or fail with what would be right; a float is an SI default and stays."""
        if isinstance(value, float):
            return value
        try:
            return parse_quantity(value, self.dimension)
        except UnitError as error:
            self.fail(error.one_line(), param, ctx)


TIME = Quantity("time")
LENGTH = Quantity("length")
SPEED = Quantity("speed")
FREQUENCY = Quantity("frequency")
RATIO = Quantity("ratio")


def rig_option(function: F) -> F:
    """Add `--rig NAME_OR_PATH` (argument `rig_name`)."""
    return click.option(
        "--rig",
        "rig_name",
        default="virtual",
        show_default=True,
        metavar="NAME_OR_PATH",
        help="Rig profile: a name from 'beamrig profiles list', or a YAML file.",
    )(function)


def json_option(function: F) -> F:
    """Add `--json` (argument `as_json`)."""
    return click.option("--json", "as_json", is_flag=True, help="Print the data as JSON.")(function)


def place_option(function: F) -> F:
    """Add `--place start|centre|end` (argument `placement`, None when left out)."""
    return click.option(
        "--place",
        "placement",
        type=click.Choice(get_args(Placement)),
        help="Where S's exposure lies in B's; the rig's usual place when left out.",
    )(function)


def print_json(data: Any) -> None:
    """Print plain data as one JSON document on stdout, in ASCII: right in every locale, for every file name.

    Raises:
        ValueError: The data holds NaN or infinity, which JSON does not know.
    """
    click.echo(json.dumps(data, indent=2, allow_nan=False))


def console(*, stderr: bool = False) -> Console:
    """Return a rich console on the present stdout or stderr; no colours where nobody sees them."""
    return Console(file=sys.stderr if stderr else sys.stdout, highlight=False, soft_wrap=False)
