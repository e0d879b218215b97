"""`beamrig measure light|speed|tau`: helps for the plan, from the live view or from a recorded scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from rig.cli.common import LENGTH, SPEED, TIME, console, json_option, print_json, rig_option
from rig.cli.params import PathName
from rig.errors import PlanError, SessionError
from rig.exposure import plan_exposure
from rig.plan import ExposurePlan
from rig.profiles import RigProfile, load_rig
from rig.units import format_quantity

if TYPE_CHECKING:
    from rig.raw_image import RawImage
    from rig.session import Session

LIVE_FRAMES: Final = 2
SPEED_FRAMES: Final = 4
"""Three steps: one that caught the object turning round is outvoted."""

RECORDED: Final = 8

_EXAMPLES = """\b
Examples:
  beamrig measure light
  beamrig measure speed --rig virtual --distance "5 m"
  beamrig measure speed --session my-session --scene s01 --apply
  beamrig measure tau --session my-session --scene s01 --json

Without a session, or with --live, frames of the live view are used.

JSON: source, frames, plan, and
  light: cameras {B, S} {exposure_us, high, middle, clipped, clips_us, drowns_us, snr_middle, noise}, tau,
    exposure_s_us {now, least, most}, possible, text
  speed: speed_mps, speed_error_mps, speed_px_per_s, angle_deg, confidence, distance_m, steps, new_plan,
    trouble, applied
  tau: tau, tau_error, channels {R, G, B} {tau, error}, label, off_label, fits_label, pairs, blocks
"""


@dataclass(frozen=True)
class _Wanted:
    """Where frames come from and which plan holds."""

    rig_name: str
    folder: Path | None
    scene: str | None
    live: bool
    plan: dict[str, Any]


@dataclass(frozen=True)
class _Seen:
    """Frames with the plan that they were taken with."""

    frames: dict[str, list[RawImage]]
    plan: ExposurePlan
    profile: RigProfile
    source: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "frames": {name: len(frames) for name, frames in self.frames.items()},
            "plan": self.plan.to_dict(),
        }


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    options = [
        rig_option,
        click.option("--session", "folder", type=PathName(file_okay=False), help="Use a recorded session."),
        click.option("--scene", metavar="NAME", help="Scene of the session."),
        click.option("--live", is_flag=True, help="With a session: use its plan, but live frames."),
        click.option("--speed", type=SPEED, help="Speed that the exposures are planned for; 1.4 m/s."),
        click.option("--distance", type=LENGTH, help="Distance of the object; the rig's usual one."),
        click.option("--blur-s", type=float, metavar="PIXELS", help="Blur in camera S; 4."),
        click.option("--exposure-s", type=TIME, help='Exposure of camera S, "3 ms", instead of a blur.'),
        click.option("--filter", "filter_name", metavar="NAME", help="Density filter of camera B."),
        json_option,
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.group(epilog=_EXAMPLES)
def measure() -> None:
    """Measure light, the object's speed or the filter, to plan with what is there."""


@measure.command()
@_options
def light(as_json: bool, **given: Any) -> None:
    """Say at which exposure S clips or drowns in noise, and which t_S would do for both cameras."""
    seen = _see(_wanted(given), ("static", "action"), LIVE_FRAMES)
    from processing.survey.measure import measure_light

    found = measure_light(seen.frames, seen.plan.tau, seen.profile)
    if as_json:
        print_json({**seen.to_dict(), **found.to_dict()})
        return
    for line in found.lines():
        console().print(line)
    for name, one in found.cameras.items():
        noise = one.noise
        console().print(
            f"sensor {name}: {1 / noise.gain_dn_per_e:.2f} e-/DN, read noise {noise.read_e:.1f} e- "
            f"({noise.source})"
        )


@measure.command()
@_options
@click.option("--apply", "write", is_flag=True, help="Give the scene the plan with the measured speed.")
def speed(as_json: bool, write: bool, **given: Any) -> None:
    """Measure the speed of the moving object from frames of camera S, and plan with it."""
    wanted = _wanted(given)
    if write and (wanted.folder is None or wanted.scene is None):
        raise click.UsageError("--apply needs --session and --scene: which scene shall have the plan?")
    seen = _see(wanted, ("action",), SPEED_FRAMES)
    from processing.survey.measure import replan
    from processing.survey.motion import measure_speed

    found = measure_speed(seen.frames["S"], seen.plan)
    new = replan(seen.profile, seen.plan, found)
    if write and new.plan is not None:
        with _session(wanted) as (session, name):
            session.set_plan(name, new.plan)
    applied = write and new.plan is not None
    if as_json:
        plan = None if new.plan is None else new.plan.to_dict()
        print_json(
            {
                **seen.to_dict(),
                **found.to_dict(),
                "new_plan": plan,
                "trouble": new.trouble,
                "applied": applied,
            }
        )
    else:
        out = console()
        out.print(found.text())
        out.print("an error of the distance goes into the speed in proportion")
        if new.plan is None:
            out.print(f"[yellow]no plan with this speed:[/] {new.trouble}")
        else:
            out.print(_planned(new.plan) + (f"; written to scene {wanted.scene}" if applied else ""))
    if write and new.plan is None:
        raise PlanError(f"no plan with the measured speed: {new.trouble}")


