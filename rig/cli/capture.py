"""`beamrig capture`: one take of synchronised pairs into a session."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from rig.capture.schedule import ByHand, Counted, Interval, Schedule, TakeControl, UntilStopped
from rig.cli.capture_live import follow_keys, live_line, steered_by_ctrl_c
from rig.cli.common import LENGTH, SPEED, TIME, console, json_option, place_option, print_json, rig_option
from rig.cli.params import PathName
from rig.cli.scene_plan import PLAN_HINT, opened_session, scene_plan
from rig.errors import CaptureError, PlanError
from rig.exposure import ExposurePlan, place_again, plan_exposure
from rig.placement import check_placement
from rig.profiles import load_rig
from rig.records import KINDS, check_scene_name
from rig.static_take import newest_static

if TYPE_CHECKING:  # they load numpy; --help must not wait for it
    from rig.capture.findings import MakeCheck
    from rig.capture.result import TakeResult

_EXAMPLES = """\b
Examples:
  beamrig capture --session my-session --scene s01 --kind whiteboard --pairs 2 \\
      --speed "1.4 m/s" --distance "5 m" --blur-s 4
  beamrig capture --session my-session --scene s01 --kind action --pairs 8
  beamrig capture --session my-session --scene s01 --kind action --until-stopped --preroll "3 s"
  beamrig capture --session my-session --scene s01 --kind static --every "60 s" --pairs 30

The first Ctrl+C ends a take after the present shot, the second at once; what was fired is recorded.

