"""Matrix products that behave when the processor is shared."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

WHOLE: Final = 2.0**19
"""Largest whole number that `whole_products` takes: products of 2^38, and 2^15 of them stay below 2^53."""


def transposed_product(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return a^T b of two float32 or two float64 matrices of equal height.

    OpenCV's product instead of NumPy's: the thread pool below NumPy's spins while it waits, and takes ten
    times as long as one thread when other processes (cameras, the world) hold the cores.

    Where `a` has 100 rows or more, OpenCV hands the product on to a library that shares it out to
    threads, and the last bits depend on how many these are: see `whole_products`.
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


def whole_products(a: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a^T a of whole numbers, exactly: the same bits in whatever order threads add them up.

    Args:
        a: (n, k) float64 that holds whole numbers of at most `WHOLE`, n <= 2^15.

    Raises:
        ValueError: for more rows.
    """
    if len(a) > 2**15:
        raise ValueError(f"{len(a)} rows, their products would no longer be exact")
    return np.asarray(transposed_product(a, a), np.float64)
