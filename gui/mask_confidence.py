"""How sure the mask of a pair is, pixel by pixel: worked out from the developed files when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from gui import theme
from gui.images import mask_image
from gui.pictures import PictureError, derived_path, read_picture
from processing.masks import STATIC_FRAMES, FrozenBackground
from rig.records import PairRecord

Stamp = tuple[tuple[Path, int], ...]


class MaskConfidence:
    """Keeps the background of the scene that was asked for last. For one thread."""

    def __init__(self) -> None:
        self._known: tuple[Stamp, FrozenBackground] | None = None

    def overlay(self, root: Path, pair: PairRecord, static: Sequence[PairRecord]) -> QImage:
        """Return an overlay whose opacity is the probability that the object touched a pixel.

        Args:
            root: Folder of the session.
            pair: A developed action pair.
            static: Pairs of its scene without the object; up to five developed ones are used.

        Raises:
            PictureError: A developed file is missing or cannot be read.
            ProcessingError: The pictures do not fit each other.
        """
        b, s = _files(root, pair)
        still = [files for one in static if None not in (files := _files(root, one))][:STATIC_FRAMES]
        if b is None or s is None or not still:
            raise PictureError(
                f"{pair.id} or its scene's static pairs are not developed", hint="process the scene first"
            )
        paths = [path for files in still for path in files if path is not None]
        stamp = tuple((path, path.stat().st_mtime_ns) for path in paths)
        if self._known is None or self._known[0] != stamp:
            pictures = [_eight(path) for path in paths]
            self._known = (stamp, FrozenBackground(list(zip(pictures[::2], pictures[1::2], strict=True))))
        _, confidence = self._known[1].mask_and_confidence(_eight(b), _eight(s))
        return mask_image(confidence / np.float32(255), theme.MASK)


def _files(root: Path, pair: PairRecord) -> tuple[Path | None, Path | None]:
    return derived_path(root, pair, "B"), derived_path(root, pair, "S")


def _eight(path: Path) -> NDArray[np.uint8]:
    picture = read_picture(path)
    if picture.dtype == np.uint8:
        return picture.astype(np.uint8, copy=False)
    return np.rint(picture / np.float32(257)).astype(np.uint8)
