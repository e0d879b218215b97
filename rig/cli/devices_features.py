"""`beamrig devices features`: what any camera can be asked and told."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich import box
from rich.table import Table

from rig.camera.paths import checked_path
from rig.cli.common import console, json_option, print_json
from rig.cli.device_options import cti_option, id_option

if TYPE_CHECKING:  # it loads numpy; --help must not wait for it
    from rig.camera.types import FeatureInfo

_EXAMPLES = """\b
Example:
  beamrig devices features --cti producer.cti --id 40012345 --search exposure

JSON: device, features [{name, value, unit, minimum, maximum, increment, entries, access, description, ...}]
"""


@click.command(epilog=_EXAMPLES)
@cti_option(required=True)
@id_option
@click.option("--search", default="", metavar="TEXT", help="Only with this in name or description.")
@json_option
def features(cti: Path, device: str, search: str, as_json: bool) -> None:
    """List a camera's features: values, units, limits, access."""
    from rig.camera.process import CameraProcess

    with CameraProcess.bare(checked_path(cti), device) as camera:
        found = camera.features()
        info = camera.info
    text = search.lower()
    found = [one for one in found if text in one.name.lower() or text in one.description.lower()]
    if as_json:
        print_json({"device": info.to_dict(), "features": [_finite(one.to_dict()) for one in found]})
        return
    table = Table(title=f"{info.model} {info.serial_number}", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("feature", no_wrap=True)
    for column in ("value", "limits or entries", "access"):
        table.add_column(column, overflow="fold")
    for one in found:
        value = "" if one.value is None else f"{one.value} {one.unit}".rstrip()
        table.add_row(one.name, value, _range(one), one.access)
    console().print(table)


def _range(one: FeatureInfo) -> str:
    if one.access == "read only" or one.minimum is None or one.maximum is None:
        return "" if one.access == "read only" else ", ".join(one.entries)
    step = f", step {one.increment:g}" if one.increment is not None else ""
    return f"{one.minimum:g} to {one.maximum:g}{step}"


def _finite(data: dict[str, Any]) -> dict[str, Any]:
    """Replace infinities by None: a camera may state them as limits, JSON has no word for them."""
    odd = {key for key, value in data.items() if isinstance(value, float) and not math.isfinite(value)}
    return {key: None if key in odd else value for key, value in data.items()}
