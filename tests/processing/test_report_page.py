"""The report of a session: one whole HTML page whose numbers are those of the records."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import shutil
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from processing.errors import ProcessingError
from processing.jobs.batch import process_session
from processing.jobs.pair_record import write_sealed
from processing.page.cli import report
from processing.page.page import make_report
from processing.page.svg import Marker, dots, histogram
from rig.errors import BeamrigError
from rig.records import RejectedShot, SyncProof
from rig.review import review_pairs
from rig.session import Session

OPERATOR = "<script>alert(1)</script>"
LOST = "camera S: its frame <b>was lost</b> on the way"
BIRD = "a <em>bird</em> flew through"
VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """Reads a page; complains about tags that do not fit, keeps texts, tables and sources."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    def row(self, first: str) -> list[str]:
        """Return the first row that begins with a text."""
        return next(row for row in self.rows if row and row[0] == first)


@pytest.fixture(scope="module")
def session(recorded: Session, tmp_path_factory: pytest.TempPathFactory) -> Session:
    """The recorded session, developed, by an operator with a name that is no HTML."""
    folder = tmp_path_factory.mktemp("report") / "monday <&> more"
    shutil.copytree(recorded.root, folder)
    card = (folder / "session.yaml").read_text()
    (folder / "session.yaml").write_text(
        card.replace("operator: ''", "operator: '<script>alert(1)</script>'")
    )
    session = Session.open(folder)
    session.start_take("s01", "action", 1, {})
    none: dict[str, int | None] = {"B": None, "S": None}
    proof = SyncProof(0, none, none, None, None, 1, {"B": 0, "S": 0}, "rejected", LOST)
    session.record_shots([RejectedShot("s01", "action", 2, 0, proof)])
    session.end_take("s01", "action", 2, "complete", {"fired": 1, "paired": 0})
    process_session(session)
    stop = {
        "level": "stop",
        "text": "B and S do not show the same moment",
        "hint": "take it again",
        "figure": 3.0,
    }
    path = folder / "derived" / "s01" / "action" / "t01_0002.json"
    verdict = {"level": "stop", "findings": [stop], "figures": {"blur_B_px": 11.5}}
    write_sealed(path, {**json.loads(path.read_text()), "verdict": verdict})
    review_pairs(session, ["s01/action/t01_0000"], "reject", BIRD)
    return session


@pytest.fixture(scope="module")
def text(session: Session) -> str:
    path, _ = make_report(session)
    assert path == session.root / "report.html"
    return path.read_text("utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_the_commands_to_make_it_again_are_safe_to_copy(text: str, session: Session) -> None:
    listed = re.search(r"<pre><code>(.*?)</code></pre>", text, re.DOTALL)
    assert listed is not None
    lines = html.unescape(listed[1]).splitlines()
    assert shlex.split(lines[0])[:3] == ["beamrig", "process", str(session.root)]
    assert shlex.split(lines[-1]) == ["beamrig", "report", str(session.root)]


def test_the_page_needs_nothing_from_elsewhere(page: Page, text: str) -> None:
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "iframe", "object"}
    sources = [value for _, attrs in page.tags for key, value in attrs.items() if key in ("src", "href")]
    assert sources
    assert all(str(source).startswith("data:image/jpeg;base64,") for source in sources)
    assert "://" not in text
    assert not re.search(r"url\(|@import", text)
    assert not [key for _, attrs in page.tags for key in attrs if key.startswith("on")]


def test_words_from_outside_are_shown_as_words(page: Page) -> None:
    assert OPERATOR in page.text
    assert "monday <&> more" in page.text
    assert LOST in page.text
    assert not [tag for tag, _ in page.tags if tag in ("script", "more")]


def test_table_1_is_that_of_the_records_beside_the_papers(page: Page, session: Session) -> None:
    metrics = json.loads((session.root / "derived" / "s01" / "metrics.json").read_text())
    before, after = (metrics["static_pair"][state] for state in ("before", "after"))
    row = page.row("s01")
    assert row[1:7] == [
        f"{before['delta_l_percent']:.3f}", f"{after['delta_l_percent']:.3f}",
        f"{before['psnr_db']:.2f}", f"{after['psnr_db']:.2f}",
        f"{before['ssim']:.4f}", f"{after['ssim']:.4f}",
    ]  # fmt: skip
    assert row[8] == f"{metrics['residual_px']['mean']:.3f}"
    assert page.row("paper, all scenes")[1:] == [
        "4.550", "2.870", "26.14", "36.79", "0.5859", "0.9091", "3", "1",
    ]  # fmt: skip


def test_the_geometric_error_before_is_the_rigs_own(page: Page, session: Session) -> None:
    from tests.processing.scenes import TrueRig

    y0, y1, x0, x1 = json.loads((session.root / "derived/s01/pipeline.json").read_text())["box"]
    y, x = np.mgrid[y0:y1:4, x0:x1:4].astype(np.float64)
    true_x, true_y = TrueRig().b_from_s(x, y)
    assert float(page.row("s01")[7]) == pytest.approx(np.hypot(true_x - x, true_y - y).mean(), abs=0.05)


