"""The photographs that pairs are made of: a folder, its split, and decoded pictures kept in memory."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from models.errors import SynthesisError

__all__ = ["LABELS", "Photo", "Region", "Split", "list_photos", "load_photo", "split_of"]

Split = Literal["train", "test", "all"]
U8 = npt.NDArray[np.uint8]

LABELS: Final = "_labels.png"
"""`NAME_labels.png` beside `NAME.jpg` holds the index of a region a pixel."""
TEST_SHARE: Final = 0.15
_SUFFIXES: Final = (".jpg", ".jpeg", ".png")
_CACHE_BYTES: Final = 320 * 2**20
"""Decoded pictures kept a process: BSDS500 with its labels whole, or a few large photographs."""
_LONGEST_PX: Final = 2048
"""Larger photographs are made smaller once, when they are read: what is cut from them is far smaller."""
_MIN_REGION_PX: Final = 300
_MAX_REGION_SHARE: Final = 0.35
"""Larger regions are what the annotators saw as the background: sky, grass, a wall."""


@dataclass(frozen=True)
class Region:
    """One labelled region of a photograph that may serve as an object.

    Attributes:
        label: Its index in the labels.
        box: x, y, width, height in pixels.
        area_px: Pixels that carry the label.
        detail: Standard deviation of its luminance, in codes of 8 bit.
    """

    label: int
    box: tuple[int, int, int, int]
    area_px: int
    detail: float


@dataclass(frozen=True)
class Photo:
    """A decoded photograph.

    Attributes:
        rgb: (H, W, 3) uint8, sRGB.
        labels: (H, W) uint8 or uint16, or None where nobody labelled it.
        regions: What may be cut from it; empty without labels.
    """

    rgb: U8
    labels: npt.NDArray[np.uint8 | np.uint16] | None
    regions: tuple[Region, ...]

    @property
    def nbytes(self) -> int:
        """Memory it takes."""
        return self.rgb.nbytes + (0 if self.labels is None else self.labels.nbytes)


def split_of(path: Path) -> Literal["train", "test"]:
    """Return the half of the data that a photograph belongs to, by the hash of its name alone.

    Neither the folder nor the other photographs matter: adding some moves none, and a copy of a photograph in
    another folder stays on its side.
    """
    digest = hashlib.sha256(path.stem.encode()).digest()
    return "test" if int.from_bytes(digest[:4], "big") < TEST_SHARE * 2**32 else "train"


def list_photos(folder: Path, split: Split) -> tuple[Path, ...]:
    """Return the photographs of a folder and of the folders in it that belong to a split, sorted.

    Raises:
        SynthesisError: There is no such folder, or no photograph in it, or none of this split.
    """
    if split not in ("train", "test", "all"):
        raise SynthesisError(f"there is no split {split!r}", hint="train, test or all")
    if not folder.is_dir():
        raise SynthesisError(f"{folder} is no folder", hint="name a folder of photographs (jpg, png)")
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in _SUFFIXES and not path.name.endswith(LABELS) and path.is_file()
    )
    if not found:
        raise SynthesisError(f"{folder} holds no photographs", hint="*.jpg and *.png are looked for")
    chosen = tuple(path for path in found if split in ("all", split_of(path)))
    if not chosen:
        raise SynthesisError(
            f"none of the {len(found)} photographs in {folder} belongs to the split {split!r}",
            hint="the split goes by the hash of the name; take more photographs, or the split 'all'",
        )
    return chosen


_cache: OrderedDict[Path, Photo] = OrderedDict()
"""Of this process; the photograph used longest ago comes first."""
_lock = threading.Lock()


def load_photo(path: Path) -> Photo:
    """Return a photograph with its regions, from memory where this process has decoded it before.

    Raises:
        SynthesisError: A file is missing or damaged, or the labels have another size than the photograph.
    """
    with _lock:
        if path in _cache:
            _cache.move_to_end(path)
            return _cache[path]
    photo = _decode(path)  # two threads may do so at once; they get the same
    with _lock:
        _cache[path] = photo
        held = sum(kept.nbytes for kept in _cache.values())
        while held > _CACHE_BYTES and len(_cache) > 1:
            held -= _cache.popitem(last=False)[1].nbytes
    return photo


def _decode(path: Path) -> Photo:
    pixels = _read(path, cv2.IMREAD_COLOR)
    labels: npt.NDArray[np.uint8 | np.uint16] | None = None
    label_path = path.with_name(path.stem + LABELS)
    if label_path.is_file():
        labels = _read(label_path, cv2.IMREAD_UNCHANGED)
        if labels.ndim != 2 or labels.dtype not in (np.uint8, np.uint16):
            raise SynthesisError(f"{label_path} is no map of regions", hint="one grey channel of 8 or 16 bit")
        if labels.shape != pixels.shape[:2]:
            raise SynthesisError(f"{label_path} and {path.name} differ in size")
    longest = max(pixels.shape[:2])
    if longest > _LONGEST_PX:
        height, width = (round(side * _LONGEST_PX / longest) for side in pixels.shape[:2])
        pixels = np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        if labels is not None:
            labels = np.asarray(cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST))
    rgb = np.ascontiguousarray(pixels[:, :, ::-1])
    return Photo(rgb, labels, () if labels is None else _regions(rgb, labels))


def _read(path: Path, flags: int) -> npt.NDArray[np.uint8]:
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise SynthesisError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        decoded = cv2.imdecode(content, flags) if content.size else None
    except cv2.error:
        decoded = None
    if decoded is None:
        raise SynthesisError(f"{path} is damaged: it cannot be decoded")
    return np.asarray(decoded)


def _regions(rgb: U8, labels: npt.NDArray[np.uint8 | np.uint16]) -> tuple[Region, ...]:
    counts = np.bincount(labels.ravel())
    largest = _MAX_REGION_SHARE * labels.size
    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
    kept = []
    for label in np.flatnonzero((counts >= _MIN_REGION_PX) & (counts <= largest)):
        region = (labels == label).view(np.uint8)
        x, y, width, height = cv2.boundingRect(region)
        # Strips and lace make no object: three erosions must leave something of weight.
        core = cv2.erode(region[y : y + height, x : x + width], np.ones((7, 7), np.uint8))
        if int(core.sum()) * 5 >= int(counts[label]):
            detail = float(cv2.meanStdDev(grey, mask=region)[1][0, 0])
            kept.append(Region(int(label), (x, y, width, height), int(counts[label]), detail))
    return tuple(kept)
