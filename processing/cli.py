"""Subcommands `beamrig process` and `beamrig masks`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import click

from processing.profile import PROFILES, Profile
from rig.cli.params import PathName
from rig.errors import SessionError

_EXAMPLES = """\b
Examples:
  beamrig process my-session
  beamrig process my-session --scene s01 --bits 8 --format tiff --json

JSON: derived, scenes [{scene, folder, developed, skipped, masks, calibration, static_pair {before, after},
residual_px, blur_px, blur_note}], cancelled, seconds
"""


def _common(command: Callable[..., Any]) -> Callable[..., Any]:
    options = [
        click.argument("session", type=PathName()),
        click.option("--scene", "scenes", multiple=True, metavar="NAME", help="Only this scene; repeatable."),
        click.option(
            "--profile",
            type=click.Choice(PROFILES),
            default="best",
            show_default=True,
            help="best, or the steps as the paper prints them.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print the report as JSON."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command(epilog=_EXAMPLES)
@_common
@click.option(
    "--bits", type=click.Choice(["16", "8"]), default="16", show_default=True, help="Bits a channel."
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["png", "tiff"]),
    default="png",
    show_default=True,
    help="Of the developed pictures.",
)
def process(
    session: Path, scenes: tuple[str, ...], profile: str, as_json: bool, bits: str, file_format: str
) -> None:
    """Develop, align and mask the pairs of a recorded SESSION, and measure it.

    Results lie in SESSION/derived; what is there already is not made again.
    """
    _work(session, scenes, profile, as_json, bits=int(bits), format=file_format)


@click.command(epilog="Example: beamrig masks my-session --scene s01")
@_common
def masks(session: Path, scenes: tuple[str, ...], profile: str, as_json: bool) -> None:
    """Make the local blur masks of a recorded SESSION (LBFMG)."""
    _work(session, scenes, profile, as_json, images=False, blur=False)


def _work(session: Path, scenes: tuple[str, ...], profile: str, as_json: bool, **options: Any) -> None:
    from processing.batch import process_session
    from rig.session import Session

    with Session.open(session) as opened, _bar(as_json) as progress:
        if not scenes and not opened.scenes():
            raise SessionError(f"{session} has no scene", hint="capture one first: beamrig capture")
        for name in scenes:
            opened.scene(name)  # a wrong name is told before the hours that the right ones take
        report = process_session(
            opened, scenes or None, cast("Profile", profile), progress=progress, **options
        )
    if as_json:
        from rig.cli.common import print_json

        print_json(report.to_dict())
    else:
        _print(report.to_dict())


@contextmanager
def _bar(quiet: bool) -> Iterator[Callable[[float, str], None] | None]:
    """Show a progress bar on stderr; nothing when nobody looks at it or the output is for a machine."""
    from rig.cli.common import console

    screen = console(stderr=True)
    if quiet or not screen.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TextColumn("{task.percentage:3.0f} %"), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.description}"), console=screen) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda done, text: bar.update(task, completed=done, description=text)


def _print(report: dict[str, Any]) -> None:
    """Print the report as a table for people."""
    from rich.table import Table

    from rig.cli.common import console

    out = console()
    for scene in report["scenes"]:
        done = f"{scene['developed']} pairs done, {scene['skipped']} were there, {scene['masks']} masks"
        out.print(f"[bold]{scene['scene']}[/bold]: {done}")
        table = Table("static pair", "ΔL %", "PSNR dB", "SSIM")
        for state, values in scene["static_pair"].items():
            table.add_row(
                state, f"{values['delta_l_percent']:.2f}", f"{values['psnr_db']:.2f}", f"{values['ssim']:.4f}"
            )
        out.print(table)
        left = scene["residual_px"]
        if left:
            out.print(f"left misaligned: mean {left['mean']:.3f} px, p95 {left['p95']:.3f} px")
        blur = scene["blur_px"]
        if blur:
            out.print(
                f"blur of the moving object: B {blur['b_px']:.2f} ± {blur['b_error_px']:.2f} px, "
                f"S {blur['s_px']:.2f} ± {blur['s_error_px']:.2f} px"
            )
        elif scene["blur_note"]:
            out.print(f"blur not measured: {scene['blur_note']}")
    out.print(f"results in {report['derived']}, {report['seconds']:.1f} s")
