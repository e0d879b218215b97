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
.note { border-left: 3px solid #d9a441; padding: 6px 12px; background: #1d2026; }
"""


@dataclass(frozen=True)
class Picture:
    """A picture of the report: file name inside the report folder, and what it shows."""

    file: str
    caption: str


@dataclass
class Report:
    """What the demo measured; lengths in pixels of the sensor, exposures in microseconds, time in seconds.

    Every figure of the rig's optics stands beside the virtual rig's truth where that is known.
    """

    version: str
    rig: str
    seed: int
    plan: dict[str, Any]
    shots: dict[str, int]
    takes: list[dict[str, Any]]
    blur_px: dict[str, dict[str, float]]
    exposure_us: dict[str, dict[str, float]]
    static_pair: dict[str, dict[str, float]]
    geometric_error_px: dict[str, float]
    mask_iou: float
    mask_iou_per_pair: list[float]
    beta: dict[str, list[float]]
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
beamrig {html.escape(report.version)} · seed {report.seed} · {report.seconds:.0f} s in all</p>
<h2>Figures</h2>
<table><tr><th>figure</th><th>planned or before</th><th>measured</th><th>truth of the virtual rig</th></tr>
{rows}</table>
<p class="note">{html.escape(str(report.deblur["note"]))}</p>
<h2>Pictures</h2>{pictures}
<div class="row"><div><h2>Takes</h2>
<table><tr><th>kind</th><th>fired</th><th>paired</th><th>rejected</th></tr>{takes}</table></div>
<div><h2>Time</h2><table><tr><th>step</th><th>time</th></tr>{steps}</table></div></div>
</body></html>
"""


def figure_rows(report: Report) -> list[tuple[str, str, str, str]]:
    """Return the rows (figure, planned or before, measured, truth) that page and terminal both show."""
    rows = []
    for camera in ("B", "S"):
        blur = report.blur_px[camera]
        rows.append(
            (
                f"blur of the object in {camera}",
                f"{blur['predicted']:.2f} px",
                f"{blur['measured']:.2f} px",
                f"{blur['truth']:.2f} px",
            )
        )
        exposure = report.exposure_us[camera]
        rows.append(
            (f"exposure of {camera}", f"{exposure['planned']:.1f} µs", f"{exposure['applied']:.1f} µs", "")
        )
    before, after = report.static_pair["before"], report.static_pair["after"]
    for name, key, unit in (
        ("ΔL", "delta_l_percent", " %"),
        ("PSNR", "psnr_db", " dB"),
        ("SSIM", "ssim", ""),
    ):
        digits = 4 if key == "ssim" else 2
        rows.append(
            (
                f"{name} of the static pair",
                f"{before[key]:.{digits}f}{unit}",
                f"{after[key]:.{digits}f}{unit}",
                "",
            )
        )
    error = report.geometric_error_px
    rows.append(
        (
            "geometric error, mean / p95",
            f"{error['before_mean']:.2f} / {error['before_p95']:.2f} px",
            f"{error['mean']:.3f} / {error['p95']:.3f} px",
            "0 px",
        )
    )
    rows.append(("local blur mask, IoU", "", f"{report.mask_iou:.3f}", "1"))
    for channel, measured, true in zip("RGB", report.beta["measured"], report.beta["truth"], strict=True):
        rows.append((f"β of {channel} (Eq. 6)", "1", f"{measured:.4f}", f"{true:.4f}"))
    skew = report.skew_us
    rows.append(("largest start skew", "0 µs", f"{skew['max']:.1f} µs", ""))
    return rows


def _row(cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
