"""The one table of everything a virtual camera can be asked or told.

``generate.py`` makes from it, at build time: the GenICam XML that hosts see, the register addresses and
limits that the C code enforces, and the values after power-up. A feature exists nowhere else.

Limits may name other features (``"SensorWidth - OffsetX"``); such a limit is a formula in the XML, and the
C code checks it in ``registers.c``. ``lock`` is a formula too: while true, hosts may not write the feature.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["integer", "float", "enumeration", "boolean", "command", "string"]
Access = Literal["RO", "RW", "WO"]

STRING_BYTES = 64
SENSOR_WIDTH = 2448
SENSOR_HEIGHT = 2048
ACQUIRING = "TLParamsLocked"
"""Lock formula: not while the host streams."""


@dataclass(frozen=True)
class Feature:
    """One feature: a row of the table.

    Attributes:
        name: SFNC name, or our own where SFNC has none.
        category: The category it is shown in.
        kind: GenApi type; fixes the register's length.
        tip: One sentence for the user.
        access: As hosts see it.
        default: Value after power-up and in user set ``Default``; of an enumeration the entry's name.
        minimum: Lowest value, a number or a formula over features.
        maximum: Highest value, likewise.
        increment: Step of an integer or a float.
        unit: Physical unit.
        entries: Names and numbers of an enumeration.
        selector: Enumeration that selects among several instances; its numbers must run from 0.
        room: Of a selector: instances that its features have registers for; personalities may name so many
            entries. By default as many as there are entries.
        lock: Formula over features; while it is true the feature cannot be written.
        user_set: Whether user sets hold it.
        visibility: Level of user it is meant for.
        available: Formula over features; while it is false the feature is not available.
        applied_increment: Step that the device rounds a float to without telling; `increment` by default.
        deaf: The device takes writes and reports success, but keeps the old value.
        register: Feature of the table whose register this one shows; its own by default.
        instance: Of a selected feature: the instance whose register it shows, whatever is selected.
        to_register: GenApi formula from the shown value (`FROM`) to the register's; needs `from_register`.
        from_register: GenApi formula from the register's value (`TO`) to the shown one.
    """

    name: str
    category: str
    kind: Kind
    tip: str
    access: Access = "RW"
    default: int | float | str = 0
    minimum: int | float | str | None = None
    maximum: int | float | str | None = None
    increment: int | float | None = None
    unit: str = ""
    entries: Mapping[str, int] = field(default_factory=dict)
    selector: str = ""
    lock: str = ""
    user_set: bool = False
    visibility: Literal["Beginner", "Expert", "Guru"] = "Beginner"
    room: int = 0
    available: str = ""
    applied_increment: float | None = None
    deaf: bool = False
    register: str = ""
    instance: int | None = None
    to_register: str = ""
    from_register: str = ""

    @property
    def home(self) -> str:
        """Name of the feature that owns the register."""
        return self.register or self.name


@dataclass(frozen=True)
class Chunk:
    """A value that travels behind the image: 8 bytes each, found by its chunk id.

    `shown_kind` and `from_register` are for a chunk that shows another type or unit than what travels.
    """

    name: str
    kind: Literal["integer", "float"]
    chunk_id: int
    tip: str
    unit: str = ""
    shown_kind: Literal["integer", "float"] | None = None
    from_register: str = ""


def _names(*names: str) -> dict[str, int]:
    return {name: number for number, name in enumerate(names)}


# fmt: off
FEATURES: tuple[Feature, ...] = (
    # DeviceControl
    Feature("DeviceVendorName", "DeviceControl", "string", "Maker of the camera.", "RO", "beamrig"),
    Feature("DeviceModelName", "DeviceControl", "string", "Model of the camera.", "RO", "VR-5M"),
    Feature("DeviceVersion", "DeviceControl", "string", "Version of the camera.", "RO", "1.0"),
    Feature("DeviceSerialNumber", "DeviceControl", "string", "Serial number of the camera.", "RO", ""),
    Feature("DeviceUserID", "DeviceControl", "string", "Name given by the user.", "RW", ""),
    Feature("DeviceTemperature", "DeviceControl", "float", "Temperature of the sensor.", "RO", 38.0,
            unit="C"),
    Feature("TimestampLatch", "DeviceControl", "command", "Takes the device's time.", "WO"),
    Feature("TimestampLatchValue", "DeviceControl", "integer",
            "Time taken last, on the clock of the frame timestamps (CLOCK_MONOTONIC of the host).", "RO",
            unit="ns"),
    # ImageFormatControl
    Feature("SensorWidth", "ImageFormatControl", "integer", "Columns of the sensor.", "RO", SENSOR_WIDTH),
    Feature("SensorHeight", "ImageFormatControl", "integer", "Rows of the sensor.", "RO", SENSOR_HEIGHT),
    Feature("SensorPixelWidth", "ImageFormatControl", "float", "Pixel pitch.", "RO", 3.45, unit="um"),
    Feature("SensorPixelHeight", "ImageFormatControl", "float", "Pixel pitch.", "RO", 3.45, unit="um"),
    Feature("Width", "ImageFormatControl", "integer", "Columns of the region that is read out.",
            default=SENSOR_WIDTH, minimum=64, maximum="SensorWidth - OffsetX", increment=8, lock=ACQUIRING,
            user_set=True),
    Feature("Height", "ImageFormatControl", "integer", "Rows of the region that is read out.",
            default=SENSOR_HEIGHT, minimum=64, maximum="SensorHeight - OffsetY", increment=2,
            lock=ACQUIRING, user_set=True),
    Feature("OffsetX", "ImageFormatControl", "integer",
            "First column of the region; even, so that the Bayer phase stays RG.", minimum=0,
            maximum="SensorWidth - Width", increment=4, lock=ACQUIRING, user_set=True),
    Feature("OffsetY", "ImageFormatControl", "integer",
            "First row of the region; even, so that the Bayer phase stays RG.", minimum=0,
            maximum="SensorHeight - Height", increment=2, lock=ACQUIRING, user_set=True),
    Feature("PixelFormat", "ImageFormatControl", "enumeration",
            "BayerRG8: code >> 4. BayerRG10: code >> 2. BayerRG12: code in the low bits."
            " BayerRG16: code << 4. 10p, 12p, 10Packed, 12Packed: the same codes packed.",
            default="BayerRG12",
            entries={"BayerRG8": 0x01080009, "BayerRG10": 0x0110000D, "BayerRG10p": 0x010A0058,
                     "BayerRG10Packed": 0x010C0027, "BayerRG12": 0x01100011, "BayerRG12p": 0x010C0059,
                     "BayerRG12Packed": 0x010C002B, "BayerRG16": 0x0110002F},
            lock=ACQUIRING, user_set=True),
    Feature("PayloadSize", "ImageFormatControl", "integer", "Bytes of a frame with its chunks.", "RO",
            unit="B"),
    # AcquisitionControl
    Feature("AcquisitionMode", "AcquisitionControl", "enumeration", "How many frames an acquisition has.",
            default="Continuous", entries=_names("Continuous", "SingleFrame", "MultiFrame"), lock=ACQUIRING,
            user_set=True),
    Feature("AcquisitionFrameCount", "AcquisitionControl", "integer", "Frames of a MultiFrame acquisition.",
            default=1, minimum=1, maximum=65535, increment=1, lock=ACQUIRING, user_set=True),
    Feature("AcquisitionStart", "AcquisitionControl", "command", "Starts the acquisition.", "WO"),
    Feature("AcquisitionStop", "AcquisitionControl", "command", "Stops the acquisition.", "WO"),
    Feature("AcquisitionFrameRate", "AcquisitionControl", "float",
            "Frames a second in free run, when enabled.", default=10.0, minimum=0.1, maximum=1000.0,
            unit="Hz", user_set=True),
    Feature("AcquisitionFrameRateEnable", "AcquisitionControl", "boolean",
            "Whether AcquisitionFrameRate limits the free run.", default=1, user_set=True),
    Feature("AcquisitionResultingFrameRate", "AcquisitionControl", "float",
            "Frames a second that exposure, readout and AcquisitionFrameRate allow in free run.", "RO",
            unit="Hz"),
    Feature("AcquisitionStatusSelector", "AcquisitionControl", "enumeration", "Which status is read.",
            default="FrameTriggerWait",
            entries=_names("AcquisitionTriggerWait", "AcquisitionActive", "FrameTriggerWait",
                           "ExposureActive"),
            room=16),
    Feature("AcquisitionStatus", "AcquisitionControl", "boolean",
            "The selected status: FrameTriggerWait is true while a frame trigger would be accepted.", "RO",
            selector="AcquisitionStatusSelector"),
    Feature("SensorReadoutTime", "AcquisitionControl", "float",
            "Time to read the region out, proportional to its height.", "RO", unit="us"),
    Feature("SensorReadoutMode", "AcquisitionControl", "enumeration",
            "Instant measures throughput: no readout time, and the free run waits for free buffers.",
            default="Normal", entries=_names("Normal", "Instant"), lock=ACQUIRING, user_set=True,
            visibility="Guru"),
    Feature("ExposureMode", "AcquisitionControl", "enumeration",
            "Timed: ExposureTime. TriggerWidth: as long as the line's pulse; in free run as Timed.",
            default="Timed", entries=_names("Timed", "TriggerWidth"), user_set=True),
    Feature("ExposureTime", "AcquisitionControl", "float",
            "Exposure time; the device rounds to whole microseconds.", default=10000.0, minimum=10.0,
            maximum=10_000_000.0, increment=1.0, unit="us", lock="ExposureAuto = 2", user_set=True),
    Feature("ExposureAuto", "AcquisitionControl", "enumeration",
            "Sets ExposureTime from the mean of the delivered frames.", default="Off",
            entries=_names("Off", "Once", "Continuous"), user_set=True),
    # TriggerControl
    Feature("TriggerSelector", "TriggerControl", "enumeration",
            "Which trigger the other trigger features set.", default="FrameStart",
            entries=_names("FrameStart", "AcquisitionStart"), room=16),
    Feature("TriggerMode", "TriggerControl", "enumeration", "Whether the selected trigger is used.",
            default="Off", entries=_names("Off", "On"), selector="TriggerSelector", user_set=True),
    Feature("TriggerSoftware", "TriggerControl", "command", "A trigger.", "WO", selector="TriggerSelector"),
    Feature("TriggerSource", "TriggerControl", "enumeration", "Where the trigger comes from.",
            default="Software", entries=_names("Software", "Line0"), selector="TriggerSelector",
            user_set=True),
    Feature("TriggerActivation", "TriggerControl", "enumeration", "Which edge of the line is the trigger.",
            default="RisingEdge", entries=_names("RisingEdge", "FallingEdge", "AnyEdge"),
            selector="TriggerSelector", user_set=True),
    Feature("TriggerDelay", "TriggerControl", "float",
            "Time from trigger to effect; with TriggerWidth it delays both ends of the exposure.",
            default=0.0, minimum=0.0, maximum=1_000_000.0, unit="us", selector="TriggerSelector",
            user_set=True),
    Feature("TriggerOverlap", "TriggerControl", "enumeration",
            "ReadOut: a trigger during readout counts, if its exposure ends after the readout.",
            default="Off", entries=_names("Off", "ReadOut"), user_set=True),
    Feature("FrameTriggerIgnoredCount", "TriggerControl", "integer",
            "Frame triggers that came while no frame could start, since AcquisitionStart or reset.", "RO"),
    Feature("FrameTriggerIgnoredCountReset", "TriggerControl", "command", "Sets the counter to zero.", "WO"),
    # DigitalIOControl
    Feature("LineSelector", "DigitalIOControl", "enumeration", "Which line the other line features set.",
            default="Line0", entries=_names("Line0"), room=16),
    Feature("LineMode", "DigitalIOControl", "enumeration", "Direction of the line.", "RO", "Input",
            entries=_names("Input"), selector="LineSelector"),
    Feature("LineInverter", "DigitalIOControl", "boolean", "Whether the level is inverted before use.",
            selector="LineSelector", user_set=True),
    Feature("LineStatus", "DigitalIOControl", "boolean", "Level of the line, after the inverter.", "RO",
            selector="LineSelector"),
    # AnalogControl
    Feature("Gain", "AnalogControl", "float", "Gain.", default=0.0, minimum=0.0, maximum=24.0, unit="dB",
            lock="GainAuto = 2", user_set=True),
    Feature("GainAuto", "AnalogControl", "enumeration", "Sets Gain from the mean of the delivered frames.",
            default="Off", entries=_names("Off", "Once", "Continuous"), user_set=True),
    Feature("BlackLevel", "AnalogControl", "float", "Code of a dark pixel, at 12 bit.", default=64.0,
            minimum=0.0, maximum=511.0, unit="DN", user_set=True),
    # ChunkDataControl
    Feature("ChunkModeActive", "ChunkDataControl", "boolean", "Whether chunks travel behind the image.",
            lock=ACQUIRING, user_set=True),
    Feature("ChunkSelector", "ChunkDataControl", "enumeration", "Which chunk ChunkEnable sets.",
            default="FrameID", entries=_names("FrameID", "Timestamp", "ExposureTime", "Gain"),
            room=32),
    Feature("ChunkEnable", "ChunkDataControl", "boolean", "Whether the selected chunk is sent.", default=1,
            selector="ChunkSelector", lock=ACQUIRING, user_set=True),
    # UserSetControl
    Feature("UserSetSelector", "UserSetControl", "enumeration",
            "Which user set is loaded or saved; Default cannot be saved.", default="Default",
            entries=_names("Default", "UserSet0", "UserSet1")),
    Feature("UserSetLoad", "UserSetControl", "command", "Takes all settings over.", "WO", lock=ACQUIRING),
    Feature("UserSetSave", "UserSetControl", "command",
            "Keeps all settings, until the producer is unloaded.", "WO", lock="UserSetSelector = 0"),
    # TransportLayerControl
    Feature("TLParamsLocked", "TransportLayerControl", "integer", "Set to 1 by the host while it streams.",
            minimum=0, maximum=1, increment=1, visibility="Guru"),
)
# fmt: on

CHUNKS: tuple[Chunk, ...] = (
    Chunk("ChunkFrameID", "integer", 0x1001, "Number of the exposure since AcquisitionStart."),
    Chunk("ChunkTimestamp", "integer", 0x1002, "Start of the exposure.", "ns"),
    Chunk("ChunkExposureTime", "float", 0x1003, "Exposure time of this frame.", "us"),
    Chunk("ChunkGain", "float", 0x1004, "Gain of this frame.", "dB"),
)
"""In the order of the entries of ChunkSelector."""
