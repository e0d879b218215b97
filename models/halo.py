"""How far the border of a tile really reaches into it, measured once for each network.

By its structure a pixel can influence the output `receptive_radius_px` away; what is left of that influence
after so many convolutions is mostly far below what a picture can show. A strip is run once whole and once
with both ends cut off: where the two differ, the cut is felt. That is measured in float32. In reduced
precision the faintest difference turns a rounding over here and there, however far away the cut is: so tiles
run in the engine's precision only where these roundings stay within the promise too, otherwise in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from models.backend import Backend, backend_as_asked
from models.choice import Choice, measured_cost, probe_picture
from models.memory import Memory, Moving, remember
from models.networks.lbag import LBAG, MULTIPLE, receptive_radius_px
from models.runner import Runner
from models.steps import Steps

__all__ = ["LARGEST_HALO_PX", "PROMISE", "Ready", "influence", "make_ready", "measured_halo"]

LARGEST_HALO_PX = 192
"""Beyond this a tile would be mostly halo."""

PROMISE = 1.0 / 255
"""What tiles may change on any picture."""
CUT_TOLERANCE = 0.25 * PROMISE
"""What a cut may change on the probe: other pictures feel it more, and corners feel two."""
ROUNDING_TOLERANCE = PROMISE
"""What roundings may change on the probe, whose noise a network answers with far larger changes than a
photograph: there it was three times as much as on pairs of photographs (0.85 against 0.25 of 255)."""

MARGIN_PX = 8
STRIP_HEIGHT_PX = 64
FIRST_REACH_PX = 48
SEEDS = (7, 8)

Pass = Callable[[Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Ready:
    """What an engine needs to run only where something moved.

    Attributes:
        moving: What was measured.
        runner: Runs the tiles; the engine's own where its precision keeps the promise.
    """

    moving: Moving
    runner: Runner


def make_ready(choice: Choice, model: LBAG, runner: Runner) -> Steps[Ready]:
    """Find halo, precision and costs of tiles; what is not known yet is measured, pass by pass, and kept.

    Args:
        choice: What the engine runs.
        model: The network in float32 on the CPU.
        runner: It in the engine's precision.
    """
    backend = choice.backend
    exact_backend = backend_as_asked(backend.device, "fp32")
    moving = None if choice.memory is None else choice.memory.moving
    exact = runner if backend.precision == "fp32" else None
    if moving is None:
        exact = exact or Runner(model, exact_backend)
        halo = yield from measured_halo(exact, model.num_res)
        tiles = runner
        if exact is not runner and halo is not None and not (yield from _rounds_little(runner, halo)):
            tiles = exact
        whole_cost = yield from measured_cost(runner)
        moving = Moving(
            halo_px=halo,
            precision=tiles.backend.precision,
            whole_s=whole_cost,
            tile_s=whole_cost if tiles is runner else (yield from measured_cost(tiles)),
        )
        remember(_with(choice, backend, moving))
    if moving.precision == backend.precision:
        return Ready(moving, runner)
    return Ready(moving, exact or Runner(model, exact_backend))


def measured_halo(run: Pass, num_res: int) -> Steps[int | None]:
    """Find how far a tile must read beyond its core, a multiple of 4; None where 192 px are not enough.

    Args:
        run: Takes planes (1, 3, H, W) in 0..1 and returns sharp planes and mask; in float32.
        num_res: Residual blocks a stage, which bound the reach from above.
    """
    exact = receptive_radius_px(num_res)
    reach = min(FIRST_REACH_PX, exact)
    while True:
        felt = np.zeros(reach, np.float32)
        for seed in SEEDS:
            felt = np.maximum(felt, influence(run, reach, seed))
            yield
        above = np.flatnonzero(felt > CUT_TOLERANCE)
        needed = MARGIN_PX + (0 if above.size == 0 else int(above[-1]) + 1)
        if needed <= reach or reach == exact:
            return min(-(-needed // MULTIPLE) * MULTIPLE, exact)
        if reach == LARGEST_HALO_PX:
            return None
        reach = min(2 * reach, exact, LARGEST_HALO_PX)


def influence(run: Pass, reach_px: int, seed: int) -> npt.NDArray[np.float32]:
    """Return the largest change of sharp picture or mask at 0, 1, ... reach_px - 1 pixels from a cut.

    Args:
        run: As in `measured_halo`.
        reach_px: How far from the cut to look, a multiple of 4.
        seed: Of the picture.
    """
    width = 4 * reach_px
    strip = probe_picture(STRIP_HEIGHT_PX, width, seed)
    whole, whole_mask = run(strip)
    part, part_mask = run(strip[..., reach_px:-reach_px])
    inner = slice(reach_px, width - reach_px)
    changed = np.abs((part.clamp(0, 1) - whole[..., inner].clamp(0, 1)).numpy()).max(axis=(0, 1, 2))
    changed = np.maximum(changed, np.abs((part_mask - whole_mask[..., inner]).numpy()).max(axis=(0, 1, 2)))
    from_both: npt.NDArray[np.float32] = np.maximum(changed[:reach_px], changed[::-1][:reach_px])
    return from_both


def _rounds_little(runner: Runner, halo_px: int) -> Steps[bool]:
    """Find whether beyond the halo a cut turns roundings over by less than the tolerance."""
    reach = 2 * max(halo_px, FIRST_REACH_PX)
    for seed in SEEDS:
        if not float(influence(runner, reach, seed)[halo_px:].max()) <= ROUNDING_TOLERANCE:
            return False
        yield
    return True


def _with(choice: Choice, backend: Backend, moving: Moving) -> Memory:
    if choice.memory is not None:
        return choice.memory.model_copy(update={"moving": moving})
    return Memory(
        facts=choice.facts,
        precision=backend.precision,
        form=backend.form,
        reason=backend.reason,
        candidates=(),
        moving=moving,
    )
