"""`beamrig devices`: lists the cameras of any GenTL producer; its subcommands have files of their own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.table import Table

from rig.camera.paths import SEARCH_VARIABLE, absolute_cti, installed_producers
from rig.cli.common import console, json_option, print_json
from rig.cli.device_options import cti_option
from rig.cli.devices_features import features
from rig.cli.devices_grab import grab
from rig.errors import BeamrigError

_EXAMPLES = """\b
Examples:
  beamrig devices --rig virtual
  beamrig devices --cti /opt/maker/lib/producer.cti --json
  beamrig devices features --cti producer.cti --id 40012345 --search trigger

JSON: producers [{cti, error, devices [{cti, id, vendor, model, serial_number, user_name, tl_type,
access_status}]}]
"""


@click.group(invoke_without_command=True, epilog=_EXAMPLES)
@cti_option(multiple=True)
@click.option("--rig", "rig_name", metavar="NAME", help="List what the producers of this rig show.")
@json_option
@click.pass_context
def devices(ctx: click.Context, cti: tuple[Path, ...], rig_name: str | None, as_json: bool) -> None:
    """List the cameras of the given producers, of a rig's, or of those in GENICAM_GENTL64_PATH."""
    if ctx.invoked_subcommand is not None:
        if cti or rig_name or as_json:
            raise click.UsageError(f"options of 'devices {ctx.invoked_subcommand}' go after its name")
        return
    named = [absolute_cti(path) for path in cti] + ([] if rig_name is None else _of_rig(rig_name))
    errors: list[BeamrigError] = []
    listed = [_listed(path, errors) for path in named or installed_producers()]
    if len(errors) == len(listed) == 1:
        raise errors[0]
    if as_json:
        print_json({"producers": listed})
    elif listed:
        _print_devices(listed)
    else:
        console().print(f"No producer: give --cti PATH or --rig NAME (as virtual), or set {SEARCH_VARIABLE}.")
    if errors and named:
        raise errors[0]


def _of_rig(name: str) -> list[Path]:
    from rig.profiles import expand, load_rig

    rig = expand(load_rig(name), Path(tempfile.gettempdir()))
    return list(dict.fromkeys(absolute_cti(slot.cti) for slot in rig.cameras.values()))


def _listed(path: Path, errors: list[BeamrigError]) -> dict[str, Any]:
    from rig.camera.discovery import discover

    try:
        found = discover(path)
    except BeamrigError as exc:
        errors.append(exc)
        return {"cti": str(path), "error": exc.one_line(), "devices": []}
    return {"cti": str(path), "error": None, "devices": [info.to_dict() for info in found]}


def _print_devices(listed: list[dict[str, Any]]) -> None:
    for producer in listed:
        console().print(producer["cti"], soft_wrap=True)
        if producer["error"] or not producer["devices"]:
            console().print(f"  {producer['error'] or 'no camera'}", soft_wrap=True)
            continue
        table = Table(box=box.SIMPLE_HEAD)
        for column in ("id", "serial number", "model", "user name", "access"):
            table.add_column(column, overflow="fold")
        for one in producer["devices"]:
            model = f"{one['vendor']} {one['model']}"
            table.add_row(one["id"], one["serial_number"], model, one["user_name"], one["access_status"])
        console().print(table)


devices.add_command(grab)
devices.add_command(features)
