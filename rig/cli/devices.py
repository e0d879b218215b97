"""`beamrig devices`: list cameras, grab frames, list features; of any GenTL producer."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich import box
from rich.table import Table

from rig.camera.paths import SEARCH_VARIABLE, absolute_cti, checked_path, installed_producers
from rig.cli.common import console, json_option, print_json
from rig.cli.params import PathName
from rig.errors import BeamrigError, DeviceError, FeatureMissing, FeatureRejected

if TYPE_CHECKING:  # they load numpy; --help must not wait for it
    from rig.camera.inbox import FrameRecord
    from rig.camera.process import CameraProcess
    from rig.camera.types import FeatureInfo, FeatureValue, Pixels

F = TypeVar("F", bound=Callable[..., Any])
_FIRST_FRAME_S = 10.0

_EXAMPLES = """\b
Examples:
  beamrig devices --rig virtual
  beamrig devices --cti /opt/maker/lib/producer.cti --json
  beamrig devices features --cti producer.cti --id 40012345 --search trigger

JSON: producers [{cti, error, devices [{cti, id, vendor, model, serial_number, user_name, tl_type,
access_status}]}]
"""
_GRAB_EXAMPLES = """\b
Examples:
  beamrig devices grab --cti producer.cti --id 40012345 --frames 5 --json
  beamrig devices grab --cti producer.cti --set ExposureTime=5000 --out frames

JSON: device, frames [{frame_id, timestamp_ns, width, height, pixel_format, mean, min, max, exposure_us}],
delivered, fps
"""
_FEATURES_EXAMPLES = """\b
Example:
  beamrig devices features --cti producer.cti --id 40012345 --search exposure

JSON: device, features [{name, value, unit, minimum, maximum, increment, entries, access, description, ...}]
"""


def _cti_option(**settings: Any) -> Callable[[F], F]:
    return click.option("--cti", type=PathName(), help="GenTL producer (.cti).", **settings)


def _id_option(function: F) -> F:
    which = "Device id or serial number; not needed for an only one."
    return click.option("--id", "device", default="", metavar="DEVICE", help=which)(function)


@click.group(invoke_without_command=True, epilog=_EXAMPLES)
@_cti_option(multiple=True)
@click.option("--rig", "rig_name", metavar="NAME", help="List what the producers of this rig show.")
@json_option
@click.pass_context
def devices(ctx: click.Context, cti: tuple[Path, ...], rig_name: str | None, as_json: bool) -> None:
    """List the cameras of the given producers, of a rig's, or of those in GENICAM_GENTL64_PATH."""
    if ctx.invoked_subcommand is not None:
        if cti or rig_name or as_json:
            raise click.UsageError(f"options of 'devices {ctx.invoked_subcommand}' go after its name")
        return
    named = [absolute_cti(path) for path in cti] + ([] if rig_name is None else _of_rig(rig_name))
    errors: list[BeamrigError] = []
    listed = [_listed(path, errors) for path in named or installed_producers()]
    if len(errors) == len(listed) == 1:
        raise errors[0]
    if as_json:
        print_json({"producers": listed})
    elif listed:
        _print_devices(listed)
    else:
        console().print(f"No producer: give --cti PATH or --rig NAME (as virtual), or set {SEARCH_VARIABLE}.")
    if errors and named:
        raise errors[0]


def _of_rig(name: str) -> list[Path]:
    from rig.profiles import expand, load_rig

    rig = expand(load_rig(name), Path(tempfile.gettempdir()))
    return list(dict.fromkeys(absolute_cti(slot.cti) for slot in rig.cameras.values()))


def _listed(path: Path, errors: list[BeamrigError]) -> dict[str, Any]:
    from rig.camera.discovery import discover

    try:
        found = discover(path)
    except BeamrigError as exc:
        errors.append(exc)
        return {"cti": str(path), "error": exc.one_line(), "devices": []}
    return {"cti": str(path), "error": None, "devices": [info.to_dict() for info in found]}


def _print_devices(listed: list[dict[str, Any]]) -> None:
    for producer in listed:
        console().print(producer["cti"], soft_wrap=True)
        if producer["error"] or not producer["devices"]:
            console().print(f"  {producer['error'] or 'no camera'}", soft_wrap=True)
            continue
        table = Table(box=box.SIMPLE_HEAD)
        for column in ("id", "serial number", "model", "user name", "access"):
            table.add_column(column, overflow="fold")
        for one in producer["devices"]:
            model = f"{one['vendor']} {one['model']}"
            table.add_row(one["id"], one["serial_number"], model, one["user_name"], one["access_status"])
        console().print(table)


@devices.command(epilog=_GRAB_EXAMPLES)
@_cti_option(required=True)
@_id_option
@click.option("--frames", type=click.IntRange(1, 100_000), default=5, show_default=True, help="How many.")
@click.option("--set", "settings", multiple=True, metavar="FEATURE=VALUE", help="Write a feature first.")
@click.option("--out", type=PathName(file_okay=False), help="Folder for TIFF files.")
@json_option
def grab(
    cti: Path, device: str, frames: int, settings: tuple[str, ...], out: Path | None, as_json: bool
) -> None:
    """Grab frames from a free-running camera and print what they are like."""
    from rig.camera.process import CameraProcess

    with CameraProcess.bare(checked_path(cti), device) as camera:
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


@devices.command(epilog=_FEATURES_EXAMPLES)
@_cti_option(required=True)
@_id_option
@click.option("--search", default="", metavar="TEXT", help="Only with this in name or description.")
@json_option
def features(cti: Path, device: str, search: str, as_json: bool) -> None:
    """List a camera's features: values, units, limits, access."""
    from rig.camera.process import CameraProcess

    with CameraProcess.bare(checked_path(cti), device) as camera:
        found = camera.features()
        info = camera.info
    text = search.lower()
    found = [one for one in found if text in one.name.lower() or text in one.description.lower()]
    if as_json:
        print_json({"device": info.to_dict(), "features": [_finite(one.to_dict()) for one in found]})
        return
    table = Table(title=f"{info.model} {info.serial_number}", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("feature", no_wrap=True)
    for column in ("value", "limits or entries", "access"):
        table.add_column(column, overflow="fold")
    for one in found:
        value = "" if one.value is None else f"{one.value} {one.unit}".rstrip()
        table.add_row(one.name, value, _range(one), one.access)
    console().print(table)


def _range(one: FeatureInfo) -> str:
    if one.access == "read only" or one.minimum is None or one.maximum is None:
        return "" if one.access == "read only" else ", ".join(one.entries)
    step = f", step {one.increment:g}" if one.increment is not None else ""
    return f"{one.minimum:g} to {one.maximum:g}{step}"


def _finite(data: dict[str, Any]) -> dict[str, Any]:
    """Replace infinities by None: a camera may state them as limits, JSON has no word for them."""
    odd = {key for key, value in data.items() if isinstance(value, float) and not math.isfinite(value)}
    return {key: None if key in odd else value for key, value in data.items()}
