"""Local blur masks at the paper's size: our background model against OpenCV's MOG2, speed and overlap.

MOG2 as the facts recommend it: five static frames, then frozen, images smoothed by 1.5 px, eroded by 3 and
dilated by 9 px. The object is a textured square that moves by 40 px in B and 5 px in S.
"""

from __future__ import annotations

import argparse
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray
from timing import best_s

from processing.camera_background import smooth
from processing.masks import FrozenBackground, intersection_over_union, tidy

HEIGHT, WIDTH, SIDE = 1436, 2152, 420
Image = NDArray[np.uint8]


class Frozen:
    """MOG2 that learns from the static frames alone."""

    def __init__(self, static: list[tuple[Image, Image]]) -> None:
        self.models = [cv2.createBackgroundSubtractorMOG2(500, 16, True) for _ in range(2)]
        for pair in static:
            for model, image in zip(self.models, pair, strict=True):
                model.apply(smooth(image))

    def mask(self, b: Image, s: Image) -> Image:
        found = [
            np.asarray(m.apply(smooth(i), learningRate=0)) for m, i in zip(self.models, (b, s), strict=True)
        ]
        return tidy(np.where((found[0] > 1) | (found[1] > 1), np.uint8(255), np.uint8(0)))


class Scene:
    """A textured square over a textured background, with noise and light to order."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(1)
        self.background, self.texture = self._texture(HEIGHT, WIDTH), self._texture(SIDE, SIDE)

    def _texture(self, height: int, width: int) -> NDArray[np.float32]:
        rough = self.rng.normal(0, 1, (height, width, 3)).astype(np.float32)
        layers = [cv2.GaussianBlur(rough, (0, 0), sigma) * (sigma * 40) for sigma in (2.0, 12.0)]
        picture = np.add(*layers) + self.rng.uniform(80, 170)
        return np.asarray(np.clip(picture, 5, 250), np.float32)

    def show(self, blur_px: int, noise: float, light: float = 1.0) -> tuple[Image, NDArray[np.bool_]]:
        """Return a picture with the square smeared by `blur_px` (0: no square), and its footprint."""
        picture, alpha = self.background, np.zeros((HEIGHT, WIDTH), np.float32)
        if blur_px:
            square = np.zeros((HEIGHT, WIDTH, 4), np.float32)
            square[500 : 500 + SIDE, 700 : 700 + SIDE] = np.dstack([self.texture, np.ones((SIDE, SIDE))])
            smeared = cv2.GaussianBlur(cv2.blur(square, (blur_px, 1)), (0, 0), 0.5)
            alpha = np.asarray(smeared[..., 3], np.float32)
            picture = self.background * (1 - alpha[..., None]) + smeared[..., :3]
        seen = (picture + 14) * light - 14 + self.rng.normal(0, noise, picture.shape).astype(np.float32)
        return np.clip(np.rint(seen), 0, 255).astype(np.uint8), alpha > 0.02


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7, help="times that each mask is made")
    rounds = parser.parse_args().rounds
    scene = Scene()
    print(f"{WIDTH}x{HEIGHT}, object {SIDE} px, overlap with the true footprint and time a pair")
    for name, noise, light in (
        ("quiet", 2.6, 1.0),
        ("noisy", 6.0, 1.0),
        ("1 % flicker", 2.6, 1.01 ** (1 / 2.4)),
    ):
        static = [(scene.show(0, noise)[0], scene.show(0, noise)[0]) for _ in range(5)]
        b, in_b = scene.show(40, noise, light)
        s, in_s = scene.show(5, noise, light)
        for way, model in (("ours", FrozenBackground(static)), ("MOG2", Frozen(static))):
            overlap = intersection_over_union(model.mask(b, s), in_b | in_s)
            wall, processor = (1e3 * best for best in best_s(partial(model.mask, b, s), rounds))
            print(f"{name:12s} {way}   overlap {overlap:.3f}   {wall:6.1f} ms, processor {processor:6.1f} ms")


if __name__ == "__main__":
    main()
