"""The commands `beamrig synth ...`: made training pairs, written to a folder with a sheet to look at."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from rig.cli.common import json_option, print_json
from rig.cli.interrupt import cancel_by_ctrl_c
from rig.cli.params import FiniteRange, PathName
from rig.cli.progress import progress_bar
from rig.virtual.backgrounds import BACKGROUNDS

if TYPE_CHECKING:
    from models.synth.folder import PairFolder
    from models.synth.made import Made

__all__ = ["synth"]

F = TypeVar("F", bound=Callable[..., Any])
_WRITERS: Final = 4
_VIRTUAL: Final = "--from-virtual-rig"
_EXAMPLES: Final = """\b
Examples:
  beamrig synth objects photos --out pairs --count 500 --blur 3 16
  beamrig synth film gopro.mp4 --out pairs --frames 7 13
  beamrig synth --from-virtual-rig --out pairs --count 60 --background mural --background garden

\b
DIR gets blurred/, sharp/, mask/, records/ (seed and parameters of every pair), synth.json and sheet.png.
The same command again goes on where it was stopped; a larger --count adds pairs.

\b
JSON: root, made, kept, seconds, sheet, settings
"""


class _SynthGroup(click.Group):
    """The group; `--from-virtual-rig` is another name of its command `rig`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command `rig` where the option stands for it."""
        if args and args[0] != "rig" and _VIRTUAL in args:
            if args[0] in self.commands:
                raise click.UsageError(f"{_VIRTUAL} takes the place of {args[0]!r}; give one of them")
            args = ["rig", *(word for word in args if word != _VIRTUAL)]
        return super().parse_args(ctx, args)


def _common(function: F) -> F:
    """Add the options that all three commands share."""
    for option in (
        json_option,
        click.option("--sheet/--no-sheet", default=True, help="Draw sheet.png of some pairs."),
        click.option("--overwrite", is_flag=True, help="Drop the pairs of an earlier run in DIR."),
        click.option("--bits", type=click.Choice(["8", "16"]), default="8", show_default=True),
        click.option("--seed", type=click.IntRange(0), default=0, show_default=True),
        click.option("--out", type=PathName(), required=True, metavar="DIR", help="Folder of the pairs."),
    ):
        function = option(function)
    return function


def _blur_option(low: float, high: float) -> Callable[[F], F]:
    return click.option(
        "--blur", "blur_px", nargs=2, type=FiniteRange(min=1), default=(low, high), show_default=True,
        metavar="LOW HIGH", help="Shortest and longest blur, px.",
    )  # fmt: skip


_count_option = click.option("--count", type=click.IntRange(1), default=100, show_default=True, help="Pairs.")


@click.group(cls=_SynthGroup, epilog=_EXAMPLES)
def synth() -> None:
    """Make training pairs: objects over photographs, averaged film, or the virtual rig's own pictures.

    `synth --from-virtual-rig ...` is `synth rig ...`.
    """


@synth.command()
@click.argument("photos", type=PathName(exists=True, file_okay=False))
@_count_option
@click.option("--side", type=click.IntRange(16, 4096), default=320, show_default=True, help="Of a pair, px.")
@_blur_option(3.0, 16.0)
@click.option(
    "--split", type=click.Choice(["train", "test", "all"]), default="all", show_default=True,
    help="Photographs to use, backgrounds and objects alike.",
)  # fmt: skip
@click.option(
    "--noise", type=FiniteRange(0, 1), default=0.005, show_default=True,
    help="Largest sensor noise at white, in the blurred picture alone.",
)  # fmt: skip
@click.option(
    "--still-share", type=FiniteRange(0, 1), default=0.1, show_default=True, help="Pairs without a mover."
)
@click.option(
    "--near-share", type=FiniteRange(0, 1), default=0.0, show_default=True,
    help="Movers so near that they fill the picture, or most of it.",
)  # fmt: skip
@_common
def objects(
    photos: Path, out: Path, overwrite: bool, sheet: bool, as_json: bool, side: int, bits: str, **wished: Any
) -> None:
    """Local Blur Synthesis: objects cut from PHOTOS move before pieces of others.

    PHOTOS is a folder of jpg and png files. Where NAME_labels.png (a region's number a pixel) stands beside
    NAME.jpg, objects are cut along its regions; else outlines are made up.
    """
    from models.synth.folder import PairFolder
    from models.synth.local_blur import LocalBlurSource

    source = LocalBlurSource(photos, side_px=side, bits=int(bits), **wished)
    folder = PairFolder(out, "objects", source.settings(), overwrite=overwrite)
    made = (None if folder.has(source.name(i)) else source.make(i) for i in range(len(source)))
    _run(folder, made, len(source), source.settings(), sheet=sheet, as_json=as_json)


@synth.command()
@click.argument("films", nargs=-1, required=True, type=PathName(exists=True), metavar="FILM ...")
@click.option("--count", type=click.IntRange(1), help="Pairs at most; all that the films give when left out.")
@click.option(
    "--frames", nargs=2, type=click.IntRange(3, 999), default=(7, 13), show_default=True, metavar="LOW HIGH",
    help="Frames of a pair: odd numbers between.",
)  # fmt: skip
@click.option("--gap", type=click.IntRange(0), default=0, show_default=True, help="Frames between pairs.")
@click.option(
    "--curve", type=click.Choice(["gamma", "srgb"]), default="gamma", show_default=True,
    help="The camera's: x^(1/2.2) or sRGB's.",
)  # fmt: skip
@click.option("--still-camera", is_flag=True, help="Make masks of what moved; else none are known.")
@_common
def film(
    films: tuple[Path, ...],
    count: int | None,
    out: Path,
    overwrite: bool,
    sheet: bool,
    as_json: bool,
    bits: str,
    **wished: Any,
) -> None:
    """Average consecutive frames of high-speed FILMs (video files or folders of frames), as GOPRO did."""
    import itertools

    from models.synth.film import FilmPairs, read_frames
    from models.synth.folder import PairFolder

    pairs = FilmPairs(films, bits=int(bits), **wished)
    for one in films:
        next(read_frames(one))  # what is no film is refused before a folder is made
    settings = {**pairs.settings(), "count": count}
    folder = PairFolder(out, "film", settings, overwrite=overwrite)
    made = itertools.islice(pairs.make(folder.has), count)
    _run(folder, made, count, settings, sheet=sheet, as_json=as_json)


@synth.command()
@_count_option
@click.option(
    "--background", "backgrounds", multiple=True, type=click.Choice(list(BACKGROUNDS)),
    help="Repeatable: scenes take turns; all when left out.",
)  # fmt: skip
@_blur_option(6.0, 24.0)
@click.option("--per-scene", type=click.IntRange(1), default=10, show_default=True, help="Pairs a scene.")
@click.option(
    "--still-share", type=FiniteRange(0, 1), default=0.05, show_default=True, help="Pairs without motion."
)
@click.option(
    "--transmittance", type=FiniteRange(0.01, 0.5), default=0.0625, show_default=True,
    help="Of B's filter; S has this part of B's blur.",
)  # fmt: skip
@_common
def rig(
    backgrounds: tuple[str, ...],
    out: Path,
    overwrite: bool,
    sheet: bool,
    as_json: bool,
    bits: str,
    **wished: Any,
) -> None:
    """True pairs of the virtual rig, S in the middle of B, developed by the project's own pipeline."""
    from models.synth.folder import PairFolder
    from models.synth.rig_pairs import RigPairs

    pairs = RigPairs(backgrounds=backgrounds or tuple(BACKGROUNDS), bits=int(bits), **wished)
    folder = PairFolder(out, "rig", pairs.settings(), overwrite=overwrite)
    _run(folder, pairs.make(folder.has), pairs.count, pairs.settings(), sheet=sheet, as_json=as_json)


def _run(
    folder: PairFolder,
    pairs: Iterator[Made | None],
    total: int | None,
    settings: dict[str, Any],
    *,
    sheet: bool,
    as_json: bool,
) -> None:
    """Write what is made; Ctrl+C stops after the pair in hand, and what is complete stays."""
    from models.synth.sheet import write_sheet

    made = kept = 0
    begun = time.monotonic()
    with contextlib.ExitStack() as stack:
        cancel = stack.enter_context(cancel_by_ctrl_c())
        tell = stack.enter_context(progress_bar(quiet=as_json, time_left=total is not None))
        # Files are flushed to the disk one by one; waiting for that takes longer than making a pair.
        pool = stack.enter_context(ThreadPoolExecutor(_WRITERS))
        writing: deque[Future[None]] = deque()
        for one in pairs:
            if one is None:
                kept += 1
            else:
                writing.append(pool.submit(folder.write, one))
                made += 1
            while len(writing) > 2 * _WRITERS or (writing and cancel.is_set()):
                writing.popleft().result()
            if tell is not None:
                tell((made + kept) / total if total else 0.0, f"{made + kept} pairs")
            if cancel.is_set():
                click.echo(f"{made} made, {kept} kept; the same command goes on from here", err=True)
                raise click.Abort
        for last in writing:
            last.result()
    sheet_path = folder.root / "sheet.png"
    shown = write_sheet(folder, sheet_path) if sheet else 0
    report = {
        "root": str(folder.root),
        "made": made,
        "kept": kept,
        "seconds": round(time.monotonic() - begun, 3),
        "sheet": str(sheet_path) if shown else None,
        "settings": settings,
    }
    if as_json:
        print_json(report)
    else:
        seen = f"; look at {sheet_path}" if shown else ""
        click.echo(f"{folder.root}: {made} pairs made, {kept} were there, {report['seconds']:.1f} s{seen}")
