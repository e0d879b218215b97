"""The demo's report: `report.json` for machines, `report.html` with its pictures for people."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_STYLE = """
:root { color-scheme: dark; }
body { font: 15px/1.5 system-ui, sans-serif; background: #14161a; color: #e6e8eb; margin: 0 auto;
       max-width: 1180px; padding: 24px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 32px 0 8px; }
p.sub { color: #9aa3ad; margin: 0 0 16px; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: right; padding: 6px 12px;
       border-bottom: 1px solid #2a2f37; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; } th { color: #9aa3ad; font-weight: 500; }
figure { margin: 12px 0; } figcaption { color: #9aa3ad; font-size: 13px; }
img { width: 100%; border-radius: 6px; }
.row { display: grid; grid-template-columns: 1fr 1fr; gap: 16px; }
.note, .result { border-left: 3px solid #d9a441; padding: 6px 12px; background: #1d2026; }
.result { border-left-color: #4fc98f; }
"""


_STATIC = (
    ("ΔL", "delta_l_percent", "{:.2f} %"),
    ("PSNR", "psnr_db", "{:.2f} dB"),
    ("SSIM", "ssim", "{:.4f}"),
)
"""Figures of the static pair: name, key, how they are written."""


@dataclass(frozen=True)
class Picture:
    """A picture of the report: file name inside the report folder, and what it shows."""

    file: str
    caption: str


@dataclass
class Report:
    """What the demo measured; lengths in pixels of the sensor, exposures in microseconds, time in seconds.

    Every figure of the rig's optics stands beside the virtual rig's truth where that is known. ``paper``
    holds the figures of the paper's own way on the same frames, if they were asked for.
    """

    version: str
    rig: str
    seed: int
    background: str
    plan: dict[str, Any]
    shots: dict[str, int]
    takes: list[dict[str, Any]]
    blur_px: dict[str, dict[str, float]]
    exposure_us: dict[str, dict[str, float]]
    static_pair: dict[str, dict[str, float]]
    geometric_error_px: dict[str, float]
    mask_iou: float
    mask_iou_per_pair: list[float]
    cast_percent: dict[str, dict[str, float]]
    beta: dict[str, list[float]]
    tau: dict[str, float]
    paper: dict[str, Any] | None
    skew_us: dict[str, float]
    mispaired: int
    deblur: dict[str, Any]
    seconds: float
    seconds_per_step: dict[str, float]
    pictures: list[Picture] = field(default_factory=list)

    def to_json(self) -> str:
        """Return the report as JSON text, without NaN or infinity."""
        return json.dumps(asdict(self), indent=2, allow_nan=False)


def write_report(report: Report, folder: Path) -> tuple[Path, Path]:
    """Write `report.json` and `report.html` into a folder; the pictures are already there.

    Returns:
        The paths of both files.

    Raises:
        OSError: The folder cannot be written.
    """
    json_path, html_path = folder / "report.json", folder / "report.html"
    for path, text in ((json_path, report.to_json() + "\n"), (html_path, to_html(report))):
        part = path.with_name(path.name + ".part")
        part.write_text(text, encoding="utf-8")
        part.replace(path)  # a reader never sees half a report
    return json_path, html_path


def to_html(report: Report) -> str:
    """Return the report as one HTML page that refers to its pictures by relative name."""
    plan = report.plan
    heads = "".join(f"<th>{html.escape(head)}</th>" for head in figure_heads(report))
    rows = "".join(_row(cells) for cells in figure_rows(report))
    steps = "".join(_row((name, f"{seconds:.1f} s")) for name, seconds in report.seconds_per_step.items())
    takes = "".join(
        _row((take["kind"], str(take["fired"]), str(take["paired"]), str(take["rejected"])))
        for take in report.takes
    )
    pictures = "".join(
        f'<figure><img src="{html.escape(picture.file)}" alt="{html.escape(picture.caption)}">'
        f"<figcaption>{html.escape(picture.caption)}</figcaption></figure>"
        for picture in report.pictures
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>beamrig demo</title><style>{_STYLE}</style></head><body>
<h1>beamrig demo on the rig “{html.escape(report.rig)}”</h1>
<p class="sub">object at {plan["distance_m"]:g} m moving at {plan["speed_mps"]:g} m/s ·
beamrig {html.escape(report.version)} · seed {report.seed} ·
background {html.escape(report.background)} · {report.seconds:.0f} s in all</p>
<h2>Figures</h2>
<table><tr>{heads}</tr>
{rows}</table>
<p class="{note_class(report.deblur)}">{html.escape(str(report.deblur["words"]))}</p>
<h2>Pictures</h2>{pictures}
<div class="row"><div><h2>Takes</h2>
<table><tr><th>kind</th><th>fired</th><th>paired</th><th>rejected</th></tr>{takes}</table></div>
<div><h2>Time</h2><table><tr><th>step</th><th>time</th></tr>{steps}</table></div></div>
</body></html>
"""


def note_class(deblur: dict[str, Any]) -> str:
    """Return how the line about the network looks: a warning unless the weights are trained."""
    return "result" if deblur["engine"]["trained"] else "note"


def figure_heads(report: Report) -> list[str]:
    """Return the heads of the columns of `figure_rows`."""
    paper = ["paper's way"] if report.paper else []
    return ["figure", "planned or before", "measured", *paper, "truth"]


def figure_rows(report: Report) -> list[list[str]]:
    """Return the rows that page and terminal both show, one cell for each of `figure_heads`."""
    rows: list[list[str]] = []
    measured = _measured(asdict(report))
    paper = _measured(report.paper) if report.paper else {}

    def add(name: str, before: str, key: str, truth: str = "") -> None:
        rows.append([name, before, measured[key], *([paper.get(key, "")] if paper else []), truth])

    for camera in ("B", "S"):
        blur, exposure = report.blur_px[camera], report.exposure_us[camera]
        add(
            f"blur of the object in {camera}",
            f"{blur['predicted']:.2f} px",
            f"blur {camera}",
            f"{blur['truth']:.2f} px",
        )
        applied = f"{exposure['applied']:.1f} µs"
        rows.append(
            [f"exposure of {camera}", f"{exposure['planned']:.1f} µs", applied, *([""] if paper else []), ""]
        )
    before = report.static_pair["before"]
    for name, key, text in _STATIC:
        add(f"{name} of the static pair", text.format(before[key]), key)
    error = report.geometric_error_px
    add(
        "geometric error, mean / p95",
        f"{error['before_mean']:.2f} / {error['before_p95']:.2f} px",
        "geometric",
        "0 px",
    )
    add("local blur mask, IoU", "", "iou", "1")
    for camera in ("B", "S"):
        add(f"cast left in {camera}, largest / rms", "", f"cast {camera}", "0 %")
    for channel, true in zip("RGB", report.beta["truth"], strict=True):
        add(f"β of {channel} (Eq. 6)", "1", f"beta {channel}", f"{true:.4f}")
    add("τ of filter, plate and sensors", "", "tau", f"{report.tau['truth']:.4f}")
    rows.append(
        ["largest start skew", "0 µs", f"{report.skew_us['max']:.1f} µs", *([""] if paper else []), ""]
    )
    rows += [[*row, *([""] if paper else []), ""] for row in _deblur_rows(report.deblur)]
    return rows


def _deblur_rows(deblur: dict[str, Any]) -> list[list[str]]:
    """Return name, before and after of what the network did; nothing where it was never trained."""
    figures = deblur["psnr_db"]
    if not deblur["engine"]["trained"] or figures["deblurred_inside_mask"] is None:
        return []
    before, after = figures["blurred_inside_mask"], figures["deblurred_inside_mask"]
    kept = figures["background_unchanged"]
    return [
        ["mover against S, B then deblurred", f"{before:.2f} dB", f"{after:.2f} dB"],
        ["background against B after deblurring", "", "equal" if kept is None else f"{kept:.2f} dB"],
    ]


def _measured(figures: dict[str, Any]) -> dict[str, str]:
    """Return what was measured as text, from a report or from the figures of another profile."""
    error, ious = figures["geometric_error_px"], figures.get("mask_iou_per_pair", figures["mask_iou"])
    found = {key: text.format(figures["static_pair"]["after"][key]) for _, key, text in _STATIC}
    found["geometric"] = f"{error['mean']:.3f} / {error['p95']:.3f} px"
    found["iou"] = f"{sum(ious) / len(ious):.3f}"
    found["tau"] = f"{figures['tau']['measured']:.4f}"
    for camera in ("B", "S"):
        found[f"blur {camera}"] = f"{figures['blur_px'][camera]['measured']:.2f} px"
        cast = figures["cast_percent"][camera]
        found[f"cast {camera}"] = f"{cast['max']:.2f} / {cast['rms']:.2f} %"
    for channel, value in zip("RGB", figures["beta"]["measured"], strict=True):
        found[f"beta {channel}"] = f"{value:.4f}"
    return found


def _row(cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
