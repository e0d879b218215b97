"""Daheng MER2-503-23GC-P: the frame rate is an enumeration, trigger filters on, an automatic black level.

Source: MERCURY and MERCURY2 user manuals; feature ids of the Galaxy programming interface. Some MER are deaf
to triggers for a while after the trigger mode was switched (MERCURY USB3 manual): so is this one.
"""

from ..producer.extras import AUTO, ONLY_VIRTUAL, choice, mirrors, number
from ..producer.features import Feature
from ..producer.personality import Personality

PERSONALITY = Personality(
    vendor="Daheng Imaging",
    model="MER2-503-23GC-P",
    tl_type="GEV",
    change={
        "PixelFormat": {
            "entries": {"BayerRG8": "BayerRG8", "BayerRG12": "BayerRG12"},
            "default": "BayerRG8",
        },
        "ExposureTime": {"minimum": 20.0, "maximum": 1_000_000.0},
        "Gain": {"increment": 0.1},
        "BlackLevel": {
            "maximum": 4095.0,
            "increment": 1.0,
            "default": 60.0,
            "unit": "",
            "lock": "BlackLevelAuto = 2",
        },
        "AcquisitionFrameRateEnable": {"name": "", "default": 1},
        "AcquisitionResultingFrameRate": {"name": "CurrentAcquisitionFrameRate"},
        "AcquisitionStatusSelector": {
            "entries": {
                "AcquisitionTriggerWait": "AcquisitionTriggerWait",
                "FrameTriggerWait": "FrameTriggerWait",
            },
            "default": "AcquisitionTriggerWait",
        },
        "TriggerSelector": {"entries": {"FrameStart": "FrameStart", "FrameBurstStart": None}},
        "TriggerSource": {
            "entries": {"Software": "Software", "Line0": "Line0", "Line2": None, "Line3": None}
        },
        "TriggerActivation": {"entries": {"FallingEdge": "FallingEdge", "RisingEdge": "RisingEdge"}},
        "TriggerDelay": {"maximum": 3_000_000.0, "increment": 1.0},
        "TimestampLatchValue": {"unit": ""},
        "LineSelector": {"entries": {"Line0": "Line0", "Line1": None, "Line2": None, "Line3": None}},
        "ChunkSelector": {"entries": {"FrameID": "FrameID", "Timestamp": "Timestamp", "CounterValue": None}},
        "ChunkEnable": {"default": 0},
    },
    drop=(*ONLY_VIRTUAL, "ExposureMode", "TriggerOverlap"),
    add=(
        *mirrors(),
        Feature(
            "AcquisitionFrameRateMode",
            "AcquisitionControl",
            "enumeration",
            "Whether the frame rate is limited.",
            default="On",
            entries={"Off": 0, "On": 1},
            register="AcquisitionFrameRateEnable",
        ),
        number("AcquisitionBurstFrameCount", "AcquisitionControl", "Frames a burst trigger.", 1, (1, 255)),
        number(
            "TriggerFilterRaisingEdge",
            "AcquisitionControl",
            "Shortest pulse that counts.",
            50.0,
            (0.0, 5000.0),
            unit="us",
        ),
        number(
            "TriggerFilterFallingEdge",
            "AcquisitionControl",
            "Shortest pause that counts.",
            50.0,
            (0.0, 5000.0),
            unit="us",
        ),
        choice("GainSelector", "AnalogControl", "Gain that is set.", ("AnalogAll",)),
        choice("BlackLevelSelector", "AnalogControl", "Black level that is set.", ("All",)),
        choice("BlackLevelAuto", "AnalogControl", "Black level by the camera.", AUTO, "Continuous"),
        choice("BalanceWhiteAuto", "AnalogControl", "White balance by the camera.", AUTO, "Continuous"),
        choice("BalanceRatioSelector", "AnalogControl", "Colour of BalanceRatio.", ("Red", "Green", "Blue")),
        number(
            "BalanceRatio",
            "AnalogControl",
            "Factor on the colour.",
            1.5,
            (0.0, 15.998),
            selector="BalanceRatioSelector",
        ),
        number("DigitalShift", "AnalogControl", "Bits to the left.", 1, (0, 4)),
        choice("SharpnessMode", "ImageQualityControl", "Sharpening.", ("Off", "On")),
    ),
    chunks={"ChunkExposureTime": None, "ChunkGain": None},
    quirks=("slow_to_arm",),
    tick_ns=8,
)
