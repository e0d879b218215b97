"""`beamrig plan`: exposures for a scene."""

from __future__ import annotations

import click
from rich.table import Table

from rig.cli.common import LENGTH, SPEED, TIME, console, json_option, place_option, print_json, rig_option
from rig.exposure import plan_exposure
from rig.flicker import MAINS_HZ, Flicker, flicker, in_passing
from rig.placement import explain
from rig.plan import ExposurePlan
from rig.profiles import CAMERAS, load_rig
from rig.units import format_quantity

_EXAMPLES = """\b
Examples:
  beamrig plan --speed "1.4 m/s" --distance "5 m" --blur-s 4
  beamrig plan --speed "5 km/h" --blur-b 40 --filter "ND 0.9"
  beamrig plan --blur-s 4 --exposure-s "3 ms"          (which speed?)
  beamrig plan --speed "1.4 m/s" --blur-s 4 --place centre

JSON: rig, speed_mps, distance_m, image_distance_m, pixel_pitch_um, filter, tau, exposure_us {B, S}
{planned, applied}, blur_px {B, S} {predicted; S also requested}, ratio_applied, brightness_ratio, period_s,
min_period_s, notes, placement, s_delay_us, exposure_control, flicker [{mains_hz, modulation, error {B, S},
ratio_error, steady_s_us}]
"""

_WIDTH = "; the pulses of the box make the exposures"


@click.command(epilog=_EXAMPLES)
@rig_option
@click.option("--speed", type=SPEED, help='Speed of the object across the view, "1.4 m/s" or "5 km/h".')
@click.option(
    "--distance", type=LENGTH, help='Distance of the object, "5 m"; the rig\'s usual one when left out.'
)
@click.option("--blur-s", type=float, metavar="PIXELS", help="Blur in camera S (short exposure).")
@click.option("--blur-b", type=float, metavar="PIXELS", help="Blur in camera B (long exposure).")
@click.option("--exposure-s", type=TIME, help='Exposure of camera S, "3 ms", instead of a blur.')
@click.option(
    "--filter",
    "filter_name",
    metavar="NAME",
    help="Density filter of camera B; the mounted one when left out.",
)
@click.option("--period", type=TIME, help='Trigger period, "200 ms"; chosen when left out.')
@place_option
@click.option(
    "--mains",
    type=click.Choice(["50", "60"]),
    help="Mains frequency of the lamps, Hz; the rig's if it names one.",
)
@json_option
def plan(
    rig_name: str,
    speed: float | None,
    distance: float | None,
    blur_s: float | None,
    blur_b: float | None,
    exposure_s: float | None,
    filter_name: str | None,
    period: float | None,
    placement: str | None,
    mains: str | None,
    as_json: bool,
) -> None:
    """Plan the exposures of a scene (Eq. 2 of the ReLoBlur paper).

    Of speed, distance, blur and exposure give three; the fourth follows. Without a distance the rig's
    usual one is taken.
    """
    rig = load_rig(rig_name)
    made = plan_exposure(
        rig,
        speed_mps=speed,
        distance_m=distance,
        blur_s_px=blur_s,
        blur_b_px=blur_b,
        exposure_s=exposure_s,
        filter_name=filter_name,
        period_s=period,
        placement=placement,
    )
    mains_hz = rig.mains_hz if mains is None else int(mains)
    lights = [flicker(made, hz) for hz in (MAINS_HZ if mains_hz is None else (mains_hz,))]
    if as_json:
        print_json({**made.to_dict(), "flicker": [light.to_dict() for light in lights]})
    else:
        _show(made)
        _show_light(made, lights, known=mains_hz is not None)


def _show(made: ExposurePlan) -> None:
    out = console()
    out.print(
        f"[bold]{made.rig}[/]  {format_quantity(made.speed_mps, 'speed')} at "
        f"{format_quantity(made.distance_m, 'length')}, filter {made.filter_name} (τ = {made.tau:g})"
    )
    table = Table("camera", "planned", "applied", "blur", "role")
    for column in table.columns[1:4]:
        column.justify = "right"
    for camera in CAMERAS:
        planned, applied = (us[camera] * 1e-6 for us in (made.planned_us, made.applied_us))
        table.add_row(
            camera,
            format_quantity(planned, "time", 6),
            format_quantity(applied, "time", 6),
            f"{made.blur_px[camera]:.2f} px",
            "long exposure, blurred" if camera == "B" else "short exposure, sharp",
        )
    out.print(table)
    out.print(
        f"trigger every {format_quantity(made.period_s, 'time')} "
        f"(at least {format_quantity(made.min_period_s, 'time', 6)}); "
        f"t_S/t_L {made.ratio_applied:.5f}, brightness B/S {made.brightness_ratio:.4f}"
    )
    out.print(
        f"{explain(made.applied_us, made.placement)}{_WIDTH if made.exposure_control == 'width' else ''}"
    )
    for note in made.notes:
        out.print(f"[yellow]note:[/] {note}")


def _show_light(made: ExposurePlan, lights: list[Flicker], *, known: bool) -> None:
    """Say what lamps on the mains would do: in passing when nobody said which mains, else as a note."""
    if not known:
        console().print(f"{in_passing(made)} (see --mains)")
        return
    for light in lights:
        if light.text() not in made.notes:
            console().print(f"{'[yellow]note:[/] ' if light.notable else ''}{light.text()}")
