"""Allied Vision Alvium 1800 U-507c with early firmware: thirteen trigger selectors, no chunks.

Source: feature list of a 1800 U-811m (areaDetector/ADGenICam); Alvium USB Cameras User Guide for the
exposure's steps and the throughput limit. Step and limits of the exposure differ from model to model.
"""

from ..producer.extras import (
    ACTIVATIONS,
    AUTO,
    NO_CHUNK_VALUES,
    NO_CHUNKS,
    ONLY_VIRTUAL,
    choice,
    mirrors,
    number,
    temperature_selector,
)
from ..producer.personality import Personality

PERSONALITY = Personality(
    vendor="Allied Vision",
    model="1800 U-507c",
    tl_type="U3V",
    change={
        "PixelFormat": {
            "entries": {
                "BayerRG8": "BayerRG8",
                "BayerRG10": "BayerRG10",
                "BayerRG10p": "BayerRG10p",
                "BayerRG12": "BayerRG12",
                "BayerRG12p": "BayerRG12p",
            },
            "default": "BayerRG8",
        },
        "ExposureTime": {"minimum": 28.8, "increment": 9.6, "default": 4996.8},
        "ExposureMode": {
            "entries": {"Timed": "Timed", "TriggerWidth": "TriggerWidth", "TriggerControlled": None}
        },
        "Gain": {"maximum": 48.0, "increment": 0.1},
        "BlackLevel": {"maximum": 255.0, "increment": 1.0, "default": 4.0, "unit": ""},
        "AcquisitionFrameRateEnable": {"default": 0},
        "AcquisitionStatusSelector": {
            "entries": {
                "AcquisitionTriggerWait": "AcquisitionTriggerWait",
                "AcquisitionActive": "AcquisitionActive",
                "AcquisitionTransfer": None,
                "FrameTriggerWait": "FrameTriggerWait",
                "FrameActive": None,
                "ExposureActive": "ExposureActive",
                "ReadoutActive": None,
            },
            "default": "AcquisitionActive",
        },
        "TriggerSelector": {
            "entries": {
                "AcquisitionStart": "AcquisitionStart",
                "AcquisitionEnd": None,
                "AcquisitionActive": None,
                "FrameStart": "FrameStart",
                "FrameEnd": None,
                "FrameActive": None,
                "FrameBurstStart": None,
                "FrameBurstEnd": None,
                "FrameBurstActive": None,
                "LineStart": None,
                "ExposureStart": None,
                "ExposureEnd": None,
                "ExposureActive": None,
            }
        },
        "TriggerSource": {
            "entries": {
                "Software": "Software",
                "Line0": "Line0",
                "Line1": None,
                "Line2": None,
                "Line3": None,
                "Timer0End": None,
                "Timer1End": None,
                "UserOutput0": None,
            }
        },
        "TriggerActivation": {"entries": ACTIVATIONS},
        "LineSelector": {"entries": {"Line0": "Line0", "Line1": None, "Line2": None, "Line3": None}},
        "LineMode": {"access": "RW", "entries": {"Input": "Input", "Output": None}},
    },
    drop=(*ONLY_VIRTUAL, *NO_CHUNKS, "ChunkModeActive", "TriggerOverlap", "AcquisitionResultingFrameRate"),
    add=(
        *mirrors(),
        temperature_selector("Sensor", "Mainboard"),
        choice("SensorShutterMode", "ImageFormatControl", "Shutter.", ("GlobalShutter",)),
        choice("BalanceWhiteAuto", "AutoModeControl", "White balance by the camera.", AUTO, "Continuous"),
        choice("ContrastAuto", "AutoModeControl", "Contrast by the camera.", AUTO),
        choice("BalanceRatioSelector", "AnalogControl", "Colour of BalanceRatio.", ("Red", "Blue")),
        number(
            "BalanceRatio",
            "AnalogControl",
            "Factor on the colour.",
            1.6,
            (0.0, 8.0),
            selector="BalanceRatioSelector",
        ),
        choice("GainSelector", "AnalogControl", "Gain that is set.", ("All",)),
        choice("BlackLevelSelector", "AnalogControl", "Black level that is set.", ("All",)),
        number("Gamma", "AnalogControl", "Exponent.", 1.0, (0.4, 2.4)),
        choice(
            "AcquisitionFrameRateMode",
            "AcquisitionControl",
            "How the frame rate is kept.",
            ("Off", "Basic", "ForceFrameRate"),
            "Basic",
        ),
        choice("DeviceLinkThroughputLimitMode", "DeviceControl", "Limit on or off.", ("Off", "On"), "On"),
        number(
            "DeviceLinkThroughputLimit",
            "DeviceControl",
            "Bytes a second.",
            200_000_000,
            (50_000_000, 450_000_000),
            unit="Bps",
        ),
    ),
    chunks=NO_CHUNK_VALUES,
    quirks=("exposure_steps_up",),
)
