"""A camera that nobody has heard of, which follows SFNC 2.4 and has few of its optional features."""

from ..producer.features import Feature
from ..producer.personality import Personality

PERSONALITY = Personality(
    vendor="Nobody",
    model="SF-500C",
    tl_type="U3V",
    change={
        "TriggerSelector": {
            "entries": {"AcquisitionStart": "AcquisitionStart", "FrameBurstStart": "FrameStart"}
        },
        "TriggerSource": {"entries": {"Software": "Software", "Line1": "Line0", "Line2": None}},
        "LineSelector": {"entries": {"Line1": "Line0", "Line2": None}},
    },
    drop=(
        "FrameTriggerIgnoredCount",
        "FrameTriggerIgnoredCountReset",
        "SensorReadoutTime",
        "SensorReadoutMode",
        "AcquisitionStatusSelector",
        "AcquisitionStatus",
    ),
    add=(Feature("GainSelector", "AnalogControl", "enumeration", "Gain that is set.", entries={"All": 0}),),
    chunks={"ChunkGain": None},
)
