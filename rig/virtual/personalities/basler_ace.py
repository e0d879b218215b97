"""Basler ace with GigE: names of SFNC 1.x, raw gain, time stamps in ticks.

After the camera's own description file (acA2440-20gm, in areaDetector/ADGenICam) and the acA manual. The step
of GainRaw and the tick differ between families of the ace; profiles must not take them for granted.
"""

from ..producer.features import Feature
from ..producer.personality import Personality

_ENTRY_OF_LINE = {f"Line{number}": None for number in range(2, 5)}

PERSONALITY = Personality(
    vendor="Basler",
    model="acA2440-20gc",
    tl_type="GEV",
    change={
        "Width": {"increment": 4},
        "OffsetX": {"increment": 2},
        "PixelFormat": {
            "entries": {
                "BayerRG8": "BayerRG8",
                "BayerRG12": "BayerRG12",
                "BayerRG12Packed": 0x010C002B,
            },
            "default": "BayerRG8",
        },
        "AcquisitionFrameRate": {"name": "AcquisitionFrameRateAbs"},
        "AcquisitionFrameRateEnable": {"default": 0},
        "AcquisitionResultingFrameRate": {"name": "ResultingFrameRateAbs"},
        "SensorReadoutTime": {"name": "ReadoutTimeAbs"},
        "AcquisitionStatusSelector": {
            "entries": {
                "AcquisitionTriggerWait": "AcquisitionTriggerWait",
                "AcquisitionActive": "AcquisitionActive",
                "AcquisitionTransfer": None,
                "FrameTriggerWait": "FrameTriggerWait",
                "FrameActive": None,
                "FrameTransfer": None,
                "ExposureActive": "ExposureActive",
            },
            "default": "AcquisitionTriggerWait",
        },
        "ExposureTime": {
            "name": "ExposureTimeAbs",
            "minimum": 35.0,
            "increment": None,
            "applied_increment": 1.0,
        },
        "TriggerSelector": {
            "entries": {"AcquisitionStart": "AcquisitionStart", "FrameStart": "FrameStart"},
            "default": "AcquisitionStart",
        },
        "TriggerSource": {
            "entries": {"Software": "Software", "Line1": "Line0", **_ENTRY_OF_LINE, "Action1": None},
            "default": "Line1",
        },
        "TriggerActivation": {
            "entries": {
                "RisingEdge": "RisingEdge",
                "FallingEdge": "FallingEdge",
                "AnyEdge": "AnyEdge",
                "LevelHigh": None,
                "LevelLow": None,
            }
        },
        "TriggerDelay": {"name": "TriggerDelayAbs"},
        "LineSelector": {"entries": {"Line1": "Line0", "Line3": None, "Out1": None}},
        "Gain": {"name": ""},
        "BlackLevel": {"name": "", "default": 0.0},
        "ChunkSelector": {
            "entries": {
                "Image": None,
                "Timestamp": "Timestamp",
                "LineStatusAll": None,
                "Framecounter": "FrameID",
                "Triggerinputcounter": None,
                "ExposureTime": "ExposureTime",
                "GainAll": "Gain",
                "PayloadCRC16": None,
            },
            "default": "Image",
        },
        "ChunkEnable": {"default": 0},
        "UserSetSelector": {
            "entries": {"Default": "Default", "UserSet1": "UserSet0", "UserSet2": "UserSet1"}
        },
        "DeviceTemperature": {"name": "TemperatureAbs"},
        "TimestampLatch": {"name": "GevTimestampControlLatch"},
        "TimestampLatchValue": {"name": "GevTimestampValue", "unit": ""},
    },
    drop=(
        "FrameTriggerIgnoredCount",
        "FrameTriggerIgnoredCountReset",
        "SensorReadoutMode",
        "TriggerOverlap",
        "SensorPixelWidth",
        "SensorPixelHeight",
    ),
    add=(
        Feature(
            "ExposureTimeRaw",
            "AcquisitionControl",
            "integer",
            "Exposure time in steps of 1 us.",
            minimum=35,
            maximum=10_000_000,
            register="ExposureTime",
            to_register="FROM",
            from_register="TO",
            lock="ExposureAuto = 2",
        ),
        Feature("GainSelector", "AnalogControl", "enumeration", "Gain that is set.", entries={"All": 0}),
        Feature(
            "GainRaw",
            "AnalogControl",
            "integer",
            "Gain in steps of 0.1 dB.",
            minimum=0,
            maximum=240,
            register="Gain",
            to_register="FROM * 0.1",
            from_register="TO / 0.1",
            lock="GainAuto = 2",
        ),
        Feature(
            "BlackLevelSelector",
            "AnalogControl",
            "enumeration",
            "Black level that is set.",
            entries={"All": 0},
        ),
        Feature(
            "BlackLevelRaw",
            "AnalogControl",
            "integer",
            "Code of a dark pixel, at 12 bit.",
            minimum=0,
            maximum=511,
            register="BlackLevel",
            to_register="FROM",
            from_register="TO",
        ),
        Feature("GammaEnable", "AnalogControl", "boolean", "Whether codes are bent.", default=0),
        Feature(
            "LineDebouncerTimeAbs",
            "DigitalIOControl",
            "float",
            "Shortest pulse that counts.",
            default=10.0,
            minimum=0.0,
            maximum=20000.0,
            unit="us",
            selector="LineSelector",
        ),
        Feature(
            "ExposureOverlapTimeMode",
            "AcquisitionControl",
            "enumeration",
            "Who chooses the overlap.",
            entries={"Manual": 0, "Automatic": 1},
        ),
        Feature(
            "BalanceWhiteAuto",
            "AnalogControl",
            "enumeration",
            "Sets the gains of the colours.",
            entries={"Off": 0, "Once": 1, "Continuous": 2},
        ),
        Feature("ReverseX", "ImageFormatControl", "boolean", "Whether the picture is mirrored."),
        Feature(
            "GevTimestampTickFrequency",
            "TransportLayerControl",
            "integer",
            "Ticks a second.",
            "RO",
            125_000_000,
            unit="Hz",
        ),
        Feature(
            "GevSCPSPacketSize",
            "TransportLayerControl",
            "integer",
            "Bytes of a packet.",
            default=1500,
            minimum=220,
            maximum=16404,
            increment=4,
        ),
    ),
    chunks={
        "ChunkFrameID": "ChunkFramecounter",
        "ChunkTimestamp": {"name": "ChunkTimestamp", "unit": ""},
        "ChunkGain": {
            "name": "ChunkGainAll",
            "shown_kind": "integer",
            "unit": "",
            "from_register": "TO / 0.1",
        },
    },
    tick_ns=8,
)
