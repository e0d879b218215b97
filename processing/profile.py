"""The two ways in which the pipeline works, choice by choice.

`paper` does every step as the paper prints it, `best` as measurements say. Nothing else in the pipeline asks
for the profile's name: each step asks for its own choice. Apart, so that the command line starts fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args, get_type_hints

Profile = Literal["best", "paper"]
PROFILES: Final[tuple[Profile, ...]] = ("best", "paper")

FlowMethod = Literal["polynomial", "dis", "pyflow"]
FLOW_METHODS: Final[tuple[FlowMethod, ...]] = ("polynomial", "dis", "pyflow")

CastDegree = Literal[3, 4]
Order = Literal["balance_first", "demosaic_first"]
BetaFrom = Literal["still", "whole"]
Kernel = Literal["bs3", "cmtf_like"]
Masks = Literal["frozen", "literal"]


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

    cast_degree: CastDegree
    beta: BetaFrom
    order: Order
    flow: FlowMethod
    kernel: Kernel
    masks: Masks

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for a calibration file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Choices:
        """Read what `to_dict` wrote.

        Raises:
            ValueError: if a choice is missing, unknown, or has a value that is none of its own.
        """
        allowed = get_type_hints(cls)
        if set(data) != set(allowed):
            raise ValueError(f"the choices are {sorted(data)}, not {sorted(allowed)}")
        for name, kind in allowed.items():
            if data[name] not in get_args(kind):
                raise ValueError(f"{name} cannot be {data[name]!r}")
        return cls(**data)


CHOICES: Final[dict[Profile, Choices]] = {
    "best": Choices(4, "still", "balance_first", "polynomial", "bs3", "frozen"),
    "paper": Choices(3, "whole", "demosaic_first", "dis", "cmtf_like", "literal"),
}
