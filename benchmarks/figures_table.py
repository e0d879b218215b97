"""What `figures_pipeline.py` tells of its runs: rows, means and extremes beside targets and paper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

Row = dict[str, Any]
"""One profile on one capture: seed, background, profile, figures (as `beamrig.demo.figures` gives them)."""


@dataclass(frozen=True)
class Column:
    """One figure of a run.

    Attributes:
        key: Its name in the JSON.
        head: Head of the column.
        text: How it is written.
        of: Takes it from the figures.
        target: What it must reach; None where nothing is asked.
        larger: Whether more is better.
        paper: What the paper's Table 1 says.
    """

    key: str
    head: str
    text: str
    of: Callable[[dict[str, Any]], float]
    target: float | None = None
    larger: bool = False
    paper: str = ""

    def reached(self, value: float) -> bool:
        """Return whether a value is as good as the target."""
        return self.target is None or (value >= self.target if self.larger else value <= self.target)

    def worst(self, values: Sequence[float]) -> float:
        """Return the worst of some values."""
        return min(values) if self.larger else max(values)


def _static(when: str, key: str) -> Callable[[dict[str, Any]], float]:
    return lambda figures: float(figures["static_pair"][when][key])


def _in(name: str, key: str) -> Callable[[dict[str, Any]], float]:
    return lambda figures: float(figures[name][key])


def _cast(camera: str, key: str) -> Callable[[dict[str, Any]], float]:
    return lambda figures: float(figures["cast_percent"][camera][key])


def _beta(channel: int) -> Callable[[dict[str, Any]], float]:
    return lambda f: 100 * (f["beta"]["measured"][channel] / f["beta"]["truth"][channel] - 1)


def _blur(camera: str) -> Callable[[dict[str, Any]], float]:
    return lambda f: float(f["blur_px"][camera]["measured"] - f["blur_px"][camera]["truth"])


STATIC = (
    Column("delta_l_before", "ΔL before", "{:.2f}", _static("before", "delta_l_percent"), paper="4.550"),
    Column("delta_l", "ΔL %", "{:.2f}", _static("after", "delta_l_percent"), 2.6, paper="2.870"),
    Column("psnr_before", "PSNR before", "{:.2f}", _static("before", "psnr_db"), larger=True, paper="26.14"),
    Column("psnr", "PSNR dB", "{:.2f}", _static("after", "psnr_db"), 38.0, True, "36.79"),
    Column("ssim_before", "SSIM before", "{:.4f}", _static("before", "ssim"), larger=True, paper="0.5859"),
    Column("ssim", "SSIM", "{:.4f}", _static("after", "ssim"), 0.915, True, "0.9091"),
    Column("geometric_mean", "px off, truth", "{:.4f}", _in("geometric_error_px", "mean"), 0.02, paper="1"),
    Column("geometric_p95", "p95", "{:.4f}", _in("geometric_error_px", "p95")),
    Column("residual_mean", "px off, self", "{:.4f}", _in("residual_px", "mean")),
    Column("residual_p95", "p95", "{:.4f}", _in("residual_px", "p95")),
    Column("iou", "IoU", "{:.3f}", lambda f: sum(f["mask_iou"]) / len(f["mask_iou"]), 0.95, True),
    Column("iou_worst", "worst", "{:.3f}", lambda f: min(f["mask_iou"]), larger=True),
)
RECOVERED = (
    Column("cast_b_max", "cast B max %", "{:.3f}", _cast("B", "max")),
    Column("cast_b_rms", "rms", "{:.3f}", _cast("B", "rms")),
    Column("cast_s_max", "cast S max %", "{:.3f}", _cast("S", "max")),
    Column("cast_s_rms", "rms", "{:.3f}", _cast("S", "rms")),
    Column("beta_r", "β R %", "{:+.3f}", _beta(0)),
    Column("beta_g", "β G %", "{:+.3f}", _beta(1)),
    Column("beta_b", "β B %", "{:+.3f}", _beta(2)),
    Column("tau", "τ %", "{:+.3f}", lambda f: 100 * (f["tau"]["measured"] / f["tau"]["truth"] - 1)),
    Column("warp_max", "warp px, largest", "{:.4f}", _in("geometric_error_px", "max")),
    Column("blur_b", "blur B px", "{:+.3f}", _blur("B")),
    Column("blur_s", "blur S px", "{:+.3f}", _blur("S")),
)


def summary(rows: Sequence[Row]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return profile -> figure -> mean, min, max, and for a target whether the worst run reaches it."""
    told: dict[str, dict[str, dict[str, Any]]] = {}
    for profile in dict.fromkeys(row["profile"] for row in rows):
        chosen = [row["figures"] for row in rows if row["profile"] == profile]
        told[profile] = {}
        for column in (*STATIC, *RECOVERED):
            values = [column.of(figures) for figures in chosen]
            told[profile][column.key] = {
                "mean": sum(values) / len(values),
                "min": min(values),
                "max": max(values),
                **({"paper": column.paper} if column.paper else {}),
            }
            if column.target is not None:
                told[profile][column.key] |= {
                    "target": column.target,
                    "reached": column.reached(column.worst(values)),
                    "runs_reached": sum(column.reached(value) for value in values),
                }
    return told


def in_short(figures: dict[str, Any]) -> str:
    """Return the figures that have a target in one line."""
    asked = [column for column in STATIC if column.target is not None]
    return ", ".join(f"{column.head} {column.text.format(column.of(figures))}" for column in asked)


def show(console: Console, rows: Sequence[Row]) -> None:
    """Print both tables: the figures of the paper's Table 1 and the masks, and what was recovered."""
    _table(console, "Static pair and masks", rows, STATIC)
    _table(console, "Recovered, difference from the truth", rows, RECOVERED)


def _table(console: Console, title: str, rows: Sequence[Row], columns: Sequence[Column]) -> None:
    table = Table("background", "seed", "profile", title=title, box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column.head, justify="right")
    for row in rows:
        cells = [column.text.format(column.of(row["figures"])) for column in columns]
        table.add_row(row["background"], str(row["seed"]), row["profile"], *cells)
    told = summary(rows)
    for profile, figures in told.items():
        table.add_section()
        for what in ("mean", "min", "max"):
            cells = [column.text.format(figures[column.key][what]) for column in columns]
            table.add_row(what, "", profile, *cells)
        if any(column.target is not None for column in columns):
            table.add_row("target", "", "", *[_target(column) for column in columns])
            table.add_row("reached", "", profile, *[_reached(figures[c.key]) for c in columns])
    if any(column.paper for column in columns):
        table.add_section()
        table.add_row("the paper's Table 1", "", "", *[column.paper for column in columns])
    console.print(table)


def _target(column: Column) -> str:
    return "" if column.target is None else f"{'≥' if column.larger else '≤'} {column.target:g}"


def _reached(figure: dict[str, Any]) -> str:
    if "reached" not in figure:
        return ""
    return "pass" if figure["reached"] else f"FAIL ({figure['runs_reached']} pass)"
