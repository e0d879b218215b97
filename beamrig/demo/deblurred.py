"""What the network did to one pair of the demo: figures, and the words that may be made of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.deblur import DeblurResult
from models.weights import are_shipped
from processing.isp import to_8bit
from processing.pipeline import Developed
from processing.quality.metrics import psnr


def deblur_figures(developed: Developed, result: DeblurResult, mask: NDArray[np.uint8]) -> dict[str, Any]:
    """Put B before and after the network beside S.

    Args:
        developed: The pair after the pipeline.
        result: What the network made of its B.
        mask: (H, W) uint8, where B is blurred by motion.

    Returns:
        Engine, figures and a note, as the report keeps them. A PSNR of equal pictures is None.
    """
    inside = mask > 0
    b, s, sharp = (to_8bit(image) for image in (developed.b, developed.s, result.sharp))
    figures: dict[str, float | None] = {
        "blurred": _db(b, s),
        "deblurred": _db(sharp, s),
        "blurred_inside_mask": _db(b[inside], s[inside]),
        "deblurred_inside_mask": _db(sharp[inside], s[inside]),
        "background_unchanged": _db(sharp[~inside], b[~inside]),
    }
    return {
        "note": result.info.note,
        "words": deblur_words(result, figures),
        "engine": result.info.to_dict(),
        "shipped": are_shipped(result.info.weights),
        "seconds": result.seconds,
        "share": result.share,
        "route": result.route,
        "psnr_db": figures,
    }


def deblur_words(result: DeblurResult, figures: dict[str, float | None]) -> str:
    """Say what the picture of the mover shows: a result, or with untrained weights only the way to one."""
    info = result.info
    if not info.trained:
        return info.note
    ours = "the shipped weights" if are_shipped(info.weights) else f"the weights {info.weights}"
    where = f"{info.device}, {info.precision}"
    work = f"{result.share:.0%} of the frame was computed in {result.seconds:.1f} s on {where}"
    before, after = figures["blurred_inside_mask"], figures["deblurred_inside_mask"]
    if before is None or after is None:
        return f"LBAG with {ours}: {work}."
    gain = after - before
    verdict = f"{gain:.2f} dB nearer to S" if gain > 0 else f"{-gain:.2f} dB further from S"
    inside = f"{before:.2f} to {after:.2f} dB inside the mask"
    return f"LBAG with {ours} brings the mover {verdict} ({inside}); {work}."


def _db(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float | None:
    """Return the PSNR; None where there is nothing to compare, or nothing differs: JSON has no infinity."""
    if a.size == 0:
        return None
    value = psnr(a, b)
    return value if math.isfinite(value) else None
