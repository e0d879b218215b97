"""Subcommand `beamrig report`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from rig.cli.params import PathName

_EXAMPLES: Final = """\b
Examples:
  beamrig report my-session --open
  beamrig report my-session --out my-report.html --json

\b
JSON: session, id, created, operator, rig, version, serials, mean {before, after}, scenes [{scene, profile,
calibration, static_pair, geometric_px, residuals_px, plan, exposures, blur, pairs, rejected, ...}]
"""


@click.command(epilog=_EXAMPLES)
@click.argument("session", type=PathName())
@click.option("--out", type=PathName(), metavar="FILE", help="The page; SESSION/report.html when left out.")
@click.option("--open", "show", is_flag=True, help="Open the page in the desktop's browser.")
@click.option("--json", "as_json", is_flag=True, help="Print the page's figures as JSON.")
def report(session: Path, out: Path | None, show: bool, as_json: bool) -> None:
    """Write the report of a processed SESSION: one HTML page with its figures and pictures."""
    from processing.errors import Cancelled
    from processing.page.page import make_report
    from rig.cli.common import print_json
    from rig.cli.interrupt import cancel_by_ctrl_c
    from rig.cli.progress import progress_bar
    from rig.session import Session

    with (
        Session.open(session) as opened,
        cancel_by_ctrl_c() as cancel,
        progress_bar(quiet=as_json) as tell,
    ):
        try:
            path, figures = make_report(opened, out, tell, cancel)
        except Cancelled as stop:
            raise click.Abort from stop
    if as_json:
        print_json(figures.to_dict())
    else:
        click.echo(str(path))
    if show and click.launch(path.as_uri()):
        click.echo(f"no browser could be started; open {path} yourself", err=True)
