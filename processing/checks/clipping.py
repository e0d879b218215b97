"""How much of a frame clips: by colour, and apart for the moving object and the background."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.colour import phase_offsets
from rig.capture.findings import Finding, Level
from rig.raw_image import RawImage
from rig.records import RawPair

CLIPPED_BACKGROUND: Final = 0.005
"""Half a percent of a colour: lamps and glints may clip, they are left out of every estimate."""

CLIPPED_OBJECT: Final = 0.02
"""Of the object a little more: what counts is its blur, but in a clipped part it is flat in S and B alike."""

CLIPPED_STOP: Final = 0.25
"""A quarter of a colour: neither beta nor the object's texture can be told from the rest."""

_STEP: Final = 2
"""Every 2nd cell of every 2nd row of cells: 300,000 samples a colour at full size."""


def clipped_shares(
    raw: RawImage, mask: NDArray[np.uint8] | None, box: tuple[int, int, int, int]
) -> dict[str, dict[str, float]]:
    """Return the share of clipped samples as {"background" | "object": {colour: share}}.

    Args:
        raw: the frame.
        mask: (h, w) uint8, above 0 where the object is, on the part `box` of the frame; B's frame lies some
            pixels off it, which does not matter to shares. None: all is background.
        box: (y0, y1, x0, x1); what lies outside is not looked at.
    """
    y0, y1, x0, x1 = (edge + edge % 2 for edge in box)
    counts: dict[str, dict[str, list[int]]] = {"background": {}, "object": {}}
    for phase, (row, column) in phase_offsets(raw.cfa).items():
        part = (slice(y0 + row, y1, 2 * _STEP), slice(x0 + column, x1, 2 * _STEP))
        over = raw.pixels[part] >= raw.white_level
        inside = np.zeros(over.shape, np.bool_)
        if mask is not None:
            seen = mask[y0 + row - box[0] :: 2 * _STEP, x0 + column - box[2] :: 2 * _STEP] > 0
            inside[: seen.shape[0], : seen.shape[1]] = seen[: over.shape[0], : over.shape[1]]
        for place, here in (("object", inside), ("background", ~inside)):
            kept = counts[place].setdefault(phase[0], [0, 0])
            kept[0] += int(np.count_nonzero(over & here))
            kept[1] += int(np.count_nonzero(here))
    return {
        place: {colour: clipped / total for colour, (clipped, total) in by_colour.items() if total}
        for place, by_colour in counts.items()
    }


def clipping_findings(
    pair: RawPair,
    mask: NDArray[np.uint8] | None,
    box: tuple[int, int, int, int],
    figures: dict[str, float],
) -> list[Finding]:
    """Judge the clipping of both frames; the shares go into `figures`.

    Args:
        pair: as recorded.
        mask: see `clipped_shares`.
        box: see `clipped_shares`.
        figures: gets clipped_B_object_R and so on.
    """
    found = []
    for camera, raw in (("B", pair.b), ("S", pair.s)):
        for place, shares in clipped_shares(raw, mask, box).items():
            for colour, share in shares.items():
                figures[f"clipped_{camera}_{place}_{colour}"] = share
            if not shares:
                continue
            worst = max(shares, key=lambda colour: shares[colour])
            limit = CLIPPED_OBJECT if place == "object" else CLIPPED_BACKGROUND
            if shares[worst] > limit:
                text = f"camera {camera} clips {shares[worst]:.1%} of {worst} in the {place}"
                level: Level = "stop" if shares[worst] > CLIPPED_STOP else "warn"
                found.append(Finding(level, text, "dim the light or shorten the exposure", shares[worst]))
    return found
