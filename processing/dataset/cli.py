"""Subcommand `beamrig export`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Final

import click

from rig.cli.params import PathName

_EXAMPLES: Final = """\b
Examples:
  beamrig export my-session --out my-set
  beamrig export monday tuesday --out my-set --process --test-scene monday/s03
  beamrig export my-session --out my-set --license CC-BY-4.0 --author "A. Person"
  beamrig export --check my-set

\b
JSON: root, id, kept, notes, left_out [{session, shot, why}], statistics, check {pairs, broken, findings}
JSON of --check: root, pairs, broken, findings [{level, path, text}]; exit code 1 when broken
"""


@click.command(epilog=_EXAMPLES)
@click.argument("sessions", nargs=-1, type=PathName(), metavar="SESSION...")
@click.option("--out", type=PathName(), metavar="DIR", help="Folder of the data set: new, or its own.")
@click.option(
    "--layout",
    type=click.Choice(["reloblur"]),
    default="reloblur",
    show_default=True,
    help="Names and folders.",
)
@click.option(
    "--size", default="", metavar="WxH|full", help="Of the pictures; at most 2152x1436 when left out."
)
@click.option("--allow-larger", is_flag=True, help="Allow sizes whose masks the published loader cuts.")
@click.option(
    "--anchor",
    type=click.Choice(["mover", "centre"]),
    default="mover",
    show_default=True,
    help="Crop at the centre; 'mover' shifts it where that would cut the moving object.",
)
@click.option(
    "--test-share", type=float, default=0.16, show_default=True, help="Share of the scenes in the test split."
)
@click.option(
    "--test-scene", "test_scenes", multiple=True, metavar="NAME",
    help="Scene of the test split instead, SCENE or SESSION/SCENE; repeatable.",
)  # fmt: skip
@click.option(
    "--leave-out", multiple=True, metavar="PAIR", help="A pair, as s01/action/t01_0003; repeatable."
)
@click.option("--name", default="", help="Of the data set; the sessions' names when left out.")
@click.option("--license", "license_text", default="", help="Its licence.")
@click.option("--author", "authors", multiple=True, metavar="NAME", help="Repeatable.")
@click.option("--process", is_flag=True, help="Develop first what is not developed yet.")
@click.option("--check", "checked", type=PathName(), metavar="DIR", help="Only check a data set.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def export(context: click.Context, /, **given: Any) -> None:
    """Export the pairs of processed SESSIONs as a data set in the published layout, and check it.

    Pairs that were rejected, failed, or have a verdict of "stop" are left out and listed in its card.
    """
    if given["checked"] is not None:
        if given["sessions"] or given["out"] is not None:
            raise click.UsageError("--check takes no session and no --out")
        context.exit(_check(given["checked"], given["as_json"]))
    if not given["sessions"] or given["out"] is None:
        raise click.UsageError("name a SESSION and --out DIR, or --check DIR")
    _export(**{key: given[key] for key in given if key not in ("checked", "layout")})


def _check(folder: Path, as_json: bool) -> int:
    from processing.dataset.check import check_dataset
    from rig.cli.common import console, print_json
    from rig.cli.progress import progress_bar

    with progress_bar(quiet=as_json) as tell:
        check = check_dataset(folder, tell)
    if as_json:
        print_json(check.to_dict())
        return int(check.broken)
    out = console()
    for one in check.findings:
        out.print(f"{one.level}: {one.path}: {one.text}", markup=False, soft_wrap=True)
    pairs = ", ".join(f"{count} pairs in {split}" for split, count in check.pairs.items())
    state = "broken" if check.broken else "good"
    out.print(f"{folder}: {state}; {pairs}", markup=False, soft_wrap=True)
    return int(check.broken)


def _export(
    sessions: tuple[Path, ...],
    out: Path,
    process: bool,
    as_json: bool,
    anchor: str,
    license_text: str,
    test_scenes: tuple[str, ...],
    leave_out: tuple[str, ...],
    authors: tuple[str, ...],
    **wished: Any,
) -> None:
    from processing.dataset.export import export_sessions
    from processing.dataset.plan import Wishes
    from processing.errors import Cancelled
    from rig.cli.common import print_json
    from rig.cli.interrupt import cancel_by_ctrl_c
    from rig.cli.progress import progress_bar
    from rig.session import Session

    wishes = Wishes(
        follow=anchor == "mover",
        license=license_text,
        test_scenes=test_scenes,
        leave_out=leave_out,
        authors=authors,
        **wished,
    )
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(Session.open(folder)) for folder in sessions]
        cancel = stack.enter_context(cancel_by_ctrl_c())
        tell = stack.enter_context(progress_bar(quiet=as_json))
        if process:
            from processing.jobs.batch import process_session

            for session in opened:
                if process_session(session, progress=tell, cancel=cancel).cancelled:
                    raise click.Abort
        try:
            report = export_sessions(opened, out, wishes, tell, cancel)
        except Cancelled as stop:
            click.echo(f"{stop.message}; {stop.hint}" if stop.hint else stop.message, err=True)
            raise click.Abort from stop
    if as_json:
        print_json(report.to_dict())
    else:
        _print(report.to_dict())


def _print(report: dict[str, Any]) -> None:
    from rig.cli.common import console

    out = console()
    found, check = report["statistics"], report["check"]
    lines = [
        f"{report['root']}: {found['pairs']['train']} pairs to train, {found['pairs']['test']} to test"
        f" ({report['kept']} were there)",
        f"blurred area {found['mask_percent_mean']:.2f} % (paper 11.75 %)",
        *(f"left out: {one['session']}/{one['shot']}: {one['why']}" for one in report["left_out"]),
        *(f"note: {note}" for note in report["notes"]),
        *(f"{one['level']}: {one['path']}: {one['text']}" for one in check["findings"]),
        "checked by the published loader's rules: good",
    ]
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)
