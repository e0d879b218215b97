"""Features that many makers' cameras have and the virtual camera lacks: inert ones for personalities."""

from __future__ import annotations

from .features import Feature

AUTO = ("Off", "Once", "Continuous")
ACTIVATIONS = {
    "RisingEdge": "RisingEdge",
    "FallingEdge": "FallingEdge",
    "AnyEdge": "AnyEdge",
    "LevelHigh": None,
    "LevelLow": None,
}
"""Entries of TriggerActivation that most makers have."""

ONLY_VIRTUAL = (
    "FrameTriggerIgnoredCount",
    "FrameTriggerIgnoredCountReset",
    "SensorReadoutTime",
    "SensorReadoutMode",
    "SensorPixelWidth",
    "SensorPixelHeight",
)
"""What no maker of this rig's cameras offers under that name."""

NO_STATUS = ("AcquisitionStatusSelector", "AcquisitionStatus")
NO_CHUNKS = ("ChunkSelector", "ChunkEnable")
NO_CHUNK_VALUES = {
    "ChunkFrameID": None,
    "ChunkTimestamp": None,
    "ChunkExposureTime": None,
    "ChunkGain": None,
}


def switch(name: str, category: str, tip: str, *, on: bool = False, selector: str = "") -> Feature:
    """Return a boolean that keeps what is written."""
    return Feature(name, category, "boolean", tip, default=int(on), selector=selector)


def choice(
    name: str,
    category: str,
    tip: str,
    entries: tuple[str, ...],
    default: str = "",
    *,
    selector: str = "",
    access: str = "RW",
) -> Feature:
    """Return an enumeration that keeps what is written; the first entry is its default."""
    numbers = {entry: number for number, entry in enumerate(entries)}
    return Feature(
        name,
        category,
        "enumeration",
        tip,
        "RO" if access == "RO" else "RW",
        default or entries[0],
        entries=numbers,
        selector=selector,
    )


def number(
    name: str,
    category: str,
    tip: str,
    default: float,
    limits: tuple[float, float],
    *,
    unit: str = "",
    selector: str = "",
) -> Feature:
    """Return a number that keeps what is written: an integer or a float, as its default is."""
    whole = isinstance(default, int)
    return Feature(
        name,
        category,
        "integer" if whole else "float",
        tip,
        default=default,
        minimum=limits[0],
        maximum=limits[1],
        increment=1 if whole else None,
        unit=unit,
        selector=selector,
    )


def mirrors() -> tuple[Feature, ...]:
    """Return the switches that mirror the picture."""
    return (
        switch("ReverseX", "ImageFormatControl", "Mirrors the rows."),
        switch("ReverseY", "ImageFormatControl", "Mirrors the columns."),
    )


def temperature_selector(*places: str) -> Feature:
    """Return the selector of the place whose temperature is read."""
    return choice("DeviceTemperatureSelector", "DeviceControl", "Where the temperature is taken.", places)
