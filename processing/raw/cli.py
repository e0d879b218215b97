"""The command `beamrig develop`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import click

from processing.profile import PROFILES, Profile
from rig.cli.common import json_option, print_json
from rig.cli.params import PathName
from rig.errors import BeamrigError

if TYPE_CHECKING:
    from processing.raw.develop import Wishes

__all__ = ["develop"]

_EXAMPLES = """\b
Examples:
  beamrig develop my-session/scenes/s01/static/*.dng --out pictures
  beamrig develop photo.NEF --out photo.png --exposure auto --bits 8
  beamrig develop chart.dng --chart --json

Beside each picture lies NAME.json: what was applied, and the SHA-256 of the RAW file.

JSON: files [{input, output, input_sha256, camera, reader, width_px, height_px, cfa, black_level, white_level,
white_balance, white_balance_source, colour_matrix, colour_matrix_source, exposure_ev, flip, profile, half,
chart, bits, beamrig, seconds}], failed [{input, error}]
"""


class _Balance(click.ParamType[Any]):
    """`camera`, `chart`, or three gains."""

    name = "camera|chart|R,G,B"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the word, or the three gains."""
        if value in ("camera", "chart") or not isinstance(value, str):
            return value
        try:
            gains = tuple(float(part) for part in value.split(","))
        except ValueError:
            gains = ()
        if len(gains) != 3 or not all(0.01 <= gain <= 100 for gain in gains):
            self.fail(f"{value!r} is neither camera nor chart nor three gains such as 2.1,1,1.6", param, ctx)
        return gains


class _Exposure(click.ParamType[Any]):
    """A number of EV, or `auto`."""

    name = "EV|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, None for auto."""
        if value == "auto" or value is None:
            return None
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not -10 <= number <= 10:
            self.fail(f"{value!r} is neither auto nor a number of EV from -10 to 10", param, ctx)
        return number


@click.command(epilog=_EXAMPLES)
@click.argument("files", nargs=-1, required=True, type=PathName(), metavar="FILE...")
@click.option(
    "--out", type=PathName(), default=".", show_default=True, help="Folder, or one .png or .tiff file."
)
@click.option(
    "--bits", type=click.Choice(["16", "8"]), default="16", show_default=True, help="Bits a channel."
)
@click.option("--format", "suffix", type=click.Choice(["png", "tiff"]), default="png", show_default=True)
@click.option(
    "--chart", is_flag=True, help="White balance and colour map from a colour chart in the picture."
)
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default="best",
    show_default=True,
    help="best, or the steps as the paper prints them.",
)
@click.option("--half", is_flag=True, help="Half the size, quickly.")
@click.option("--white-balance", "balance", type=_Balance(), default="camera", show_default=True)
@click.option(
    "--matrix", type=click.Choice(["camera", "chart", "none"]), default="camera", show_default=True,
    help="Colour map to sRGB.",
)  # fmt: skip
@click.option(
    "--exposure", type=_Exposure(), default="0", show_default=True,
    help="Brighter by EV; auto keeps 99 % below white.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace pictures and their NAME.json.")
@json_option
def develop(
    files: tuple[Path, ...],
    out: Path,
    bits: str,
    suffix: Literal["png", "tiff"],
    chart: bool,
    profile: str,
    half: bool,
    balance: Any,
    matrix: Literal["camera", "chart", "none"],
    exposure: float | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Develop RAW files of any camera (DNG, NEF, CR2, ...) as the pairs of a session are developed.

    Several files: the good ones are developed, the bad ones are told, and the exit code is 2.
    """
    targets = _targets(files, out, suffix, overwrite)

    from processing.raw.develop import Wishes, with_chart

    wishes = Wishes(cast("Profile", profile), half, balance, matrix, exposure)
    wishes = with_chart(wishes) if chart else wishes
    done: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    for path, target in zip(files, targets, strict=True):
        try:
            report = _one(path, target, wishes, int(bits))
        except BeamrigError as error:
            failed.append({"input": str(path), "error": error.one_line()})
            click.echo(f"error: {error.one_line()}", err=True)
            continue
        done.append(report)
        if not as_json:
            _print(report)
    if as_json and done:
        print_json({"files": done, "failed": failed})
    if failed:
        raise click.exceptions.Exit(2)


def _targets(files: tuple[Path, ...], out: Path, suffix: str, overwrite: bool) -> list[Path]:
    """Return where each picture goes; a clash is refused before any work is done."""
    from processing.errors import ProcessingError

    if out.suffix.lower() in (".png", ".tif", ".tiff") and not out.is_dir():
        if len(files) > 1:
            raise click.UsageError(f"{len(files)} pictures do not fit into {out}: name a folder with --out")
        targets = [out.with_suffix(".png" if out.suffix.lower() == ".png" else ".tiff")]
    else:
        targets = [out / f"{path.stem}.{suffix}" for path in files]
    if not out.is_dir() and out.exists() and targets[0] != out:
        raise ProcessingError(f"{out} is no folder", hint="choose another --out")
    inputs = {path.resolve() for path in files}
    seen: dict[Path, Path] = {}
    for path, target in zip(files, targets, strict=True):
        if target in seen and seen[target].resolve() != path.resolve():
            raise ProcessingError(
                f"{seen[target]} and {path} would both write {target}", hint="use two folders"
            )
        if target.resolve() in inputs:
            raise ProcessingError(f"{target} is also an input", hint="choose another --out")
        for file in (target, target.with_suffix(".json")):
            if file.exists() and not overwrite:
                raise ProcessingError(f"{file} exists", hint="use --overwrite, or another --out")
        seen[target] = path
    return targets


def _one(path: Path, target: Path, wishes: Wishes, bits: int) -> dict[str, Any]:
    """Develop one file, write the picture and what was applied."""
    import hashlib
    import time
    from importlib.metadata import version

    from processing.isp import to_8bit, to_16bit
    from processing.outputs import write_image, write_json
    from processing.raw.develop import develop_file

    started = time.perf_counter()
    developed = develop_file(path, wishes)
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        from rig.errors import RawFileError

        raise RawFileError(f"{path} is gone: {error.strerror or error}") from error
    write_image(target, to_8bit(developed.rgb) if bits == 8 else to_16bit(developed.rgb))
    record = {
        "input": str(path),
        "output": str(target),
        "input_sha256": digest,
        **developed.record(),
        "bits": bits,
        "beamrig": version("beamrig"),
    }
    write_json(target.with_suffix(".json"), record)
    return {**record, "seconds": round(time.perf_counter() - started, 3)}


def _print(report: dict[str, Any]) -> None:
    """Say what was made, in one line; two with a chart."""
    size = f"{report['width_px']}x{report['height_px']}"
    gains = ", ".join(f"{gain:.3f}" for gain in report["white_balance"])
    click.echo(
        f"{report['input']} -> {report['output']} ({report['camera'] or 'unknown camera'}, {size}, "
        f"white balance {gains} {report['white_balance_source']}, "
        f"colour map {report['colour_matrix_source']}, "
        f"{report['exposure_ev']:+.1f} EV, {report['seconds']:.2f} s)"
    )
    if report["chart"]:
        before, after = report["chart"]["delta_e2000_balanced"], report["chart"]["delta_e2000_mapped"]
        click.echo(
            f"  chart: dE2000 mean {after['mean']:.2f}, max {after['max']:.2f} of 24 patches "
            f"(balanced only: {before['mean']:.2f}, {before['max']:.2f})"
        )
