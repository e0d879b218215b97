"""The commands `beamrig calibrate lightbox | colour | geometry | show | use`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from processing.profile import FLOW_METHODS, CastDegree, FlowMethod
from rig.cli.common import console, json_option, print_json
from rig.cli.params import PathName

if TYPE_CHECKING:
    from processing.calibration.laboratory import Calibration
    from rig.session import Session

_EXAMPLES = """\b
Examples:
  beamrig calibrate lightbox laboratory --out splitter.json
  beamrig calibrate colour laboratory --calibration splitter.json
  beamrig calibrate geometry my-session --scene s01 --valid-days 7
  beamrig calibrate show splitter.json
  beamrig process my-session --calibration splitter.json
  beamrig calibrate use my-session splitter.json

Each writes a file and, beside it, a picture to judge it by.
"""
_JSON = "JSON: file, picture, id, kind, created, valid_days, cameras, sources, figures"


@click.group(epilog=_EXAMPLES)
def calibrate() -> None:
    """Make calibration files that serve many sessions, and look at them."""


def _common(days: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    options = [
        click.argument("session", type=PathName()),
        click.option("--scene", metavar="NAME", help="Only the takes of this scene."),
        click.option(
            "--out", type=PathName(dir_okay=False),
            help="The file.  [default: SESSION/calibration/KIND_ID.json]",
        ),
        click.option(
            "--valid-days", type=click.IntRange(1, 36500), default=days, show_default=True,
            help="Older than this it is refused.",
        ),
        json_option,
    ]  # fmt: skip

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


_degree = click.option(
    "--degree", type=click.Choice(["3", "4"]), default="4", show_default=True,
    help="Of the cast's polynomial; the paper has 3.",
)  # fmt: skip
_given = click.option(
    "--calibration", "calibrations", type=PathName(dir_okay=False), multiple=True, metavar="FILE",
    help="Use this calibration for the steps before; repeatable.",
)  # fmt: skip


@calibrate.command(epilog=_JSON)
@_common(365)
@_degree
def lightbox(
    session: Path, scene: str | None, out: Path | None, valid_days: int, as_json: bool, degree: str
) -> None:
    """Measure the cast of both cameras on the lightbox takes of SESSION (Eq. 3-5).

    All frames of all lightbox takes are averaged; the more, the better.
    """
    from processing.calibration.make import lightbox_calibration
    from rig.session import Session

    with Session.open(session) as opened:
        chosen = cast("CastDegree", int(degree))
        made = lightbox_calibration(opened, scene, degree=chosen, valid_days=valid_days)
        _finish(opened, scene, made, out, as_json)


@calibrate.command(epilog=_JSON)
@_common(365)
@_degree
@_given
def colour(
    session: Path,
    scene: str | None,
    out: Path | None,
    valid_days: int,
    as_json: bool,
    degree: str,
    calibrations: tuple[Path, ...],
) -> None:
    """Measure white balance and colour map on whiteboard and colour chart of SESSION."""
    from processing.calibration.make import colour_calibration
    from rig.session import Session

    with Session.open(session) as opened:
        chosen = cast("CastDegree", int(degree))
        given = _open_given(opened, scene, calibrations, "colorchecker")
        made = colour_calibration(opened, scene, given=given, degree=chosen, valid_days=valid_days)
        _finish(opened, scene, made, out, as_json)


@calibrate.command(epilog=_JSON)
@_common(30)
@_given
@click.option(
    "--flow", type=click.Choice(FLOW_METHODS), default="polynomial", show_default=True, help="Method."
)
def geometry(
    session: Path,
    scene: str | None,
    out: Path | None,
    valid_days: int,
    as_json: bool,
    calibrations: tuple[Path, ...],
    flow: str,
) -> None:
    """Register camera B to camera S on the static take of a scene of SESSION."""
    from dataclasses import replace

    from processing.calibration.make import geometry_calibration, the_scene
    from processing.profile import CHOICES
    from rig.session import Session

    with Session.open(session) as opened:
        name = the_scene(opened, scene)
        given = _open_given(opened, name, calibrations, "static")
        choices = replace(CHOICES["best"], flow=cast("FlowMethod", flow))
        made = geometry_calibration(opened, name, given=given, choices=choices, valid_days=valid_days)
        _finish(opened, name, made, out, as_json)


@calibrate.command(epilog=_JSON)
@click.argument("file", type=PathName())
@json_option
def show(file: Path, as_json: bool) -> None:
    """Show what a calibration FILE says, of the laboratory or of a scene, and whether it still holds."""
    from processing.calibration.report import read

    _tell(read(file), as_json)


_USE = """\b
Examples:
  beamrig calibrate use my-session splitter.json
  beamrig calibrate use my-session --own geometry
  beamrig calibrate use my-session

From then on 'beamrig process' and the app use them, unless --calibration or --own-takes says otherwise.
JSON: session, chosen {kind: {path, id}}
"""


@calibrate.command(epilog=_USE)
@click.argument("session", type=PathName(file_okay=False))
@click.argument("files", nargs=-1, metavar="[FILE]...", type=PathName(dir_okay=False))
@click.option(
    "--own", multiple=True, type=click.Choice(["lightbox", "colour", "geometry"]),
    help="Go back to the scenes' own takes for this kind; repeatable.",
)  # fmt: skip
@json_option
def use(session: Path, files: tuple[Path, ...], own: tuple[str, ...], as_json: bool) -> None:
    """Choose the calibration FILEs that SESSION is processed with; without any, tell them."""
    from processing.calibration.chosen import choose, chosen_files
    from rig.session import Session

    with Session.open(session) as opened:
        if files or own:
            choose(opened, files, own)
        known = chosen_files(opened)
    if as_json:
        found = {kind: {"path": str(one.path), "id": one.id} for kind, one in known.items()}
        print_json({"session": str(session), "chosen": found})
        return
    for one in known.values():
        console().print(f"{one.kind}: {one.path} ({one.id})", markup=False, soft_wrap=True)
    if not known:
        console().print("the scenes' own takes are used")


def _open_given(session: Session, scene: str | None, paths: tuple[Path, ...], kind: str) -> Any:
    """Read the calibrations that are given, and make sure that they are of this session's cameras."""
    from processing.calibration.frame_format import formats_of
    from processing.calibration.laboratory import Given, load_calibration

    records = session.pairs(scene, kind)
    if not records or not paths:
        return Given()
    files = {path: load_calibration(path) for path in paths}
    return Given.of(files, formats_of(session, records[0]))


def _finish(session: Session, scene: str | None, made: Calibration, out: Path | None, as_json: bool) -> None:
    from processing.calibration.make import keep
    from processing.calibration.report import summary

    _tell(summary(made, keep(session, scene, made, out)), as_json)


def _tell(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    out = console()
    out.print(f"[bold]{report['kind']}[/bold] calibration {report['id']}, {report['created']}")
    for camera in report["cameras"]:
        out.print(f"  camera {camera}: {report['cameras'][camera]}")
    days = "" if report["valid_days"] is None else f", good for {report['valid_days']} days"
    out.print(f"  made from {report['sources']} frames{days}", soft_wrap=True)
    for line in report["lines"]:
        out.print(f"  {line}", soft_wrap=True)
    for name in ("file", "picture"):
        if report[name]:
            out.print(f"{name}: {report[name]}", soft_wrap=True)
