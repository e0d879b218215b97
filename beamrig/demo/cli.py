"""`beamrig demo`: the main job without a screen, with progress, and a report folder."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from rig.cli.common import LENGTH, SPEED, console
from rig.cli.params import PathName
from rig.errors import BeamrigError
from rig.exposure import plan_exposure
from rig.profiles import load_rig
from rig.virtual.options import BACKGROUND

if TYPE_CHECKING:
    from beamrig.demo.report import Report

_EXAMPLES = """\b
Examples:
  beamrig demo
  beamrig demo --seed 7 --background garden --paper
  beamrig demo --speed "2 m/s" --distance "4 m" --pairs 20 --out my-report
"""


@click.command(epilog=_EXAMPLES)
@click.option(
    "--out",
    type=PathName(file_okay=False),
    help="Folder of the report; new or empty.  [default: demo-report/DATE]",
)
@click.option("--speed", type=SPEED, default="1.4 m/s", show_default=True, help="Speed of the moving object.")
@click.option("--distance", type=LENGTH, default="5 m", show_default=True, help="Distance of the object.")
@click.option("--blur-s", type=float, default=2.0, show_default=True, help="Blur wanted in camera S, pixels.")
@click.option("--pairs", type=click.IntRange(1, 500), default=8, show_default=True, help="Action pairs.")
@click.option("--seed", type=click.IntRange(0), help="Of the virtual rig's hidden numbers and noise; 0.")
@click.option("--background", type=BACKGROUND, help="What stands behind the moving object; mural.")
@click.option("--paper", is_flag=True, help="Also process as the paper prints it, for comparison.")
@click.option("--json", "as_json", is_flag=True, help="Print report.json at the end instead of the table.")
def demo(
    out: Path | None,
    speed: float,
    distance: float,
    blur_s: float,
    pairs: int,
    seed: int | None,
    background: str | None,
    paper: bool,
    as_json: bool,
) -> None:
    """Do the main job in one go on the virtual rig.

    Plans a scene, captures lightbox, whiteboard, static and action takes, develops them, makes masks,
    deblurs one pair, and writes a report with the virtual rig's truth beside what was measured.
    """
    # Wishes that no plan meets are answered before anything is made on the disk.
    plan_exposure(
        load_rig("virtual"),
        speed_mps=speed,
        distance_m=distance,
        blur_s_px=blur_s,
        placement="centre",
    )
    folder = _folder(out)
    # The heavy rooms are loaded only now, so that a wrong option is answered at once.
    from beamrig.demo.report import write_report
    from beamrig.demo.run import STEPS, Order, run_demo

    screen = console(stderr=True)
    with Progress(
        TextColumn("{task.fields[name]:<8}"),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>4.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=screen,
        disable=not screen.is_terminal,
    ) as progress:
        tasks = {step: progress.add_task("", total=1.0, start=False, name=step) for step in STEPS}
        last = STEPS[0]

        def tell(step: str, done: float, text: str) -> None:
            nonlocal last
            if step != last:
                progress.update(tasks[last], completed=1.0, description="")
                progress.stop_task(tasks[last])
                last = step
            progress.start_task(tasks[step])
            progress.update(tasks[step], completed=done, description=text)
            if not screen.is_terminal and done == 0.0:
                screen.print(f"{step}: {text}")

        order = Order(folder, "virtual", speed, distance, blur_s, pairs, seed, background, paper)
        report = run_demo(order, tell)
        tell(STEPS[-1], 1.0, "")
    json_path, html_path = write_report(report, folder)
    if as_json:
        click.echo(json_path.read_text(encoding="utf-8"), nl=False)
    else:
        _show(console(), report)
    screen.print(f"report: {html_path}  ({report.seconds:.0f} s)", soft_wrap=True)


def _folder(out: Path | None) -> Path:
    folder = out or Path("demo-report") / dt.datetime.now().astimezone().strftime("%Y-%m-%d_%H%M%S")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = next(folder.iterdir(), None)
    except OSError as error:
        raise BeamrigError(
            f"{folder} cannot be used: {error.strerror}", hint="choose another folder with --out"
        ) from error
    if taken is not None:
        raise BeamrigError(
            f"{folder} is not empty", hint="the demo never overwrites; choose another folder with --out"
        )
    return folder


def _show(out: Console, report: Report) -> None:
    from beamrig.demo.report import figure_heads, figure_rows

    table = Table(*figure_heads(report), box=box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in figure_rows(report):
        table.add_row(*row)
    out.print(table)
