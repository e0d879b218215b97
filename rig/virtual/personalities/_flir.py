"""What Blackfly S cameras with USB3 and GigE have in common.

After their description files (BFS-U3-51S5M and BFS-PGE-50S5C, in areaDetector/ADGenICam): 12 bit come packed,
or at the top of 16; the black level is a share of full scale; a trigger's source is locked while it is on (as
the maker's own examples say); the automatic functions are on after power-up.
"""

from __future__ import annotations

from typing import Any

from ..producer.features import Feature

LOCKED_WHILE_ON = "TriggerMode = 1"

CHANGE: dict[str, dict[str, Any]] = {
    "PixelFormat": {
        "entries": {
            "BayerRG8": "BayerRG8",
            "BayerRG16": "BayerRG16",
            "BayerRG12Packed": 0x010C002B,
            "BayerRG12p": "BayerRG12p",
        },
        "default": "BayerRG8",
    },
    "AcquisitionFrameRate": {"lock": "AcquisitionFrameRateEnable = 0"},
    "AcquisitionFrameRateEnable": {"default": 0},
    "ExposureTime": {
        "minimum": 11.0,
        "maximum": 30_000_000.0,
        "increment": None,
        "applied_increment": 1.0,
        "lock": "ExposureAuto = 2",
        "available": "ExposureMode = 0",
    },
    "ExposureAuto": {"default": "Continuous"},
    "GainAuto": {"default": "Continuous"},
    "Gain": {"maximum": 47.9943},
    "TriggerSelector": {
        "entries": {
            "AcquisitionStart": "AcquisitionStart",
            "FrameStart": "FrameStart",
            "FrameBurstStart": None,
        },
    },
    "TriggerSource": {
        "entries": {
            "Software": "Software",
            "Line0": "Line0",
            "Line1": None,
            "Line2": None,
            "Line3": None,
            "UserOutput0": None,
            "Counter0Start": None,
            "LogicBlock0": None,
        },
        "lock": LOCKED_WHILE_ON,
    },
    "TriggerActivation": {
        "entries": {
            "LevelLow": None,
            "LevelHigh": None,
            "FallingEdge": "FallingEdge",
            "RisingEdge": "RisingEdge",
            "AnyEdge": "AnyEdge",
        },
        "default": "FallingEdge",
    },
    "TriggerOverlap": {"entries": {"Off": "Off", "ReadOut": "ReadOut", "PreviousFrame": None}},
    "TriggerDelay": {"maximum": 65520.0},
    "LineSelector": {"entries": {"Line0": "Line0", "Line1": None, "Line2": None, "Line3": None}},
    "LineMode": {"entries": {"Input": "Input", "Output": None}},
    "BlackLevel": {"name": ""},
    "ChunkSelector": {
        "entries": {
            "Image": None,
            "CRC": None,
            "FrameID": "FrameID",
            "OffsetX": None,
            "OffsetY": None,
            "Width": None,
            "Height": None,
            "ExposureTime": "ExposureTime",
            "Gain": "Gain",
            "BlackLevel": None,
            "PixelFormat": None,
            "Timestamp": "Timestamp",
        },
        "default": "Image",
    },
    "ChunkEnable": {"default": 0},
}

DROP: tuple[str, ...] = (
    "FrameTriggerIgnoredCount",
    "FrameTriggerIgnoredCountReset",
    "SensorReadoutTime",
    "SensorReadoutMode",
    "AcquisitionStatusSelector",
    "AcquisitionStatus",
    "SensorPixelWidth",
    "SensorPixelHeight",
)

ADD: tuple[Feature, ...] = (
    Feature("GainSelector", "AnalogControl", "enumeration", "Gain that is set.", entries={"All": 0}),
    Feature(
        "BlackLevelSelector",
        "AnalogControl",
        "enumeration",
        "Black level that is set.",
        entries={"All": 0, "Analog": 1, "Digital": 2},
    ),
    Feature(
        "BlackLevel",
        "AnalogControl",
        "float",
        "Share of full scale of a dark pixel.",
        minimum=0.0,
        maximum=12.4755859375,
        unit="%",
        register="BlackLevel",
        to_register="FROM * 4096 / 100",
        from_register="TO / 4096 * 100",
    ),
    Feature(
        "AdcBitDepth",
        "ImageFormatControl",
        "enumeration",
        "Bits of the converter.",
        entries={"Bit10": 1, "Bit12": 2},
        default="Bit10",
    ),
    Feature("GammaEnable", "AnalogControl", "boolean", "Whether codes are bent.", default=1),
    Feature(
        "BalanceWhiteAuto",
        "AnalogControl",
        "enumeration",
        "Sets the gains of the colours.",
        entries={"Off": 0, "Once": 1, "Continuous": 2},
        default="Continuous",
    ),
    Feature("IspEnable", "ImageFormatControl", "boolean", "Whether pixels are processed.", default=1),
    Feature("ReverseX", "ImageFormatControl", "boolean", "Whether the picture is mirrored."),
    Feature(
        "AcquisitionBurstFrameCount",
        "AcquisitionControl",
        "integer",
        "Frames of a burst.",
        default=1,
        minimum=1,
        maximum=1023,
        increment=1,
    ),
    Feature(
        "DeviceLinkThroughputLimit",
        "DeviceControl",
        "integer",
        "Bytes a second of the link.",
        default=380_000_000,
        minimum=1_000_000,
        maximum=380_000_000,
        unit="Bps",
    ),
)
