"""A small recorded session, made once for all tests that only read it."""

from __future__ import annotations

import cv2
import pytest

from rig.session import Session
from tests.processing.scenes import record_session


@pytest.fixture(autouse=True, scope="session")
def _two_threads() -> None:
    cv2.setNumThreads(2)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A session of 512x640 pixels with four lightbox, three static and three action pairs."""
    return record_session(tmp_path_factory.mktemp("recorded") / "session")
