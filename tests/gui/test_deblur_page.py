"""The Deblur page with the real engine and a tiny network, on small pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from gui.deblur_view import ROUTES
from gui.pages.deblur import DeblurPage
from gui.pictures import PictureError, read_picture
from models.checkpoints import save_safetensors
from models.networks.lbag import seeded_lbag
from tests.gui.windows import made_deblur_page

Wait = Callable[..., None]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_safetensors(path, seeded_lbag(4, 1), trained=True, recipe={})
    return path


@pytest.fixture
def page(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, weights: Path
) -> Iterator[DeblurPage]:
    monkeypatch.setenv("BEAMRIG_WEIGHTS", str(weights))
    made = made_deblur_page(tmp_path / "session")
    qtbot.addWidget(made)
    made.resize(1100, 700)
    made.show()
    yield made
    made.end()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    path = tmp_path / "pair_B.png"
    assert cv2.imwrite(str(path), rng.integers(0, 65535, (72, 96, 3)).astype(np.uint16))
    return path


def test_preview_then_full_picture_with_mask(page: DeblurPage, picture: Path, wait_until: Wait) -> None:
    stages: list[str] = []
    page.job.changed.connect(lambda: stages.append(page._view.stage if page._view else ""))
    assert not page.run_button.isEnabled()
    page.open_picture(picture)
    wait_until(page.run_button.isEnabled, "the picture", 60)
    wait_until(lambda: page.engine.table.value("Weights") == "tiny.safetensors", "the engine", 60)
    assert page.engine.untrained.isHidden()
    assert "cpu" in page.engine.table.value("Device") or "cuda" in page.engine.table.value("Device")
    page.run()
    wait_until(lambda: not page.job.running, "the result", 60)
    wait_until(lambda: page._view is not None and page._view.stage == "full", "the full picture", 60)
    view = page._view
    assert view is not None
    assert view.result is not None
    assert (view.after.width(), view.after.height()) == (96, 72)
    expected = np.rint(view.result.sharp * 255).astype(int)
    colour = view.after.pixelColor(10, 20)
    np.testing.assert_allclose([colour.red(), colour.green(), colour.blue()], expected[20, 10], atol=1)
    assert page.slider._overlay.isNull()
    page.mask_box.toggle()
    assert not page.slider._overlay.isNull()
    assert page.slider._overlay.pixelColor(5, 6).alphaF() == pytest.approx(view.result.mask[6, 5], abs=0.01)
    page.opacity.setValue(80)
    assert page.slider._opacity == pytest.approx(0.8)


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """Return B of a developed pair: a patch of S is smeared in it, and its mask says where."""
    rng = np.random.default_rng(8)
    sharp = np.kron(rng.integers(0, 255, (16, 24, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    blurred, mask = sharp.copy(), np.zeros(sharp.shape[:2], np.uint8)
    blurred[40:72, 60:108] = cv2.blur(sharp, (13, 1))[40:72, 60:108]
    mask[40:72, 60:108] = 255
    for part, pixels in (("B", blurred), ("S", sharp), ("mask", mask)):
        assert cv2.imwrite(str(tmp_path / f"t01_0000_{part}.png"), pixels)
    return tmp_path / "t01_0000_B.png"


def test_of_a_developed_pair_share_route_and_gain_are_told(
    page: DeblurPage, pair: Path, wait_until: Wait
) -> None:
    page.open_picture(pair)
    wait_until(page.run_button.isEnabled, "the picture", 60)
    assert page.panel.moved_box.isChecked()
    page.run()
    wait_until(page.save_button.isEnabled, "the full picture", 60)
    view = page._view
    assert view is not None
    assert view.result is not None
    assert 0 < view.result.share <= 1  # the engine takes the whole where that is cheaper
    assert page.panel.facts.value("Computed") == f"{view.result.share:.0%} of the frame"
    assert page.panel.facts.value("Route") == ROUTES[view.result.route]
    before, after, sharp = (
        codes[40:72, 60:108].astype(float)
        for codes in (read_picture(pair), np.rint(view.result.sharp * 255), read_picture(_beside(pair, "S")))
    )
    expected = [10 * np.log10(255**2 / np.mean((one - sharp) ** 2)) for one in (before, after)]
    assert page.panel.facts.value("Mover") == f"{expected[0]:.2f} → {expected[1]:.2f} dB against S"


def test_s_can_stand_on_the_left_side_instead_of_b(page: DeblurPage, pair: Path, wait_until: Wait) -> None:
    page.open_picture(pair)
    wait_until(page.slider.has_image, "the picture", 60)

    def left() -> list[int]:
        colour = page.slider._image.pixelColor(80, 50)
        return [colour.red(), colour.green(), colour.blue()]

    assert left() == read_picture(pair)[50, 80].tolist()
    page.panel.sharp_box.click()
    assert left() == read_picture(_beside(pair, "S"))[50, 80].tolist()
    assert page.slider._names[0] == "Sharp  S"
    assert page.slider._right.pixelColor(80, 50) != page.slider._image.pixelColor(80, 50)
    page.panel.sharp_box.click()
    assert left() == read_picture(pair)[50, 80].tolist()


def test_a_picture_without_its_s_is_computed_as_a_whole(
    page: DeblurPage, picture: Path, wait_until: Wait
) -> None:
    page.open_picture(picture)
    wait_until(page.run_button.isEnabled, "the picture", 60)
    assert not page.panel.moved_box.isEnabled()
    assert not page.panel.sharp_box.isEnabled()
    page.run()
    wait_until(page.save_button.isEnabled, "the full picture", 60)
    assert page.panel.facts.value("Computed") == "100% of the frame"
    assert page.panel.facts.value("Mover") == "–"


def test_untrained_weights_are_called_so_and_others_are_used_at_once(
    page: DeblurPage, weights: Path, wait_until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEAMRIG_WEIGHTS", "untrained")
    page.enter()
    wait_until(lambda: not page.engine.untrained.isHidden(), "the usual engine", 60)
    assert "Untrained weights" in page.engine.untrained.text()
    page.adapt.use(weights)
    wait_until(page.engine.untrained.isHidden, "the other engine", 60)
    assert page.panel.weights.box.currentText() == "tiny.safetensors"
    page.panel.weights.box.activated.emit(0)
    assert page.job.weights is None
    assert page.panel.weights.box.currentText() == "Untrained"


def _beside(path: Path, part: str) -> Path:
    return path.with_name(path.name.replace("_B.", f"_{part}."))


def test_a_run_can_be_stopped(page: DeblurPage, tmp_path: Path, wait_until: Wait) -> None:
    path = tmp_path / "large.png"
    assert cv2.imwrite(str(path), np.full((1200, 1600, 3), 90, np.uint8))
    page.open_picture(path)
    wait_until(page.run_button.isEnabled, "the picture", 60)
    page.run()
    assert page.job.running
    page.cancel()
    wait_until(lambda: "Stopped" in page.shown.text(), "the stop", 60)
    assert page.run_button.isEnabled()


def test_a_file_that_is_no_picture_is_told_in_words(page: DeblurPage, tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "notes.png"
    path.write_text("no picture")
    with qtbot.waitSignal(page.trouble) as told:
        page.open_picture(path)
    assert "notes.png" in told.args[0].message
    assert not page.run_button.isEnabled()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_pictures_are_read_in_red_green_blue_whatever_their_depth(
    tmp_path: Path, dtype: type[np.unsignedinteger], suffix: str
) -> None:
    rgb = np.random.default_rng(4).integers(0, np.iinfo(dtype).max, (5, 7, 3)).astype(dtype)
    path = tmp_path / f"p{suffix}"
    assert cv2.imwrite(str(path), rgb[..., ::-1])
    np.testing.assert_array_equal(read_picture(path), rgb)


def test_grey_and_transparent_pictures_are_read_as_colour(tmp_path: Path) -> None:
    grey = np.arange(35, dtype=np.uint8).reshape(5, 7)
    cv2.imwrite(str(tmp_path / "grey.png"), grey)
    np.testing.assert_array_equal(read_picture(tmp_path / "grey.png"), np.repeat(grey[..., None], 3, axis=2))
    with_alpha = np.dstack([grey, grey + 1, grey + 2, grey + 3])
    cv2.imwrite(str(tmp_path / "alpha.png"), with_alpha)
    np.testing.assert_array_equal(read_picture(tmp_path / "alpha.png"), with_alpha[..., 2::-1])


@pytest.mark.parametrize("name", ["missing.png", "."])
def test_what_cannot_be_read_is_an_error_of_ours(tmp_path: Path, name: str) -> None:
    with pytest.raises(PictureError):
        read_picture(tmp_path / name)


def test_the_page_without_a_picture_says_where_to_get_one(page: DeblurPage) -> None:
    assert "Review" in page.slider._placeholder
    assert not page.slider.has_image()
