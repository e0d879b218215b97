"""Daheng MER2-503-23GC-P: the frame rate is an enumeration, trigger filters on, an automatic black level.

Source: MERCURY and MERCURY2 user manuals; feature ids of the Galaxy programming interface. Some MER are deaf to triggers
for a while after the trigger mode was switched (MERCURY USB3 manual): so is this one.
"""

from ..producer.extras import AUTO, ONLY_VIRTUAL, choice, mirrors
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
        "TriggerSource": {"entries": {"Software": "Software", "Line0": "Line0", "Line2": None, "Line3": None}},
        "TriggerActivation": {"entries": {"FallingEdge": "FallingEdge", "RisingEdge": "RisingEdge"}},
        "TriggerDelay": {"maximum": 3_000_000.0, "increment": 1.0},
        "LineSelector": {"entries": {"Line0": "Line0", "Line1": None, "Line2": None, "Line3": None}},
        "ChunkSelector": {"entries": {"FrameID": "FrameID", "Timestamp": "Timestamp", "CounterValue": None}},
        "ChunkEnable": {"default": 0},
    },
    drop=(*ONLY_VIRTUAL, "ExposureMode", "TriggerOverlap"),
    add=(
        *mirrors(),
        Feature("AcquisitionFrameRateMode", "AcquisitionControl", "enumeration", "Whether the frame rate is limited.",
                default="On", entries={"Off": 0, "On": 1}, register="AcquisitionFrameRateEnable"),
        Feature("AcquisitionBurstFrameCount", "AcquisitionControl", "integer", "Frames a burst trigger.", default=1,
                minimum=1, maximum=255, increment=1),
        Feature("TriggerFilterRaisingEdge", "AcquisitionControl", "float", "Shortest pulse that counts.",
                default=50.0, minimum=0.0, maximum=5000.0, increment=1.0, unit="us"),
        Feature("TriggerFilterFallingEdge", "AcquisitionControl", "float", "Shortest pause that counts.",
                default=50.0, minimum=0.0, maximum=5000.0, increment=1.0, unit="us"),
        choice("GainSelector", "AnalogControl", "Gain that is set.", ("AnalogAll",)),
        choice("BlackLevelSelector", "AnalogControl", "Black level that is set.", ("All",)),
        choice("BlackLevelAuto", "AnalogControl", "Black level by the camera.", tuple(AUTO), "Continuous"),
        choice("BalanceWhiteAuto", "AnalogControl", "White balance by the camera.", tuple(AUTO), "Continuous"),
        choice("BalanceRatioSelector", "AnalogControl", "Colour of BalanceRatio.", ("Red", "Green", "Blue")),
        Feature("BalanceRatio", "AnalogControl", "float", "Factor on the colour.", default=1.5, minimum=0.0,
                maximum=15.998, selector="BalanceRatioSelector"),
        Feature("DigitalShift", "AnalogControl", "integer", "Bits to the left.", default=1, minimum=0, maximum=4,
                increment=1),
        choice("SharpnessMode", "ImageQualityControl", "Sharpening.", ("Off", "On")),
    ),
    chunks={"ChunkExposureTime": None, "ChunkGain": None},
    quirks=("slow_to_arm",),
)  # fmt: skip
