"""`beamrig sync`: are pulses and frames in step? A test on the rig, and the proofs of a session's pairs."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape
from rich.table import Table

from rig.cli.common import LENGTH, SPEED, TIME, console, json_option, place_option, print_json, rig_option
from rig.cli.interrupt import cancel_by_ctrl_c
from rig.cli.params import PathName
from rig.errors import SessionError

if TYPE_CHECKING:
    from rig.records import PairRecord, RejectedShot
    from rig.sync_test import SyncTest

_TEST_EXAMPLES = """\b
Examples:
  beamrig sync test
  beamrig sync test --speed "1.4 m/s" --blur-s 4 --place centre --pulses 200
  beamrig sync test --no-search --json

JSON: verdict, reasons, pulses, paired, period_s, placement, s_delay_us, clock, clock_rate_ppm,
clock_offset_us, skew {median_us, p50_us, p95_us, max_us}, skews_us, cameras {B, S}, edges {B, S}, box_shots,
limit {shortest_s, ignored_at_s, plan_min_s, plan_holds, tried}
"""

_SHOW_EXAMPLES = """\b
Examples:
  beamrig sync show my-session
  beamrig sync show my-session s01/action/t02_0003
  beamrig sync show my-session --csv proofs.csv

JSON: session, shots; there and in CSV one entry a shot, in order: id, verdict, reason, trigger_index,
frame ids, camera times in ns, skew, residuals, rates of the clocks, placement, delay of S, ignored triggers,
shots by the box's counter
"""

_WIDE = 32


@click.group()
def sync() -> None:
    """Test whether pulses and frames are in step, and show the proof of each pair."""


@sync.command("test", epilog=_TEST_EXAMPLES)
@rig_option
@click.option(
    "--pulses", type=click.IntRange(3, 100_000), default=50, show_default=True, help="Pulses to fire."
)
@click.option("--period", type=TIME, help='Trigger period, "50 ms"; the plan\'s shortest when left out.')
@click.option("--speed", type=SPEED, default=1.4, show_default="1.4 m/s", help="Speed of the object.")
@click.option("--distance", type=LENGTH, help='Distance of the object, "5 m".')
@click.option("--blur-s", type=float, metavar="PIXELS", help="Blur in camera S; 4 when left out.")
@click.option("--exposure-s", type=TIME, help='Exposure of camera S, "3 ms", instead of a blur.')
@place_option
@click.option("--search/--no-search", default=True, show_default=True, help="Look for the shortest period.")
@json_option
def test(
    rig_name: str,
    pulses: int,
    period: float | None,
    speed: float,
    distance: float | None,
    blur_s: float | None,
    exposure_s: float | None,
    placement: str | None,
    search: bool,
    as_json: bool,
) -> None:
    """Fire counted pulses without recording, and say whether every one gives a proven pair.

    Sends ten pulses and expects ten frames, measures skew and clocks over more of them, and looks for the
    shortest period at which no trigger is ignored. Exit code 1 when the verdict is bad.
    """
    from rig.exposure import plan_exposure
    from rig.profiles import load_rig
    from rig.rig import Rig
    from rig.sync_test import sync_test

    profile = load_rig(rig_name)
    plan = plan_exposure(
        profile,
        speed_mps=speed,
        distance_m=distance,
        blur_s_px=4.0 if blur_s is None and exposure_s is None else blur_s,
        exposure_s=exposure_s,
        placement=placement,
    )
    shown = console(stderr=True)
    with Rig.open(profile) as rig, cancel_by_ctrl_c() as cancel, shown.status("opening") as line:

        def tell(part: str, done: int, total: int) -> None:
            line.update(f"{part}: {done} of {total}")

        rig.apply_plan(plan)
        at_s = plan.min_period_s if period is None else period
        found = sync_test(rig, pulses, period_s=at_s, search=search, cancel=cancel, on_progress=tell)
    if as_json:
        print_json(found.to_dict())
    else:
        _show_test(found)
    if found.verdict == "cancelled":
        raise click.Abort
    if found.verdict == "bad":
        raise click.exceptions.Exit(1)


def _show_test(found: SyncTest) -> None:
    from rig.sync_report import histogram

    out = console()
    colour = {"good": "green", "bad": "red"}.get(found.verdict, "yellow")
    out.print(
        f"[bold {colour}]{found.verdict}[/]  {found.paired} of {found.pulses} pulses gave a pair, one every "
        f"{found.period_s * 1e3:.5g} ms; S at the {found.placement}, {found.s_delay_us:.6g} µs after B"
    )
    for reason in found.reasons:
        out.print(f"[red]-[/] {escape(reason)}")
    table = Table("camera", "edges", "frame ids", "ignored", "rate", "off the box's beat")
    for name, of in found.cameras.items():
        spread = of.residual
        table.add_row(
            name,
            f"{found.edges[name].frames} of {found.edges[name].sent}",
            f"{of.first_id} to {of.last_id}" + (f", {of.missing_ids} missing" if of.missing_ids else ""),
            "not counted" if of.ignored is None else str(of.ignored),
            "" if of.rate_ppm is None else f"{of.rate_ppm:+.2f} ppm",
            "" if spread is None else f"p95 {spread.p95_us:.2f} µs, max {spread.max_us:.2f} µs",
        )
    out.print(table)
    if found.skew is not None:
        free = "" if found.clock == "common" else " (two clocks: a constant skew cannot be seen)"
        out.print(
            f"skew of S against B: median {found.skew.median_us:.2f} µs; size p50 {found.skew.p50_us:.2f}, "
            f"p95 {found.skew.p95_us:.2f}, max {found.skew.max_us:.2f} µs{free}"
        )
        bars = [bar for bar in histogram(found.skews_us) if bar.count or len(set(found.skews_us)) > 1]
        most = max(bar.count for bar in bars)
        for bar in bars:
            length = round(_WIDE * bar.count / most)
            out.print(f"  {bar.low_us:9.2f} to {bar.high_us:9.2f} µs  {'█' * length:{_WIDE}}  {bar.count}")
    if found.clock == "fitted" and found.clock_rate_ppm is not None:
        out.print(f"two clocks: S's runs {found.clock_rate_ppm:+.3f} ppm against B's")
    if found.box_shots is not None:
        out.print(f"the box counted {found.box_shots} pulses")
    limit = found.limit
    if limit is not None and limit.shortest_s is not None:
        below = "" if limit.ignored_at_s is None else f" (at {limit.ignored_at_s * 1e3:.5g} ms some are)"
        out.print(
            f"no trigger is ignored down to {limit.shortest_s * 1e3:.5g} ms, {1 / limit.shortest_s:.4g} Hz"
            f"{below}; the plan allows {limit.plan_min_s * 1e3:.5g} ms"
        )


@sync.command(epilog=_SHOW_EXAMPLES)
@click.argument("session", type=PathName(file_okay=False))
@click.argument("shot", required=False)
@click.option("--csv", "csv_file", type=PathName(dir_okay=False), help="Write the proofs into a CSV file.")
@json_option
def show(session: Path, shot: str | None, csv_file: Path | None, as_json: bool) -> None:
    """Show why the frames of each pair belong to one pulse, and why a shot was rejected.

    SHOT is a shot's name, such as s01/action/t02_0003, or the beginning of several.
    """
    from rig.session import Session

    with Session.open(session) as opened:
        shots = [one for one in opened.shots() if shot is None or one.id == shot or one.id.startswith(shot)]
    if not shots:
        where = f"shot {shot!r}" if shot else "a shot"
        raise SessionError(f"{session} does not have {where}", hint="beamrig sync show SESSION lists all")
    exact = [one for one in shots if one.id == shot]
    rows = [proof_row(one) for one in exact or shots]
    if csv_file is not None:
        csv_file.write_text(as_csv(rows), encoding="utf-8", newline="")
    if as_json:
        print_json({"session": str(session), "shots": rows})
    elif exact:
        _show_one(rows[0])
    elif csv_file is None:
        _show_all(rows)


def proof_row(shot: PairRecord | RejectedShot) -> dict[str, Any]:
    """Return the proof of a shot as one flat row."""
    proof = shot.sync.to_dict()
    row: dict[str, Any] = {"id": shot.id, "verdict": proof.pop("verdict"), "reason": proof.pop("reason")}
    for name, value in proof.items():
        if isinstance(value, dict):
            row.update({f"{name}_{camera}": value.get(camera) for camera in ("B", "S")})
        else:
            row[name] = value
    return row


def as_csv(rows: list[dict[str, Any]]) -> str:
    """Return rows as CSV with a header; what is not known is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _show_one(row: dict[str, Any]) -> None:
    table = Table(show_header=False, box=None)
    for name, value in row.items():
        table.add_row(
            name, "-" if value in (None, "") else f"{value:.3f}" if isinstance(value, float) else str(value)
        )
    console().print(table)


def _show_all(rows: list[dict[str, Any]]) -> None:
    out = console()
    table = Table("shot", "id B", "id S", "skew", "B to box", "S to box", "verdict")
    table.columns[0].no_wrap = True
    for column in table.columns[1:6]:
        column.justify = "right"
    for row in rows:
        verdict = "paired" if row["verdict"] == "paired" else f"[red]{escape(row['reason'])}[/]"
        table.add_row(
            row["id"],
            *(_cell(row[name]) for name in ("frame_id_B", "frame_id_S")),
            *(_cell(row[name], " µs") for name in ("skew_us", "grid_residual_us_B", "grid_residual_us_S")),
            verdict,
        )
    out.print(table)
    good = sum(row["verdict"] == "paired" for row in rows)
    out.print(f"{good} of {len(rows)} shots are proven pairs")


def _cell(value: float | None, unit: str = "") -> str:
    if value is None:
        return ""
    return f"{value:.2f}{unit}" if isinstance(value, float) else f"{value}{unit}"
