"""Figures and a sheet of pictures on held-out pairs, while a training runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.lbag import MULTIPLE
from models.pictures import as_unit_range
from models.training.networks import as_scales
from models.training.pairs import TrainingPair

__all__ = ["Figures", "PairFigures", "Validation", "figures_of", "validate"]

FLOOR = 1e-10
"""Smallest mean squared error that is told apart: 100 dB."""
MOST_AT_ONCE_PX = 1 << 19
MOST_WIDE_PX = 2400


@dataclass(frozen=True)
class PairFigures:
    """How well one pair was deblurred; in decibels, None where there is nothing to measure.

    Attributes:
        name: The pair.
        psnr_in: PSNR of the blurred picture inside the mask (the whole picture where there is no mask).
        psnr_out: PSNR of the result there.
        gain: Their difference.
        background_in: PSNR of the blurred picture outside the mask.
        background_out: PSNR of the result there: what the network spoils.
        mask_iou: Intersection over union of the predicted mask, at 0.5, with the true one.
    """

    name: str
    psnr_in: float | None
    psnr_out: float | None
    gain: float | None
    background_in: float | None
    background_out: float | None
    mask_iou: float | None


@dataclass(frozen=True)
class Figures:
    """Figures of all pairs.

    Attributes:
        mean: Mean of every figure over the pairs that have it.
        pairs: Each pair's own.
    """

    mean: dict[str, float]
    pairs: tuple[PairFigures, ...]

    def line(self) -> str:
        """Return the means as one line for the terminal."""
        said = {
            "gain": "gain {:+.2f} dB",
            "psnr_out": "in mask {:.2f} dB",
            "background_out": "background {:.1f} dB",
        }
        texts = [text.format(self.mean[name]) for name, text in said.items() if name in self.mean]
        if "mask_iou" in self.mean:
            texts.append(f"mask IoU {self.mean['mask_iou']:.2f}")
        return ", ".join(texts) or "no pair to measure"


@dataclass(frozen=True)
class Validation:
    """What a look at the network gave.

    Attributes:
        figures: The figures.
        sheet: (H, W, 3) uint8: a row a pair: blurred, result, sharp, predicted mask; None without pictures.
    """

    figures: Figures
    sheet: npt.NDArray[np.uint8] | None


def validate(
    network: nn.Module, pairs: Sequence[TrainingPair], device: torch.device, *, masks: bool, pictures: int = 0
) -> Validation:
    """Run a network over held-out pairs and measure it.

    The results are clamped to 0..1 and not rounded: an error below half a code counts.

    Args:
        network: In eval mode.
        pairs: Held-out pairs.
        device: Where the network is.
        masks: Whether the network predicts a mask.
        pictures: How many pairs are drawn.
    """
    found: list[PairFigures] = []
    rows: list[npt.NDArray[np.uint8]] = []
    for group in _alike(pairs):
        blurred = torch.from_numpy(np.stack([as_unit_range(pair.blurred) for pair in group]))
        sharp, mask = _run(network, blurred.permute(0, 3, 1, 2), device)
        for pair, result, said in zip(group, sharp, mask, strict=True):
            found.append(figures_of(pair, result, said if masks else None))
            if len(rows) < pictures:
                rows.append(_row(pair, result, said if masks else None))
    names = [name for name in asdict(found[0]) if name != "name"] if found else []
    mean = {}
    for name in names:
        values = [getattr(item, name) for item in found if getattr(item, name) is not None]
        if values:
            mean[name] = float(np.mean(values))
    return Validation(Figures(mean, tuple(found)), _sheet(rows) if rows else None)


def figures_of(
    pair: TrainingPair, result: npt.NDArray[np.float32], mask: npt.NDArray[np.float32] | None
) -> PairFigures:
    """Measure one result.

    Args:
        pair: The pair.
        result: (H, W, 3) in 0..1.
        mask: (H, W) predicted mask in 0..1; None where the network has none.
    """
    truth, blurred = as_unit_range(pair.sharp), as_unit_range(pair.blurred)
    inside = np.ones(truth.shape[:2], bool) if pair.mask is None else pair.mask > 0
    before, after = _psnr(blurred, truth, inside), _psnr(result, truth, inside)
    iou = None
    if mask is not None and pair.mask is not None:
        union = int(((mask > 0.5) | inside).sum())
        iou = float(((mask > 0.5) & inside).sum() / union) if union else None
    gain = None if before is None or after is None else after - before
    outside = (_psnr(blurred, truth, ~inside), _psnr(result, truth, ~inside))
    return PairFigures(pair.name, before, after, gain, *outside, iou)


def _psnr(
    image: npt.NDArray[np.float32], truth: npt.NDArray[np.float32], where: npt.NDArray[np.bool_]
) -> float | None:
    if not where.any():
        return None
    error = float(np.mean(np.square(image[where].astype(np.float64) - truth[where])))
    return -10 * math.log10(max(error, FLOOR))


def _alike(pairs: Sequence[TrainingPair]) -> Iterator[list[TrainingPair]]:
    """Yield neighbours of one size together, as many as run at once."""
    group: list[TrainingPair] = []
    for pair in pairs:
        height, width = pair.blurred.shape[:2]
        full = (len(group) + 1) * height * width > MOST_AT_ONCE_PX
        if group and (full or group[0].blurred.shape[:2] != (height, width)):
            yield group
            group = []
        group.append(pair)
    if group:
        yield group


@torch.no_grad()
def _run(
    network: nn.Module, blurred: Tensor, device: torch.device
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return results (N, H, W, 3), clamped, and masks (N, H, W)."""
    height, width = blurred.shape[2:]
    padded = F.pad(blurred, (0, -width % MULTIPLE, 0, -height % MULTIPLE), mode="reflect")
    image = padded.to(device).contiguous(memory_format=torch.channels_last)
    fine = as_scales(network(image))[-1]
    sharp = fine.sharp.float().clamp(0, 1)[..., :height, :width].permute(0, 2, 3, 1)
    return sharp.cpu().numpy(), fine.mask.float()[:, 0, :height, :width].cpu().numpy()


def _row(
    pair: TrainingPair, result: npt.NDArray[np.float32], mask: npt.NDArray[np.float32] | None
) -> npt.NDArray[np.uint8]:
    grey = np.zeros(result.shape[:2], np.float32) if mask is None else mask
    parts = [
        as_unit_range(pair.blurred),
        result,
        as_unit_range(pair.sharp),
        np.repeat(grey[..., None], 3, axis=2),
    ]
    row: npt.NDArray[np.uint8] = np.rint(np.hstack(parts) * 255).astype(np.uint8)
    if row.shape[1] > MOST_WIDE_PX:
        size = (MOST_WIDE_PX, max(1, row.shape[0] * MOST_WIDE_PX // row.shape[1]))
        row = np.asarray(cv2.resize(row, size, interpolation=cv2.INTER_AREA), np.uint8)
    return row


def _sheet(rows: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 4), (0, width - row.shape[1]), (0, 0))) for row in rows]
    return np.asarray(np.vstack(padded), np.uint8)
