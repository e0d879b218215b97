"""The two ways in which the pipeline works, choice by choice.

`paper` does every step as the paper prints it, `best` as measurements say. Nothing else in the pipeline asks
for the profile's name: each step asks for its own choice. Apart, so that the command line starts fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Profile = Literal["best", "paper"]
PROFILES: Final[tuple[Profile, ...]] = ("best", "paper")

FlowMethod = Literal["polynomial", "dis", "pyflow"]
FLOW_METHODS: Final[tuple[FlowMethod, ...]] = ("polynomial", "dis", "pyflow")


@dataclass(frozen=True)
class Choices:
    """How each step of Fig. 3 is done.

    Attributes:
        cast_degree: of the colour constants' polynomial (Eq. 5): 3 as printed, or 4.
        beta: where beta (Eq. 6) is measured: "still" leaves out what moves or clips in the static take,
            "whole" takes the whole image.
        order: "balance_first" balances the mosaic and demosaics square roots; "demosaic_first" as printed.
        flow: "polynomial" with a B-spline residual where it is needed, "dis" dense (OpenCV), or "pyflow"
            where the user has installed it.
        kernel: of the resampling: cubic B-spline, or a windowed sinc in the spirit of CMTF.
        masks: "frozen" background, or "literal" Algorithm 1.
    """

    cast_degree: Literal[3, 4]
    beta: Literal["still", "whole"]
    order: Literal["balance_first", "demosaic_first"]
    flow: FlowMethod
    kernel: Literal["bs3", "cmtf_like"]
    masks: Literal["frozen", "literal"]


CHOICES: Final[dict[Profile, Choices]] = {
    "best": Choices(4, "still", "balance_first", "polynomial", "bs3", "frozen"),
    "paper": Choices(3, "whole", "demosaic_first", "dis", "cmtf_like", "literal"),
}
