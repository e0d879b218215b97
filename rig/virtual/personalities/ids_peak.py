"""IDS U3-3080CP-C-HQ: frames start by ExposureStart, gain is a factor, no automatic exposure in the camera.

Source: IDS peak manual (pages on triggers, gains, chunks, timestamps, events); genicam/harvesters #77 for the
trigger that was left on at another selector.
"""

from ..producer.extras import (
    ACTIVATIONS,
    NO_STATUS,
    ONLY_VIRTUAL,
    choice,
    mirrors,
    number,
    temperature_selector,
)
from ..producer.features import Feature
from ..producer.personality import Personality

PERSONALITY = Personality(
    vendor="IDS Imaging Development Systems GmbH",
    model="U3-3080CP-C-HQ",
    tl_type="U3V",
    change={
        "PixelFormat": {
            "entries": {
                "BayerRG8": "BayerRG8",
                "BayerRG10": "BayerRG10",
                "BayerRG12": "BayerRG12",
            },
            "default": "BayerRG8",
        },
        "ExposureTime": {
            "minimum": 28.0,
            "maximum": 2_000_000.0,
            "applied_increment": 4.0,
            "default": 10_000.0,
        },
        "ExposureMode": {"entries": {"Timed": "Timed"}},
        "Gain": {"name": "", "maximum": 24.0},
        "BlackLevel": {"maximum": 255.0, "increment": 1.0, "default": 8.0, "unit": ""},
        "AcquisitionFrameRateEnable": {"name": "AcquisitionFrameRateTargetEnable", "default": 0},
        "AcquisitionFrameRate": {"name": "AcquisitionFrameRateTarget"},
        "AcquisitionResultingFrameRate": {"name": "AcquisitionFrameRate"},
        "TriggerSelector": {
            "entries": {
                "AcquisitionStart": "AcquisitionStart",
                "ExposureStart": "FrameStart",
                "ReadOutStart": None,
            },
            "default": "AcquisitionStart",
        },
        "TriggerSource": {
            "entries": {
                "Software": "Software",
                "Line0": "Line0",
                "Line2": None,
                "Line3": None,
                "Counter0Active": None,
                "Timer0Active": None,
            }
        },
        "TriggerActivation": {"entries": ACTIVATIONS},
        "LineSelector": {"entries": {"Line0": "Line0", "Line1": None, "Line2": None, "Line3": None}},
        "ChunkSelector": {
            "entries": {
                "ExposureTime": "ExposureTime",
                "Gain": "Gain",
                "Timestamp": "Timestamp",
                "ExposureTriggerTimestamp": None,
                "LineStatusAll": None,
                "CounterValue": None,
            },
            "default": "ExposureTime",
        },
        "ChunkEnable": {"default": 0},
    },
    drop=(*ONLY_VIRTUAL, *NO_STATUS, "TriggerOverlap", "ExposureAuto", "GainAuto"),
    add=(
        *mirrors(),
        temperature_selector("Sensor", "Mainboard"),
        choice("SensorOperationMode", "ImageFormatControl", "Area or line.", ("Default", "Linescan")),
        choice("GainSelector", "AnalogControl", "Gain that is set.", ("DigitalAll", "AnalogAll")),
        Feature(
            "Gain",
            "AnalogControl",
            "float",
            "Factor; 1 is none.",
            minimum=1.0,
            maximum=15.0,
            register="Gain",
            to_register="20 * LG(FROM)",
            from_register="10 ** (TO / 20)",
        ),
        choice("BlackLevelSelector", "AnalogControl", "Black level that is set.", ("All",)),
        number("TriggerDivider", "AcquisitionControl", "Triggers a frame.", 1, (1, 4095)),
        choice(
            "EventSelector",
            "EventControl",
            "Event that is switched.",
            ("ExposureStart", "ExposureTriggerMissed", "FrameDropped"),
        ),
        choice(
            "EventNotification",
            "EventControl",
            "Whether it is sent.",
            ("Off", "On"),
            selector="EventSelector",
        ),
    ),
    chunks={"ChunkFrameID": None, "ChunkGain": {"unit": "", "from_register": "10 ** (TO / 20)"}},
    quirks=("trigger_left_on", "stamped_at_readout"),
)
