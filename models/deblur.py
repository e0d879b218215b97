"""The inference engine: a developed picture of any size in, a sharp picture and a blur mask out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from models.backend import choose_backend, place
from models.checkpoints import load_lbag
from models.errors import Cancelled
from models.fused import FusedBlock
from models.networks.layers import ResBlock
from models.networks.lbag import LBAG, MULTIPLE, receptive_radius_px, seeded_lbag
from models.pictures import FloatImage, as_unit_range, pad_to_multiple, to_planes
from models.tiles import Tile, plan_tiles

__all__ = ["DeblurEngine", "DeblurResult", "EngineInfo"]

UNTRAINED_BASE = 16
UNTRAINED_NUM_RES = 2
UNTRAINED_NOTE = "untrained weights: the preview shows the way, not a result"

MEMORY_LIMIT_BYTES = 4 * 2**30
LARGEST_HALO_PX = 192
"""The released network can see 584 px far, but what lies beyond this adds less than a grey level of 8 bit."""

LEAST_PREVIEW_PX = 256

Progress = Callable[[float], None]


@dataclass(frozen=True)
class EngineInfo:
    """What the engine runs, where, and why.

    Attributes:
        device: "cpu" or "cuda".
        precision: "fp32", "bf16" or "fp16".
        reason: Why this precision was chosen, in one line.
        fused: Whether convolutions run fused with what follows them.
        weights: Path of the weights; None for the untrained network.
        architecture: The network in words.
        parameters: Number of its parameters.
        trained: Whether the weights come from a training.
        note: What the operator must know about the weights.
        threads: CPU threads that torch uses.
    """

    device: str
    precision: str
    reason: str
    fused: bool
    weights: str | None
    architecture: str
    parameters: int
    trained: bool
    note: str
    threads: int

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON can say them."""
        return asdict(self)


@dataclass(frozen=True)
class DeblurResult:
    """What came out.

    Attributes:
        sharp: (H, W, 3) float32 in 0..1, sRGB-encoded as the input was.
        mask: (H, W) float32 in 0..1, how surely a pixel is blurred (the gate's sigmoid, before its clamp).
        seconds: Wall time of the whole run.
        tiles: Into how many pieces the picture was cut; 1 is the whole at once.
        scale: Size at which the network saw the picture: 1, or less for a preview.
        info: The engine.
    """

    sharp: FloatImage
    mask: FloatImage
    seconds: float
    tiles: int
    scale: float
    info: EngineInfo


