"""What the paper says of its own data set, to stand beside ours in cards and reports.

Sources: main paper (seed 001), section "ReLoBlur Dataset" and "Experimental Settings"; appendix (seed 000),
Table 1 (mean over all static pairs, before and after the pipeline) and its text (geometric error).
"""

from __future__ import annotations

from typing import Final

WIDTH: Final = 2152
HEIGHT: Final = 1436
PAIRS: Final = {"train": 2010, "test": 395}
TEST_SHARE: Final = 0.16
BLUR_AREA_PERCENT: Final = 11.75
BLUR_B_PX: Final = (15.0, 70.0)
BLUR_S_MAX_PX: Final = 6.0
STATIC_PAIR: Final[dict[str, dict[str, float]]] = {
    "before": {"delta_l_percent": 4.550, "psnr_db": 26.14, "ssim": 0.5859},
    "after": {"delta_l_percent": 2.870, "psnr_db": 36.79, "ssim": 0.9091},
}
GEOMETRIC_ERROR_PX: Final = {"before": 3.0, "after": 1.0}
