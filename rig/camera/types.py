"""Plain data that cameras, their host processes and their users exchange."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
FeatureValue = bool | int | float | str
Mode = Literal["live", "science"]
State = Literal["closed", "opening", "idle", "live", "science", "lost"]


@dataclass(frozen=True)
class DeviceInfo:
    """A camera as its producer announces it, before it is opened.

    Fields that a producer does not know are empty strings; `cti` is an absolute path and
    `access_status` one of `unknown`, `readwrite`, `readonly`, `noaccess`, `busy`, `open`.
    """

    cti: str
    id: str
    vendor: str
    model: str
    serial_number: str
    user_name: str
    tl_type: str
    access_status: str

    def to_dict(self) -> dict[str, str]:
        """Return the fields as plain data."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class FrameMeta:
    """Everything about a frame but its pixels.

    Attributes:
        frame_id: Counter of the camera (chunk) or of the transport; not necessarily from 0.
        timestamp_ns: Start of the exposure on the camera's clock, or the host's where the camera has none.
        exposure_us: Exposure as applied: from the chunk when there is one, else the read-back setting;
            nan when the camera has no such feature.
        gain_db: As `exposure_us`.
        black_level_dn: Read-back setting; nan when the camera has no such feature.
        pixel_format: PFNC name of what the camera sent, before unpacking.
        significant_bits: Bits of a code that carry information; codes are aligned to bit 0.
        host_monotonic_ns: `time.monotonic_ns()` when the host process took the frame.
        chunk: The chunk values as read, by feature name.
        sources: Where `frame_id`, `timestamp_ns`, `exposure_us` and `gain_db` come from: `chunk`,
            `buffer` (the transport), `readback` (the setting), `box` (the pulse that made the exposure),
            `host` or `none`.
        shape: (height, width), or (height, width, channels) of a camera that sends colour.
    """

    frame_id: int
    timestamp_ns: int
    exposure_us: float
    gain_db: float
    black_level_dn: float
    pixel_format: str
    significant_bits: int
    host_monotonic_ns: int
    shape: tuple[int, ...]
    chunk: dict[str, FeatureValue] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data for the wire; never the pixels."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(FrameMeta)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FrameMeta:
        """Rebuild from `to_dict`."""
        return cls(**{**data, "shape": tuple(data["shape"])})


@dataclass(frozen=True)
class Frame(FrameMeta):
    """A frame with its own copy of the pixels.

    Attributes:
        pixels: uint8 or uint16 codes, unpacked and aligned to bit 0, (H, W); (H, W, C) only from a
            camera that sends colour, as demo producers do.
    """

    pixels: Pixels = field(default_factory=lambda: np.zeros((0, 0), np.uint8), repr=False, compare=False)

    @classmethod
    def of(cls, meta: FrameMeta, pixels: Pixels) -> Frame:
        """Join meta data and pixels."""
        return cls(**{f.name: getattr(meta, f.name) for f in dataclasses.fields(meta)}, pixels=pixels)


@dataclass(frozen=True)
class Applied:
    """What became of one feature write.

    Attributes:
        name: Feature as the camera calls it (an alias is resolved).
        asked: Value as asked for; of several alternatives the one that was taken.
        applied: Value read back after the write; `None` when there is none: the step was skipped, or the
            feature is a command or can only be written.
        unit: Unit of the feature, empty when it has none.
        selector: `Selector=Entry` when the write was one round of a `for_each`.
        skipped: Why an optional step was left out; empty otherwise.
        raw: What the camera's own feature was read back with, where the values above are converted from it.
    """

    name: str
    asked: FeatureValue
    applied: FeatureValue | None
    unit: str = ""
    selector: str = ""
    skipped: str = ""
    raw: FeatureValue | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Limits:
    """Limits of a numeric feature right now; `increment` is None where the camera states none."""

    minimum: float
    maximum: float
    increment: float | None
    unit: str


@dataclass(frozen=True)
class FeatureInfo:
    """One feature of a camera with its present state."""

    name: str
    type: str
    value: FeatureValue | None
    unit: str
    access: str
    visibility: str
    category: str
    minimum: float | None = None
    maximum: float | None = None
    increment: float | None = None
    entries: tuple[str, ...] = ()
    description: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return {**dataclasses.asdict(self), "entries": list(self.entries)}


@dataclass(frozen=True)
class Verify:
    """Tolerance of a read-back: the larger of `abs` (feature units) and `rel` times the value, else none."""

    abs: float | None = None
    rel: float | None = None


@dataclass(frozen=True)
class StepSpec:
    """One feature write of a camera profile, as the camera executes it (see `rig.camera.steps`)."""

    set: str
    to: tuple[FeatureValue, ...]
    optional: bool = False
    for_each: str = ""
    verify: Verify = field(default_factory=Verify)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> StepSpec:
        """Rebuild from `to_dict`."""
        return cls(**{**data, "to": tuple(data["to"]), "verify": Verify(**data["verify"])})


@dataclass(frozen=True)
class CameraSpec:
    """Which camera to open and how to read it: all that a host process has to know.

    Attributes:
        cti: Absolute path of the GenTL producer.
        device: Device id, serial number or user name; empty takes the only camera there is.
        buffers: Buffers announced to the producer.
        aliases: Names for features that cameras call differently, first existing one wins; a feature in
            another unit as the fields of `rig.camera.conversion.Candidate`.
        significant_bits: 0 takes what the pixel format's name says.
        msb_aligned: Codes sit at the top of their 16 bits and are shifted down.
    """

    cti: str
    device: str = ""
    buffers: int = 16
    aliases: dict[str, list[str | dict[str, Any]]] = field(default_factory=dict)
    significant_bits: int = 0
    msb_aligned: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class CameraCounters:
    """Totals since the host process opened the camera.

    Attributes:
        delivered: Complete frames taken from the producer.
        live_dropped: Live frames that nobody looked at before a newer one came.
        incomplete: Frames that the transport delivered damaged; they never reach a user.
        underruns: Frames the producer had no buffer for.
        ignored_triggers: Triggers that came while the camera was busy; None where it does not count them.
    """

    delivered: int = 0
    live_dropped: int = 0
    incomplete: int = 0
    underruns: int = 0
    ignored_triggers: int | None = None

    def to_dict(self) -> dict[str, int | None]:
        """Return the fields as plain data."""
        return dataclasses.asdict(self)
