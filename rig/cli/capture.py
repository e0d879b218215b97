"""`beamrig capture`: one take of synchronised pairs into a session."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.table import Table

from rig.cli.common import LENGTH, SPEED, TIME, console, json_option, place_option, print_json, rig_option
from rig.cli.interrupt import cancel_by_ctrl_c
from rig.cli.params import PathName
from rig.errors import PlanError, SessionError
from rig.exposure import ExposurePlan, place_again, plan_exposure
from rig.placement import check_placement
from rig.profiles import RigProfile, load_rig
from rig.records import KINDS, check_scene_name

if TYPE_CHECKING:  # they load numpy; --help must not wait for it
    from rig.capture.result import TakeResult
    from rig.session import Session

_EXAMPLES = """\b
Examples:
  beamrig capture --session my-session --scene s01 --kind whiteboard --pairs 2 \\
      --speed "1.4 m/s" --distance "5 m" --blur-s 4
  beamrig capture --session my-session --scene s01 --kind action --pairs 8

JSON: session, scene, kind, take, state, fired, paired, rejected, exposure_us {B, S}, pairs, reasons,
warnings, refused_frames
"""

_PLAN_HINT = "give --speed and --blur-s, as for 'beamrig plan'"


@click.command(epilog=_EXAMPLES)
@rig_option
@click.option(
    "--session", "folder", type=PathName(file_okay=False), required=True,
    help="Folder of the session; made when it is not there.",
)  # fmt: skip
@click.option("--scene", required=True, metavar="NAME", help="Scene of the session; added when it is new.")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What is in front of the rig.")
@click.option("--pairs", type=click.IntRange(1, 9999), default=1, show_default=True, help="Pulses to fire.")
@click.option("--period", type=TIME, help='Trigger period, "200 ms"; the plan\'s when left out.')
@click.option("--speed", type=SPEED, help='Speed of the object, "1.4 m/s"; with it a new plan is made.')
@click.option("--distance", type=LENGTH, help='Distance of the object, "5 m".')
@click.option("--blur-s", type=float, metavar="PIXELS", help="Blur in camera S (short exposure).")
@click.option("--blur-b", type=float, metavar="PIXELS", help="Blur in camera B (long exposure).")
@click.option("--exposure-s", type=TIME, help='Exposure of camera S, "3 ms", instead of a blur.')
@click.option("--filter", "filter_name", metavar="NAME", help="Density filter of camera B.")
@place_option
@click.option("--operator", default="", help="Who takes it; written into a new session.")
@json_option
def capture(
    rig_name: str,
    folder: Path,
    scene: str,
    kind: str,
    pairs: int,
    period: float | None,
    speed: float | None,
    distance: float | None,
    blur_s: float | None,
    blur_b: float | None,
    exposure_s: float | None,
    filter_name: str | None,
    placement: str | None,
    operator: str,
    as_json: bool,
) -> None:
    """Capture a take: N counted pulses, N proven pairs on the disk.

    The plan is the scene's; the options of 'beamrig plan' make a new one and give it to the scene.
    """
    from rig.capture.result import TakeFailed
    from rig.rig import Rig

    profile = load_rig(rig_name)
    check_scene_name(scene)
    wishes = (speed, distance, blur_s, blur_b, exposure_s, filter_name)
    made: ExposurePlan | None = None
    if any(wish is not None for wish in wishes):
        made = plan_exposure(
            profile,
            speed_mps=speed,
            distance_m=distance,
            blur_s_px=blur_s,
            blur_b_px=blur_b,
            exposure_s=exposure_s,
            filter_name=filter_name,
            period_s=period,
            placement=placement,
        )
    elif not (folder / "session.yaml").exists():
        raise PlanError("a new session needs a plan", hint=_PLAN_HINT)
    with _opened(folder, profile, operator) as session:
        plan = _scene_plan(session, scene, made)
        if placement is not None and placement != plan.placement:
            plan = place_again(profile, plan, check_placement(placement))
            session.set_plan(scene, plan)
        with (
            Rig.open(profile) as rig,
            _progress(kind, pairs, quiet=as_json) as (progress, bar),
            cancel_by_ctrl_c() as cancel,
        ):
            rig.apply_plan(plan)
            try:
                result = rig.capture(
                    session, scene, kind, pairs, period, lambda _: progress.advance(bar), cancel=cancel
                )
            except TakeFailed as error:
                progress.stop()
                _show(error.result, as_json=as_json)
                raise
    _show(result, as_json=as_json)
    if cancel.is_set() and result.fired < pairs:
        raise click.Abort  # what was fired is recorded and shown; the exit code says that the take is short


def _show(result: TakeResult, *, as_json: bool) -> None:
    if as_json:
        print_json(result.to_dict())
        return
    out = console()
    table = Table("shot", "verdict", "skew", "reason")
    table.columns[2].justify = "right"
    for shot in result.shots:
        skew = "" if shot.skew_us is None else f"{shot.skew_us:.1f} µs"
        table.add_row(shot.id, "paired" if shot.paired else "[red]rejected[/]", skew, shot.reason)
    out.print(table)
    out.print(
        f"{result.paired} of {result.fired} shots are pairs in {result.session}; exposures B "
        f"{result.applied.exposure_us['B']:g} µs, S {result.applied.exposure_us['S']:g} µs"
    )


def _opened(folder: Path, profile: RigProfile, operator: str) -> Session:
    """Open the session, or make it; a session belongs to one rig."""
    from rig.session import Session

    if not (folder / "session.yaml").exists():
        return Session.create(folder, profile, operator)
    session = Session.open(folder)
    if session.rig_profile.name != profile.name:
        name = session.rig_profile.name
        session.close()
        hint = f"give --rig {name}, or another --session"
        raise SessionError(f"{folder} was made with the rig {name!r}", hint=hint)
    return session


def _scene_plan(session: Session, name: str, made: ExposurePlan | None) -> ExposurePlan:
    """Return the scene's plan; a new one is given to the scene, a new scene is added."""
    if name not in {scene.name for scene in session.scenes()}:
        if made is None:
            raise PlanError(f"scene {name!r} is new and needs a plan", hint=_PLAN_HINT)
        session.add_scene(name, made)
        return made
    plan = session.scene(name).plan
    if made is not None and made != plan:
        session.set_plan(name, made)
        return made
    if plan is None:
        raise PlanError(f"scene {name!r} has no plan", hint=_PLAN_HINT)
    return plan


@contextlib.contextmanager
def _progress(kind: str, pairs: int, *, quiet: bool) -> Iterator[tuple[Progress, TaskID]]:
    """Show progress on stderr, so that stdout holds the result only."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    screen = console(stderr=True)
    quiet = quiet or not screen.is_terminal
    with Progress(*columns, console=screen, transient=True, disable=quiet) as progress:
        yield progress, progress.add_task(f"{kind}: pairs on disk", total=pairs)
