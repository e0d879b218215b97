"""The inference engine: a developed picture of any size in, a sharp picture and a blur mask out."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.checkpoints import load_lbag
from models.coarse import enlarged, gate_side, preview_side, reduced
from models.errors import Cancelled, ImageError
from models.halo import LARGEST_HALO_PX
from models.moved import Cells, cells_of_difference, cells_of_mask
from models.networks.lbag import MULTIPLE, receptive_radius_px, seeded_lbag
from models.pictures import (
    NOT_FINITE,
    NOT_FINITE_HINT,
    FloatImage,
    as_unit_range,
    check_reference,
    pad_to_multiple,
    to_planes,
)
from models.rectangles import CostModel, plan_moved
from models.results import DeblurResult, EngineInfo, engine_info
from models.runner import Progress, Runner
from models.tiles import Tile, plan_tiles, share_of
from models.tuning import Tuning

__all__ = ["LARGEST_HALO_PX", "DeblurEngine", "DeblurResult", "EngineInfo"]

UNTRAINED_BASE = 16
UNTRAINED_NUM_RES = 2
UNTRAINED_NOTE = "untrained weights: the preview shows the way, not a result"

MEMORY_LIMIT_BYTES = 4 * 2**30
WAIT_S = 0.02
"""How often a run that waits for another one looks at its cancel event."""


class DeblurEngine:
    """Runs LBAG on pictures; may be used from any thread, one run at a time.

    Args:
        weights: A checkpoint of any known format; None for a small seeded network without training.
        device: "auto", "cpu" or "cuda".
        precision: "auto" (measured once on this machine), "fp32", "bf16" or "fp16".
        memory_limit_bytes: What the feature maps may take; larger pictures are cut into tiles.
        halo_px: How far tiles overlap on each side. By default as far as a pixel can influence the result, so
            that tiles change nothing, but at most `LARGEST_HALO_PX`; with `only_moved` as far as measured.
        use_memory: Whether what was measured at an earlier start counts.
        measure_now: Whether what is not known yet of this machine is measured before anything runs. Otherwise
            `preview` answers at once, by a guess of what is fastest, and `run` or `prepare` measures.

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
        use_memory: bool = True,
        measure_now: bool = True,
    ) -> None:
        if weights is None:
            model = seeded_lbag(UNTRAINED_BASE, UNTRAINED_NUM_RES).eval()
            trained, note = False, UNTRAINED_NOTE
        else:
            model, checkpoint = load_lbag(Path(weights))
            trained, note = checkpoint.trained, checkpoint.note
            if not trained:
                note = f"{UNTRAINED_NOTE}; {note}" if note else UNTRAINED_NOTE
        self._model, self._weights, self._trained, self._note = model, weights, trained, note
        self._tuning = Tuning(model, device, precision, use_memory=use_memory)
        exact = receptive_radius_px(model.num_res)
        self._halo_px = min(exact, LARGEST_HALO_PX) if halo_px is None else halo_px
        self._own_halo_px = halo_px
        self._memory_limit_bytes = memory_limit_bytes
        self._busy = threading.Lock()
        if measure_now:
            self._tuning.judge()

    def describe(self) -> EngineInfo:
        """Return what the engine runs, where, and why."""
        return engine_info(self._tuning, self._model, self._weights, self._note, trained=self._trained)

    def prepare(self) -> EngineInfo:
        """Measure what is not known yet, once for a machine and a network; return what the engine runs."""
        with self._alone(None):
            self._tuning.measure()
        return self.describe()

    def prepare_a_little(self) -> bool:
        """Measure for no longer than a small picture takes; return whether anything is left to measure."""
        with self._alone(None):
            return self._tuning.a_step()

    def run(
        self,
        rgb: npt.NDArray[Any],
        cancel: threading.Event | None = None,
        progress: Progress | None = None,
        *,
        reference: npt.NDArray[Any] | None = None,
        only_moved: bool = False,
        ask_gate: bool = False,
    ) -> DeblurResult:
        """Deblur a picture at full size.

        Args:
            rgb: (H, W, 3) uint8, uint16 or floating point in 0..1, sRGB-encoded; any size from 1x1 up.
            cancel: Stops the run within a residual block once it is set.
            progress: Called with the done fraction, 0..1, from the thread that runs.
            reference: The sharp frame S of the pair, aligned to `rgb` and of its brightness, same shape;
                tells `only_moved` where to look. Without it the network's gate is asked at reduced size.
            only_moved: Run the network only where something moved. What it writes there equals the result of
                the whole picture within 1/255; all other pixels stay as they are. Where the whole picture
                is as cheap, it is run whole.
            ask_gate: Ask the gate where there is a reference, too: what either of them finds is run.

        Raises:
            ImageError: `rgb` is no such picture, `reference` does not fit it, or the network fails on it.
            EngineError: The memory limit is too small for this network.
            Cancelled: `cancel` was set.
        """
        started = time.perf_counter()
        check_reference(rgb, reference)
        image = as_unit_range(rgb)
        sharp_reference = None if reference is None else as_unit_range(reference)
        with self._alone(cancel):
            begun = time.perf_counter()
            self._tuning.judge(cancel)
            if only_moved:
                self._tuning.measure(cancel)
            started += time.perf_counter() - begun  # measured once, and no part of what a picture takes
            tiles = (
                self._plan_moved(image, sharp_reference, cancel, ask_gate=ask_gate) if only_moved else None
            )
            sharp, mask, count, share = self._infer(image, tiles, cancel, progress)
        if not np.isfinite(sharp).all():
            raise ImageError(NOT_FINITE, hint=NOT_FINITE_HINT)
        np.clip(sharp, 0.0, 1.0, out=sharp)
        seconds = time.perf_counter() - started
        return DeblurResult(sharp, mask, seconds, count, 1.0, self.describe(), share, _route(tiles, count))

    def preview(
        self,
        rgb: npt.NDArray[Any],
        max_side: int | None = None,
        cancel: threading.Event | None = None,
        *,
        reference: npt.NDArray[Any] | None = None,
    ) -> DeblurResult:
        """Give a coarse answer quickly, at the size of the picture.

        The network sees the picture reduced; what it changes there is enlarged and added to the original, so
        that the background keeps its sharpness. Blurs are shorter at the reduced size: an idea of the result.

        Args:
            rgb: As in `run`.
            max_side: Longest side in pixels that the network sees; by default a quarter of the picture's,
                not less than 256.
            cancel: As in `run`.
            reference: As in `run`; given, the network runs only where something moved, once what that needs
                is measured.

        Raises:
            ImageError: `rgb` is no such picture.
            Cancelled: `cancel` was set.
        """
        started = time.perf_counter()
        check_reference(rgb, reference)
        side = preview_side(rgb.shape, max_side)
        image = None if np.issubdtype(rgb.dtype, np.integer) else as_unit_range(rgb)
        small = reduced(rgb if image is None else image, side)
        small_reference = None if reference is None else reduced(reference, side)
        with self._alone(cancel):
            measured = self._tuning.ready is not None
            tiles = (
                self._plan_moved(small, small_reference, cancel)
                if small_reference is not None and measured
                else None
            )
            small_sharp, small_mask, count, share = self._infer(small, tiles, cancel, None)
        if small.shape == rgb.shape:
            sharp, mask = small_sharp, small_mask
        else:
            sharp = as_unit_range(rgb) if image is None else image
            sharp += enlarged(small_sharp - small, rgb.shape)
            mask = enlarged(small_mask, rgb.shape)
        np.clip(sharp, 0.0, 1.0, out=sharp)
        scale = max(small.shape[:2]) / max(rgb.shape[:2])
        seconds = time.perf_counter() - started
        return DeblurResult(sharp, mask, seconds, count, scale, self.describe(), share, _route(tiles, count))

    @contextmanager
    def _alone(self, cancel: threading.Event | None) -> Iterator[None]:
        """Wait until no other thread runs the network; the wait ends when `cancel` is set."""
        while not self._busy.acquire(timeout=WAIT_S):
            if cancel is not None and cancel.is_set():
                raise Cancelled("deblurring was stopped")
        try:
            yield
        finally:
            self._busy.release()

    def _plan_moved(
        self,
        image: FloatImage,
        reference: FloatImage | None,
        cancel: threading.Event | None,
        *,
        ask_gate: bool = False,
    ) -> list[Tile] | None:
        """Return the tiles where something moved, the nearest to the middle first; None to run all of it."""
        ready = self._tuning.measure(cancel)
        moving = ready.moving
        halo = moving.halo_px if self._own_halo_px is None else self._own_halo_px
        if halo is None:
            return None
        found: list[Cells] = []
        if reference is not None:
            found.append(cells_of_difference(image, reference))
        if reference is None or ask_gate:
            small = reduced(image, gate_side(image.shape))
            found.append(cells_of_mask(self._infer(small, None, cancel, None)[1], image.shape[:2]))
        cells: Cells = np.logical_or.reduce(found)
        height, width = (side + -side % MULTIPLE for side in image.shape[:2])
        cost = CostModel(height, width, -(-halo // MULTIPLE) * MULTIPLE, moving.tile_s, moving.whole_s)
        tiles = plan_moved(cells, cost)
        most = self._max_pixels(ready.runner)
        if tiles is None or any(tile.read_pixels > most for tile in tiles):
            return None
        return sorted(tiles, key=lambda tile: tile.off_centre(height, width))

    def _infer(
        self,
        image: FloatImage,
        tiles: list[Tile] | None,
        cancel: threading.Event | None,
        progress: Progress | None,
    ) -> tuple[FloatImage, FloatImage, int, float]:
        """Return sharp image (not clipped), mask, number of tiles and written share of a float picture.

        Where no tile writes, the sharp image is the picture itself and the mask is 0.
        """
        height, width = image.shape[:2]
        padded = pad_to_multiple(image, MULTIPLE)
        everything = tiles is None
        runner = self._tuning.runner if everything else self._tuning.measure().runner
        if tiles is None:
            most = self._max_pixels(runner)
            tiles = plan_tiles(*padded.shape[:2], halo_px=self._halo_px, max_pixels=most)
        sharp = np.empty_like(padded) if everything else padded.copy()
        mask = (np.empty if everything else np.zeros)(padded.shape[:2], np.float32)
        with runner.watched(max(len(tiles), 1), cancel, progress) as after_pass:
            for tile in tiles:
                _run_tile(runner, padded, tile, sharp, mask)
                after_pass()
        written = 1.0 if everything else share_of(tiles, padded.shape[:2])
        return sharp[:height, :width], mask[:height, :width], len(tiles), written

    def _max_pixels(self, runner: Runner) -> int:
        return self._memory_limit_bytes // _bytes_per_pixel(self._model.base, runner.backend.dtype.itemsize)


def _run_tile(runner: Runner, image: FloatImage, tile: Tile, sharp: FloatImage, mask: FloatImage) -> None:
    """Run the network on what a tile reads, and write what belongs to its core."""
    top, bottom, left, right = tile.read
    y0, y1, x0, x1 = tile.core
    tile_sharp, tile_mask = runner(to_planes(image[top:bottom, left:right]))
    core = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    sharp[y0:y1, x0:x1] = tile_sharp[0].permute(1, 2, 0).numpy()[core]
    mask[y0:y1, x0:x1] = tile_mask[0, 0].numpy()[core]


def _route(tiles: list[Tile] | None, count: int) -> str:
    return "moved" if tiles is not None else "whole" if count == 1 else "tiles"


def _bytes_per_pixel(base: int, itemsize: int) -> int:
    """Return what a pass needs at its peak for each pixel of the picture: measured, rounded up.

    The peak is at full scale: a handful of maps with `base` channels, and the picture's own float32 planes.
    """
    return 8 * base * itemsize + 32
