"""One thread for BLAS and OpenMP in every test and every program that a test starts.

Two tests run at a time, so more threads only wait for each other, and they wait by turning round and round:
on a busy machine the networks' tests took nine times as long with two. What a test says of threads (workers,
``threads=2``) is about the project's own.
"""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before numpy or torch is imported
