"""What the paper prints of ReLoBlur's test pictures, to stand beside our own figures of the same pictures.

Source: Li et al., AAAI 2023, Real-World Deep Local Motion Deblurring (001), Tables 1 and 3: 395 test pairs of
2152x1436. Their code computes what we call the "released" reading.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from processing.page.paper_figures import HEIGHT, PAIRS, WIDTH

__all__ = ["KEYS", "TABLE_1", "TABLE_3", "PaperRow", "is_reloblur"]

KEYS: Final = ("whole.psnr_db", "whole.ssim", "released.psnr_w_db", "released.ssim_w", "released.psnr_a_db")
"""The figures of both tables, in their order; SSIM_a is not printed there."""


@dataclass(frozen=True)
class PaperRow:
    """One row.

    Attributes:
        name: Of the method.
        values: In the order of `KEYS`.
        switches: Gate block, BAPC, SSIM loss, pre-training; None in Table 1.
    """

    name: str
    values: tuple[float, ...]
    switches: tuple[bool, bool, bool, bool] | None = None

    @property
    def figures(self) -> dict[str, float]:
        """`Figure.key` -> value."""
        return dict(zip(KEYS, self.values, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"name": self.name, **self.figures}


TABLE_1: Final[tuple[PaperRow, ...]] = (
    PaperRow("DeepDeblur", (33.05, 0.8946, 26.51, 0.8152, 33.70)),
    PaperRow("DeblurGAN-v2", (33.85, 0.9027, 27.37, 0.8342, 34.30)),
    PaperRow("SRN-DeblurNet", (34.30, 0.9238, 27.48, 0.8570, 34.88)),
    PaperRow("HINet", (34.36, 0.9151, 27.64, 0.8510, 34.95)),
    PaperRow("MIMO-UNet", (34.52, 0.9250, 27.95, 0.8650, 35.42)),
    PaperRow("LBAG", (34.66, 0.9249, 28.25, 0.8692, 35.39)),
    PaperRow("LBAG+", (34.85, 0.9257, 28.32, 0.8734, 35.53)),
)
TABLE_3: Final[tuple[PaperRow, ...]] = (
    PaperRow("1 (LBAG+)", (34.85, 0.9257, 28.32, 0.8734, 35.53), (True, True, True, True)),
    PaperRow("2", (34.67, 0.9256, 27.88, 0.8680, 35.30), (False, True, True, True)),
    PaperRow("3", (34.75, 0.9255, 28.17, 0.8695, 35.48), (True, False, True, True)),
    PaperRow("4", (34.62, 0.9254, 27.85, 0.8639, 35.28), (True, True, False, True)),
    PaperRow("5 (LBAG)", (34.68, 0.9256, 28.10, 0.8677, 35.43), (True, True, True, False)),
)


def is_reloblur(root: Path, split: str, pairs: int, sizes: Iterable[tuple[int, int]]) -> bool:
    """Tell whether figures of these pictures may stand beside the paper's.

    They may where the published layout holds the test split with the published number of pairs, all pictures
    that were looked at have the published size, and nothing says that the data set is one of our exports.

    Args:
        root: The data set.
        split: Which part of it.
        pairs: Number of pairs in that part.
        sizes: (height, width) of the pictures that were looked at.
    """
    homes = [home for home in (root, root / "data") if (home / "dataset" / "test").is_dir()]
    if root.name == "dataset" and (root / "test").is_dir():
        homes.append(root.parent)
    seen = set(sizes)
    return (
        split == "test"
        and pairs == PAIRS["test"]
        and seen == {(HEIGHT, WIDTH)}
        and bool(homes)
        and not any((home / "dataset_description.json").exists() for home in homes)
    )
