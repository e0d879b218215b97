"""The command `beamrig metrics`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rig.cli.common import console, json_option, print_json
from rig.cli.params import PathName

if TYPE_CHECKING:
    from processing.quality.metrics_files import Comparison

_EXAMPLES = """\b
Examples:
  beamrig metrics sharp.png deblurred.png
  beamrig metrics sharp.png blurred.png --mask mask.png
  beamrig metrics truth/ results/ --mask masks/ --json

Readings: "paper" as section 5 prints the figures, "released" as the authors' code computes them; published
tables hold the latter. Images of 16 bits are rounded to 8, as that code does.

Exit code: 0, or 1 when a pair of the folders has no figures; the reason is printed.

JSON: pairs [{name, whole {delta_l_percent, delta_l_luma_percent, psnr_db, ssim}, paper {psnr_w_db, ssim_w,
psnr_a_db, ssim_a}, released {...}, error}], mean {whole, paper, released}; null stands for infinite (equal
images); what was not asked for is left out
"""


@click.command(epilog=_EXAMPLES)
@click.argument("sharp", type=PathName())
@click.argument("other", type=PathName())
@click.option("--mask", type=PathName(), help="Image or folder of blur masks, for PSNR_w and SSIM_w.")
@click.option(
    "--aligned/--not-aligned", default=True, show_default=True, help="PSNR_a and SSIM_a; seconds an image."
)
@json_option
def metrics(sharp: Path, other: Path, mask: Path | None, aligned: bool, as_json: bool) -> None:
    """Compare OTHER with SHARP, the ground truth.

    Two images (PNG, TIFF), or two folders with images of the same names.
    """
    from processing.quality.metrics_files import compare, compare_all, pairs

    files = pairs(sharp, other, mask)
    single = not sharp.is_dir()
    found = [compare(*files[0], align=aligned)] if single else list(compare_all(files, align=aligned))
    rows = [_row(comparison) for comparison in found]
    good = [row for row in rows if not row["error"]]
    mean = {
        part: {name: _mean([row[part][name] for row in good]) for name in good[0][part]}
        for part in ("whole", "paper", "released")
        if good
    }
    if as_json:
        print_json(_finite({"pairs": rows, "mean": mean}))
    else:
        _print(rows, mean)
    if len(good) < len(rows):
        raise click.exceptions.Exit(1)


def _row(comparison: Comparison) -> dict[str, Any]:
    local = {reading: comparison.local.get(reading, {}) for reading in ("paper", "released")}
    return {"name": comparison.name, "whole": comparison.whole, **local, "error": comparison.error}


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _finite(value: Any) -> Any:
    """Replace infinity by None all through plain data: JSON knows no infinity."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


_WHOLE = (
    ("delta_l_percent", "ΔL %", ".3f"),
    ("delta_l_luma_percent", "ΔL luma %", ".3f"),
    ("psnr_db", "PSNR dB", ".2f"),
    ("ssim", "SSIM", ".4f"),
)
_LOCAL = (
    ("psnr_w_db", "PSNR_w dB", ".2f"),
    ("ssim_w", "SSIM_w", ".4f"),
    ("psnr_a_db", "PSNR_a dB", ".2f"),
    ("ssim_a", "SSIM_a", ".4f"),
)


def _print(rows: list[dict[str, Any]], mean: dict[str, dict[str, float]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    out = console()
    lines = [row for row in rows if not row["error"]]
    if len(lines) > 1:
        lines.append({"name": "mean", **mean})
    if lines:
        table = Table("whole image", *(head for _, head, _ in _WHOLE))
        for row in lines:
            table.add_row(escape(row["name"]), *(format(row["whole"][key], form) for key, _, form in _WHOLE))
        out.print(table)
    local = [column for column in _LOCAL if lines and column[0] in lines[0]["released"]]
    if local:
        table = Table("in the mask, aligned", "reading", *(head for _, head, _ in local))
        for row in lines:
            for reading in ("released", "paper"):
                figures = (format(row[reading][key], form) for key, _, form in local)
                table.add_row(escape(row["name"]), reading, *figures)
        out.print(table)
    for row in rows:
        if row["error"]:
            out.print(f"{row['name']}: {row['error']}", markup=False)
