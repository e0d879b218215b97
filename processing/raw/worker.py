"""A process that lets LibRaw read one file and hands over what it found; see `processing.raw.file`.

    python -m processing.raw.worker FILE

Writes one line of JSON to stdout, then the codes of the visible area as little-endian uint16. On its own so
that a file which crashes LibRaw or asks for all memory ends this process, not the one that asked.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any, Final

MEMORY_LIMIT: Final = 4 << 30
CPU_LIMIT_S: Final = 100


def main(path: str) -> int:
    """Read one file; returns the exit status."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import numpy as np
    import rawpy

    pixels: Any = np.empty(0, np.uint16)
    try:
        with rawpy.imread(path) as raw:
            facts = _facts(raw)
            if "error" not in facts:
                pixels = np.array(raw.raw_image_visible, "<u2", order="C")  # a copy: LibRaw frees its own
                facts["shape"] = list(pixels.shape)
    except (rawpy.LibRawError, OSError, ValueError, MemoryError, RuntimeError) as error:
        words = error.args[0] if error.args else type(error).__name__
        facts = {"error": words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)}
    out = sys.stdout.buffer
    out.write(json.dumps(facts).encode("ascii") + b"\n")
    out.write(pixels.data)
    out.flush()
    return 0


def _facts(raw: Any) -> dict[str, Any]:
    """Return everything but the pixels as plain values, or why the file cannot be developed."""
    pattern, sizes = raw.raw_pattern, raw.sizes
    if raw.raw_type.name != "Flat":
        return {"error": "it holds several colours a pixel: not a RAW mosaic"}
    if pattern is None:
        return {"error": "it is monochrome: no colour filter"}
    if pattern.shape != (2, 2):
        return {"error": f"its colour filter of {pattern.shape[1]}x{pattern.shape[0]} is no Bayer pattern"}
    phases = [int(index) for index in pattern.ravel()]
    white = [float(level) for level in raw.camera_white_level_per_channel or ()]
    return {
        "cfa": "".join(chr(raw.color_desc[index]) for index in phases),
        "black": [float(raw.black_level_per_channel[index]) for index in phases],
        "white": float(raw.white_level),
        "linear_to": [white[index] for index in phases] if len(white) == 4 else [],
        "camera_balance": [float(gain) for gain in raw.camera_whitebalance[:3]],
        "daylight_balance": [float(gain) for gain in raw.daylight_whitebalance[:3]],
        "matrix": [[float(value) for value in row[:3]] for row in raw.color_matrix],
        "flip": int(sizes.flip),
        "raw_shape": [int(sizes.raw_height), int(sizes.raw_width)],
        "margins": [int(sizes.top_margin), int(sizes.left_margin)],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
