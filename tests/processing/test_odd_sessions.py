"""Sessions that are not the usual one, from the RAW files to the exported data set."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage.io import imread
from skimage.metrics import peak_signal_noise_ratio

from processing.dataset.check import check_dataset
from processing.dataset.export import export_sessions
from processing.dataset.plan import Wishes
from processing.jobs.batch import process_session
from processing.page.page import make_report
from rig.profiles import load_rig
from rig.records import RejectedShot, SyncProof
from rig.session import Session
from tests.processing.scenes import MovingScene, TrueRig, filled, kodak, linear

SHAPE = (320, 416)
HOSTILE = "<script>alert(1)</script> \"q\" 'p' ../../x\nnewline | " + "ü" * 300


def scenery() -> MovingScene:
    return MovingScene(linear(filled(kodak("13"), *SHAPE)), linear(kodak("08"))[40:120, 60:160])


def record(
    session: Session, scene: str, *, cfa: str = "RGGB", statics: int = 3, actions: tuple[int, ...] = ()
) -> None:
    """Record a scene: lightbox, static pairs, and for each number an action take of so many pairs."""
    rig = TrueRig(shape=SHAPE, cfa=cfa)
    even = np.full((*SHAPE, 3), 0.8, np.float32)
    moving = scenery()
    session.add_scene(scene, None)
    rig.record(session, "lightbox", [(even, even)] * 2, scene)
    rig.record(session, "static", [(moving.background, moving.background)] * statics, scene)
    for count in actions:
        at = [100 + 40 * index for index in range(count)]
        rig.record(
            session, "action", [(moving.frame(x, 100, 12), moving.frame(x, 100, 1.5)) for x in at], scene
        )


def reject(session: Session, scene: str, reason: str) -> None:
    """Record an action take of one shot that gave no pair."""
    take = session.start_take(scene, "action", 1, {})
    nothing: dict[str, int | None] = {"B": None, "S": None}
    proof = SyncProof(0, nothing, nothing, None, None, 1, {"B": 0, "S": 0}, "rejected", reason)
    session.record_shots([RejectedShot(scene, "action", take, 0, proof)])
    session.end_take(scene, "action", take, "complete", {})


@pytest.mark.parametrize("cfa", ["RGGB", "GRBG", "GBRG", "BGGR"])
def test_any_bayer_order_gives_the_true_colours_and_alike_pairs(cfa: str, tmp_path: Path) -> None:
    with Session.create(tmp_path / "s", load_rig("virtual")) as session:
        record(session, "s01", cfa=cfa)
        report = process_session(session, bits=8, masks=False, blur=False).scenes["s01"]
    assert not report.failed
    folder = tmp_path / "s" / "derived" / "s01"
    b, s = (imread(folder / "static" / f"t01_0000_{camera}.png") for camera in "BS")
    y0, y1, x0, x1 = json.loads((folder / "pipeline.json").read_text())["box"]
    light = 0.85 * scenery().background[y0:y1, x0:x1].astype(np.float64)
    true = np.rint(255 * (1.055 * light ** (1 / 2.4) - 0.055)).astype(np.uint8)
    assert peak_signal_noise_ratio(s, b) > 30
    for colour in range(3):
        assert s[..., colour].mean() / true[..., colour].mean() == pytest.approx(1, abs=0.01)
        assert peak_signal_noise_ratio(true[..., colour], s[..., colour]) > 29


def test_scenes_takes_and_hostile_words_reach_report_and_data_set_unharmed(tmp_path: Path) -> None:
    root = tmp_path / "<img src=x onerror=alert(1)> 'a\" & ü"
    with Session.create(root, load_rig("virtual"), operator=HOSTILE) as session:
        record(session, "s01", statics=1, actions=(2, 1))
        reject(session, "s01", f"lost {HOSTILE}")
        record(session, "s02", statics=2)  # and nothing moves in it
        done = process_session(session, bits=8)
        path, figures = make_report(session, None)
        wishes = Wishes(name=HOSTILE, license=HOSTILE, authors=(HOSTILE,), test_share=0)
        export_sessions([session], tmp_path / "set", wishes)
    assert done.failures() == []
    assert [(s.developed, s.masks) for s in done.scenes.values()] == [(4, 3), (2, 0)]
    assert "no action pair" in done.scenes["s02"].blur_note
    page = path.read_text(encoding="utf-8")
    card = (tmp_path / "set" / "README.md").read_text(encoding="utf-8")
    for text in (page, card):
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "s01" in text
    assert not check_dataset(tmp_path / "set").broken
    told = json.loads((tmp_path / "set" / "dataset_description.json").read_text(encoding="utf-8"))
    assert told["Statistics"]["pairs"] == {"train": 3, "test": 0}
    assert [one["shot"] for one in told["LeftOut"]] == ["s01/action/t03_0000"]
    _numbers_are_those_of(figures.to_dict(), page)


def _numbers_are_those_of(figures: dict[str, Any], page: str) -> None:
    """The page prints the figures that `report --json` gives, and those that the processing stored."""
    words = html.unescape(
        re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>|data:[^\"]+", "", page, flags=re.DOTALL))
    )
    for scene in figures["scenes"]:
        for state in ("before", "after"):
            pair = scene["static_pair"][state]
            assert f"{pair['psnr_db']:.2f}" in words
            assert f"{pair['delta_l_percent']:.3f}" in words
            assert f"{pair['ssim']:.4f}" in words
    assert f"{figures['scenes'][0]['blur']['b_px']:.1f}" in words
