"""`beamrig devices`: what cameras and trigger boxes there are; its subcommands have files of their own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich import box
from rich.table import Table

from rig.camera.paths import SEARCH_VARIABLE, absolute_cti, installed_producers
from rig.cli.common import console, json_option, print_json
from rig.cli.device_options import cti_option
from rig.cli.devices_features import features
from rig.cli.devices_grab import grab
from rig.errors import TriggerError

if TYPE_CHECKING:  # they load numpy; --help must not wait for it
    from rig.profiles import RigProfile
    from rig.survey import ProducerReport, RigPart
    from rig.trigger.discovery import PortReport

_EXAMPLES = """\b
Examples:
  beamrig devices
  beamrig devices --rig virtual
  beamrig devices --cti /opt/maker/lib/producer.cti --no-ports --json
  beamrig devices --port /dev/ttyUSB1
  beamrig devices features --cti producer.cti --id 40012345 --search trigger

JSON: producers [{cti, error, devices [{cti, id, vendor, model, serial_number, user_name, tl_type,
access_status, profiles, problems}]}], ports [{port, adapter, state, answer, box, profiles, problem, hint}],
rig [{part, expected, found, problem}] or null
"""


@click.group(invoke_without_command=True, epilog=_EXAMPLES)
@cti_option(multiple=True)
@click.option("--port", "ports", multiple=True, metavar="PORT", help="Serial port to look at, too.")
@click.option("--no-ports", is_flag=True, help="Leave alone the serial ports that the system lists.")
@click.option("--rig", "rig_name", metavar="NAME", help="Say what this rig expects, and what is missing.")
@json_option
@click.pass_context
def devices(
    ctx: click.Context,
    cti: tuple[Path, ...],
    ports: tuple[str, ...],
    no_ports: bool,
    rig_name: str | None,
    as_json: bool,
) -> None:
    """List cameras and trigger boxes: what each is, which profile fits, what is wrong with it.

    Cameras are those of the given producers, of a rig's, or else of all in GENICAM_GENTL64_PATH. Boxes are
    looked for on all serial ports by questions that change nothing; a port in use is left alone.
    """
    if ctx.invoked_subcommand is not None:
        if cti or rig_name or as_json or ports or no_ports:
            raise click.UsageError(f"options of 'devices {ctx.invoked_subcommand}' go after its name")
        return
    from rig.survey import compare_with_rig, survey_producers
    from rig.trigger.discovery import find_boxes

    rig = None if rig_name is None else _expanded(rig_name)
    named = [absolute_cti(path) for path in cti]
    more = []
    looked_at = list(ports)
    if rig is not None:
        from rig.profiles import load_profile

        named += dict.fromkeys(absolute_cti(slot.cti) for slot in rig.cameras.values())
        if rig.companion is None or Path(rig.trigger_box.port).exists():
            looked_at.append(rig.trigger_box.port)
        more.append((rig.trigger_box.profile, load_profile(rig.trigger_box.profile, "trigger_box")))
    producers = survey_producers(named or installed_producers())
    found = find_boxes(looked_at, search=not no_ports, more=more)
    parts = None if rig is None else compare_with_rig(rig, producers, found)
    if as_json:
        print_json(
            {
                "producers": [one.to_dict() for one in producers],
                "ports": [one.to_dict() for one in found],
                "rig": parts if parts is None else [part.to_dict() for part in parts],
            }
        )
    else:
        _print_cameras(producers)
        _print_ports(found)
        if parts is not None:
            _print_rig(parts)
    _fail_of_named(producers if named else [], [one for one in found if one.port in ports])


def _expanded(name: str) -> RigProfile:
    from rig.profiles import expand, load_rig

    return expand(load_rig(name), Path(tempfile.gettempdir()))


def _fail_of_named(producers: list[ProducerReport], ports: list[PortReport]) -> None:
    """End with the first error of what was asked for by name; what was found by search may be broken."""
    for producer in producers:
        if producer.error is not None:
            raise producer.error
    for report in ports:
        if report.state in ("missing", "denied", "busy", "failed"):
            raise TriggerError(f"{report.port}: {report.problem}", hint=report.hint)


def _print_cameras(producers: list[ProducerReport]) -> None:
    if not producers:
        console().print(f"No producer: give --cti PATH or --rig NAME (as virtual), or set {SEARCH_VARIABLE}.")
    for producer in producers:
        console().print(producer.cti, soft_wrap=True)
        if producer.error or not producer.cameras:
            console().print(
                f"  {producer.error.one_line() if producer.error else 'no camera'}", soft_wrap=True
            )
            continue
        table = _table("id", "serial number", "model", "access", "profile", "problem")
        for one in producer.cameras:
            info = one.info
            model = f"{info.vendor} {info.model}" + (f" '{info.user_name}'" if info.user_name else "")
            access, problems = info.access_status, "\n".join(one.problems)
            table.add_row(info.id, info.serial_number, model, access, _first(one.profiles), problems)
        console().print(table)


def _print_ports(reports: list[PortReport]) -> None:
    if not reports:
        return
    table = _table("port", "what it is", "profile", "problem")
    for one in reports:
        what = f"{one.box.vendor} {one.box.model} {one.box.serial_number}".strip() if one.box else one.answer
        problem = f"{one.problem} ({one.hint})" if one.hint else one.problem
        table.add_row(one.port, what or one.adapter, _first(one.profiles), problem)
    console().print(table)


def _print_rig(parts: list[RigPart]) -> None:
    table = _table("part", "expected", "found", "problem")
    for part in parts:
        table.add_row(part.part, part.expected, part.found or "-", part.problem or "none")
    console().print(table)


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in ("serial number", "profile"))
    return table


def _first(profiles: tuple[str, ...]) -> str:
    return profiles[0] if profiles else "-"


devices.add_command(grab)
devices.add_command(features)
