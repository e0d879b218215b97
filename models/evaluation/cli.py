"""The command `beamrig evaluate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rig.cli.common import console, json_option, print_json
from rig.cli.params import PathName

if TYPE_CHECKING:
    from models.synth.photos import Split
    from models.training.pairs import PairSource

__all__ = ["evaluate"]

_EXAMPLES = """\b
Examples:
  beamrig evaluate --model shipped --data my-export
  beamrig evaluate --model lbag.safetensors --data ReLoBlur --out figures --json
  beamrig evaluate --model full.safetensors --model no-gate.safetensors --data ReLoBlur
  beamrig evaluate --model shipped --data photographs --lbs 64

M is a file of weights, or `shipped`, or `input`: the blurred picture itself, which is always evaluated, too.
Readings: "paper" as section 5 prints the figures, "released" as the authors' code computes them; published
tables hold the latter. Figures are of pictures of 8 bits. One that is not defined (an empty mask) is told and
left out of the mean.

With --out the same command goes on where it was stopped. Exit code: 0; 1 when a picture has no figures; 130
when it was stopped.

JSON: data {path, split, pairs, looked_at, reloblur}, models [{name, network, weights, sha256, trained,
device, precision, gate, bapc, ssim_loss, pretrained, mean, counted, gain {whole {psnr_db, ssim}, released
{psnr_w_db, ssim_w, psnr_a_db, ssim_a}, paper {...}, blur {background_psnr_db, mask_iou}}, images [{name,
height_px, width_px, figures, gain, undefined {figure: reason}, seconds}]}], paper {table_1, table_3} or null,
failed, cancelled, seconds
"""


@click.command(epilog=_EXAMPLES)
@click.option(
    "--model", "models", multiple=True, metavar="M", required=True, help="What is evaluated; repeatable."
)
@click.option(
    "--data", type=PathName(), required=True, metavar="D", help="Data set, session, or pairs in folders."
)
@click.option(
    "--split",
    type=click.Choice(["test", "train", "all"]),
    default="test",
    show_default=True,
    help="Part of the data.",
)
@click.option(
    "--reading",
    type=click.Choice(["both", "paper", "released"]),
    default="both",
    show_default=True,
    help="Of the weighted and the aligned figures.",
)
@click.option(
    "--aligned/--not-aligned", default=True, show_default=True, help="PSNR_a and SSIM_a; seconds a picture."
)
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", help="So many pairs, spread evenly over the data."
)
@click.option(
    "--lbs",
    type=click.IntRange(1),
    metavar="N",
    help="D holds photographs: make N pairs of 256 px by Local Blur Synthesis.",
)
@click.option(
    "--out", type=PathName(file_okay=False), metavar="FOLDER", help="Keep the figures here; resumes."
)
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True,
    help="Where the networks run.",
)  # fmt: skip
@click.option(
    "--precision", type=click.Choice(["auto", "fp32", "bf16", "fp16"]), default="auto", show_default=True,
    help="auto measures on this machine.",
)  # fmt: skip
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Threads that take figures; one a core.")
@json_option
def evaluate(
    models: tuple[str, ...],
    data: Path,
    split: Split,
    reading: str,
    aligned: bool,
    limit: int | None,
    lbs: int | None,
    out: Path | None,
    device: str,
    precision: str,
    workers: int | None,
    as_json: bool,
) -> None:
    """Take the paper's figures of networks on a data set: PSNR and SSIM, weighted and aligned, each and mean.

    Beside them stand those of the blurred input and, where the data are ReLoBlur's test pairs, the tables
    that the paper prints.
    """
    source = _source(data, split, lbs)

    from models.evaluation.candidates import open_candidates
    from models.evaluation.report import is_of_the_paper, report_of
    from models.evaluation.run import evaluate as take_figures
    from models.evaluation.tables import print_evaluation
    from processing.outputs import write_json
    from rig.cli.interrupt import cancel_by_ctrl_c
    from rig.cli.progress import progress_bar

    candidates = open_candidates(models, device, precision)
    with progress_bar(quiet=as_json, time_left=False) as progress, cancel_by_ctrl_c() as cancel:
        evaluation = take_figures(
            candidates, source, limit=limit, align=aligned, out=out, workers=workers,
            progress=progress, cancel=cancel,
        )  # fmt: skip
    readings = ("released", "paper") if reading == "both" else (reading,)
    parts = ("whole", *readings, "blur")
    report = report_of(evaluation, data, split, parts)
    if out is not None:
        write_json(out / "report.json", report)
    if as_json:
        print_json(report)
    else:
        of_the_paper = is_of_the_paper(evaluation, data, split)
        print_evaluation(console(), evaluation, parts, of_the_paper=of_the_paper)
    if evaluation.cancelled:
        click.echo("error: stopped by the operator; with --out what was finished stays", err=True)
        sys.exit(130)
    if evaluation.failed:
        sys.exit(1)


def _source(data: Path, split: Split, lbs: int | None) -> PairSource:
    from models.errors import DataError
    from models.training.sources import open_source

    if lbs is None:
        try:
            return open_source(data, split)
        except DataError as error:
            try:
                count = len(open_source(data, "all")) if split != "all" else 0
            except DataError:
                count = 0
            if not count:
                raise
            raise DataError(
                f"{data} has no pairs on its side {split!r}, all {count} are on the other",
                hint="a session of one scene or a folder without sides: --split all takes them",
            ) from error
    from models.synth.local_blur import LocalBlurSource

    return LocalBlurSource(data, seed=0, count=lbs, side_px=256, split=split)