class DeblurEngine:
    """Runs LBAG on pictures; may be used from any thread, one run at a time.

    Args:
        weights: A checkpoint of any known format; None for a small seeded network without training.
        device: "auto", "cpu" or "cuda".
        precision: "auto" (measured here and now), "fp32", "bf16" or "fp16".
        memory_limit_bytes: What the feature maps may take; larger pictures are cut into tiles.
        halo_px: How far tiles overlap on each side. By default as far as a pixel can influence the result, so
            that tiles change nothing, but at most `LARGEST_HALO_PX`.

    Raises:
        CheckpointError: The weights cannot be used.
        EngineError: The machine cannot do what was asked.
    """

    def __init__(
        self,
        weights: Path | None = None,
        device: str = "auto",
        precision: str = "auto",
        *,
        memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
        halo_px: int | None = None,
    ) -> None:
        if weights is None:
            model = seeded_lbag(UNTRAINED_BASE, UNTRAINED_NUM_RES).eval()
            trained, note = False, UNTRAINED_NOTE
        else:
            model, checkpoint = load_lbag(Path(weights))
            trained, note = checkpoint.trained, checkpoint.note
            if not trained:
                note = f"{UNTRAINED_NOTE}; {note}" if note else UNTRAINED_NOTE
        self._backend = choose_backend(model, device, precision)
        self._model = place(model, self._backend)
        exact = receptive_radius_px(model.num_res)
        self._halo_px = min(exact, LARGEST_HALO_PX) if halo_px is None else halo_px
        self._max_pixels = memory_limit_bytes // _bytes_per_pixel(model.base, self._backend.dtype.itemsize)
        self._busy = threading.Lock()
        self._info = EngineInfo(
            device=self._backend.device,
            precision=self._backend.precision,
            reason=self._backend.reason,
            fused=self._backend.fused,
            weights=None if weights is None else str(weights),
            architecture=f"LBAG with {model.base} base channels and {model.num_res} residual blocks a stage",
            parameters=sum(parameter.numel() for parameter in model.parameters()),
            trained=trained,
            note=note,
            threads=torch.get_num_threads(),
        )

    def describe(self) -> EngineInfo:
        """Return what the engine runs, where, and why."""
        return self._info

    def run(
        self,
        rgb: npt.NDArray[Any],
        cancel: threading.Event | None = None,
        progress: Progress | None = None,
    ) -> DeblurResult:
        """Deblur a picture at full size.

        Args:
            rgb: (H, W, 3) uint8, uint16 or floating point in 0..1, sRGB-encoded; any size from 1x1 up.
            cancel: Stops the run within a residual block once it is set.
            progress: Called with the done fraction, 0..1, from the thread that runs.

        Raises:
            ImageError: `rgb` is no such picture.
            EngineError: The memory limit is too small for this network.
            Cancelled: `cancel` was set.
        """
        started = time.perf_counter()
        sharp, mask, tiles = self._infer(as_unit_range(rgb), cancel, progress)
        return DeblurResult(sharp.clip(0.0, 1.0), mask, time.perf_counter() - started, tiles, 1.0, self._info)

    def preview(
        self,
        rgb: npt.NDArray[Any],
        max_side: int | None = None,
        cancel: threading.Event | None = None,
    ) -> DeblurResult:
        """Give a coarse answer quickly, at the size of the picture.

        The network sees the picture reduced; what it changes there is enlarged and added to the original, so
        that the background keeps its sharpness. Blurs are shorter at the reduced size: an idea of the result.

        Args:
            rgb: As in `run`.
            max_side: Longest side in pixels that the network sees; by default a quarter of the picture's,
                not less than 256.
            cancel: As in `run`.

        Raises:
            ImageError: `rgb` is no such picture.
            Cancelled: `cancel` was set.
        """
        started = time.perf_counter()
        image = as_unit_range(rgb)
        height, width = image.shape[:2]
        longest = max(height, width)
        side = max(longest // 4, LEAST_PREVIEW_PX) if max_side is None else max(max_side, MULTIPLE)
        scale = min(1.0, side / longest)
        if scale == 1.0:
            sharp, mask, tiles = self._infer(image, cancel, None)
        else:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
            small_sharp, small_mask, tiles = self._infer(small, cancel, None)
            change = cv2.resize(small_sharp - small, (width, height), interpolation=cv2.INTER_LINEAR)
            sharp = image + change
            mask = cv2.resize(small_mask, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)
        seconds = time.perf_counter() - started
        return DeblurResult(sharp.clip(0.0, 1.0), mask, seconds, tiles, scale, self._info)

    def _infer(
        self, image: FloatImage, cancel: threading.Event | None, progress: Progress | None
    ) -> tuple[FloatImage, FloatImage, int]:
        """Return sharp image (not clipped), mask and the number of tiles of a float picture."""
        height, width = image.shape[:2]
        padded = pad_to_multiple(image, MULTIPLE)
        tiles = plan_tiles(*padded.shape[:2], halo_px=self._halo_px, max_pixels=self._max_pixels)
        sharp = np.empty_like(padded)
        mask = np.empty(padded.shape[:2], np.float32)
        with self._busy, _watched(self._model, len(tiles), cancel, progress), torch.inference_mode():
            for tile in tiles:
                self._run_tile(padded, tile, sharp, mask)
        return sharp[:height, :width], mask[:height, :width], len(tiles)

    def _run_tile(self, image: FloatImage, tile: Tile, sharp: FloatImage, mask: FloatImage) -> None:
        """Run the network on what a tile reads, and write what belongs to its core."""
        top, bottom, left, right = tile.read
        y0, y1, x0, x1 = tile.core
        planes = to_planes(image[top:bottom, left:right]).to(self._backend.device)
        fine = self._model(planes)[2]
        core = (..., slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
        sharp[y0:y1, x0:x1] = fine.sharp[core][0].permute(1, 2, 0).cpu().numpy()
        mask[y0:y1, x0:x1] = fine.mask[core][0, 0].cpu().numpy()


@contextmanager
def _watched(
    model: LBAG, passes: int, cancel: threading.Event | None, progress: Progress | None
) -> Iterator[None]:
    """Look at `cancel` and tell `progress` after every residual block.

    All residual blocks of the network cost the same (half the side, twice the channels), so that counting
    them is a fair measure of the work.
    """
    blocks = [block for block in model.modules() if isinstance(block, (ResBlock, FusedBlock))]
    total = len(blocks) * passes
    done = 0

    def after_block(*_: object) -> None:
        nonlocal done
        done += 1
        if cancel is not None and cancel.is_set():
            raise Cancelled("deblurring was stopped")
        if progress is not None:
            progress(done / total)

    if cancel is not None and cancel.is_set():
        raise Cancelled("deblurring was stopped")
    handles = [block.register_forward_hook(after_block) for block in blocks]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _bytes_per_pixel(base: int, itemsize: int) -> int:
    """Return what a pass needs at its peak for each pixel of the picture: measured, rounded up.

    The peak is at full scale: a handful of maps with `base` channels, and the picture's own float32 planes.
    """
    return 8 * base * itemsize + 32
