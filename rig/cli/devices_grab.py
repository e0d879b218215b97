"""`beamrig devices grab`: a few frames of any camera, and what they are like."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich import box
from rich.table import Table

from rig.camera.paths import checked_path
from rig.cli.common import console, json_option, print_json
from rig.cli.device_options import cti_option, id_option, the_producer
from rig.cli.params import PathName
from rig.errors import DeviceError, FeatureMissing, FeatureRejected

if TYPE_CHECKING:  # they load numpy; --help must not wait for it
    from rig.camera.inbox import FrameRecord
    from rig.camera.process import CameraProcess
    from rig.camera.types import FeatureValue, Pixels

_FIRST_FRAME_S = 10.0

_EXAMPLES = """\b
Examples:
  beamrig devices grab --cti producer.cti --id 40012345 --frames 5 --json
  beamrig devices grab --cti producer.cti --set ExposureTime=5000 --out frames

JSON: device, frames [{frame_id, timestamp_ns, width, height, pixel_format, mean, min, max, exposure_us}],
delivered, fps
"""


@click.command(epilog=_EXAMPLES)
@cti_option()
@id_option
@click.option("--frames", type=click.IntRange(1, 100_000), default=5, show_default=True, help="How many.")
@click.option("--set", "settings", multiple=True, metavar="FEATURE=VALUE", help="Write a feature first.")
@click.option("--out", type=PathName(file_okay=False), help="Folder for TIFF files.")
@json_option
def grab(
    cti: Path | None, device: str, frames: int, settings: tuple[str, ...], out: Path | None, as_json: bool
) -> None:
    """Grab frames from a free-running camera and print what they are like."""
    from rig.camera.process import CameraProcess

    with CameraProcess.bare(checked_path(the_producer(cti)), device) as camera:
        _free_run(camera)
        for setting in settings:
            name, equals, value = setting.partition("=")
            if not equals:
                raise click.BadParameter(f"{setting!r} is not FEATURE=VALUE", param_hint="--set")
            camera.write(name.strip(), value.strip(), rel_tol=0.01)
        camera.start("science")
        rows = []
        for number in range(frames):
            record = camera.next_record(_FIRST_FRAME_S)
            rows.append(_row(record, camera.pixels(record)))
            if out is not None:
                _save(out, number, camera.pixels(record))
            camera.release(record)
        camera.stop()
        info = camera.info
    fps = _rate(rows)
    if as_json:
        print_json({"device": info.to_dict(), "frames": rows, "delivered": len(rows), "fps": fps})
        return
    _print_frames(f"{info.model} {info.serial_number}", rows)
    console().print(f"delivered {len(rows)}" + (f", {fps:.2f} frames/s" if fps is not None else ""))


def _free_run(camera: CameraProcess) -> None:
    """Switch every trigger off, where the camera has any; it may come as another program left it."""
    try:
        selectors: list[FeatureValue] = list(camera.entries("TriggerSelector"))
        before = camera.read("TriggerSelector")
    except (FeatureMissing, FeatureRejected):
        return  # this camera has no triggers to switch off
    for selector in [*selectors, before]:
        camera.write("TriggerSelector", selector)
        camera.write("TriggerMode", "Off")


def _row(record: FrameRecord, pixels: Pixels) -> dict[str, Any]:
    meta = record.meta
    return {
        "frame_id": meta.frame_id,
        "timestamp_ns": meta.timestamp_ns,
        "width": meta.shape[1],
        "height": meta.shape[0],
        "pixel_format": meta.pixel_format,
        "mean": round(float(pixels.mean()), 3),
        "min": int(pixels.min()),
        "max": int(pixels.max()),
        "exposure_us": None if math.isnan(meta.exposure_us) else meta.exposure_us,
    }


def _rate(rows: list[dict[str, Any]]) -> float | None:
    span_ns = rows[-1]["timestamp_ns"] - rows[0]["timestamp_ns"]
    return round((len(rows) - 1) * 1e9 / span_ns, 3) if span_ns > 0 else None


def _print_frames(title: str, rows: list[dict[str, Any]]) -> None:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("frame id", "timestamp_ns", "size", "format", "mean", "min", "max", "exposure_us"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        exposure = "-" if row["exposure_us"] is None else f"{row['exposure_us']:g}"
        size = f"{row['width']}x{row['height']}"
        cells = [row["frame_id"], row["timestamp_ns"], size, row["pixel_format"], row["mean"], row["min"]]
        table.add_row(*map(str, [*cells, row["max"], exposure]))
    console().print(table)


def _save(folder: Path, number: int, pixels: Pixels) -> None:
    import tifffile

    part = folder / f"frame_{number:05d}.tif.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            tifffile.imwrite(file, pixels)
    except OSError as exc:
        raise DeviceError(f"{part} cannot be written: {exc.strerror}") from exc
    part.rename(part.with_suffix(""))
