"""`beamrig scene`: a whole scene step by step, with the checks of each take before the next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beamrig.capture import make_check
from rig.cli.common import LENGTH, SPEED, TIME, console, json_option, place_option, print_json, rig_option
from rig.cli.params import PathName
from rig.cli.scene_plan import PLAN_HINT, opened_session, scene_plan
from rig.errors import PlanError
from rig.exposure import plan_exposure
from rig.profiles import load_rig
from rig.records import check_scene_name

if TYPE_CHECKING:
    from rig.capture.findings import Finding
    from rig.rig import Rig
    from rig.scene_guide import Progress, SceneGuide

_EXAMPLES = """\b
Examples:
  beamrig scene my-session s01 --speed "1.4 m/s" --blur-s 4
  beamrig scene my-session s01 --static 5 --action 40 --yes --json

Steps that are done already are not made again. Exit code 1 when a check refuses to go on.

JSON: session, scene, complete, refused, steps [{kind, asked, state, take, pairs, note, check {level,
overruled, findings [{level, text, hint, figure}], figures}}]
"""

_COLOUR = {"note": "dim", "warn": "yellow", "stop": "red"}


@click.command(epilog=_EXAMPLES)
@click.argument("folder", metavar="SESSION", type=PathName(file_okay=False))
@click.argument("name", metavar="SCENE")
@rig_option
@click.option("--whiteboard", type=click.IntRange(1), default=2, show_default=True, help="Whiteboard pairs.")
@click.option("--static", type=click.IntRange(5), default=5, show_default=True, help="Static pairs.")
@click.option("--action", type=click.IntRange(1), default=20, show_default=True, help="Action pairs.")
@click.option("--period", type=TIME, help='Trigger period, "200 ms"; the plan\'s when left out.')
@click.option("--speed", type=SPEED, help='Speed of the object, "1.4 m/s"; with it a new plan is made.')
@click.option("--distance", type=LENGTH, help='Distance of the object, "5 m".')
@click.option("--blur-s", type=float, metavar="PIXELS", help="Blur in camera S (short exposure).")
@click.option("--exposure-s", type=TIME, help='Exposure of camera S, "3 ms", instead of a blur.')
@click.option("--filter", "filter_name", metavar="NAME", help="Density filter of camera B.")
@place_option
@click.option("--operator", default="", help="Who takes it; written into a new session.")
@click.option("--force", is_flag=True, help="Go on although a check refuses; that is recorded.")
@click.option("--yes", is_flag=True, help="Do not ask before each step.")
@json_option
def scene(
    folder: Path,
    name: str,
    rig_name: str,
    whiteboard: int,
    static: int,
    action: int,
    period: float | None,
    speed: float | None,
    distance: float | None,
    blur_s: float | None,
    exposure_s: float | None,
    filter_name: str | None,
    placement: str | None,
    operator: str,
    force: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Take the scene SCENE of SESSION: whiteboard, static, action, each checked before the next.

    Where the scene stands is read from the session: called again, the command goes on where it was left.
    """
    profile = load_rig(rig_name)
    check_scene_name(name)
    wishes = (speed, distance, blur_s, exposure_s, filter_name, placement)
    made = None
    if any(wish is not None for wish in wishes):
        made = plan_exposure(
            profile, speed_mps=speed, distance_m=distance, blur_s_px=blur_s, exposure_s=exposure_s,
            filter_name=filter_name, period_s=period, placement=placement,
        )  # fmt: skip
    elif not (folder / "session.yaml").exists():
        raise PlanError("a new session needs a plan", hint=PLAN_HINT)
    # Heavy rooms are loaded only now, so that a wrong option is answered at once.
    from processing.checks.take import check_take
    from rig.rig import Rig
    from rig.scene_guide import SceneGuide, scene_steps

    with opened_session(folder, profile, operator) as session:
        plan = scene_plan(session, name, made)
        guide = SceneGuide(session, name, check_take, make_check, scene_steps(whiteboard, static, action))
        if guide.next() is not None:
            with Rig.open(profile) as rig:
                rig.apply_plan(plan)
                _lead(rig, guide, period, force=force, ask=not yes)
        progress = guide.progress()
    complete = all(one.state == "done" for one in progress)
    refused = next((one for one in progress if one.state == "refused"), None)
    if as_json:
        print_json(
            {
                "session": str(folder),
                "scene": name,
                "complete": complete,
                "refused": None if refused is None else refused.note,
                "steps": [one.to_dict() for one in progress],
            }
        )
    else:
        _show(progress)
    if not complete:
        raise click.exceptions.Exit(1)