def test_each_pair_has_its_verdict_and_figures(page: Page, session: Session) -> None:
    folder = session.root / "derived" / "s01" / "action"
    b, s, mask = (
        cv2.imread(str(folder / f"t01_0001_{part}.png"), cv2.IMREAD_UNCHANGED) for part in ("B", "S", "mask")
    )
    assert b is not None
    assert s is not None
    assert mask is not None
    b, s = (np.rint(image / 257.0)[mask == 0] for image in (b, s))
    row = page.row("s01/action/t01_0001")
    assert json.loads((folder / "t01_0001.json").read_text())["verdict"]["findings"] == []
    assert row[1] == "good"
    assert float(row[2].split()[0]) == pytest.approx(100 * np.abs(b - s).sum() / b.sum(), abs=6e-4)
    assert float(row[3].split()[0]) == pytest.approx(100 * np.mean(mask > 0), abs=6e-3)


def test_what_is_left_out_stands_there_with_its_reason(page: Page) -> None:
    rows = {row[0]: row[1:] for row in page.rows if len(row) == 3}
    assert rows["s01/action/t02_0000"] == [
        "rejected at capture",
        "camera S: its frame <b>was lost</b> on the way",
    ]
    assert rows["s01/action/t01_0002"] == [
        "stopped by a check", "B and S do not show the same moment take it again",
    ]  # fmt: skip
    assert rows["s01/action/t01_0000"] == ["rejected by the reviewer", BIRD]


def test_the_calibration_and_the_way_to_make_it_again_are_told(page: Page, session: Session) -> None:
    used = json.loads((session.root / "derived" / "s01" / "metrics.json").read_text())["calibration"]
    assert used in page.text
    assert f"beamrig process '{session.root}' --scene s01 --profile best" in page.text
    assert session.id in page.text


def test_pictures_are_whole_and_described(page: Page) -> None:
    pictures = [attrs for tag, attrs in page.tags if tag == "img"]
    assert len(pictures) == 6 + 3 + 4  # static, action, colour cast
    for attrs in pictures:
        data = base64.b64decode(str(attrs["src"]).partition(",")[2])
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        assert image.shape[:2] == (int(str(attrs["height"])), int(str(attrs["width"])))
        assert attrs["alt"]


def test_the_command_prints_what_the_page_shows(session: Session, tmp_path: Path) -> None:
    asked = [str(session.root), "--out", str(tmp_path / "r.html"), "--json"]
    figures = json.loads(CliRunner().invoke(report, asked, catch_exceptions=False).stdout)
    (scene,) = figures["scenes"]
    row = Page((tmp_path / "r.html").read_text("utf-8")).row("s01")
    assert row[2] == f"{scene['static_pair']['after']['delta_l_percent']:.3f}"
    assert scene["rejected"] == [{"shot": "s01/action/t02_0000", "reason": LOST}]
    assert [one["level"] for one in scene["pairs"][-3:]] == ["good", "good", "stop"]
    assert scene["pairs"][-1]["figures"]["blur_B_px"] == 11.5
    assert len(scene["residuals_px"]) > 10


def test_blur_lengths_of_single_pairs_are_in_the_chart(text: str, session: Session) -> None:
    records = [json.loads(path.read_text()) for path in session.root.glob("derived/s01/action/*.json")]
    measured = [one for one in records if "blur_B_px" in one["verdict"]["figures"]]
    assert measured
    assert text.count('class="single b"') == len(measured)


@pytest.mark.parametrize("arguments", [[], ["nowhere"], [".", "--out", ""]])
def test_bad_input_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(report, arguments)
    assert done.exit_code == 2 or isinstance(done.exception, BeamrigError)
    assert not list(tmp_path.iterdir())


def test_without_raw_files_the_figures_stay_and_the_gap_is_told(session: Session, tmp_path: Path) -> None:
    shutil.copytree(session.root, tmp_path / "copy")
    for path in (tmp_path / "copy" / "scenes").rglob("*.dng"):
        path.unlink()
    path, figures = make_report(Session.open(tmp_path / "copy"))
    told = Page(path.read_text("utf-8"))
    assert "no pictures of the calibration" in told.text
    assert figures.scenes[0].static_pair
    assert len([tag for tag, _ in told.tags if tag == "img"]) == 3


def test_a_session_that_was_not_processed_says_what_to_do(recorded: Session) -> None:
    with pytest.raises(ProcessingError, match="was not processed") as caught:
        make_report(recorded)
    assert "beamrig process" in caught.value.hint
    assert not (recorded.root / "report.html").exists()


def test_a_histogram_counts_every_value_once() -> None:
    values = np.random.default_rng(3).gamma(2, 0.004, 500).tolist()
    chart = histogram("left", values, "px", (Marker(0.004, "mean"),))
    Page(chart)
    counted = [int(number) for number in re.findall(r"<title>(\d+) of", chart)]
    assert sum(counted) == 500
    bars = [float(height) for height in re.findall(r'<rect[^>]* height="([\d.]+)"', chart)]
    np.testing.assert_allclose(np.array(bars) / max(bars), np.array(counted) / max(counted), atol=1e-3)


def test_charts_bear_a_single_value_and_zero() -> None:
    for chart in (
        histogram("one", [0.0], "px"),
        dots("one", [("a", 0.0, "good")], "%", ()),
        dots("two <b>", [("<i>", 1.0, "good"), ("b", 2.0, "warn")], "%", (Marker(3.0, "x & y"),)),
    ):
        assert "nan" not in Page(chart).text
