"""One row a pair: where it is from, how it was taken, developed and exported, and its figures (pairs.csv)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from processing.dataset.pixels import Written
from processing.dataset.plan import ExportPlan, Item, ScenePlan


def pairs_table(plan: ExportPlan, written: Mapping[str, Written]) -> str:
    """Return the table as CSV: UTF-8, comma, one header line; lengths in pixels, times in microseconds."""
    rows = [row_of(scene, item, written[item.name]) for scene, item in plan.items()]
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def row_of(scene: ScenePlan, item: Item, written: Written) -> dict[str, Any]:
    """Return the row of a pair; what is not known is empty."""
    pair, source = item.pair, scene.source
    record, planned = pair.record, pair.plan
    exposure, blur = planned.get("exposure_us", {}), planned.get("blur_px", {})
    measured = source.metrics.get("blur") or {}
    static = (source.metrics.get("static_pair") or {}).get("after", {})
    row: dict[str, Any] = {
        "split": scene.split,
        "item": item.name,
        "scene": scene.name,
        "session_id": source.session.id,
        "session": source.session.root.name,
        "source_scene": source.name,
        "source_pair": record.id,
        "rig": source.session.rig_profile.name,
        "crop_x": scene.window.x,
        "crop_y": scene.window.y,
        "width": scene.window.width,
        "height": scene.window.height,
        "t_s_us_planned": exposure.get("S", {}).get("planned"),
        "t_s_us_applied": record.meta_s.get("exposure_us"),
        "t_l_us_planned": exposure.get("B", {}).get("planned"),
        "t_l_us_applied": record.meta_b.get("exposure_us"),
        "tau": planned.get("tau"),
        "filter": planned.get("filter"),
        "speed_mps": planned.get("speed_mps"),
        "distance_m": planned.get("distance_m"),
        "placement": record.sync.placement,
        "skew_us": record.sync.skew_us,
        "gain_db_b": record.meta_b.get("gain_db"),
        "gain_db_s": record.meta_s.get("gain_db"),
        "serial_b": record.meta_b.get("serial_number"),
        "serial_s": record.meta_s.get("serial_number"),
        "blur_b_px_planned": blur.get("B", {}).get("predicted"),
        "blur_s_px_planned": blur.get("S", {}).get("predicted"),
        "blur_b_px_scene": measured.get("b_px"),
        "blur_s_px_scene": measured.get("s_px"),
        "blur_b_px_pair": pair.figures.get("blur_B_px"),
        "blur_s_px_pair": pair.figures.get("blur_S_px"),
        "static_delta_l_percent": static.get("delta_l_percent"),
        "static_psnr_db": static.get("psnr_db"),
        "static_ssim": static.get("ssim"),
        **written.figures,
        "profile": pair.data.get("profile"),
        "calibration": pair.data.get("calibration"),
        "verdict": pair.level,
        "findings": "; ".join(str(one.get("text", "")) for one in pair.findings),
        "review": pair.review.line() if pair.review is not None else "",
        "capture_warnings": "; ".join(record.warnings),
        "raw_b_sha256": record.meta_b.get("sha256"),
        "raw_s_sha256": record.meta_s.get("sha256"),
    }
    for title, hashes in (("developed", written.inputs), ("exported", written.outputs)):
        row.update({f"{title}_{part.lower()}_sha256": value for part, value in hashes.items()})
    return {key: _plain(value) for key, value in row.items()}


def _plain(value: Any) -> Any:
    """Round floats to nine digits, more than any of them is worth; None becomes an empty cell."""
    return float(f"{value:.9g}") if isinstance(value, float) else "" if value is None else value
