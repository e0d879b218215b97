"""A recorded session as a data set: the layout of ReLoBlur, its facts, its way on after a stop."""

from __future__ import annotations

import csv
import glob
import json
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from processing.dataset.export import ExportReport, export_sessions
from processing.dataset.plan import Wishes
from processing.errors import Cancelled, ProcessingError
from processing.jobs.batch import process_session
from processing.jobs.pair_record import write_sealed
from processing.page.data import collect
from rig.records import PairRecord
from rig.review import review_pairs
from rig.session import Session
from tests.processing.scenes import record_session


@pytest.fixture(scope="module")
def processed(recorded: Session, tmp_path_factory: pytest.TempPathFactory) -> Session:
    """The recorded session, developed; only read by the tests."""
    folder = tmp_path_factory.mktemp("dataset_source") / "monday"
    shutil.copytree(recorded.root, folder)
    session = Session.open(folder)
    process_session(session)
    return session


@pytest.fixture(scope="module")
def exported(processed: Session, tmp_path_factory: pytest.TempPathFactory) -> ExportReport:
    return export_sessions([processed], tmp_path_factory.mktemp("exported") / "set", Wishes(test_share=0))


@pytest.fixture
def session(processed: Session, tmp_path: Path) -> Session:
    """A copy of the developed session that a test may write into."""
    shutil.copytree(processed.root, tmp_path / "monday")
    return Session.open(tmp_path / "monday")


