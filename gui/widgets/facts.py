"""Sync proof and metadata of a shot, as rows of text."""

from __future__ import annotations

from typing import Any

from gui.session_index import Shot
from rig.records import PairRecord, SyncProof

FIRST = ("exposure_us", "gain_db", "serial_number", "frame_id", "timestamp_ns")


def proof_rows(proof: SyncProof) -> dict[str, str]:
    """Return the sync proof as name and text."""
    rows: dict[str, str] = {"Verdict": proof.verdict}
    if proof.reason:
        rows["Reason"] = proof.reason
    rows["Trigger pulse"] = f"{proof.trigger_index + 1} of {proof.fired} fired"
    for camera in ("B", "S"):
        rows[f"Frame id {camera}"] = number(proof.frame_id.get(camera))
    rows["Start skew S to B"] = microseconds(proof.skew_us)
    rows["Clock residual"] = microseconds(proof.residual_us)
    rows["Clock"] = {
        "common": "one clock for both cameras",
        "fitted": "two clocks, related by a fit",
        "none": "no relation known",
    }.get(proof.clock, proof.clock)
    for camera in ("B", "S"):
        rows[f"Ignored by {camera}"] = number(proof.ignored.get(camera), missing="not counted")
    for camera in ("B", "S"):
        rows[f"Device time {camera}"] = nanoseconds(proof.timestamp_ns.get(camera))
    return rows


def meta_rows(shot: Shot, camera: str) -> dict[str, str]:
    """Return the metadata of one frame, the most asked for first; empty for a rejected shot."""
    if not isinstance(shot, PairRecord):
        return {}
    meta = shot.meta_b if camera == "B" else shot.meta_s
    path = shot.path_b if camera == "B" else shot.path_s
    rows = {"File": path.name}
    ordered = [key for key in FIRST if key in meta] + [key for key in meta if key not in FIRST]
    for key in ordered:
        rows[name_of(key)] = text_of(key, meta[key])
    return rows


def name_of(key: str) -> str:
    """Return a key of the metadata as words, its unit left to the value."""
    for suffix in ("_us", "_db", "_ns", "_dn", "_c", "_um"):
        key = key.removesuffix(suffix)
    return key.replace("_", " ").capitalize()


def text_of(key: str, value: Any) -> str:
    """Write a value with the unit that its key names."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {text_of(name, item)}" for name, item in value.items())
    if key == "exposure_us" and isinstance(value, int | float):
        return f"{value / 1e3:.3f} ms"
    if key.endswith("_ns") and isinstance(value, int):
        return nanoseconds(value)
    if key == "bytes" and isinstance(value, int):
        return f"{value / 1e6:.2f} MB"
    if key == "sha256":
        return f"{str(value)[:16]}…"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    units = {"_db": "dB", "_us": "µs", "_dn": "DN", "_c": "°C", "_um": "µm"}
    return text + next((f" {unit}" for suffix, unit in units.items() if key.endswith(suffix)), "")


def number(value: int | None, missing: str = "none") -> str:
    """Write a count, or that there is none."""
    return missing if value is None else f"{value}"


def microseconds(value: float | None) -> str:
    """Write a small time, or that it is not known."""
    return "not known" if value is None else f"{value:+.3f} µs"


def nanoseconds(value: int | None) -> str:
    """Write a device time in seconds, to the microsecond."""
    return "not known" if value is None else f"{value / 1e9:.6f} s"
