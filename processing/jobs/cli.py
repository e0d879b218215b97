"""Subcommands `beamrig process` and `beamrig masks`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import click

from processing.profile import FLOW_METHODS, PROFILES, Profile
from rig.cli.params import PathName
from rig.errors import SessionError

_EXAMPLES = """\b
Examples:
  beamrig process my-session
  beamrig process my-session --scene s01 --bits 8 --format tiff --json
  beamrig process my-session --workers 4 --calibration lightbox.json
  beamrig process my-session --scheduler tcp://bigbox:8786
  beamrig process my-session --verify --sample 3

Ctrl+C finishes the pairs in work; the same command goes on from there. Exit code 2: pairs failed (the rest is
done), or differ from their record with --verify; 130: stopped.

JSON: derived, scenes [{scene, folder, developed, skipped, masks, calibration, static_pair {before, after},
residual_px, blur_px, blur_note, notes, failed {pair: reason}, failure, seconds {step: s}}], cancelled,
seconds, workers. With --verify: checked, differing {pair: reason}, undeveloped [pair], cancelled, seconds,
workers
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
        click.option(
            "--workers", type=click.IntRange(1), metavar="N", help="Tasks at once; one a core when left out."
        ),
        click.option(
            "--scheduler",
            metavar="ADDRESS",
            help="Let a dask cluster do it, such as tcp://host:8786. dask's port asks nobody who they "
            "are, and runs what it is sent: keep it on a private network.",
        ),
        click.option(
            "--flow",
            type=click.Choice(FLOW_METHODS),
            help="Registration in another way than the profile's: dis is dense, pyflow if you installed it.",
        ),
        click.option(
            "--calibration",
            "calibrations",
            multiple=True,
            type=PathName(),
            metavar="FILE",
            help="Of 'beamrig calibrate', instead of the scene's own takes; repeatable.",
        ),
        click.option(
            "--own-takes", is_flag=True, help="Not the calibrations chosen with 'beamrig calibrate use'."
        ),
        click.option("--allow-old", is_flag=True, help="Use calibrations beyond the age they may have."),
        click.option(
            "--confidence",
            is_flag=True,
            help="Write how sure each mask is, too: <pair>_confidence.png, 255 times the probability.",
        ),
        click.option("--again", is_flag=True, help="Make anew what is there already."),
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
@click.option(
    "--verify", is_flag=True, help="Make what is there again in memory, and compare it with its record."
)
@click.option(
    "--sample", type=click.IntRange(1), metavar="N", help="With --verify: so many pairs of each scene."
)
def process(
    session: Path,
    scenes: tuple[str, ...],
    as_json: bool,
    bits: str,
    file_format: str,
    verify: bool,
    sample: int | None,
    **options: Any,
) -> None:
    """Develop, align and mask the pairs of a recorded SESSION, and measure it.

    Results lie in SESSION/derived; what is there already is not made again.
    """
    if sample is not None and not verify:
        raise click.UsageError("--sample goes with --verify")
    if verify:
        _verify(session, scenes, as_json, sample, options["workers"], options["scheduler"])
    else:
        _work(session, scenes, as_json, bits=int(bits), format=file_format, **options)


@click.command(epilog="Example: beamrig masks my-session --scene s01")
@_common
def masks(session: Path, scenes: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Make the local blur masks of a recorded SESSION (LBFMG)."""
    _work(session, scenes, as_json, images=False, blur=False, **options)


def _work(
    session: Path, scenes: tuple[str, ...], as_json: bool, profile: str, own_takes: bool, **options: Any
) -> None:
    from processing.calibration.chosen import chosen_paths
    from processing.jobs.batch import process_session
    from rig.cli.interrupt import cancel_by_ctrl_c
    from rig.cli.progress import progress_bar

    with (
        opened(session, scenes) as work,
        progress_bar(quiet=as_json, time_left=False) as progress,
        cancel_by_ctrl_c() as cancel,
    ):
        if not own_takes and not options["calibrations"]:
            options["calibrations"] = chosen_paths(work)
            for path in options["calibrations"]:
                click.echo(f"calibration chosen for this session: {path}", err=True)
        report = process_session(
            work, scenes or None, cast("Profile", profile), progress=progress, cancel=cancel, **options
        )
    _tell(report.to_dict(), as_json, _print)
    _leave(report.cancelled, "not everything could be processed", report.failures())


def _verify(
    session: Path,
    scenes: tuple[str, ...],
    as_json: bool,
    sample: int | None,
    workers: int | None,
    scheduler: str | None,
) -> None:
    from processing.jobs.verify import verify_session
    from rig.cli.interrupt import cancel_by_ctrl_c
    from rig.cli.progress import progress_bar

    with (
        opened(session, scenes) as work,
        progress_bar(quiet=as_json, time_left=False) as progress,
        cancel_by_ctrl_c() as cancel,
    ):
        report = verify_session(
            work, scenes or None, progress, cancel, sample=sample, workers=workers, scheduler=scheduler
        )
    _tell(report.to_dict(), as_json, _print_verified)
    differing = [f"{pair}: {why}" for pair, why in sorted(report.differing.items())]
    _leave(report.cancelled, "not what the record says", differing)


def _tell(report: dict[str, Any], as_json: bool, show: Callable[[dict[str, Any]], None]) -> None:
    if not as_json:
        show(report)
        return
    from rig.cli.common import print_json

    print_json(report)


def _leave(cancelled: bool, what: str, failures: list[str]) -> None:
    """End the command: 130 when it was stopped, 2 with one line when something failed."""
    if cancelled:
        click.echo("error: stopped by the operator; what was finished stays", err=True)
        sys.exit(130)
    if failures:
        more = f"; and {len(failures) - 1} more" if len(failures) > 1 else ""
        click.echo(f"error: {what}: {failures[0]}{more}", err=True)
        sys.exit(2)


@contextmanager
def opened(session: Path, scenes: tuple[str, ...]) -> Iterator[Any]:
    """Open a session; a wrong scene is told before the hours that the right ones take.

    Raises:
        SessionError: If it is none, has no scene, or not those.
    """
    from rig.session import Session

    with Session.open(session) as work:
        if not scenes and not work.scenes():
            raise SessionError(f"{session} has no scene", hint="capture one first: beamrig capture")
        for name in scenes:
            work.scene(name)
        yield work


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
        if scene["static_pair"]:
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
        for note in scene["notes"]:
            out.print(f"[yellow]note[/yellow] {note}", soft_wrap=True, highlight=False)
        for pair, reason in scene["failed"].items():
            out.print(f"[red]failed[/red] {pair}: {reason}", soft_wrap=True)
        if scene["failure"]:
            out.print(f"[red]failed[/red] {scene['scene']}: {scene['failure']}", soft_wrap=True)
    out.print(f"results in {report['derived']}, {report['seconds']:.1f} s, {report['workers']}")


def _print_verified(report: dict[str, Any]) -> None:
    """Print what came of making pairs again."""
    from rig.cli.common import console

    out = console()
    for pair, why in report["differing"].items():
        out.print(f"[red]differs[/red] {pair}: {why}", soft_wrap=True)
    if report["undeveloped"]:
        out.print(f"[yellow]not developed[/yellow] {', '.join(report['undeveloped'])}", soft_wrap=True)
    out.print(
        f"{report['checked']} pairs made again, {len(report['differing'])} differ, "
        f"{report['seconds']:.1f} s, {report['workers']}"
    )
