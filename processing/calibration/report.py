"""A calibration of the laboratory in a few figures and lines, for people and for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from processing.calibration.file import read_sealed
from processing.calibration.frame_format import FrameFormat
from processing.calibration.laboratory import (
    Calibration,
    ColourCalibration,
    GeometryCalibration,
    LightboxCalibration,
    load_calibration,
)
from processing.calibration.scene import SceneCalibration
from processing.colour import PHASES


def read(path: Path) -> dict[str, Any]:
    """Return `summary` of any calibration file, of the laboratory or of a scene.

    Raises:
        CalibrationError: if it is damaged, of another version, or its sources changed.
    """
    if read_sealed(path)["kind"] == "scene":
        return _of_scene(SceneCalibration.load(path), path)
    calibration = load_calibration(path)
    calibration.card.check_sources(path.name, [path.resolve().parent.parent])
    return summary(calibration, path)


def summary(calibration: Calibration, path: Path) -> dict[str, Any]:
    """Return what a calibration says as plain values; `lines` is the same in words."""
    card, picture = calibration.card, path.with_suffix(".png")
    figures, lines = _figures(calibration)
    return {
        "file": str(path),
        "picture": str(picture) if picture.is_file() else None,
        "id": calibration.id,
        "kind": calibration.kind,
        "created": card.created,
        "valid_days": card.valid_days,
        "cameras": {name: _camera(frame) for name, frame in card.frames.items()},
        "sources": len(card.sources),
        "figures": figures,
        "lines": lines,
    }


def _camera(frame: FrameFormat) -> str:
    return (
        f"{frame.serial_number or 'without serial number'}, {frame.size} {frame.cfa}, "
        f"black {frame.black_level:g}, white {frame.white_level:g}, gain {frame.gain_db:g} dB"
    )


def _of_scene(scene: SceneCalibration, path: Path) -> dict[str, Any]:
    left, after = scene.residual, scene.static_metrics["after"]
    figures: dict[str, Any] = {
        "choices": scene.choices.to_dict(),
        "beta": list(scene.beta),
        "beta_measured_on": scene.brightness.shares(),
        "white_balance": list(scene.balance),
        "residual_px": {"mean": left.mean_px, "p95": left.p95_px},
        "static_pair": scene.static_metrics,
        "used": scene.used,
        "left_out": scene.left_out,
    }
    used = ", ".join(f"{kind} {name}" for kind, name in scene.used.items())
    lines = [
        f"scene {scene.scene}, profile {scene.profile}: "
        + ", ".join(f"{name} {value}" for name, value in scene.choices.to_dict().items()),
        "beta " + ", ".join(f"{value:.4f}" for value in scene.beta)
        + f" on {100 * scene.brightness.used:.0f} % of the frame",
        "white balance " + ", ".join(f"{gain:.4f}" for gain in scene.balance) + f"; {scene.matrix_source}",
        f"left misaligned: mean {left.mean_px:.4f} px, p95 {left.p95_px:.4f} px",
        f"static pair: {after['psnr_db']:.2f} dB, SSIM {after['ssim']:.4f}",
        f"with calibrations of the laboratory: {used or 'none'}",
        *scene.notes(),
    ]  # fmt: skip
    return {
        "file": str(path),
        "picture": None,
        "id": scene.id,
        "kind": "scene",
        "created": scene.created,
        "valid_days": None,
        "cameras": {name: _camera(frame) for name, frame in scene.frames.items()},
        "sources": len(scene.sources),
        "figures": figures,
        "lines": lines,
    }


def _figures(calibration: Calibration) -> tuple[dict[str, Any], list[str]]:
    if isinstance(calibration, LightboxCalibration):
        return _of_lightbox(calibration)
    if isinstance(calibration, ColourCalibration):
        return _of_colour(calibration)
    if isinstance(calibration, GeometryCalibration):
        return _of_geometry(calibration)
    raise TypeError(type(calibration).__name__)


def _of_lightbox(calibration: LightboxCalibration) -> tuple[dict[str, Any], list[str]]:
    figures: dict[str, Any] = {"degree": next(iter(calibration.colour.values())).degree}
    lines = [f"polynomial of degree {figures['degree']}"]
    for camera, maps in calibration.cast.items():
        figures[camera] = maps.figures()
        lines.append(
            f"{camera}: fall-off {max(maps.fall_off(p) for p in PHASES):.1f} %, "
            f"left rms {max(maps.rms(p) for p in PHASES):.3f} %, "
            f"max {max(maps.largest(p) for p in PHASES):.3f} %, "
            f"grey {maps.grey_before[0]}-{maps.grey_before[1]} before, "
            f"{maps.grey_after[0]}-{maps.grey_after[1]} after"
        )
    return figures, lines


def _of_colour(calibration: ColourCalibration) -> tuple[dict[str, Any], list[str]]:
    values = calibration.chart.figures()
    balance = list(calibration.balance)
    figures = {**values, "white_balance": balance, "camera_to_srgb": calibration.matrix.tolist()}
    names = (("before", "balanced only"), ("after", "mapped"), ("left_out", "patches left out"))
    lines = [
        "CIEDE2000 mean / max: "
        + ", ".join(
            f"{text} {values[f'delta_e_{name}_mean']:.2f} / {values[f'delta_e_{name}_max']:.2f}"
            for name, text in names
        ),
        "white balance " + ", ".join(f"{gain:.4f}" for gain in balance),
    ]
    return {**figures, "lightbox": calibration.lightbox}, lines


def _of_geometry(calibration: GeometryCalibration) -> tuple[dict[str, Any], list[str]]:
    left, box = calibration.residual, calibration.box
    figures = {
        "method": calibration.method,
        "mean_px": left.mean_px,
        "p95_px": left.p95_px,
        "cells": left.cells,
        "box": list(box),
    }
    line = (
        f"{calibration.method}: left mean {left.mean_px:.4f} px, p95 {left.p95_px:.4f} px in {left.cells} "
        f"cells, common box {box[3] - box[2]}x{box[1] - box[0]} px"
    )
    return figures, [line]
