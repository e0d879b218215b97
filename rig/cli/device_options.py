"""Options that name a camera: its producer and itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from rig.camera.paths import SEARCH_VARIABLE, installed_producers
from rig.cli.params import PathName

F = TypeVar("F", bound=Callable[..., Any])


def cti_option(**settings: Any) -> Callable[[F], F]:
    """Add `--cti PATH`; the settings are click's."""
    return click.option("--cti", type=PathName(), help="GenTL producer (.cti).", **settings)


def the_producer(cti: Path | None) -> Path:
    """Return the producer that was named, or else the only one that is installed.

    Raises:
        click.UsageError: None was named, and none or several are installed.
    """
    if cti is not None:
        return cti
    installed = installed_producers()
    if len(installed) == 1:
        return installed[0]
    several = ": " + ", ".join(map(str, installed)) if installed else ""
    raise click.UsageError(
        f"which producer? {len(installed) or 'none'} in {SEARCH_VARIABLE}{several}; name one by --cti PATH "
        "('beamrig devices --rig NAME' lists those of a rig)"
    )


def id_option(function: F) -> F:
    """Add `--id DEVICE` (argument `device`)."""
    which = "Device id or serial number; not needed for an only one."
    return click.option("--id", "device", default="", metavar="DEVICE", help=which)(function)
