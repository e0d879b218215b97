"""One thread for torch in all tests of the networks; small networks that are quick to run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from models.checkpoints import save_safetensors
from processing.jobs.batch import process_session
from tests.models.reference_lbag import lively_network
from tests.processing.scenes import record_session


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:  # two wait for each other by turning round and round while others want the cores
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Own weights of a network with 8 base channels and one residual block a stage, marked as trained."""
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_safetensors(path, lively_network(8, 1), trained=True, recipe={"steps": 3})
    return path


@pytest.fixture
def picture() -> npt.NDArray[np.float32]:
    """A textured picture of odd size, (91, 134, 3) in 0..1."""
    return np.random.default_rng(5).random((91, 134, 3), dtype=np.float32)


@pytest.fixture(scope="session")
def developed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of 512x640 pixels with two developed action pairs of 16 bit, which nobody changes."""
    folder = tmp_path_factory.mktemp("developed") / "session"
    with record_session(folder, pairs=2) as session:
        report = process_session(session, workers=1, blur=False)
    assert not report.failures()
    return folder


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What engines measure and remember stays in the tests' folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield
