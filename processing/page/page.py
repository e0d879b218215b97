"""A session's report as one HTML page: nothing from the network, no scripts, pictures inside.

`make_report` reads what the processing left and writes SESSION/report.html. Every text that comes from
outside (names, operators, reasons) goes through `esc`.
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Final

from processing.dataset.pixels import put
from processing.errors import Cancelled
from processing.jobs.derived import read_scene
from processing.jobs.steps import Progress
from processing.page import paper_figures as paper
from processing.page.data import SceneFigures, SessionFigures, collect
from processing.page.pictures import ScenePictures, scene_pictures
from processing.page.scene import scene_section
from processing.page.style import STYLE
from processing.page.tables import cell, number, table
from rig.session import Session

FILE: Final = "report.html"
_STATES: Final = ("before", "after")
PAPER: Final[dict[str, dict[str, float]]] = {
    state: {**paper.STATIC_PAIR[state], "geometric_px": paper.GEOMETRIC_ERROR_PX[state]} for state in _STATES
}
"""Table 1 of the appendix, with the geometric error of its text."""
_COLUMNS: Final = (
    ("ΔL, %", "delta_l_percent", 3, False),
    ("PSNR, dB", "psnr_db", 2, True),
    ("SSIM", "ssim", 4, True),
    ("geometric error, px", "geometric_px", 3, False),
)
"""Title, key, digits, and whether more is better."""


def make_report(
    session: Session,
    out: Path | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> tuple[Path, SessionFigures]:
    """Write the report of a processed session.

    Args:
        session: the session; only read, but for the page.
        out: the page; SESSION/report.html without it.
        progress: told the done fraction and what is being done.
        cancel: set it to stop before the page is written.

    Returns:
        The page's path and the figures on it.

    Raises:
        ProcessingError: if nothing of the session was processed, or the page cannot be written.
        Cancelled: if stopped.
    """

    def tell(done: float, text: str) -> None:
        if cancel is not None and cancel.is_set():
            raise Cancelled("the report was stopped")
        if progress is not None:
            progress(done, text)

    figures = collect(session, lambda done, text: tell(0.5 * done, text))
    pictures = {}
    for index, scene in enumerate(figures.scenes):
        tell(0.5 + 0.5 * index / len(figures.scenes), f"{scene.scene}: pictures")
        if scene.static_pair:
            pictures[scene.scene] = scene_pictures(read_scene(session, scene.scene))
    path = (out or session.root / FILE).absolute()
    tell(1.0, "writing")
    put(path, page(figures, pictures, str(session.root)).encode(errors="backslashreplace"))
    return path, figures


def page(figures: SessionFigures, pictures: dict[str, ScenePictures], folder: str) -> str:
    """Return the page.

    Args:
        figures: of the session.
        pictures: of its processed scenes, by name.
        folder: of the session, for the commands that make it again.
    """
    title = f"{figures.session}: report"
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>",
        _head(figures),
        _table_1(figures),
        *(scene_section(scene, pictures.get(scene.scene, ScenePictures())) for scene in figures.scenes),
        _left_out(figures),
        _again(figures, folder),
        f"<footer>Made by beamrig {escape(figures.version)}. Paper: “Real-World Deep Local Motion"
        " Deblurring” (ReLoBlur, LBAG), AAAI 2023, and its appendix.</footer>",
        "</main>\n</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _head(figures: SessionFigures) -> str:
    scenes = [scene for scene in figures.scenes if scene.static_pair]
    pairs = [pair for scene in figures.scenes for pair in scene.of_kind("action")]
    developed = sum(pair.state == "developed" for pair in pairs)
    lost = sum(shot.split("/")[1] == "action" for scene in figures.scenes for shot, _ in scene.rejected)
    stopped = sum(bool(pair.left_out) for pair in pairs)
    after, total = figures.mean["after"], len(figures.scenes)
    facts = [
        ("Rig", figures.rig),
        ("Camera B", figures.serials["B"]),
        ("Camera S", figures.serials["S"]),
        ("Recorded", figures.created.replace("T", " ")),
        ("Operator", figures.operator or "not given"),
        ("Profile", ", ".join(sorted({scene.profile for scene in scenes}))),
        ("beamrig", figures.version),
    ]
    tiles = [
        (
            f"{developed} of {len(pairs)}",
            f"action pairs developed in {len(scenes)} of {total} scenes",
        ),
        (str(lost), "action shots rejected at capture"),
        (str(stopped), "pairs left out by a check or the reviewer"),
        (number(after.get("delta_l_percent"), 2, " %"), "mean ΔL of the static pairs; paper 2.87 %"),
        (number(after.get("psnr_db"), 2, " dB"), "mean PSNR of the static pairs; paper 36.79 dB"),
    ]
    listed = "".join(f"<div><dt>{key}</dt><dd>{escape(value)}</dd></div>" for key, value in facts)
    shown = "".join(
        f'<div class="tile"><b>{escape(value)}</b><span>{text}</span></div>' for value, text in tiles
    )
    return (
        f'<header><p class="kicker">Session report</p><h1>{escape(figures.session)}</h1>'
        f'<dl class="facts">{listed}</dl></header><div class="tiles">{shown}</div>'
    )


def _table_1(figures: SessionFigures) -> str:
    head = (
        "<tr><th></th>"
        + "".join(f'<th class="group edge" colspan="2">{title}</th>' for title, *_ in _COLUMNS)
        + "</tr><tr><th>scene</th>"
        + '<th class="edge">before</th><th>after</th>' * len(_COLUMNS)
        + "</tr>"
    )
    rows = [_table_1_row(scene.scene, _of_scene(scene)) for scene in figures.scenes if scene.static_pair]
    if len(rows) > 1:
        rows.append(_table_1_row("mean", figures.mean, "mean"))
    rows.append(_table_1_row("paper, all scenes", PAPER, "paper"))
    missing = [scene.scene for scene in figures.scenes if not scene.static_pair]
    note = f'<p class="note">Not processed: {escape(", ".join(missing))}.</p>' if missing else ""
    return (
        "<section><h2>How well the static pairs agree</h2>"
        '<p class="sub">The paper’s Table 1 for this session: the same still scene in both cameras, developed'
        " as two unrelated photographs (before) and by the pipeline (after). Geometric error: before, how far"
        " apart both cameras see the same point; after, the displacement that is still found in the images."
        ' <span class="good">Green</span>: at least as good as the paper.</p>'
        f'<div class="table"><table><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table></div>'
        f"{note}</section>"
    )


def _of_scene(scene: SceneFigures) -> dict[str, dict[str, float]]:
    return {
        state: {
            **scene.static_pair.get(state, {}),
            **({"geometric_px": scene.geometric_px[state]} if state in scene.geometric_px else {}),
        }
        for state in _STATES
    }


def _table_1_row(name: str, values: dict[str, dict[str, float]], style: str = "") -> str:
    cells = [f"<td>{escape(name)}</td>"]
    digits_of_paper = {"geometric_px": 0}
    for _, key, digits, more in _COLUMNS:
        for state in _STATES:
            value = values.get(state, {}).get(key)
            shown = digits_of_paper.get(key, digits) if style == "paper" else digits
            good = ""
            if state == "after" and style != "paper" and value is not None:
                limit = PAPER["after"][key]
                good = "good" if (value >= limit if more else value <= limit) else ""
            edge = "edge" if state == "before" else ""
            cells.append(cell(number(value, shown), f"{edge} {good}".strip()))
    return f'<tr class="{style}">{"".join(cells)}</tr>'


def _left_out(figures: SessionFigures) -> str:
    rows = [
        [cell(shot), cell("rejected at capture", "words"), cell(reason, "words")]
        for scene in figures.scenes
        for shot, reason in scene.rejected
    ]
    for scene in figures.scenes:
        for pair in scene.pairs:
            why = "; ".join(pair.findings)
            if pair.review:
                what, _, reason = pair.review.partition(": ")
                why = "; ".join(filter(None, (reason, why)))
            elif pair.state != "developed" and scene.static_pair:
                what, why = pair.state, pair.why
            elif pair.level == "stop":
                what = "stopped by a check"
            else:
                continue
            rows.append([cell(pair.pair), cell(what, "words"), cell(why, "words")])
    body = (
        table(("shot", "what", "why"), rows, words=(1, 2))
        if rows
        else '<p class="sub">None: every shot became a pair, each was developed, nothing stops one.</p>'
    )
    return f"<section><h2>Rejected shots, failed and reviewed pairs</h2>{body}</section>"


def _again(figures: SessionFigures, folder: str) -> str:
    done = [scene for scene in figures.scenes if scene.calibration]
    rows: Iterable[Sequence[str]] = [
        [
            cell(scene.scene),
            f'<td class="words"><code>{escape(scene.calibration)}</code></td>',
            cell(scene.created.replace("T", " ")),
            cell(scene.profile),
            cell(str(scene.sources)),
        ]
        for scene in done
    ]
    commands = [
        shlex.join(["beamrig", "process", folder, "--scene", scene.scene, "--profile", scene.profile])
        for scene in done
    ]
    commands.append(shlex.join(["beamrig", "report", folder]))
    return (
        "<section><h2>Calibrations, and how to make this again</h2>"
        '<p class="sub">A calibration’s id is a hash of its content; it lies in the session’s folder'
        " <code>calibration</code> and names the SHA-256 of every RAW file it was made from. Beside each"
        " developed pair lies a record of what it was made from and with.</p>"
        + table(("scene", "calibration", "made", "profile", "RAW files"), rows, words=(1,))
        + f"<h3>Commands</h3><pre><code>{escape(chr(10).join(commands))}</code></pre>"
        f'<p class="sub">Session id <code>{escape(figures.id)}</code></p></section>'
    )