def contents(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def rows_of(root: Path) -> list[dict[str, str]]:
    with (root / "pairs.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read(path: Path | str) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return np.asarray(image)


def test_the_published_loader_would_read_it(
    exported: ExportReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").symlink_to(exported.root)
    monkeypatch.chdir(tmp_path)
    found = sorted(glob.glob("data/dataset/train/*/*/*sharp.png"))  # noqa: PTH207 (as the loader does)
    assert [path.split("/", 3)[3] for path in found] == [f"s01/00/0{n}_sharp.png" for n in range(3)]
    for path in found:
        sharp, blur = read(path), read(path.replace("sharp", "blur"))
        mask = read(path.replace("dataset", "masks").replace("_sharp", ""))
        assert sharp.dtype == blur.dtype == mask.dtype == np.uint8
        assert sharp.shape == blur.shape == (*mask.shape, 3)
        assert mask.shape[0] % 4 == mask.shape[1] % 4 == 0
        assert set(np.unique(mask)) == {0, 255}
        assert not np.array_equal(sharp, blur)


def test_pictures_are_the_developed_ones_rounded_and_cut(exported: ExportReport, processed: Session) -> None:
    row = rows_of(exported.root)[0]
    x, y, w, h = (int(row[name]) for name in ("crop_x", "crop_y", "width", "height"))
    for name, part in (("sharp", "S"), ("blur", "B")):
        deep = read(processed.root / "derived" / "s01" / "action" / f"t01_0000_{part}.png")
        wanted = np.rint(deep[y : y + h, x : x + w] / 257.0)
        np.testing.assert_array_equal(read(exported.root / f"dataset/train/s01/00/00_{name}.png"), wanted)


def test_each_row_leads_back_to_the_recorded_pair(exported: ExportReport, processed: Session) -> None:
    rows = rows_of(exported.root)
    records = {record.id: record for record in processed.pairs("s01", "action")}
    assert [row["source_pair"] for row in rows] == list(records)
    for row in rows:
        record = records[row["source_pair"]]
        assert row["raw_b_sha256"] == record.meta_b["sha256"]
        assert row["session_id"] == processed.id
        assert float(row["blur_b_px_scene"]) == pytest.approx(12, abs=0.5)
        mask = read(exported.root / "masks" / row["split"] / f"{row['item']}.png")
        assert float(row["mask_percent"]) == pytest.approx(100 * np.mean(mask > 0))
    metrics = json.loads((processed.root / "derived/s01/metrics.json").read_text())
    assert {row["calibration"] for row in rows} == {metrics["calibration"]}


def test_the_card_gives_the_figures_of_the_paper_and_the_sums_hold(exported: ExportReport) -> None:
    card = (exported.root / "README.md").read_text()
    found = json.loads((exported.root / "dataset_description.json").read_text())["Statistics"]
    assert found["pairs"] == {"train": 3, "test": 0}
    for text in (f"{found['mask_percent_mean']:.2f} %", "11.75 %", "15 to 70 px", "2.870 %", "2010 / 395"):
        assert text in card
    assert "no scene is in the test split" in card
    tool = shutil.which("sha256sum")
    assert tool is not None
    done = subprocess.run(
        [tool, "-c", "--quiet", "SHA256SUMS"], cwd=exported.root, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"")
    listed = {line.split("  ", 1)[1] for line in (exported.root / "SHA256SUMS").read_text().splitlines()}
    assert listed == set(contents(exported.root)) - {"SHA256SUMS"}


def test_the_same_session_gives_the_same_bytes_wherever_it_lies(
    exported: ExportReport, session: Session, tmp_path: Path
) -> None:
    export_sessions([session], tmp_path / "elsewhere" / "set", Wishes(test_share=0))
    assert contents(tmp_path / "elsewhere" / "set") == contents(exported.root)


def test_a_stopped_export_goes_on_and_keeps_what_is_there(
    exported: ExportReport, processed: Session, tmp_path: Path
) -> None:
    stop = threading.Event()
    with pytest.raises(Cancelled):
        export_sessions(
            [processed],
            tmp_path / "set",
            Wishes(test_share=0),
            lambda done, text: stop.set() if "s01/00/00 of" in text else None,
            stop,
        )
    first = tmp_path / "set" / "dataset" / "train" / "s01" / "00" / "00_sharp.png"
    written = first.stat().st_mtime_ns
    assert not (tmp_path / "set" / "SHA256SUMS").exists()
    report = export_sessions([processed], tmp_path / "set", Wishes(test_share=0))
    assert report.kept >= 1
    assert first.stat().st_mtime_ns == written
    assert contents(tmp_path / "set") == contents(exported.root)


def test_another_data_set_is_never_overwritten(processed: Session, tmp_path: Path) -> None:
    export_sessions([processed], tmp_path / "set", Wishes(test_share=0))
    before = contents(tmp_path / "set")
    with pytest.raises(ProcessingError, match="another export"):
        export_sessions([processed], tmp_path / "set", Wishes(test_share=1))
    assert contents(tmp_path / "set") == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(ProcessingError, match="not empty"):
        export_sessions([processed], tmp_path / "mine")
    with pytest.raises(ProcessingError, match="inside the session"):
        export_sessions([processed], processed.root / "derived" / "set")


def edit_record(session: Session, number: int, **entries: object) -> None:
    path = session.root / "derived" / "s01" / "action" / f"t01_000{number}.json"
    write_sealed(path, {**json.loads(path.read_text()), **entries})


def edit(path: Path) -> None:
    """Take back by hand what the checks said of a pair."""
    path.write_text(path.read_text().replace('"verdict": {', '"verdict": {}, "before": {'))


@pytest.mark.parametrize("name", ["metrics.json", "pipeline.json"])
def test_figures_of_a_scene_that_were_edited_do_not_reach_the_card(
    session: Session, tmp_path: Path, name: str
) -> None:
    path = session.root / "derived" / "s01" / name
    path.write_text(path.read_text().replace("0.", "9.", 1))
    with pytest.raises(ProcessingError, match=f"{name} is damaged, was changed"):
        export_sessions([session], tmp_path / "set")
    process_session(session)
    assert export_sessions([session], tmp_path / "set").plan.items()


def test_bad_pairs_are_left_out_and_listed_with_their_reasons(session: Session, tmp_path: Path) -> None:
    stop = {"level": "stop", "text": "B and S do not show the same moment", "hint": "", "figure": 3.5}
    edit_record(session, 1, verdict={"level": "stop", "findings": [stop], "figures": {}})
    report = export_sessions([session], tmp_path / "set", Wishes(leave_out=("s01/action/t01_0002",)))
    assert [(one.shot, one.why) for one in report.plan.left_out] == [
        ("s01/action/t01_0001", "checks: B and S do not show the same moment"),
        ("s01/action/t01_0002", "left out by hand"),
    ]
    card = (tmp_path / "set" / "README.md").read_text()
    assert "monday/s01/action/t01_0001 | checks: B and S do not show the same moment" in card
    assert len(list((tmp_path / "set" / "masks").rglob("*.png"))) == 1


def test_the_reviewer_has_the_last_word_and_it_is_listed(session: Session, tmp_path: Path) -> None:
    stop = {"level": "stop", "text": "the rig was bumped", "hint": "", "figure": 3.5}
    edit_record(session, 1, verdict={"level": "stop", "findings": [stop], "figures": {}})
    review_pairs(session, ["s01/action/t01_0000"], "reject", "a bird flew through")
    review_pairs(session, ["s01/action/t01_0001"], "accept", "far from the object")
    report = export_sessions([session], tmp_path / "set")
    assert [(one.shot, one.why) for one in report.plan.left_out] == [
        ("s01/action/t01_0000", "rejected by the reviewer: a bird flew through")
    ]
    assert any("in spite of the checks: accepted by the reviewer" in note for note in report.plan.notes)
    card = (tmp_path / "set" / "README.md").read_text()
    assert "monday/s01/action/t01_0000 | rejected by the reviewer: a bird flew through" in card
    with (tmp_path / "set" / "pairs.csv").open(newline="") as file:
        rows = {row["source_pair"]: row["review"] for row in csv.DictReader(file)}
    assert rows["s01/action/t01_0001"] == "accepted by the reviewer: far from the object"


def test_a_pair_to_be_left_out_must_be_named_without_doubt(
    session: Session, processed: Session, tmp_path: Path
) -> None:
    card = (session.root / "session.yaml").read_text()
    (session.root / "session.yaml").write_text(card.replace(session.id, "f" * 32))
    shutil.move(session.root, tmp_path / "tuesday")
    pair = "s01/action/t01_0000"
    with Session.open(tmp_path / "tuesday") as other:
        with pytest.raises(ProcessingError, match="several pairs are named s01/action/t01_0000"):
            export_sessions([other, processed], tmp_path / "set", Wishes(leave_out=(pair,)))
        wishes = Wishes(leave_out=(f"tuesday/{pair}",))
        report = export_sessions([other, processed], tmp_path / "set", wishes)
    assert [(one.session, one.shot) for one in report.plan.left_out] == [("tuesday", pair)]
    with pytest.raises(ProcessingError, match="no pair is named"):
        export_sessions([processed], tmp_path / "other", Wishes(leave_out=("s01/action/t01_0099",)))


def test_a_pair_that_was_taken_back_is_left_out(session: Session, tmp_path: Path) -> None:
    from rig.records import revoked_event

    session.journal.append(revoked_event("s01", "action", 1, 0, "a pulse was lost before it"))
    report = export_sessions([session], tmp_path / "set")
    (gone,) = report.plan.left_out
    assert gone.shot == "s01/action/t01_0000"
    assert "a pulse was lost before it" in gone.why


@pytest.mark.parametrize(
    ("harm", "what"),
    [
        (lambda folder: edit(folder / "t01_0001.json"), "record is damaged, was changed"),
        (lambda folder: (folder / "t01_0001.json").unlink(), "not developed"),
        (lambda folder: (folder / "t01_0001_mask.png").unlink(), "lacks mask"),
        (lambda folder: (folder / "t01_0001_B.png").unlink(), "lacks B"),
    ],
)
def test_what_is_not_developed_is_asked_for(
    session: Session, tmp_path: Path, harm: Callable[[Path], None], what: str
) -> None:
    harm(session.root / "derived" / "s01" / "action")
    with pytest.raises(ProcessingError, match=what) as caught:
        export_sessions([session], tmp_path / "set")
    assert "beamrig process" in caught.value.hint
    assert not (tmp_path / "set").exists()


def test_images_of_other_raw_files_are_refused(session: Session, tmp_path: Path) -> None:
    edit_record(session, 1, sources={"B": "0" * 64, "S": "1" * 64})
    with pytest.raises(ProcessingError, match="other RAW files"):
        export_sessions([session], tmp_path / "set")


def test_pairs_developed_otherwise_than_the_figures_of_their_scene_are_refused(
    session: Session, tmp_path: Path
) -> None:
    stop = threading.Event()

    def until_an_action_pair(done: float, text: str) -> None:
        if "action/" in text:
            stop.set()

    report = process_session(session, profile="paper", progress=until_an_action_pair, cancel=stop, workers=1)
    assert report.cancelled
    with pytest.raises(ProcessingError, match=r"developed with paper, the figures of its scene are of best"):
        export_sessions([session], tmp_path / "set", Wishes())
    pairs = {one.pair: one for one in collect(session).scenes[0].pairs}
    assert pairs["s01/static/t01_0000"].state == pairs["s01/action/t01_0000"].state == "stale"
    assert "process the scene again" in pairs["s01/static/t01_0000"].why
    assert not pairs["s01/static/t01_0000"].figures


def test_a_damaged_developed_image_is_named(session: Session, tmp_path: Path) -> None:
    (session.root / "derived" / "s01" / "action" / "t01_0002_S.png").write_bytes(b"torn")
    with pytest.raises(ProcessingError, match=r"t01_0002_S\.png was changed after"):
        export_sessions([session], tmp_path / "set")


def test_two_sessions_become_one_data_set_in_the_order_of_their_making(
    processed: Session, tmp_path: Path
) -> None:
    other = record_session(tmp_path / "tuesday", pairs=1)
    process_session(other, blur=False)
    for order, name in (([processed, other], "one"), ([other, processed], "two")):
        report = export_sessions(order, tmp_path / name, Wishes(test_scenes=("tuesday/s01",)))
        by_split = {scene.split: scene for scene in report.plan.scenes}
        assert by_split["test"].source.session.id == other.id
        assert len(by_split["train"].items) == 3
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    with pytest.raises(ProcessingError, match="twice"):
        export_sessions([other, other], tmp_path / "three")


def test_a_session_without_action_pairs_has_nothing_to_export(tmp_path: Path) -> None:
    session = record_session(tmp_path / "s", kinds=("lightbox", "static"))
    with pytest.raises(ProcessingError, match="no action pair"):
        export_sessions([session], tmp_path / "set")


def test_the_session_is_only_read(processed: Session, exported: ExportReport) -> None:
    assert exported.check.findings == []
    assert all(isinstance(shot, PairRecord) for shot in processed.shots())
    assert not list(processed.root.rglob("*.part"))
