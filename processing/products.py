"""Matrix products that behave when the processor is shared."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def transposed_product(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return a^T b of two float32 or two float64 matrices of equal height.

    OpenCV's product instead of NumPy's: the thread pool below NumPy's spins while it waits, and takes ten
    times as long as one thread when other processes (cameras, the world) hold the cores.
    """
    nothing: Any = None
    return np.asarray(
        cv2.gemm(np.ascontiguousarray(a), np.ascontiguousarray(b), 1.0, nothing, 0.0, flags=cv2.GEMM_1_T)
    )


def product_with_transposed(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return a b^T of two float64 matrices of equal width; see `transposed_product`."""
    nothing: Any = None
    return np.asarray(
        cv2.gemm(np.ascontiguousarray(a), np.ascontiguousarray(b), 1.0, nothing, 0.0, flags=cv2.GEMM_2_T)
    )
