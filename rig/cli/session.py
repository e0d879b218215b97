"""`beamrig session`: what a recorded session holds, whether it is whole, and its repair after a crash."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from rig.cli.common import console, json_option, print_json
from rig.cli.interrupt import cancel_by_ctrl_c
from rig.cli.params import PathName

_CHECK_EXAMPLES = """\b
Examples:
  beamrig session check my-session
  beamrig session check my-session --json

Exit code: 0 when the session is whole, 1 when something was found.
JSON: session, pairs, files, bytes, recording, complete, findings [{kind, where, message, hint}]
"""
_RECOVER_EXAMPLES = """\b
Examples:
  beamrig session recover my-session --dry-run
  beamrig session recover my-session

JSON: session, dry_run, counts, steps [{kind, where, message}]
"""
_SHOW_EXAMPLES = """\b
Examples:
  beamrig session show my-session

JSON: session, id, operator, created, rig, kept_frames, reasons, problems,
takes [{scene, kind, take, state, asked, paired, rejected}]
"""

_folder = click.argument("folder", metavar="SESSION", type=PathName(file_okay=False))


@click.group()
def session() -> None:
    """Look at, check and repair recorded sessions."""


@session.command(epilog=_SHOW_EXAMPLES)
@_folder
@json_option
def show(folder: Path, as_json: bool) -> None:
    """Show scenes, takes, pairs, rejected shots with their reasons, and problems."""
    from rig.records import PairRecord
    from rig.session import Session

    with Session.open(folder) as opened:
        shots = Counter((s.scene, s.kind, s.take, isinstance(s, PairRecord)) for s in opened.shots())
        takes = [
            {
                "scene": take.scene, "kind": take.kind, "take": take.take, "state": take.state,
                "asked": take.asked, "paired": shots[take.scene, take.kind, take.take, True],
                "rejected": shots[take.scene, take.kind, take.take, False],
            }
            for take in opened.takes()
        ]  # fmt: skip
        data: dict[str, Any] = {
            "session": str(opened.root), "id": opened.id, "operator": opened.operator,
            "created": opened.created, "rig": opened.rig_profile.name, "takes": takes,
            "kept_frames": sorted(opened.ledger.kept()),
            "reasons": [f"{shot.id}: {shot.sync.reason}" for shot in opened.rejected()],
            "problems": opened.problems(),
        }  # fmt: skip
    if as_json:
        print_json(data)
        return
    out = console()
    maker = data["operator"] or "nobody named"
    out.print(
        f"{data['session']}: rig {data['rig']}, made {data['created']} by {maker}",
        markup=False,
        soft_wrap=True,
    )
    table = Table("scene", "kind", "take", "state", "asked", "pairs", "rejected")
    for take in takes:
        shown = {**take, "asked": take["asked"] or "until stopped"}
        table.add_row(*(escape(str(value)) for value in shown.values()))
    out.print(table)
    for title in ("reasons", "kept_frames", "problems"):
        for line in data[title]:
            out.print(f"{title.replace('_', ' ')}: {line}", markup=False, soft_wrap=True)


@session.command(epilog=_CHECK_EXAMPLES)
@_folder
@json_option
@click.pass_context
def check(context: click.Context, folder: Path, as_json: bool) -> None:
    """Verify journal, profiles, completeness and the SHA-256 of every file."""
    from rig.session import Session
    from rig.session_check import check_session

    with Session.open(folder) as opened, cancel_by_ctrl_c() as cancel, _progress(quiet=as_json) as bar:
        task = bar.add_task("reading", total=None)
        report = check_session(
            opened, progress=lambda done, total: bar.update(task, completed=done, total=total), cancel=cancel
        )
    if as_json:
        print_json(report.to_dict())
    else:
        out = console()
        if report.findings:
            table = Table("what", "finding", "hint")
            for one in report.findings:
                table.add_row(one.kind, escape(one.message), escape(one.hint))
            out.print(table)
        number = len(report.findings)
        state = f"{number} finding{'s'[: number > 1]}" if number else "whole"
        out.print(
            f"{report.session}: {state}; {report.pairs} pairs, {report.files} files,"
            f" {report.bytes / 1e6:.1f} MB read"
            + (", a take is being recorded and was left out" if report.recording else ""),
            markup=False,
            soft_wrap=True,
        )
    if not report.complete:
        raise click.Abort
    context.exit(1 if report.findings else 0)


@session.command(epilog=_RECOVER_EXAMPLES)
@_folder
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@json_option
def recover(folder: Path, dry_run: bool, as_json: bool) -> None:
    """Complete what a crash left, keep frames without proof, list what was lost; nothing is deleted."""
    from rig.session import Session
    from rig.session_recover import recover_session

    with Session.open(folder) as opened:
        repair = recover_session(opened, dry_run=dry_run)
    if as_json:
        print_json(repair.to_dict())
        return
    out = console()
    if not repair.steps:
        out.print(f"{repair.session}: nothing to repair", markup=False, soft_wrap=True)
        return
    table = Table("would do" if dry_run else "done", "what")
    for step in repair.steps:
        table.add_row(step.kind, escape(step.message))
    out.print(table)
    out.print("nothing was changed; leave --dry-run out to do it" if dry_run else "nothing was deleted")


@contextlib.contextmanager
def _progress(*, quiet: bool) -> Iterator[Progress]:
    screen = console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
    )
    with Progress(*columns, console=screen, transient=True, disable=quiet or not screen.is_terminal) as bar:
        yield bar
