"""The two orders in which the pipeline works; apart, so that the command line starts without OpenCV."""

from __future__ import annotations

from typing import Final, Literal

Profile = Literal["best", "paper"]
PROFILES: Final[tuple[Profile, ...]] = ("best", "paper")
