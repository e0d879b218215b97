"""Adapting weights to the open session: a process of its own, progress, an end and a question."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from gui.adapt_process import Adapted, AdaptError, AdaptOrder, AdaptProcess, adapted_weights, new_folder
from gui.pages.deblur import DeblurPage
from gui.session_index import Listing
from models.checkpoints import save_safetensors
from models.networks.lbag import seeded_lbag
from processing.errors import Cancelled
from rig.profiles import load_rig
from rig.session import Session
from tests.gui.windows import made_deblur_page

Wait = Callable[..., None]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_safetensors(path, seeded_lbag(4, 1), trained=True, recipe={})
    return path


@pytest.fixture(scope="module")
def developed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three developed pairs of 208 pixels a side, as the trainings read them."""
    folder, rng = tmp_path_factory.mktemp("developed"), np.random.default_rng(4)
    for part in ("blurred", "sharp", "mask"):
        (folder / part).mkdir()
    for number in range(3):
        sharp = np.kron(rng.integers(0, 255, (26, 26, 3)), np.ones((8, 8, 1))).astype(np.uint8)
        blurred, mask = sharp.copy(), np.zeros((208, 208), np.uint8)
        blurred[60:140, 60:140] = cv2.blur(sharp, (9, 1))[60:140, 60:140]
        mask[60:140, 60:140] = 255
        for part, pixels in (("blurred", blurred), ("sharp", sharp), ("mask", mask)):
            assert cv2.imwrite(str(folder / part / f"{number}.png"), pixels)
    return folder


def session_without_pairs(folder: Path) -> Listing:
    """Make a session, and a listing of it."""
    with Session.create(folder, load_rig("virtual")):
        pass
    return Listing(folder, True, ("s01",))


@pytest.fixture
def page(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, qapp: object
) -> Iterator[DeblurPage]:
    monkeypatch.setenv("BEAMRIG_WEIGHTS", str(weights))
    made = made_deblur_page(tmp_path / "session")
    made.show()
    yield made
    made.end()
    made.close()
    made.deleteLater()


def test_adapting_tells_its_progress_and_what_it_gave(developed: Path, weights: Path, tmp_path: Path) -> None:
    told: list[tuple[float, str]] = []
    order = AdaptOrder(str(developed), str(weights), 0.08, str(tmp_path / "out"), 0)
    gained = AdaptProcess(order).run(lambda done, text: told.append((done, text)))
    assert gained.held_out == 1
    assert gained.after_db >= gained.before_db > 0
    assert (gained.weights is not None) == (tmp_path / "out" / "weights.safetensors").is_file()
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert all(0 <= done <= 1 for done, _ in told)


def test_a_stop_ends_it_at_once_and_the_best_until_then_counts(
    developed: Path, weights: Path, tmp_path: Path
) -> None:
    process = AdaptProcess(AdaptOrder(str(developed), str(weights), 100.0, str(tmp_path / "out"), 0))
    gained = process.run(lambda done, text: process.stop())
    assert gained.cancelled
    assert "Stopped" in gained.words()


def test_a_stop_before_the_start_starts_nothing(developed: Path, weights: Path, tmp_path: Path) -> None:
    process = AdaptProcess(AdaptOrder(str(developed), str(weights), 100.0, str(tmp_path / "out"), 0))
    process.stop()
    with pytest.raises(Cancelled):
        process.run(lambda done, text: None)


def test_what_cannot_be_adapted_is_told_in_the_words_of_the_error(
    developed: Path, weights: Path, tmp_path: Path
) -> None:
    missing = AdaptOrder(str(developed), str(tmp_path / "none.safetensors"), 0.1, str(tmp_path / "out"), 0)
    with pytest.raises(AdaptError, match=r"none\.safetensors"):
        AdaptProcess(missing).run(lambda done, text: None)


def test_without_pairs_the_button_is_off_and_says_why(page: DeblurPage, tmp_path: Path) -> None:
    told: list[Any] = []
    page.trouble.connect(told.append)
    page.show_listing(Listing(tmp_path))
    assert not page.panel.adapt.button.isEnabled()
    assert "process a scene" in page.panel.adapt.words.text()
    page.adapt.trigger()
    assert "process a scene" in told[0].hint


def test_a_session_that_cannot_be_learnt_from_is_told_and_the_button_is_back(
    page: DeblurPage, tmp_path: Path, wait_until: Wait
) -> None:
    told: list[Any] = []
    page.trouble.connect(told.append)
    page.show_listing(session_without_pairs(tmp_path / "session"))
    page.live._keeper.open_existing()
    page.adapt.work.nicer = 0  # a busy machine would keep it waiting
    page.adapt.start(0.1)
    card = page.panel.adapt
    assert card.running
    assert card.button.isHidden()
    wait_until(lambda: bool(told), "the reason", 100)
    assert "pair" in told[0].message
    assert not card.running
    assert not card.button.isHidden()


def test_without_trained_weights_there_is_nothing_to_begin_with(
    page: DeblurPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEAMRIG_WEIGHTS", "untrained")
    page.adapt._pairs = 5
    assert "no trained weights" in page.adapt._why_not()
    page.adapt.start(0.1)
    assert not page.adapt.running


def test_new_weights_are_used_when_the_operator_says_so(
    page: DeblurPage, tmp_path: Path, weights: Path, wait_until: Wait
) -> None:
    made = new_folder(tmp_path, "2026-11-21_101500") / "weights.safetensors"
    made.parent.mkdir(parents=True)
    made.write_bytes(weights.read_bytes())
    page.show_listing(Listing(tmp_path))
    assert adapted_weights(tmp_path) == (made,)
    page.adapt._adapted(Adapted(str(made), 3, 22.0, 24.0, 25.5, False))
    card = page.panel.adapt
    assert "24.00 → 25.50 dB (+1.50 dB" in card.words.text()
    card.use.click()
    assert page.job.weights == made
    assert page.panel.weights.box.currentText() == "Adapted 2026-11-21 101500"
    assert not card.button.isHidden()
    wait_until(lambda: page.engine.table.value("Weights") == "weights.safetensors", "the engine", 60)
    page.show_listing(Listing(tmp_path / "another"))  # another set: these weights were made for this one
    assert page.job.weights is None


def test_weights_that_do_not_help_are_not_asked_about(page: DeblurPage, tmp_path: Path) -> None:
    page.show_listing(Listing(tmp_path))
    page.adapt._adapted(Adapted(None, 1, 22.0, 24.0, 24.0, False))
    assert page.panel.adapt.use.isHidden()
    assert "the present weights stay" in page.panel.adapt.words.text()
