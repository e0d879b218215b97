"""Batches of patches for the loop: sample k of step n depends on (seed, n, k) alone.

So a resumed training sees what an uninterrupted one would, with any number of worker processes, and several
processes together see the batch that one process would have seen.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from models.training.errors import TrainingError
from models.training.pairs import TrainingPair
from rig.errors import BeamrigError

__all__ = ["Batch", "Mixture", "PatchMaker", "batches", "collate"]


class PatchMaker(Protocol):
    """Cuts a random patch (`models.training.patches.Patches`)."""

    def sample(self, rng: np.random.Generator) -> TrainingPair:
        """Return a patch."""
        ...


@dataclass(frozen=True)
class Batch:
    """Patches of one size.

    Attributes:
        blurred: (N, 3, H, W) float32 in 0..1.
        sharp: The same.
        mask: (N, 1, H, W) float32, 1 where blurred; nothing is meant where `known` is False.
        known: (N,) bool: whether somebody knows the mask.
    """

    blurred: Tensor
    sharp: Tensor
    mask: Tensor
    known: Tensor

    def to(self, device: torch.device) -> Batch:
        """Return it on a device."""
        return Batch(*(value.to(device) for value in (self.blurred, self.sharp, self.mask, self.known)))


class Mixture(Dataset[Any]):
    """Draws samples from several makers by their weights.

    Args:
        makers: Where patches come from.
        weights: Relative share of each.
        seed: Of everything that is drawn.
    """

    def __init__(self, makers: Sequence[PatchMaker], weights: Sequence[float], seed: int) -> None:
        self.makers = tuple(makers)
        total = np.cumsum(np.asarray(weights, np.float64))
        self.ladder = total / total[-1]
        self.seed = seed

    def __getitem__(self, place: tuple[int, int]) -> TrainingPair | str:
        """Return sample k of step n, or the one line that says why there is none."""
        step, sample = place
        rng = np.random.default_rng((self.seed, step, sample))
        maker = self.makers[int(np.searchsorted(self.ladder, rng.random(), side="right"))]
        try:
            return maker.sample(rng)
        except BeamrigError as error:  # an exception would reach the loop as a traceback in words
            return error.one_line()


class _Places:
    """The places of one process's samples, step by step (a batch sampler)."""

    def __init__(self, first: int, last: int, share: range) -> None:
        self.first, self.last, self.share = first, last, share

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for step in range(self.first, self.last):
            yield [(step, sample) for sample in self.share]

    def __len__(self) -> int:
        return self.last - self.first


def collate(samples: Sequence[TrainingPair | str]) -> tuple[Tensor, Tensor] | str:
    """Put samples together: pixels (N, H, W, 7) uint8 or float32 in 0..1, and whether the masks are known."""
    pixels, known = [], []
    for sample in samples:
        if isinstance(sample, str):
            return sample
        mask = np.zeros(sample.blurred.shape[:2], np.uint8) if sample.mask is None else sample.mask
        if sample.blurred.dtype != np.uint8:
            blurred, sharp = (_unit(picture) for picture in (sample.blurred, sample.sharp))
            pixels.append(np.dstack((blurred, sharp, (mask > 0).astype(np.float32))))
        else:
            pixels.append(
                np.dstack((sample.blurred, sample.sharp, np.where(mask > 0, 255, 0).astype(np.uint8)))
            )
        known.append(sample.mask is not None)
    if any(item.dtype != np.uint8 for item in pixels):
        pixels = [_unit(item) for item in pixels]
    return torch.from_numpy(np.stack(pixels)), torch.tensor(known)


def _unit(pixels: Any) -> Any:
    if np.issubdtype(pixels.dtype, np.floating):
        return pixels
    return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)


def _batch(collated: tuple[Tensor, Tensor]) -> Batch:
    pixels, known = collated
    planes = pixels.permute(0, 3, 1, 2)
    planes = planes.float() / 255 if pixels.dtype == torch.uint8 else planes
    return Batch(planes[:, :3], planes[:, 3:6], planes[:, 6:], known)


def batches(mixture: Mixture, first: int, last: int, share: range, workers: int) -> Generator[Batch]:
    """Yield the batches of steps first..last - 1, of the samples `share` of each.

    Raises:
        TrainingError: A sample cannot be made, or a worker process died.
    """
    loader: DataLoader[Any] = DataLoader(
        mixture,
        batch_sampler=_Places(first, last, share),
        num_workers=workers,
        collate_fn=collate,
        worker_init_fn=_start_worker if workers else None,
        # A forked child inherits locks of torch's and OpenCV's threads that nobody will ever open; a spawned
        # one starts clean. Its start takes seconds, once.
        multiprocessing_context="spawn" if workers else None,
        prefetch_factor=4 if workers else None,
    )
    with _deaf_to_ctrl_c() if workers else contextlib.nullcontext():
        stream = iter(loader)
    while True:
        try:
            collated = next(stream)
        except StopIteration:
            return
        except RuntimeError as error:
            if "worker" not in str(error):
                raise
            raise TrainingError(
                "a worker process of the data loader died", hint="out of memory? try --workers 0"
            ) from error
        if isinstance(collated, str):
            raise TrainingError(f"a training pair cannot be made: {collated}")
        yield _batch(collated)


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Let processes that start meanwhile ignore Ctrl+C: the loop hears it, and ends them in good order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _start_worker(_: int) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    os.nice(5)  # the network is what everybody waits for
