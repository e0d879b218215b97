"""The section of one scene in a session's report: pictures, charts, exposures, verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any, Final

from processing.page import paper_figures as paper
from processing.page.data import PairFigures, SceneFigures
from processing.page.pictures import DIFFERENCE_GAIN, Picture, ScenePictures
from processing.page.svg import Marker, Measured, dots, histogram, plan_against_measured
from processing.page.tables import cell, number, pill, table

OFF_PERCENT: Final = 1.0
"""An applied exposure that is so far off its plan is marked."""
SHOWN_PAIRS: Final = 16
"""A longer table of pairs is folded, unless it has something to tell."""
QUIET: Final = {"good", "note", "unchecked"}
_SILENT: Final = {"good": "nothing found", "unchecked": "no checks were made"}
_CAMERAS: Final = (("B", "b"), ("S", "s"))


def scene_section(scene: SceneFigures, pictures: ScenePictures) -> str:
    """Return the section of a scene."""
    parts = [f'<section class="scene"><h2>Scene {escape(scene.scene)}</h2>', _planned(scene.plan)]
    if not scene.static_pair:
        parts.append('<p class="note">This scene was not processed yet.</p>')
    parts += [f'<p class="note">{escape(note)}</p>' for note in (*scene.notes, *pictures.notes)]
    if pictures.action:
        parts.append("<h3>A pair in motion</h3>" + _action(pictures.action))
    if pictures.static:
        parts.append(
            "<h3>The static pair, before and after the pipeline</h3>"
            f'<div class="grid3">{"".join(map(_figure, pictures.static))}</div>'
            f'<p class="sub">Right: what is left of the difference, enlarged {DIFFERENCE_GAIN:.0f} times.</p>'
        )
    charts = list(_charts(scene))
    if charts:
        parts.append(f'<h3>Measured</h3><div class="grid2">{"".join(charts)}</div>')
    if scene.blur_note:
        parts.append(f'<p class="note">Blur not measured: {escape(scene.blur_note)}</p>')
    if pictures.cast:
        parts.append(
            "<h3>Colour cast of the beam splitter</h3>"
            f'<div class="grid4">{"".join(map(_figure, pictures.cast))}</div>'
            '<p class="sub">An evenly lit board, deviations from its mean colour enlarged four times; the'
            " figure is the span of the cast (1st to 99th percentile).</p>"
        )
    if scene.exposures:
        parts.append("<h3>Exposures</h3>" + _exposures(scene))
    if scene.pairs and scene.static_pair:
        parts.append("<h3>Pairs</h3>" + _pairs(scene.pairs))
    return "".join(parts) + "</section>"


def _planned(plan: dict[str, Any]) -> str:
    if not plan:
        return '<p class="sub">Taken without a plan.</p>'
    exposure, blur = plan["exposure_us"], plan["blur_px"]
    return (
        f'<p class="sub">Object at {plan["distance_m"]:g} m moving at {plan["speed_mps"]:g} m/s;'
        f" filter {escape(str(plan['filter']))} (τ {plan['tau']:g});"
        f" t<sub>L</sub> {exposure['B']['planned'] / 1000:.3f} ms, t<sub>S</sub>"
        f" {exposure['S']['planned'] / 1000:.3f} ms; planned blur {blur['B']['predicted']:.1f} px in B,"
        f" {blur['S']['predicted']:.1f} px in S.</p>"
    )


def _figure(picture: Picture) -> str:
    caption = escape(picture.caption)
    return (
        f'<figure><img src="{picture.uri}" alt="{caption}" width="{picture.width}" height="{picture.height}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _action(pictures: Sequence[Picture]) -> str:
    first, *others = map(_figure, pictures)
    return f'<div class="action">{first}<div class="side">{"".join(others)}</div></div>'


def _charts(scene: SceneFigures) -> list[str]:
    charts = []
    if scene.blur:
        planned = (scene.plan.get("blur_px") or {}) if scene.plan else {}
        title = "Blur length: dot measured, ring planned"
        title += ", below each pair alone" if scene.pair_blur("B") else ""
        rows = [
            Measured(
                camera,
                style,
                (planned.get(camera) or {}).get("predicted"),
                scene.blur[f"{style}_px"],
                scene.blur.get(f"{style}_error_px", 0.0),
                scene.pair_blur(camera),
            )
            for camera, style in _CAMERAS
        ]
        charts.append(plan_against_measured(title, rows, "px"))
    if scene.residuals_px:
        mean, p95 = scene.geometric_px["after"], scene.geometric_px["p95"]
        charts.append(
            histogram(
                f"Displacement left, {len(scene.residuals_px)} cells of the static pair",
                scene.residuals_px,
                "px",
                (Marker(mean, f"mean {mean:.4f} px"), Marker(p95, f"p95 {p95:.4f} px")),
            )
        )
    action = [
        (one.pair, one.figures["background_delta_l_percent"], one.level)
        for one in scene.of_kind("action")
        if "background_delta_l_percent" in one.figures
    ]
    if action:
        own = scene.static_pair["after"]["delta_l_percent"]
        theirs = paper.STATIC_PAIR["after"]["delta_l_percent"]
        markers = (Marker(own, f"static pair {own:.2f} %"), Marker(theirs, f"paper {theirs:.2f} %", "theirs"))
        charts.append(dots("ΔL outside of the mask, % a pair", action, "%", markers))
    shares = [one.figures["mask_percent"] for one in scene.of_kind("action") if "mask_percent" in one.figures]
    if shares:
        mean = sum(shares) / len(shares)
        theirs = paper.BLUR_AREA_PERCENT
        markers = (Marker(mean, f"mean {mean:.2f} %"), Marker(theirs, f"paper {theirs:.2f} %", "theirs"))
        charts.append(histogram("Blurred area of the action pairs", shares, "% of the picture", markers))
    return charts


def _exposures(scene: SceneFigures) -> str:
    rows = []
    for one in scene.exposures:
        row = [cell(str(one["take"]))]
        for camera, _ in _CAMERAS:
            planned, applied = one["planned_us"][camera], one["applied_us"][camera]
            off = 100 * (applied / planned - 1) if planned and applied else None
            style = "warn" if off is not None and abs(off) > OFF_PERCENT else ""
            row += [
                cell(number(planned, 1), "edge"),
                cell(number(applied, 1)),
                cell("–" if off is None else f"{off:+.3f} %".replace("-", "−"), style),
            ]
        count = "–" if one["fired"] is None else f"{one['paired']} of {one['fired']}"
        rows.append([*row, cell(count, "edge"), cell(str(one["state"]))])
    titles = ("take", "B planned, µs", "applied", "off", "S planned, µs", "applied", "off", "pairs", "state")
    return table(titles, rows)


def _pairs(pairs: Sequence[PairFigures]) -> str:
    rows, counts = [], Counter[str]()
    for one in pairs:
        level = one.level if one.state == "developed" else one.state
        counts[level] += 1
        rows.append(
            [
                cell(one.pair),
                f"<td>{pill(level)}</td>",
                cell(number(one.figures.get("background_delta_l_percent"), 3, " %")),
                cell(number(one.figures.get("mask_percent"), 2, " %")),
                cell(
                    "; ".join(filter(None, (one.review, one.why, *one.findings))) or _SILENT.get(level, ""),
                    "words",
                ),
            ]
        )
    titles = ("pair", "verdict", "ΔL of the still part", "blurred area", "findings")
    summary = ", ".join(f"{count} {level}" for level, count in counts.most_common())
    opened = " open" if len(pairs) <= SHOWN_PAIRS or set(counts) - QUIET else ""
    return f"<details{opened}><summary>{escape(summary)}</summary>{table(titles, rows, words=(4,))}</details>"
