"""A network made ready for one backend: planes in, sharp planes and mask out, watched block by block."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from models.backend import Backend, place
from models.errors import Cancelled
from models.fused import FusedBlock
from models.networks.layers import ResBlock
from models.networks.lbag import LBAG

__all__ = ["Progress", "Runner"]

Progress = Callable[[float], None]
Pass = Callable[[Tensor], tuple[Tensor, Tensor]]

MOST_GRAPHS = 4
"""Sizes of pictures whose CUDA graphs are kept; each holds the feature maps of its size."""


class Runner:
    """Runs a network in the way of a backend; not for two threads at a time.

    Args:
        model: The network in float32 on the CPU; it is copied.
        backend: Where and how.
    """

    def __init__(self, model: LBAG, backend: Backend) -> None:
        self.backend = backend
        self._model = place(model, backend)
        self._blocks = [block for block in self._model.modules() if isinstance(block, (ResBlock, FusedBlock))]
        self._pass: Pass = self._plain
        if backend.form == "graph":
            self._pass = _Graphs(self._plain)
        elif backend.form == "compiled":
            # Shapes differ from tile to tile; one dynamic program instead of one compilation each.
            self._pass = torch.compile(self._plain, dynamic=True)

    @property
    def stops_inside(self) -> bool:
        """Whether a pass can be stopped within the network; a graph or a compiled program runs to its end."""
        return self.backend.form not in ("graph", "compiled")

    def __call__(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Return sharp planes (N, 3, H, W), not clipped, and mask (N, 1, H, W), float32 on the CPU.

        Args:
            planes: RGB (N, 3, H, W) float32 in 0..1 on the CPU, H and W multiples of 4.
        """
        layout = torch.contiguous_format if self.backend.form == "contiguous" else torch.channels_last
        with torch.inference_mode():
            there = planes.to(self.backend.device).contiguous(memory_format=layout)
            sharp, mask = self._pass(there)
            return sharp.cpu(), mask.cpu()

    def _plain(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        fine = self._model(planes)[2]
        return fine.sharp, fine.mask

    @contextmanager
    def watched(
        self, passes: int, cancel: threading.Event | None, progress: Progress | None
    ) -> Iterator[Callable[[], None]]:
        """Look at `cancel` and tell `progress` after every residual block; yields what to call after a pass.

        All residual blocks of the network cost the same (half the side, twice the channels), so that counting
        them is a fair measure of the work.

        Raises:
            Cancelled: `cancel` was set.
        """
        total = len(self._blocks) * passes
        done = 0

        def count(blocks: int) -> None:
            nonlocal done
            done += blocks
            if cancel is not None and cancel.is_set():
                raise Cancelled("deblurring was stopped")
            if progress is not None:
                progress(done / total)

        def after_block(*_: object) -> None:
            count(1)

        def after_pass() -> None:
            if not self.stops_inside:
                count(len(self._blocks))

        if cancel is not None and cancel.is_set():
            raise Cancelled("deblurring was stopped")
        blocks: list[nn.Module] = list(self._blocks) if self.stops_inside else []
        handles = [block.register_forward_hook(after_block) for block in blocks]
        try:
            yield after_pass
        finally:
            for handle in handles:
                handle.remove()


class _Graphs:
    """Replays the network as CUDA graphs, one a size of picture: no launches from Python, kernel by kernel.

    Not tried on a CUDA device yet; `models.choice` takes it only where it measured it right and faster.
    """

    def __init__(self, run: Pass) -> None:
        self._run = run
        self._kept: OrderedDict[tuple[int, ...], tuple[Any, Tensor, tuple[Tensor, Tensor]]] = OrderedDict()

    def __call__(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        size = tuple(planes.shape)
        if size not in self._kept:
            while len(self._kept) >= MOST_GRAPHS:
                self._kept.popitem(last=False)
            self._kept[size] = self._capture(planes)
        self._kept.move_to_end(size)
        graph, given, answer = self._kept[size]
        given.copy_(planes)
        graph.replay()
        return answer[0].clone(), answer[1].clone()

    def _capture(self, planes: Tensor) -> tuple[Any, Tensor, tuple[Tensor, Tensor]]:
        given = planes.clone(memory_format=torch.channels_last)
        side: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):  # cuDNN chooses its kernels before they are recorded
            for _ in range(3):
                self._run(given)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            answer = self._run(given)
        return graph, given, answer
