"""The backgrounds of the virtual world: which there are, how one is asked for, what can be seen on each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from rig.errors import BeamrigError
from rig.profiles import load_rig
from rig.virtual.backgrounds import BACKGROUNDS, UnknownBackground, with_world
from rig.virtual.client import WorldClient, WorldUnreachable
from rig.virtual.parameters import draw_parameters
from rig.virtual.render import CameraRenderer
from rig.virtual.state import SceneState
from tests.rig.virtual.test_scene import MS, shot

ROOT = Path(__file__).parents[3]


def frame(name: str, camera: str = "S", width: int = 1224, height: int = 1024) -> NDArray[np.uint16]:
    """What a camera sees of a standing scene, with the exposures that the reference speed asks for."""
    parameters = draw_parameters(seed=2, width=width, height=height)
    state = SceneState(parameters, (), background=name)
    return shot(CameraRenderer(parameters, state, camera), 0, (3 if camera == "S" else 24) * MS)[0]


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_no_background_clips_or_drowns(name: str) -> None:
    for camera in "BS":
        codes = frame(name, camera)
        assert np.mean(codes == 4095) < 1e-4
        assert 400 < codes.mean() - 64 < 1600
        assert np.median(codes) - 64 > 200


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_every_sixth_of_a_background_has_detail_to_register_on(name: str) -> None:
    green = frame(name)[0::2, 1::2].astype(np.float32) - 64
    sharp = cv2.GaussianBlur(green, (0, 0), 1) - cv2.GaussianBlur(green, (0, 0), 4)
    for rows in np.array_split(np.sqrt(np.maximum(green, 1)) ** -1 * sharp, 2):
        for part in np.array_split(rows, 3, axis=1):
            # Photon noise alone, 0.62 DN a root of DN, would leave 0.62 / (2 sqrt(pi)) / sigma = 0.17.
            assert float(np.sqrt(np.mean(part**2))) > 0.5


def test_the_backgrounds_differ() -> None:
    seen = [np.log(np.maximum(frame(name).astype(np.float64) - 64, 1)).ravel() for name in BACKGROUNDS]
    alike = np.corrcoef(seen)[np.triu_indices(len(seen), 1)]
    assert len(seen) >= 3
    assert np.abs(alike).max() < 0.5


def test_a_profile_keeps_what_its_world_was_asked_for() -> None:
    once = with_world(load_rig("virtual"), seed=3, background="garden")
    again = with_world(once, seed=4)
    assert once.companion is not None
    assert once.companion.command[-4:] == ["--seed", "3", "--background", "garden"]
    assert again.companion is not None
    assert again.companion.command[-4:] == ["--seed", "4", "--background", "garden"]
    assert with_world(again) == again


def test_an_unknown_background_is_answered_in_one_line() -> None:
    with pytest.raises(UnknownBackground, match=r"no background 'beach'") as refused:
        with_world(load_rig("virtual"), background="beach")
    assert refused.value.hint == "one of mural, garden, posters"


def test_a_rig_without_a_world_has_neither_seed_nor_background() -> None:
    real = load_rig("virtual").model_copy(update={"companion": None})
    with pytest.raises(BeamrigError, match="not virtual"):
        with_world(real, seed=1)


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A world that was told what to be by its environment."""
    folder = tmp_path_factory.mktemp("background") / "run"
    asked = {"BEAMRIG_WORLD_SEED": "5", "BEAMRIG_WORLD_BACKGROUND": "posters"}
    command = [sys.executable, "-m", "rig.virtual.world", "--run-dir", str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        ready = json.loads(process.stdout.readline())
        assert (ready["seed"], ready["background"]) == (5, "posters")
        yield folder
        process.stdin.close()
        assert process.wait(timeout=10) == 0


def test_the_truth_names_seed_and_background(run_dir: Path) -> None:
    truth = WorldClient(run_dir).truth()
    assert (truth.seed, truth.background) == (5, "posters")


def test_the_operator_changes_the_background(run_dir: Path) -> None:
    assert WorldClient(run_dir).set(background="garden")["background"] == "garden"
    assert WorldClient(run_dir).truth().background == "garden"
    with pytest.raises(WorldUnreachable, match="no background 'beach'"):
        WorldClient(run_dir).set(background="beach")
    assert WorldClient(run_dir).truth().background == "garden"


@pytest.mark.parametrize("words", [["virtual", "world", "--run-dir", "x"], ["demo"]])
def test_the_command_line_answers_an_unknown_background_in_one_line(words: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "beamrig", *words, "--background", "beach"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "beach" in done.stderr
    assert list(tmp_path.iterdir()) == []
