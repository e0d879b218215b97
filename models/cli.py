"""The command `beamrig deblur`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rig.cli.common import json_option, print_json
from rig.cli.params import PathName

if TYPE_CHECKING:
    from models.deblur import DeblurEngine

__all__ = ["deblur"]


_EXAMPLES = """\b
Examples:
  beamrig deblur my-session/derived/s01/action/t01_0000_B.png --out deblurred
  beamrig deblur *_B.png --weights lbag.safetensors --out deblurred --json
  beamrig deblur my-session --only-moved
  beamrig deblur --explain

A session's results lie beside its developed pictures: <pair>_deblurred.png, <pair>_deblurred_mask.png and a
record. What is there already is not made again; Ctrl+C keeps what is finished. Exit code 2: pairs failed
(the rest is done); 130: stopped.

JSON: engine, pictures [{input, deblurred, mask, height_px, width_px, bits, seconds, tiles, device, precision,
trained, notes}]; with --explain the engine alone; of a session engine, root, deblurred [pair], skipped
[pair], undeveloped {pair: reason}, failed {pair: reason}, share, cancelled, seconds
"""


@click.command(epilog=_EXAMPLES)
@click.argument("pictures", nargs=-1, type=PathName(exists=True), metavar="SESSION | IN.png ...")
@click.option("--weights", type=PathName(), help="LBAG weights (.ckpt or .safetensors).")
@click.option("--out", type=PathName(), help="Folder for the results; made if missing.")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where the network runs.",
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "fp32", "bf16", "fp16"]),
    default="auto",
    show_default=True,
    help="auto measures on this machine, once.",
)
@click.option("--overwrite", is_flag=True, help="Replace results that exist.")
@click.option("--scene", "scenes", multiple=True, metavar="NAME", help="Of a session; repeatable.")
@click.option(
    "--take", "takes", multiple=True, type=click.IntRange(1), metavar="N", help="Likewise; repeatable."
)
@click.option(
    "--kind",
    type=click.Choice(["action", "static", "all"]),
    default="action",
    show_default=True,
    help="Of a session: pairs of these takes.",
)
@click.option("--only-moved", is_flag=True, help="Of a session: run the network only where B differs from S.")
@click.option("--explain", is_flag=True, help="Only say what would run, where and why.")
@json_option
def deblur(
    pictures: tuple[Path, ...],
    weights: Path | None,
    out: Path | None,
    device: str,
    precision: str,
    overwrite: bool,
    scenes: tuple[str, ...],
    takes: tuple[int, ...],
    kind: str,
    only_moved: bool,
    explain: bool,
    as_json: bool,
) -> None:
    """Remove local motion blur from developed B pictures with LBAG, or from all developed pairs of a SESSION.

    For every IN.png writes IN_deblurred.png (16 bit if IN is) and IN_mask.png, the blur mask, white where the
    network sees blur. Without --weights those of $BEAMRIG_WEIGHTS are used, else the shipped ones.
    """
    if explain:
        _print_explanation(_engine(weights, device, precision), as_json)
        return
    if not pictures:
        raise click.UsageError("name at least one picture, or --explain")
    if len(pictures) == 1 and pictures[0].is_dir():
        if out is not None:
            raise click.UsageError("results of a session lie in the session: leave --out away")
        from models.session_cli import deblur_whole_session
        from models.session_pair import DeblurWish

        wish = DeblurWish(scenes, takes, kind, only_moved, precision, again=overwrite)
        deblur_whole_session(pictures[0], weights, device, wish, as_json=as_json)
        return
    if scenes or takes or only_moved or kind != "action":
        raise click.UsageError("--scene, --take, --kind and --only-moved go with a session")
    folder = next((path for path in pictures if path.is_dir()), None)
    if folder is not None:
        raise click.UsageError(f"{folder} is a folder: name pictures, or one session alone")
    if out is None:
        raise click.UsageError("name the folder for the results with --out DIR")
    targets = _targets(pictures, out, overwrite)
    _make_folder(out)

    from models.images import read_picture

    # The first picture is read before the network is built, so that a wrong name is answered at once.
    first = read_picture(pictures[0])
    engine = _engine(weights, device, precision)
    info = engine.describe()
    if not info.trained:
        click.secho(f"warning: {info.note}", fg="yellow", err=True)
    if not as_json:
        click.echo(f"{info.architecture} on {info.device} in {info.precision} ({info.reason})")
    reports = []
    for index, path in enumerate(pictures):
        picture = first if index == 0 else read_picture(path)
        report = _deblur_one(engine, path, picture.rgb, targets[index], overwrite=overwrite)
        report["notes"] = list(picture.notes)
        reports.append(report)
        if not as_json:
            notes = "".join(f"; {note}" for note in picture.notes)
            click.echo(
                f"{path} -> {report['deblurred']}, {report['mask']} in {report['seconds']:.2f} s{notes}"
            )
    if as_json:
        print_json({"engine": info.to_dict(), "pictures": reports})


def _engine(weights: Path | None, device: str, precision: str) -> DeblurEngine:
    from models.deblur import DeblurEngine
    from models.weights import choose_weights

    return DeblurEngine(choose_weights(weights), device, precision)


def _print_explanation(engine: DeblurEngine, as_json: bool) -> None:
    from models.explain import print_explanation

    info = engine.prepare()
    if as_json:
        print_json(info.to_dict())
    else:
        print_explanation(info)


def _targets(pictures: tuple[Path, ...], out: Path, overwrite: bool) -> list[tuple[Path, Path]]:
    """Return the two files of every picture; a clash is refused before any work is done."""
    from models.errors import ImageError

    targets = [(out / f"{path.stem}_deblurred.png", out / f"{path.stem}_mask.png") for path in pictures]
    seen: dict[Path, Path] = {}
    inputs = {path.resolve() for path in pictures}
    for path, pair in zip(pictures, targets, strict=True):
        for target in pair:
            if target in seen:
                raise ImageError(
                    f"{seen[target]} and {path} would both write {target}", hint="use two folders"
                )
            if target.resolve() in inputs:
                raise ImageError(f"{target} is also an input", hint="choose another --out")
            if target.exists() and not overwrite:
                raise ImageError(f"{target} exists", hint="use --overwrite, or another --out")
            seen[target] = path
    return targets


def _make_folder(out: Path) -> None:
    """Make the folder of the results and see that it takes files, before the network works for nothing."""
    from models.errors import ImageError

    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise ImageError(
            f"cannot write into {out}: {error.strerror or error}", hint="choose another --out"
        ) from error


def _deblur_one(
    engine: DeblurEngine, path: Path, rgb: Any, targets: tuple[Path, Path], *, overwrite: bool
) -> dict[str, Any]:
    """Deblur one picture, write both files and return what was done."""
    import numpy as np
    from rich.console import Console
    from rich.progress import Progress

    from models.images import write_png

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(path.name, total=1.0)
        result = engine.run(rgb, progress=lambda done: bar.update(task, completed=done))
    white = np.iinfo(rgb.dtype).max
    write_png(targets[0], np.rint(result.sharp * white).astype(rgb.dtype), overwrite=overwrite)
    write_png(targets[1], np.rint(result.mask * 255).astype(np.uint8), overwrite=overwrite)
    return {
        "input": str(path),
        "deblurred": str(targets[0]),
        "mask": str(targets[1]),
        "height_px": int(rgb.shape[0]),
        "width_px": int(rgb.shape[1]),
        "bits": 16 if white > 255 else 8,
        "seconds": round(result.seconds, 3),
        "tiles": result.tiles,
        "device": result.info.device,
        "precision": result.info.precision,
        "trained": result.info.trained,
    }