@measure.command()
@_options
def tau(as_json: bool, **given: Any) -> None:
    """Measure what filter, plate and sensors really pass to B, and compare it with the filter's label."""
    seen = _see(_wanted(given), ("static", "whiteboard"), LIVE_FRAMES)
    from processing.survey.measure import check_tau

    found = check_tau(seen.frames, seen.plan.tau)
    if as_json:
        print_json({**seen.to_dict(), **found.to_dict()})
        return
    out = console()
    out.print(found.text())
    if not found.fits_label:
        out.print(f"[yellow]warning:[/] is {seen.plan.filter_name} in front of B, and clean?")


def _planned(plan: ExposurePlan) -> str:
    t_s, t_l = (format_quantity(plan.applied_us[name] * 1e-6, "time") for name in ("S", "B"))
    blur = plan.blur_px
    return f"plan with it: t_S {t_s}, t_L {t_l}; blur S {blur['S']:.2f} px, B {blur['B']:.1f} px"


def _wanted(given: dict[str, Any]) -> _Wanted:
    plan = {
        "speed_mps": given["speed"], "distance_m": given["distance"], "blur_s_px": given["blur_s"],
        "exposure_s": given["exposure_s"], "filter_name": given["filter_name"],
    }  # fmt: skip
    if (given["folder"] is None) != (given["scene"] is None):
        raise click.UsageError("--session and --scene go together")
    if given["live"] and given["folder"] is None:
        raise click.UsageError("--live is for a session; without one frames are live anyway")
    return _Wanted(given["rig_name"], given["folder"], given["scene"], given["live"], plan)


def _see(wanted: _Wanted, kinds: Sequence[str], live: int) -> _Seen:
    """Return frames of the scene's newest take of one of the kinds, or of the live view."""
    if wanted.folder is None:
        profile = load_rig(wanted.rig_name)
        return _live(profile, _plan(profile, wanted.plan), live)
    with _session(wanted) as (session, name):
        profile, plan = session.rig_profile, session.scene(name).plan
        if any(value is not None for value in wanted.plan.values()):
            plan = _plan(profile, wanted.plan)
        if plan is None:
            raise PlanError(f"scene {name!r} has no plan", hint="give --speed and --blur-s")
        if not wanted.live:
            return _recorded(session, name, kinds, plan)
    return _live(profile, plan, live)


def _plan(profile: RigProfile, wishes: dict[str, Any]) -> ExposurePlan:
    given = {key: value for key, value in wishes.items() if value is not None}
    if "exposure_s" not in given:
        given.setdefault("blur_s_px", 4.0)
    if not {"blur_s_px", "exposure_s"} <= given.keys():
        given.setdefault("speed_mps", 1.4)
    return plan_exposure(profile, **given)


@contextmanager
def _session(wanted: _Wanted) -> Iterator[tuple[Session, str]]:
    """Open the session; yields it and the scene's name."""
    from rig.session import Session

    with Session.open(wanted.folder or Path()) as opened:
        yield opened, opened.scene(str(wanted.scene)).name


def _recorded(session: Session, scene: str, kinds: Sequence[str], plan: ExposurePlan) -> _Seen:
    for kind in kinds:
        records = session.pairs(scene, kind)
        if records:
            take = records[-1].take
            pairs = [record.load() for record in [one for one in records if one.take == take][:RECORDED]]
            frames = {"B": [pair.b for pair in pairs], "S": [pair.s for pair in pairs]}
            return _Seen(frames, plan, session.rig_profile, f"{scene}/{kind} take {take}")
    raise SessionError(
        f"scene {scene!r} has no {' or '.join(kinds)} pair", hint="record one, or use the live view: --live"
    )


def _live(profile: RigProfile, plan: ExposurePlan, count: int) -> _Seen:
    from rig.live_frames import live_frames
    from rig.rig import Rig

    with Rig.open(profile) as rig:
        rig.apply_plan(plan)
        return _Seen(live_frames(rig, count), plan, profile, f"live view of {profile.name}")
