"""A recorded session through the whole pipeline: figures, files, resume, cancel, calibrations."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from processing.calibration.scene import SceneCalibration
from processing.errors import CalibrationError, ProcessingError, TakeMissing
from processing.jobs.batch import process_session
from processing.jobs.verify import verify_session
from processing.masks import literal_mask
from processing.pipeline import ScenePipeline
from rig.errors import SessionError
from rig.session import Session
from tests.processing.scenes import B_BLUR_PX, S_BLUR_PX, TrueRig, record_session


@pytest.fixture
def session(recorded: Session, tmp_path: Path) -> Session:
    """A copy of the recorded session that a test may write into."""
    shutil.copytree(recorded.root, tmp_path / "session", symlinks=True)
    return Session.open(tmp_path / "session")


@pytest.fixture(scope="module")
def pipeline(recorded: Session) -> ScenePipeline:
    return ScenePipeline.from_session(recorded, "s01")


def test_the_static_pair_agrees_better_after_than_before(pipeline: ScenePipeline) -> None:
    before, after = pipeline.static_metrics["before"], pipeline.static_metrics["after"]
    assert after["delta_l_percent"] < 0.7 * before["delta_l_percent"]
    assert after["psnr_db"] > before["psnr_db"] + 5
    assert after["ssim"] > before["ssim"] + 0.05


def test_the_geometry_is_the_true_one(pipeline: ScenePipeline) -> None:
    y0, y1, x0, x1 = pipeline.box
    y, x = np.mgrid[y0:y1:4, x0:x1:4].astype(np.float64)
    wanted, found = TrueRig().b_from_s(x, y), pipeline.flow.map(x, y)
    assert np.hypot(found[0] - wanted[0], found[1] - wanted[1]).mean() < 0.03


def test_the_paper_profile_works_too(recorded: Session) -> None:
    paper = ScenePipeline.from_session(recorded, "s01", "paper")
    assert paper.static_metrics["after"]["psnr_db"] > paper.static_metrics["before"]["psnr_db"]


def test_a_developed_pair_shows_the_common_box(pipeline: ScenePipeline, recorded: Session) -> None:
    raw = recorded.pairs("s01", "action")[0].load()
    developed = pipeline.develop(raw.b, raw.s)
    y0, y1, x0, x1 = developed.box
    assert developed.b.shape == developed.s.shape == (y1 - y0, x1 - x0, 3)
    assert 0 <= developed.b.min() <= developed.b.max() <= 1


def test_everything_is_written_and_measured(session: Session) -> None:
    seen: list[float] = []
    report = process_session(session, progress=lambda done, text: seen.append(done))
    scene = report.scenes["s01"]
    assert (scene.developed, scene.skipped, scene.masks) == (6, 0, 3)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    folder = session.root / "derived" / "s01"
    image = cv2.imread(str(folder / "action" / "t01_0002_B.png"), cv2.IMREAD_UNCHANGED)
    assert image is not None
    assert image.dtype == np.uint16
    assert scene.blur_px is not None
    assert scene.blur_px["b_px"] == pytest.approx(B_BLUR_PX, abs=0.5)
    assert scene.blur_px["s_px"] == pytest.approx(S_BLUR_PX, abs=0.5)
    mask = scene.mask(session.pairs("s01", "action")[2])
    assert mask.shape == image.shape[:2]
    assert 0.05 < np.mean(mask > 0) < 0.25
    stored = json.loads((folder / "metrics.json").read_text())
    assert stored["static_pair"] == scene.static_pair
    used = json.loads((folder / "pipeline.json").read_text())["id"]
    record = json.loads((folder / "action" / "t01_0002.json").read_text())
    assert used == record["calibration"] == scene.calibration


def test_a_second_run_makes_only_what_is_missing(session: Session) -> None:
    process_session(session, blur=False)
    folder = session.root / "derived" / "s01" / "action"
    kept = (folder / "t01_0000_B.png").stat().st_mtime_ns
    (folder / "t01_0001_mask.png").unlink()
    (folder / "t01_0002_S.png").write_bytes(b"torn")
    scene = process_session(session, blur=False).scenes["s01"]
    assert (scene.developed, scene.skipped) == (2, 4)
    assert (folder / "t01_0000_B.png").stat().st_mtime_ns == kept
    assert (folder / "t01_0002_S.png").stat().st_size > 1000


def test_the_same_session_gives_the_same_bytes(session: Session, recorded: Session, tmp_path: Path) -> None:
    shutil.copytree(recorded.root, tmp_path / "again")
    shutil.rmtree(tmp_path / "again" / "calibration")
    again = Session.open(tmp_path / "again")
    for one in (session, again):
        process_session(one, blur=False)
    names = ("t01_0000_B.png", "t01_0000_S.png", "t01_0000_mask.png")
    for name in names:
        one, two = (s.root / "derived" / "s01" / "action" / name for s in (session, again))
        assert one.read_bytes() == two.read_bytes()


def test_a_cancelled_run_keeps_what_is_finished_and_resumes(session: Session) -> None:
    stop = threading.Event()

    def watch(done: float, text: str) -> None:
        if "t01_0001 developed" in text:
            stop.set()

    first = process_session(session, progress=watch, cancel=stop, blur=False)
    assert first.cancelled
    done = first.scenes["s01"].developed
    assert 0 < done < 6
    assert not list((session.root / "derived").rglob("*.part"))
    second = process_session(session, blur=False).scenes["s01"]
    assert (second.skipped, second.developed) == (done, 6 - done)


def test_eight_bit_tiff_on_request(session: Session) -> None:
    process_session(session, bits=8, format="tiff", masks=False, blur=False)
    image = tifffile.imread(session.root / "derived" / "s01" / "static" / "t01_0000_S.tiff")
    assert image.dtype == np.uint8
    assert image.ndim == 3


def test_masks_can_be_made_alone_and_images_added_later(session: Session) -> None:
    process_session(session, images=False, blur=False)
    folder = session.root / "derived" / "s01" / "action"
    assert (folder / "t01_0000_mask.png").is_file()
    assert not (folder / "t01_0000_B.png").exists()
    process_session(session, blur=False)
    assert (folder / "t01_0000_B.png").is_file()


def test_the_confidence_of_masks_is_written_on_request_recorded_and_kept(session: Session) -> None:
    process_session(session, bits=8, blur=False)
    folder = session.root / "derived" / "s01" / "action"
    assert not list(folder.glob("*_confidence.png"))
    first = process_session(session, bits=8, blur=False, confidence=True).scenes["s01"]
    assert (first.developed, first.skipped) == (3, 3)  # the static pairs have no mask
    for number in range(3):
        confidence, mask = (
            cv2.imread(str(folder / f"t01_000{number}_{part}.png"), cv2.IMREAD_UNCHANGED)
            for part in ("confidence", "mask")
        )
        assert confidence is not None
        assert confidence.dtype == np.uint8
        assert confidence.shape == mask.shape
        assert len(np.unique(confidence)) > 20
        np.testing.assert_array_equal(confidence >= 128, mask > 0)
    record = json.loads((folder / "t01_0001.json").read_text())
    written = (folder / "t01_0001_confidence.png").read_bytes()
    assert record["files"]["t01_0001_confidence.png"]["sha256"] == hashlib.sha256(written).hexdigest()
    # a run that does not ask for it has nothing to do, one that does makes what is missing
    assert process_session(session, bits=8, blur=False).scenes["s01"].skipped == 6
    (folder / "t01_0001_confidence.png").unlink()
    assert set(verify_session(session).differing) == {"s01/action/t01_0001"}
    again = process_session(session, bits=8, blur=False, confidence=True).scenes["s01"]
    assert (again.developed, again.skipped) == (1, 5)
    assert (folder / "t01_0001_confidence.png").read_bytes() == written
    # and one that makes everything anew without it leaves none that nobody vouches for
    process_session(session, bits=8, blur=False, again=True)
    assert not list(folder.glob("*_confidence.png"))


def test_masks_as_printed_have_no_confidence(session: Session) -> None:
    with pytest.raises(ProcessingError, match="masks of profile paper have no confidence"):
        process_session(session, profile="paper", confidence=True)
    with pytest.raises(ProcessingError, match="without masks no confidence"):
        process_session(session, masks=False, confidence=True)


def test_masks_of_profile_paper_come_from_algorithm_1(session: Session) -> None:
    process_session(session, profile="paper", images=False, blur=False)
    paper = ScenePipeline.from_session(session, "s01", "paper")
    raw = [record.load() for record in session.pairs("s01", "action")]
    pairs = [paper.develop(pair.b, pair.s).as_8bit() for pair in raw]
    static = paper.static_8bit()[0]
    wanted = [literal_mask(static, pairs[:k] + pairs[k + 1 :], pair) for k, pair in enumerate(pairs)]
    files = sorted((session.root / "derived" / "s01" / "action").glob("*_mask.png"))
    masks = [cv2.imread(str(file), cv2.IMREAD_UNCHANGED) for file in files]
    np.testing.assert_array_equal(masks, wanted)
    assert len(masks) == 3
    assert all(set(np.unique(mask)) <= {0, 255} for mask in masks)
    assert np.mean(masks[0] > 0) > 0.04


def test_a_calibration_is_stored_found_again_and_guarded(session: Session) -> None:
    first = ScenePipeline.from_session(session, "s01").calibration
    (path,) = (session.root / "calibration").glob("s01_best_*.json")
    assert SceneCalibration.load(path).id == first.id
    again = ScenePipeline.from_session(session, "s01").calibration
    assert (again.id, again.created) == (first.id, first.created)
    path.write_text(path.read_text().replace('"beta": [', '"beta": [1.5, '))
    with pytest.raises(CalibrationError, match="changed after it was made"):
        SceneCalibration.load(path)


def test_other_sources_make_another_calibration(session: Session) -> None:
    first = ScenePipeline.from_session(session, "s01").calibration
    rig = TrueRig(seed=9)
    even = np.full((*rig.shape, 3), 0.7, np.float32)
    rig.record(session, "whiteboard", [(even, even)])
    second = ScenePipeline.from_session(session, "s01").calibration
    assert second.id != first.id
    assert {source.role for source in second.sources} == {"colour", "white", "static"}


@pytest.mark.parametrize(("kinds", "missing"), [(("lightbox",), "static"), (("static",), "whiteboard")])
def test_a_scene_without_its_takes_says_which(tmp_path: Path, kinds: tuple[str, ...], missing: str) -> None:
    session = record_session(tmp_path / "s", kinds=kinds)
    with pytest.raises(TakeMissing, match=missing):
        process_session(session)


def test_wrong_wishes_are_refused(recorded: Session) -> None:
    with pytest.raises(ProcessingError, match="12-bit"):
        process_session(recorded, bits=12)  # type: ignore[arg-type]
    with pytest.raises(SessionError, match="s07"):
        process_session(recorded, ["s07"])
    with pytest.raises(ProcessingError, match="profile"):
        ScenePipeline.from_session(recorded, "s01", "finest")  # type: ignore[arg-type]