def _lead(rig: Rig, guide: SceneGuide, period_s: float | None, *, force: bool, ask: bool) -> None:
    """Do step after step; a refused one ends it, unless the operator wants it again or goes on."""
    from rig.capture.schedule import TakeControl
    from rig.cli.capture_live import live_line, steered_by_ctrl_c
    from rig.scene_guide import TELL

    screen = console(stderr=True)
    while (here := guide.next()) is not None:
        kind = here.step.kind
        if here.state == "unchecked":
            guide.check(kind)
            continue
        if here.state == "refused":
            screen.print(f"[red]{kind} take {here.take}:[/] {here.note}")
            choice = "go on" if force else _what_now() if ask else "stop"
            if choice == "stop":
                return
            if choice == "go on":
                guide.overrule(kind)
                continue
        if ask:
            said = f"{kind}, {here.step.pairs} pairs: {TELL.get(kind, 'get ready')}; Return to take them"
            click.prompt(said, default="", show_default=False, prompt_suffix=" ", err=True)
        control = TakeControl()
        with steered_by_ctrl_c(control), live_line(rig, quiet=False):
            result, after = guide.take(rig, kind, force=force, period_s=period_s, control=control)
        short = "" if result.state == "complete" else f", {result.state} {result.reason}".rstrip()
        screen.print(f"{kind} take {result.take}: {result.paired} of {result.fired} shots are pairs{short}")
        for one in after.check.findings if after.check is not None else ():
            screen.print(_line(one))
        if result.state == "cancelled":
            raise click.Abort
        if after.state == "open":  # too few pairs: the note says so, and taking on and on would not end
            screen.print(f"[red]{kind}:[/] {after.note}")
            if not ask or _what_now(again_only=True) == "stop":
                return
        elif after.state == "refused" and not ask and not force:
            return


def _what_now(*, again_only: bool = False) -> str:
    choices = {"a": "again", "s": "stop"} if again_only else {"a": "again", "g": "go on", "s": "stop"}
    offer = ", ".join(f"{key} = {word}" for key, word in choices.items())
    return choices[click.prompt(f"what now? ({offer})", type=click.Choice(list(choices)), err=True)]


def _line(one: Finding) -> str:
    return f"  [{_COLOUR[one.level]}]{one.level}:[/] {one.one_line()}"


def _show(progress: list[Progress]) -> None:
    from rich.table import Table

    out = console()
    table = Table("step", "state", "take", "pairs", "found")
    for one in progress:
        found = one.check.findings if one.check is not None else ()
        state = "done, overruled" if one.check is not None and one.check.overruled else one.state
        table.add_row(
            one.step.kind,
            state,
            "" if one.take is None else str(one.take),
            f"{one.pairs} of {one.step.pairs}",
            one.note
            or "; ".join(finding.text for finding in found)
            or ("nothing wrong" if one.check else ""),
        )
    out.print(table)
    for one in progress:
        if one.check is not None:
            out.print(f"{one.step.kind}: {_figures(one.check.figures)}")


def _figures(figures: dict[str, Any]) -> str:
    """Return the figures that an operator reads; the others are in the JSON."""
    shown = {
        "high_B": "brightest B", "high_S": "S", "ratio_G": "B/S", "ratio_expected": "expected",
        "snr_S": "SNR of S", "sharpness_B": "sharpness B", "sharpness_S": "S", "uneven_share": "uneven",
        "moving_share": "moving", "ratio_spread": "flicker",
    }  # fmt: skip
    return ", ".join(
        f"{text} {figures[key]:.3g}" for key, text in shown.items() if figures.get(key) is not None
    )
