"""Small pairs with a blurred bar, for evaluations."""

from __future__ import annotations

import cv2
import numpy as np

from models.errors import ImageError
from models.training.pairs import TrainingPair
from tests.processing.scenes import kodak


class Pairs:
    """Cuts of a photograph, a bar of each smeared along its rows; the second pair is of 16 bit."""

    def __init__(self, count: int = 3, *, broken: int | None = None, seed: int = 0) -> None:
        self.count, self.broken, self.seed = count, broken, seed

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> TrainingPair:
        if not 0 <= index < self.count:
            raise IndexError(index)
        if index == self.broken:
            raise ImageError(f"picture {index} is damaged")
        top, left = np.random.default_rng((self.seed, index)).integers(0, 150, 2)
        sharp = np.ascontiguousarray(kodak("13")[top : top + 48, left : left + 64])
        blurred, mask = sharp.copy(), np.zeros((48, 64), np.uint8)
        mask[12:30, 10:50] = 255
        blurred[mask > 0] = cv2.blur(sharp, (9, 1))[mask > 0]
        if index == 1:
            sharp, blurred = (image.astype(np.uint16) * 257 for image in (sharp, blurred))
        return TrainingPair(f"pair{index}", blurred, sharp, mask)