JSON: session, scene, kind, take, state (complete, cancelled, stopped, failed), reason, fired, paired,
rejected, discarded, exposure_us {B, S}, pairs and reasons (of the last 1000 shots), warnings, refused_frames
"""


@click.command(epilog=_EXAMPLES)
@rig_option
@click.option(
    "--session", "folder", type=PathName(file_okay=False), required=True,
    help="Folder of the session; made when it is not there.",
)  # fmt: skip
@click.option("--scene", required=True, metavar="NAME", help="Scene of the session; added when it is new.")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What is in front of the rig.")
@click.option("--pairs", type=click.IntRange(1), help="Pulses to fire; 1 when nothing else is said.")
@click.option("--period", type=TIME, help='Trigger period, "200 ms"; the plan\'s when left out.')
@click.option("--by-hand", is_flag=True, help="Return fires a pulse, q ends.")
@click.option("--every", type=TIME, metavar="TIME", help='Intervalometer: one pulse each "30 s".')
@click.option("--until-stopped", is_flag=True, help="Pulses at the period until Ctrl+C.")
@click.option(
    "--preroll",
    type=TIME,
    metavar="TIME",
    help='With --until-stopped: hold the last "3 s" in memory and write nothing until Return.',
)
@click.option(
    "--warmup", type=click.IntRange(0, 1000), default=0, show_default=True,
    help="Pulses fired before, whose frames are thrown away.",
)  # fmt: skip
@click.option("--speed", type=SPEED, help='Speed of the object, "1.4 m/s"; with it a new plan is made.')
@click.option("--distance", type=LENGTH, help='Distance of the object, "5 m".')
@click.option("--blur-s", type=float, metavar="PIXELS", help="Blur in camera S (short exposure).")
@click.option("--blur-b", type=float, metavar="PIXELS", help="Blur in camera B (long exposure).")
@click.option("--exposure-s", type=TIME, help='Exposure of camera S, "3 ms", instead of a blur.')
@click.option("--filter", "filter_name", metavar="NAME", help="Density filter of camera B.")
@place_option
@click.option("--operator", default="", help="Who takes it; written into a new session.")
@click.option(
    "--check/--no-check", "checked", default=True, show_default=True,
    help="Look at each pair's content while the take runs.",
)  # fmt: skip
@json_option
@click.pass_obj
def capture(
    make_check: MakeCheck | None,
    rig_name: str,
    folder: Path,
    scene: str,
    kind: str,
    pairs: int | None,
    period: float | None,
    by_hand: bool,
    every: float | None,
    until_stopped: bool,
    preroll: float | None,
    warmup: int,
    speed: float | None,
    distance: float | None,
    blur_s: float | None,
    blur_b: float | None,
    exposure_s: float | None,
    filter_name: str | None,
    placement: str | None,
    operator: str,
    checked: bool,
    as_json: bool,
) -> None:
    """Capture a take: counted pulses, proven pairs on the disk.

    The plan is the scene's; the options of 'beamrig plan' make a new one and give it to the scene.
    """
    from rig.capture.result import TakeFailed
    from rig.rig import Rig

    profile = load_rig(rig_name)
    check_scene_name(scene)
    schedule = _schedule(pairs, period, every, preroll, by_hand=by_hand, until_stopped=until_stopped)
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
        raise PlanError("a new session needs a plan", hint=PLAN_HINT)
    with opened_session(folder, profile, operator) as session:
        plan = scene_plan(session, scene, made)
        if placement is not None and placement != plan.placement:
            plan = place_again(profile, plan, check_placement(placement))
            session.set_plan(scene, plan)
        check = None
        if checked and make_check is not None:
            check = make_check(kind, plan, newest_static(session, scene))
        control = TakeControl()
        with Rig.open(profile) as rig, steered_by_ctrl_c(control):
            rig.apply_plan(plan)
            follow_keys(schedule, control)
            try:
                with live_line(rig, quiet=as_json):
                    result = rig.capture(
                        session, scene, kind, schedule=schedule, warmup=warmup, control=control, check=check
                    )
            except TakeFailed as error:
                _show(error.result, as_json=as_json)
                raise
    _show(result, as_json=as_json)
    if result.state == "stopped":
        raise CaptureError(f"the take was stopped: {result.reason}")
    if result.state == "cancelled":
        raise click.Abort  # what was fired is recorded and shown; the exit code says that the take is short


def _schedule(
    pairs: int | None,
    period_s: float | None,
    every_s: float | None,
    preroll_s: float | None,
    *,
    by_hand: bool,
    until_stopped: bool,
) -> Schedule:
    """Return the schedule that the options name."""
    if by_hand + until_stopped + (every_s is not None) > 1:
        raise click.UsageError("--by-hand, --every and --until-stopped exclude each other")
    if period_s is not None and (by_hand or every_s is not None):
        raise click.UsageError("--period needs a burst: --by-hand and --every fire one pulse at a time")
    if preroll_s is not None and not until_stopped:
        raise click.UsageError("--preroll needs --until-stopped")
    if until_stopped and pairs is not None:
        raise click.UsageError("--until-stopped has no --pairs")
    if by_hand:
        return ByHand(pairs=pairs)
    if every_s is not None:
        return Interval(every_s, pairs)
    if until_stopped:
        return UntilStopped(period_s, preroll_s or 0.0)
    return Counted(pairs or 1, period_s)


def _show(result: TakeResult, *, as_json: bool) -> None:
    if as_json:
        print_json(result.to_dict())
        return
    out = console()
    table = Table("shot", "verdict", "skew", "reason")
    table.columns[2].justify = "right"
    for shot in result.shots:
        skew = "" if shot.skew_us is None else f"{shot.skew_us:.1f} µs"
        table.add_row(
            shot.id,
            "paired" if shot.paired else "[red]rejected[/]",
            skew,
            shot.reason or "; ".join(shot.warnings),
        )
    out.print(table)
    if len(result.shots) < result.paired + result.rejected:
        out.print(f"(the last {len(result.shots)} shots; all are in the session)")
    for line in result.warnings:
        out.print(line, style="yellow", markup=False)
    kept = result.fired - result.discarded
    thrown = f" ({result.discarded} of the pre-roll were not kept)" if result.discarded else ""
    out.print(
        f"{result.paired} of {kept} shots are pairs in {result.session}{thrown}; exposures B "
        f"{result.applied.exposure_us['B']:g} µs, S {result.applied.exposure_us['S']:g} µs",
        markup=False,
    )
