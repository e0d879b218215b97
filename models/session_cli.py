"""`beamrig deblur SESSION`: what the command does when it is given a session instead of pictures."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rig.cli.common import console, print_json
from rig.errors import SessionError

if TYPE_CHECKING:
    from models.session_pair import DeblurWish

__all__ = ["deblur_whole_session"]


def deblur_whole_session(
    folder: Path, weights: Path | None, device: str, wish: DeblurWish, *, as_json: bool
) -> None:
    """Deblur the developed pairs of a session and tell what was done.

    Ends the program with code 130 when the operator stopped it, 2 when pairs failed.

    Raises:
        BeamrigError: It is no session, nothing is developed, the weights cannot be used, the disk is full.
    """
    from models.deblur import DeblurEngine
    from models.session_deblur import deblur_session
    from models.weights import choose_weights
    from rig.cli.interrupt import cancel_by_ctrl_c
    from rig.cli.progress import progress_bar
    from rig.session import Session

    with Session.open(folder) as session:
        if not wish.scenes and not session.scenes():
            raise SessionError(f"{folder} has no scene", hint="capture one first: beamrig capture")
        for name in wish.scenes:
            session.scene(name)
        engine = DeblurEngine(choose_weights(weights), device, wish.precision)
        info = engine.describe()
        if not info.trained:
            click.secho(f"warning: {info.note}", fg="yellow", err=True)
        if not as_json:
            click.echo(f"{info.architecture} on {info.device} in {info.precision} ({info.reason})")
        with (
            progress_bar(quiet=as_json, time_left=False) as progress,
            cancel_by_ctrl_c() as cancel,
        ):
            report = deblur_session(session, engine, wish, progress, cancel)
    if as_json:
        print_json({"engine": info.to_dict(), **report.to_dict()})
    else:
        _print(report.to_dict())
    _leave(report.cancelled, report.failures())


def _print(report: dict[str, Any]) -> None:
    out = console()
    for pair, why in report["undeveloped"].items():
        out.print(f"[yellow]not developed[/yellow] {pair}: {why}", soft_wrap=True)
    for pair, why in sorted(report["failed"].items()):
        out.print(f"[red]failed[/red] {pair}: {why}", soft_wrap=True)
    share = "" if report["share"] is None else f", the network ran on {report['share']:.0%} of the frames"
    out.print(
        f"{len(report['deblurred'])} pairs deblurred, {len(report['skipped'])} were there{share}; "
        f"results in {report['root']}, {report['seconds']:.1f} s",
        markup=False,
        soft_wrap=True,
    )


def _leave(cancelled: bool, failures: Sequence[str]) -> None:
    if cancelled:
        click.echo("error: stopped by the operator; what was finished stays", err=True)
        sys.exit(130)
    if failures:
        more = f"; and {len(failures) - 1} more" if len(failures) > 1 else ""
        click.echo(f"error: not every pair could be deblurred: {failures[0]}{more}", err=True)
        sys.exit(2)
