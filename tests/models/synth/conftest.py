"""A small folder of photographs, some labelled, for the tests of the synthesis."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four made photographs of 150 x 120 px; every second one with four labelled regions."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(5)
    for index in range(24):
        coarse = rng.integers(0, 256, (8, 10, 3)).astype(np.uint8)
        picture = cv2.resize(coarse, (150, 120), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"made{index:02d}.png"), picture)
        if index % 2:
            labels = np.zeros((120, 150), np.uint8)
            for label in range(1, 5):
                centre = (int(rng.integers(30, 120)), int(rng.integers(30, 90)))
                cv2.ellipse(labels, centre, (28, 18), 30.0 * label, 0, 360, label, -1)
            cv2.imwrite(str(folder / f"made{index:02d}_labels.png"), labels)
    return folder
