"""The command `beamrig kernel-deblur`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rig.cli.common import json_option, print_json
from rig.cli.params import PathName

if TYPE_CHECKING:
    from models.kernel_deblur import KernelDeblurResult

__all__ = ["kernel_deblur_command"]

_EXAMPLES = """\b
Examples:
  beamrig kernel-deblur mover.png --out found --blur 21
  beamrig kernel-deblur face.png --out found --weights GOPRO_woVAE.pth

Searches for minutes to hours, by size: cut out what moves. Ctrl+C stops without a result, exit code 130.

JSON: input, deblurred, kernel, method, steps, seed, distance_first, distance_last, seconds
"""

LARGEST_BLUR_PX = 101


@click.command("kernel-deblur", epilog=_EXAMPLES)
@click.argument("picture", type=PathName(exists=True, dir_okay=False), metavar="IN.png")
@click.option("--out", type=PathName(), required=True, help="Folder for the results; made if missing.")
@click.option(
    "--blur",
    "blur_px",
    type=click.IntRange(1, LARGEST_BLUR_PX),
    default=15,
    show_default=True,
    metavar="PX",
    help="Longest blur to look for, without --weights.",
)
@click.option(
    "--weights", type=PathName(), help="Of the blur kernel space: blur may differ from place to place."
)
@click.option(
    "--steps", type=click.IntRange(1), help="Steps of the search.  [default: 2000, 5000 with --weights]"
)
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Of the search.")
@click.option("--overwrite", is_flag=True, help="Replace results that exist.")
@json_option
def kernel_deblur_command(
    picture: Path,
    out: Path,
    blur_px: int,
    weights: Path | None,
    steps: int | None,
    seed: int,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Search the sharp picture and the blur kernel that explain one blurred picture.

    Needs no trained network: without --weights one kernel is assumed for the whole picture, as by camera
    shake, or where one thing moves in a straight line and was cut out. The search can end in another kernel
    than the true one: try other seeds. Writes IN_deblurred.png (16 bit if IN is) and, where there is one
    kernel, IN_kernel.png with its largest value white.
    """
    import sys
    from dataclasses import replace

    from models.blur_operators import BlurOperator, EncodedBlur, UniformBlur
    from models.errors import Cancelled
    from models.images import read_picture
    from models.kernel_deblur import ENCODED_SEARCH, UNIFORM_SEARCH, kernel_deblur
    from rig.cli.interrupt import cancel_by_ctrl_c
    from rig.cli.progress import progress_bar

    targets = _targets(picture, out, uniform=weights is None, overwrite=overwrite)
    rgb = read_picture(picture).rgb
    operator: BlurOperator
    if weights is None:
        operator, settings = UniformBlur(blur_px + 1 + blur_px % 2), UNIFORM_SEARCH
    else:
        operator, settings = EncodedBlur(_kernel_space(weights)), ENCODED_SEARCH
    steps = steps or settings.steps
    warm_up = settings.warm_up * steps // settings.steps
    settings = replace(settings, seed=seed, steps=steps, warm_up=warm_up)
    with progress_bar(quiet=as_json) as bar, cancel_by_ctrl_c() as cancel:

        def tell(done: float, distance: float) -> None:
            if bar is not None:
                bar(done, f"distance {distance:.4f}")

        try:
            result = kernel_deblur(rgb, operator, settings, cancel=cancel, progress=tell)
        except Cancelled as stopped:
            click.echo(f"error: {stopped.one_line()}", err=True)
            sys.exit(130)
    _write(result, targets, rgb, overwrite=overwrite)
    report = {
        "input": str(picture),
        "deblurred": str(targets[0]),
        "kernel": str(targets[1]) if len(targets) > 1 else None,
        "method": "uniform" if weights is None else "kernel-space",
        "steps": settings.steps,
        "seed": seed,
        "distance_first": result.curve[0],
        "distance_last": result.curve[-1],
        "seconds": round(result.seconds, 3),
    }
    if as_json:
        print_json(report)
    else:
        click.echo(
            f"{picture} -> {', '.join(map(str, targets))} in {result.seconds:.1f} s; "
            f"distance {result.curve[0]:.4f} -> {result.curve[-1]:.4f}"
        )


def _kernel_space(weights: Path) -> Any:
    from models.checkpoints import load_network
    from models.errors import CheckpointError
    from models.networks.kernel_space import KernelSpace

    model, checkpoint = load_network(weights)
    if not isinstance(model, KernelSpace):
        raise CheckpointError(
            f"{weights.name} holds {checkpoint.architecture}, not the blur kernel space",
            hint="for other networks: beamrig deblur",
        )
    return model


def _targets(picture: Path, out: Path, *, uniform: bool, overwrite: bool) -> list[Path]:
    """Return the files to write; a clash is refused before any work is done, and the folder is made."""
    from models.errors import ImageError

    names = ("deblurred", "kernel") if uniform else ("deblurred",)
    targets = [out / f"{picture.stem}_{name}.png" for name in names]
    for target in targets:
        if target.resolve() == picture.resolve():
            raise ImageError(f"{target} is also the input", hint="choose another --out")
        if target.exists() and not overwrite:
            raise ImageError(f"{target} exists", hint="use --overwrite, or another --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(
            f"cannot write into {out}: {error.strerror or error}", hint="choose another --out"
        ) from error
    return targets


def _write(result: KernelDeblurResult, targets: list[Path], rgb: Any, *, overwrite: bool) -> None:
    import numpy as np

    from models.images import write_png

    white = np.iinfo(rgb.dtype).max
    write_png(targets[0], np.rint(result.sharp * white).astype(rgb.dtype), overwrite=overwrite)
    if len(targets) > 1:
        shown = result.kernel / result.kernel.max()
        write_png(targets[1], np.rint(shown * 255).astype(np.uint8), overwrite=overwrite)
