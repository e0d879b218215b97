"""Options that name a camera: its producer and itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from rig.cli.params import PathName

F = TypeVar("F", bound=Callable[..., Any])


def cti_option(**settings: Any) -> Callable[[F], F]:
    """Add `--cti PATH`; the settings are click's."""
    return click.option("--cti", type=PathName(), help="GenTL producer (.cti).", **settings)


def id_option(function: F) -> F:
    """Add `--id DEVICE` (argument `device`)."""
    which = "Device id or serial number; not needed for an only one."
    return click.option("--id", "device", default="", metavar="DEVICE", help=which)(function)
