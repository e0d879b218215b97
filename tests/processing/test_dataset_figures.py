"""What a data set says of itself, worked out again from its own files by other means."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.io import imread
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from processing.dataset.export import export_sessions
from processing.dataset.plan import Wishes
from processing.jobs.batch import process_session
from rig.profiles import load_rig
from rig.session import Session
from tests.processing.scenes import MovingScene, TrueRig, filled, kodak, linear


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a data set of two pairs of a small scene whose object smears by 12 and by 1.5 px."""
    rig = TrueRig(shape=(320, 416))
    even = np.full((*rig.shape, 3), 0.8, np.float32)
    scene = MovingScene(linear(filled(kodak("13"), *rig.shape)), linear(kodak("08"))[40:120, 60:160])
    folder = tmp_path_factory.mktemp("figures")
    with Session.create(folder / "monday", load_rig("virtual")) as session:
        session.add_scene("s01", None)
        rig.record(session, "lightbox", [(even, even)] * 2)
        rig.record(session, "static", [(scene.background, scene.background)] * 3)
        at = (100, 140)
        rig.record(session, "action", [(scene.frame(x, 100, 12), scene.frame(x, 100, 1.5)) for x in at])
        process_session(session, bits=8)
        export_sessions([session], folder / "set", Wishes(test_share=0))
    return folder / "set"


def pairs(root: Path) -> list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Read (sharp, blurred, mask) of each pair."""
    found = [
        (imread(path), imread(path.with_name(path.name.replace("sharp", "blur"))))
        for path in sorted((root / "dataset").rglob("*_sharp.png"))
    ]
    masks = [imread(path) for path in sorted((root / "masks").rglob("*.png"))]
    assert len(masks) == len(found) == 2
    return [(*one, mask) for one, mask in zip(found, masks, strict=True)]


def brightness_difference(sharp: NDArray[Any], blurred: NDArray[Any], mask: NDArray[Any]) -> float:
    """Return Delta-L (appendix Eq. 1) in percent outside of a mask."""
    s, b = sharp[mask == 0].astype(np.int64), blurred[mask == 0].astype(np.int64)
    return float(100 * np.abs(s - b).sum() / b.sum())


def similarity(sharp: NDArray[Any], blurred: NDArray[Any]) -> float:
    return float(
        structural_similarity(
            sharp, blurred, data_range=255, channel_axis=2,
            gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        )
    )  # fmt: skip


def test_the_figures_of_the_card_are_those_of_its_pictures(exported: Path) -> None:
    told = json.loads((exported / "dataset_description.json").read_text(encoding="utf-8"))["Statistics"]
    every = pairs(exported)
    wanted = {
        "mask_percent_mean": fmean(100 * float(np.mean(mask > 0)) for _, _, mask in every),
        "background_delta_l_percent_mean": fmean(brightness_difference(*one) for one in every),
        "psnr_db_mean": fmean(peak_signal_noise_ratio(s, b, data_range=255) for s, b, _ in every),
        "ssim_mean": fmean(similarity(s, b) for s, b, _ in every),
    }
    assert {name: told[name] for name in wanted} == pytest.approx(wanted, rel=2e-5)
    assert told["size"] == [f"{every[0][0].shape[1]}x{every[0][0].shape[0]}"]
    # the object of 100 x 80 px and the way it goes, and nothing of the background
    area = 100 * (100 + 12) * 80 / every[0][2].size
    assert wanted["mask_percent_mean"] == pytest.approx(area, rel=0.2)


def test_the_sums_are_those_of_all_the_files(exported: Path) -> None:
    told = dict(line.split("  ", 1)[::-1] for line in (exported / "SHA256SUMS").read_text().splitlines())
    files = {path.relative_to(exported).as_posix(): path for path in exported.rglob("*") if path.is_file()}
    del files["SHA256SUMS"]
    assert told == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}


def test_each_row_of_the_table_has_the_sums_of_its_own_files(exported: Path) -> None:
    with (exported / "pairs.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    named = {value for row in rows for value in row.values() if len(value) == 64}
    written = [path for part in ("dataset", "masks") for path in (exported / part).rglob("*.png")]
    recorded = list((exported.parent / "monday" / "scenes" / "s01" / "action").glob("*.dng"))
    assert len(written) == 6
    assert len(recorded) == 4
    for path in [*written, *recorded]:
        assert hashlib.sha256(path.read_bytes()).hexdigest() in named
    for row, (sharp, blurred, mask) in zip(rows, pairs(exported), strict=True):
        assert float(row["mask_percent"]) == pytest.approx(100 * np.mean(mask > 0), abs=1e-3)
        assert float(row["psnr_db"]) == pytest.approx(
            peak_signal_noise_ratio(sharp, blurred, data_range=255), abs=1e-3
        )
