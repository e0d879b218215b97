"""Why a feature cannot be written now: the automatic function or mode that has taken it over."""

from __future__ import annotations

from collections.abc import Iterator

from rig.camera.types import FeatureValue

_HELD_BY: tuple[tuple[str, str, tuple[FeatureValue, ...]], ...] = (
    ("ExposureTime", "ExposureAuto", ("Off",)),
    ("ExposureTime", "ExposureMode", ("Timed",)),
    ("Gain", "GainAuto", ("Off",)),
    ("BlackLevel", "BlackLevelAuto", ("Off",)),
    ("AcquisitionFrameRate", "AcquisitionFrameRateAuto", ("Off",)),
    ("AcquisitionFrameRate", "AcquisitionFrameRateEnable", (True,)),
    ("AcquisitionFrameRate", "AcquisitionFrameRateEnabled", (True,)),
    ("AcquisitionFrameRate", "AcquisitionFrameRateMode", ("On", "Basic")),
    ("AcquisitionFrameRate", "TriggerMode", ("Off",)),
    ("BalanceRatio", "BalanceWhiteAuto", ("Off",)),
    ("Trigger", "TriggerMode", ("Off",)),
    ("PixelFormat", "TLParamsLocked", (0,)),
    ("Width", "TLParamsLocked", (0,)),
    ("Height", "TLParamsLocked", (0,)),
    ("Offset", "TLParamsLocked", (0,)),
    ("Chunk", "TLParamsLocked", (0,)),
)
"""Features whose name begins with the first are free only while the second has one of the values."""


def suspects(name: str) -> Iterator[tuple[str, tuple[FeatureValue, ...]]]:
    """Yield the features that may hold `name`, and the values with which they let it go."""
    for beginning, holder, free in _HELD_BY:
        if name.startswith(beginning) and name != holder:
            yield holder, free


def in_words(found: list[tuple[str, FeatureValue]]) -> str:
    """Return what holds a feature, in words, from names and present values; empty when nothing does."""
    said = [
        "the camera streams: stop it first" if name == "TLParamsLocked" else f"{name} is {_plain(value)}"
        for name, value in found
    ]
    return "; ".join(said)


def _plain(value: FeatureValue) -> str:
    return {True: "On", False: "Off"}[value] if isinstance(value, bool) else str(value)
