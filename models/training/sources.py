"""Pairs from files: data sets in the layouts of the papers, our sessions, and plain folders."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from models.errors import DataError
from models.training.pairs import TrainingPair
from models.training.sources_layouts import LAYOUTS, PairFiles
from models.training.sources_session import find_session
from processing.image_files import read_image

__all__ = ["FilePairs", "Split", "open_source"]

Split = Literal["train", "test", "all"]
CACHE_MIB: Final = 256
"""Holds all of a small set, or a dozen pairs of 2152x1436; a loader's worker processes have one each."""


class FilePairs:
    """Pairs of picture files (a `PairSource`), decoded when they are asked for.

    Args:
        files: The pairs.
        layout: What kind of folder they were found in, for messages.
        cache_mib: Decoded pairs are kept up to this size, the longest unused go first. 0 keeps none.
    """

    def __init__(self, files: Sequence[PairFiles], *, layout: str = "", cache_mib: int = CACHE_MIB) -> None:
        self.files = tuple(files)
        self.layout = layout
        self.cache_mib = cache_mib
        self._forget()

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, TrainingPair] = OrderedDict()
        self._kept_bytes = 0

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what was decoded: a worker process gets the names only."""
        return {"files": self.files, "layout": self.layout, "cache_mib": self.cache_mib}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> TrainingPair:
        """Return a pair; its arrays are read-only, for the cache may hand them out again.

        Raises:
            IndexError: Beyond the end.
            DataError: A file cannot be read, or the pair's pictures do not belong together.
        """
        index = range(len(self.files))[index]
        with self._lock:
            found = self._kept.get(index)
            if found is not None:
                self._kept.move_to_end(index)
                return found
        pair = read_pair(self.files[index])
        with self._lock:
            if pair.nbytes <= self.cache_mib << 20 and index not in self._kept:
                self._kept[index] = pair
                self._kept_bytes += pair.nbytes
                while self._kept_bytes > self.cache_mib << 20:
                    _, oldest = self._kept.popitem(last=False)
                    self._kept_bytes -= oldest.nbytes
        return pair


def read_pair(files: PairFiles) -> TrainingPair:
    """Decode a pair and make sure that its pictures belong together.

    Raises:
        DataError: A file cannot be read, or sizes or depths differ.
    """
    blurred, sharp = _rgb(files.blurred), _rgb(files.sharp)
    mask = None if files.mask is None else _mask(files.mask)
    if blurred.shape != sharp.shape or blurred.dtype != sharp.dtype:
        raise DataError(
            f"{files.blurred} is {_kind(blurred)}, {files.sharp.name} is {_kind(sharp)}: they are no pair"
        )
    if mask is not None and mask.shape != blurred.shape[:2]:
        raise DataError(f"mask {files.mask} is {mask.shape[1]}x{mask.shape[0]}, its pair {_kind(blurred)}")
    for one in (blurred, sharp, mask):
        if one is not None:
            one.setflags(write=False)
    return TrainingPair(files.name, blurred, sharp, mask)


def _kind(pixels: npt.NDArray[Any]) -> str:
    return f"{pixels.shape[1]}x{pixels.shape[0]} of {8 * pixels.itemsize} bit"


def _pixels(path: Path) -> npt.NDArray[Any]:
    pixels = read_image(path)
    if pixels is None:
        raise DataError(f"{path} cannot be read as a picture", hint="it is missing, cut off or damaged")
    if pixels.dtype not in (np.uint8, np.uint16) or (pixels.ndim == 3 and pixels.shape[2] not in (1, 3, 4)):
        raise DataError(f"{path} holds {pixels.dtype} values {pixels.shape}: 8 or 16 bit grey or RGB is read")
    return pixels


def _rgb(path: Path) -> npt.NDArray[Any]:
    """Return (H, W, 3) uint8 or uint16 RGB; grey is repeated, an alpha channel dropped."""
    pixels = _pixels(path)
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, axis=2)
    return np.ascontiguousarray(pixels[:, :, 2::-1])


def _mask(path: Path) -> npt.NDArray[np.uint8]:
    """Return (H, W) uint8, 255 where the first channel (red) is above 0: as the released loader."""
    pixels = _pixels(path)
    first = pixels if pixels.ndim == 2 else pixels[:, :, min(2, pixels.shape[2] - 1)]
    return np.where(first > 0, np.uint8(255), np.uint8(0))


def open_source(path: Path, split: Split = "train", *, cache_mib: int = CACHE_MIB) -> FilePairs:
    """Return the pairs of a folder, whatever layout it has.

    ========  ==========================================================================  ==================
    layout    files                                                                       split
    ========  ==========================================================================  ==================
    session   SESSION/session.yaml with developed action pairs                            by scene, as the
                                                                                          export's default
    ReLoBlur  dataset/SPLIT/S/N/X_blur.png, X_sharp.png; masks/SPLIT/S/N/X.png            train, test
    REDS      [SPLIT/]SPLIT_blur/SEQUENCE/X.png, SPLIT_sharp/SEQUENCE/X.png               train, val
    GOPRO     SPLIT/SEQUENCE/blur_gamma or blur/X.png, sharp/X.png                        train, test
    folder    [SPLIT/]blurred/X.png, sharp/X.png, mask/X.png (masks may be lacking)       none, or folders
    ========  ==========================================================================  ==================

    Args:
        path: The folder. An export of ours has ReLoBlur's layout.
        split: Which side of the data set. "all" is both; a folder without sides has only "train" and "all".
        cache_mib: See `FilePairs`.

    Raises:
        DataError: No such layout, no pairs on that side, or pictures without their counterpart.
    """
    root = Path(path)
    if not root.is_dir():
        raise DataError(f"{root} is no folder of pairs", hint="it is missing, or a file")
    sides: tuple[Literal["train", "test"], ...] = ("train", "test") if split == "all" else (split,)
    for name, find in (("session", find_session), *LAYOUTS):
        found = [find(root, side) for side in sides]
        files = [one for side in found if side is not None for one in side]
        if files:
            return FilePairs(files, layout=name, cache_mib=cache_mib)
        if any(side is not None for side in found):
            raise DataError(f"{root} (layout: {name}) has no pairs on its side {split!r}", hint=_HINT)
    raise DataError(f"{root} holds no pairs in a known layout", hint=_HINT)


_HINT: Final = (
    "looked for a developed session, ReLoBlur (dataset/train/*/*/*_sharp.png), GOPRO (train/*/sharp), REDS"
    " (train_sharp, val_sharp), and blurred/ beside sharp/ (and mask/)"
)
