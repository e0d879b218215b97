"""Basler ace 2 with USB3: names of SFNC 2.x, its own order of triggers and states.

After the description file of a sister model (a2A2600-20gmBAS, in areaDetector/ADGenICam).
"""

from ..producer.features import Feature
from ..producer.personality import Personality

PERSONALITY = Personality(
    vendor="Basler",
    model="a2A2448-75ucBAS",
    tl_type="U3V",
    change={
        "PixelFormat": {
            "entries": {
                "BayerRG8": "BayerRG8",
                "BayerRG10": 0x0110000D,
                "BayerRG10p": 0x010A0058,
                "BayerRG12": "BayerRG12",
                "BayerRG12p": "BayerRG12p",
            },
            "default": "BayerRG8",
        },
        "AcquisitionFrameRateEnable": {"default": 0},
        "AcquisitionResultingFrameRate": {"name": "BslResultingAcquisitionFrameRate"},
        "AcquisitionStatusSelector": {
            "entries": {
                "AcquisitionActive": "AcquisitionActive",
                "ExposureActive": "ExposureActive",
                "ExposureTriggerWait": None,
                "FlashWindow": None,
                "FrameBurstActive": None,
                "FrameBurstTriggerWait": "AcquisitionTriggerWait",
                "FrameTriggerWait": "FrameTriggerWait",
            },
            "default": "AcquisitionActive",
        },
        "ExposureTime": {"minimum": 20.0, "increment": None, "applied_increment": 1.0},
        "ExposureMode": {"entries": {"Timed": "Timed", "TriggerWidth": "TriggerWidth"}},
        "TriggerSelector": {
            "entries": {
                "FrameBurstStart": "AcquisitionStart",
                "FrameBurstEnd": None,
                "FrameStart": "FrameStart",
                "FrameEnd": None,
                "ExposureStart": None,
                "ExposureActive": None,
            },
        },
        "TriggerSource": {
            "entries": {
                "Software": "Software",
                "Line1": "Line0",
                "Line2": None,
                "Line3": None,
                "SoftwareSignal1": None,
                "PeriodicSignal1": None,
                "Action1": None,
            },
            "default": "Line1",
        },
        "LineSelector": {"entries": {"Line1": "Line0", "Line2": None, "Line3": None}},
        "LineMode": {"entries": {"Input": "Input", "Output": None}, "access": "RW"},
        "Gain": {"maximum": 48.0},
        "BlackLevel": {"default": 0.0},
        "ChunkSelector": {
            "entries": {
                "AutoBrightnessStatus": None,
                "CounterValue": None,
                "ExposureTime": "ExposureTime",
                "FrameID": "FrameID",
                "Gain": "Gain",
                "LineStatusAll": None,
                "PayloadCRC16": None,
                "Timestamp": "Timestamp",
            },
            "default": "AutoBrightnessStatus",
        },
        "ChunkEnable": {"default": 0},
        "UserSetSelector": {
            "entries": {"Default": "Default", "UserSet1": "UserSet0", "UserSet2": "UserSet1"}
        },
    },
    drop=(
        "FrameTriggerIgnoredCount",
        "FrameTriggerIgnoredCountReset",
        "SensorReadoutMode",
        "TriggerOverlap",
    ),
    add=(
        Feature("GainSelector", "AnalogControl", "enumeration", "Gain that is set.", entries={"All": 0}),
        Feature(
            "BlackLevelSelector",
            "AnalogControl",
            "enumeration",
            "Black level that is set.",
            entries={"All": 0},
        ),
        Feature(
            "BslSensorBitDepthMode",
            "ImageFormatControl",
            "enumeration",
            "Who chooses the ADC's bits.",
            entries={"Auto": 0, "Manual": 1},
        ),
        Feature(
            "BslExposureStartDelay",
            "AcquisitionControl",
            "float",
            "From trigger to exposure.",
            "RO",
            5.0,
            unit="us",
        ),
        Feature(
            "BslLightSourcePreset",
            "AnalogControl",
            "enumeration",
            "Light that colours are made for.",
            entries={"Off": 0, "Daylight5000K": 1},
            default="Daylight5000K",
        ),
        Feature(
            "Gamma",
            "AnalogControl",
            "float",
            "Exponent of the codes.",
            default=1.0,
            minimum=0.0,
            maximum=3.99998,
        ),
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
            "DeviceLinkThroughputLimitMode",
            "DeviceControl",
            "enumeration",
            "Whether the link is limited.",
            entries={"Off": 0, "On": 1},
            default="On",
        ),
    ),
)
