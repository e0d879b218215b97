"""Pairs from high-speed films: consecutive frames averaged in linear light, the middle one sharp.

Paper 003, Eq. 2: B = g( (1/M) sum_i g^-1(frame_i) ) with g(x) = x^(1/2.2), an odd number M of frames; paper
002 does the same for LODE, with a camera that stands still.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
import numpy.typing as npt
from cv2.utils import logging

from models.errors import ImageError, SynthesisError
from models.images import read_picture
from models.synth.light import from_light, to_light
from models.synth.made import Made
from models.training.pairs import TrainingPair

__all__ = ["FilmPairs", "average_frames", "moved_mask", "read_frames"]

Curve = Literal["gamma", "srgb"]
Frame = npt.NDArray[Any]

GAMMA: Final = 2.2
_MOVED: Final = 12 / 255
"""A still camera's frames differ by noise and compression; what differs by more has moved."""
_STILLS: Final = (".png", ".tif", ".tiff", ".jpg", ".jpeg")


def average_frames(frames: Sequence[Frame], curve: Curve = "gamma", bits: int = 8) -> tuple[Frame, Frame]:
    """Average consecutive frames in linear light.

    Args:
        frames: An odd number of (H, W, 3) uint8 or uint16 frames of one size.
        curve: How the camera encoded light: x^(1/2.2) as the paper assumes, or sRGB's curve.
        bits: Of the result, 8 or 16.

    Returns:
        blurred and sharp, (H, W, 3) uint8 or uint16; sharp is the middle frame.

    Raises:
        SynthesisError: The number is even, or the frames differ in size.
    """
    if len(frames) % 2 == 0:
        raise SynthesisError(f"{len(frames)} frames have no middle one", hint="take an odd number")
    if len({frame.shape for frame in frames}) != 1:
        raise SynthesisError("the frames of a film are of one size")
    total = np.zeros(frames[0].shape, np.float32)
    for frame in frames:
        total += _decoded(frame, curve)
    total *= np.float32(1 / len(frames))
    return _encoded(total, curve, bits), _at_depth(frames[len(frames) // 2], bits)


def moved_mask(frames: Sequence[Frame]) -> npt.NDArray[np.uint8]:
    """Return (H, W) uint8, 255 where any frame differs from the middle one: for a camera that stood still."""
    middle = _smooth(frames[len(frames) // 2])
    largest = np.zeros(middle.shape[:2], np.float32)
    for frame in frames:
        np.maximum(largest, np.abs(_smooth(frame) - middle).max(axis=2), out=largest)
    moved = (largest > _MOVED).astype(np.uint8) * np.uint8(255)
    opened = cv2.morphologyEx(moved, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)), np.uint8)


def read_frames(film: Path) -> Iterator[Frame]:
    """Yield the frames of a video file, or of a folder of pictures in the order of their names, as RGB.

    Raises:
        SynthesisError: It is neither, or holds no frame that can be read.
    """
    if film.is_dir():
        files = sorted((p for p in film.iterdir() if p.suffix.lower() in _STILLS), key=_natural)
        if not files:
            raise SynthesisError(f"{film} holds no pictures", hint="png, tiff and jpg are looked for")
        for file in files:
            yield _still(file)
        return
    if not film.is_file():
        raise SynthesisError(f"{film} is neither a video file nor a folder of frames")
    level = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_SILENT)  # what is wrong is told by the error, not by OpenCV
    try:
        capture = cv2.VideoCapture(str(film))
    finally:
        logging.setLogLevel(level)
    try:
        good, frame = capture.read() if capture.isOpened() else (False, None)
        if not good:
            raise SynthesisError(f"{film} cannot be read as a video")
        while good and frame is not None:
            yield np.ascontiguousarray(frame[:, :, ::-1])
            good, frame = capture.read()
    finally:
        capture.release()


@dataclass(frozen=True)
class FilmPairs:
    """Which pairs to make of some films.

    Attributes:
        films: Video files or folders of frames.
        seed: Of the lengths.
        frames: Fewest and most frames of a pair; odd numbers between them are drawn.
        gap: Frames left out between one pair and the next.
        curve: See `average_frames`.
        still_camera: Whether to make masks by what moved; without, nobody knows where blur is.
        bits: 8 or 16.
    """

    films: tuple[Path, ...]
    seed: int = 0
    frames: tuple[int, int] = (7, 13)
    gap: int = 0
    curve: Curve = "gamma"
    still_camera: bool = False
    bits: int = 8

    def __post_init__(self) -> None:
        """Refuse what cannot work, before a film is opened.

        Raises:
            SynthesisError: A number is out of its range, or two films have one name.
        """
        low, high = self.frames
        if not 3 <= low <= high or not any(count % 2 for count in range(low, high + 1)):
            raise SynthesisError(f"no odd number of frames from {low} to {high}", hint="such as 7 to 13")
        if self.seed < 0 or self.gap < 0:
            raise SynthesisError("seed and gap are 0 or more")
        if self.bits not in (8, 16):
            raise SynthesisError(f"pictures of {self.bits} bit cannot be made", hint="8 or 16")
        names = [_name(film) for film in self.films]
        if len(set(names)) != len(names):
            raise SynthesisError("two films have the same name", hint="give each its own --out")

    def settings(self) -> dict[str, Any]:
        """Return what was asked for, as plain JSON data."""
        return {**asdict(self), "films": [film.name for film in self.films], "frames": list(self.frames)}

    def make(self, skip: Callable[[str], bool] = lambda name: False) -> Iterator[Made | None]:
        """Yield the pairs of all films in order; None for those whose name `skip` knows already."""
        for number, film in enumerate(self.films):
            rng = np.random.default_rng([self.seed, number])
            lengths = [count for count in range(self.frames[0], self.frames[1] + 1) if count % 2]
            source, first = read_frames(film), 0
            while True:
                count = int(rng.choice(lengths))
                window = list(itertools.islice(source, count))
                if len(window) < count:
                    break
                name = f"{_name(film)}-{first:06d}"
                yield None if skip(name) else self._one(name, film, first, window)
                first += count + len(list(itertools.islice(source, self.gap)))

    def _one(self, name: str, film: Path, first: int, window: list[Frame]) -> Made:
        blurred, sharp = average_frames(window, self.curve, self.bits)
        mask = moved_mask(window) if self.still_camera else None
        record = {
            "name": name, "film": film.name, "first_frame": first, "frames": len(window),
            "curve": self.curve, "seed": self.seed,
            "covered": None if mask is None else float((mask > 0).mean()),
        }  # fmt: skip
        return Made(TrainingPair(name, blurred, sharp, mask), record)


def _decoded(frame: Frame, curve: Curve) -> npt.NDArray[np.float32]:
    if curve == "srgb":
        return to_light(frame)
    white = np.float32(np.iinfo(frame.dtype).max)
    return np.asarray(cv2.pow(frame.astype(np.float32) / white, GAMMA), np.float32)


def _encoded(light: npt.NDArray[np.float32], curve: Curve, bits: int) -> Frame:
    if curve == "srgb":
        return from_light(light, bits)
    white, kind = (255, np.uint8) if bits == 8 else (65535, np.uint16)
    return np.asarray(np.rint(np.clip(cv2.pow(light, 1 / GAMMA), 0, 1) * white)).astype(kind)


def _at_depth(frame: Frame, bits: int) -> Frame:
    if frame.dtype == np.uint8:
        return frame if bits == 8 else frame.astype(np.uint16) * np.uint16(257)
    return frame if bits == 16 else np.rint(frame / 257).astype(np.uint8)


def _smooth(frame: Frame) -> npt.NDArray[np.float32]:
    scaled = frame.astype(np.float32) / np.float32(np.iinfo(frame.dtype).max)
    return np.asarray(cv2.blur(scaled, (3, 3)), np.float32)


def _still(file: Path) -> Frame:
    if file.suffix.lower() not in (".jpg", ".jpeg"):
        try:
            return read_picture(file).rgb
        except ImageError as error:
            raise SynthesisError(error.message, hint=error.hint) from error
    picture = cv2.imdecode(np.frombuffer(file.read_bytes() or b"-", np.uint8), cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise SynthesisError(f"{file} is damaged: it cannot be decoded")
    return np.asarray(picture)


def _natural(path: Path) -> list[tuple[int, str]]:
    """Order frame2 before frame10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.name)]


def _name(film: Path) -> str:
    """Return a name that is safe in a file's name."""
    return (
        re.sub(r"[^A-Za-z0-9_]+", "-", film.stem if film.is_file() else film.resolve().name).strip("-")
        or "film"
    )
