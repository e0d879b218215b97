"""Lucid TRI050S-C: TriggerArmed, a frame rate that limits the exposure, automatic functions on.

Source: Arena SDK examples and ROS drivers (arena_camera_ros2) for the names and TriggerOverlap;
AravisProject/aravis #771 for triggers that vanish while TriggerArmed is false.
"""

from ..producer.extras import (
    ACTIVATIONS,
    AUTO,
    NO_STATUS,
    ONLY_VIRTUAL,
    choice,
    mirrors,
    switch,
    temperature_selector,
)
from ..producer.features import Feature
from ..producer.personality import Personality

PERSONALITY = Personality(
    vendor="Lucid Vision Labs",
    model="TRI050S-C",
    tl_type="GEV",
    change={
        "PixelFormat": {
            "entries": {
                "BayerRG8": "BayerRG8",
                "BayerRG10p": "BayerRG10p",
                "BayerRG10Packed": "BayerRG10Packed",
                "BayerRG12p": "BayerRG12p",
                "BayerRG12Packed": "BayerRG12Packed",
                "BayerRG16": "BayerRG16",
            },
            "default": "BayerRG8",
        },
        "ExposureTime": {
            "minimum": 30.0,
            "maximum": "(AcquisitionFrameRateEnable = 1) ? (1000000 / AcquisitionFrameRate) : 10000000",
        },
        "ExposureMode": {"entries": {"Timed": "Timed"}},
        "ExposureAuto": {"default": "Continuous"},
        "GainAuto": {"default": "Continuous"},
        "Gain": {"maximum": 48.0},
        "BlackLevel": {"maximum": 255.0, "default": 8.0, "unit": ""},
        "AcquisitionFrameRate": {"minimum": 1.0, "default": 24.0},
        "AcquisitionFrameRateEnable": {"default": 1},
        "TriggerSource": {
            "entries": {
                "Software": "Software",
                "Line0": "Line0",
                "Line1": None,
                "Line2": None,
                "Line3": None,
                "Counter0Start": None,
                "Action0": None,
            }
        },
        "TriggerActivation": {"entries": ACTIVATIONS},
        "TriggerOverlap": {"entries": {"Off": "Off", "PreviousFrame": None}, "default": "PreviousFrame"},
        "LineSelector": {"entries": {"Line0": "Line0", "Line1": None, "Line2": None, "Line3": None}},
        "ChunkSelector": {
            "entries": {
                "CRC": None,
                "LineStatusAll": None,
                "PixelFormat": None,
                "ExposureTime": "ExposureTime",
                "Gain": "Gain",
            },
            "default": "ExposureTime",
        },
        "ChunkEnable": {"default": 0},
    },
    drop=(*ONLY_VIRTUAL, *NO_STATUS, "AcquisitionResultingFrameRate"),
    add=(
        *mirrors(),
        temperature_selector("Sensor", "TEC"),
        Feature(
            "TriggerArmed",
            "AcquisitionControl",
            "boolean",
            "Triggers are ignored while it is false.",
            "RO",
            register="AcquisitionStatus",
            instance=2,
        ),
        choice("AcquisitionStartMode", "AcquisitionControl", "What starts frames.", ("Normal", "PTPSync")),
        choice(
            "ADCBitDepth",
            "ImageFormatControl",
            "Depth of the converter.",
            ("Bits8", "Bits10", "Bits12"),
            "Bits10",
        ),
        choice("BalanceWhiteAuto", "AnalogControl", "White balance by the camera.", AUTO, "Continuous"),
        switch("BalanceWhiteEnable", "AnalogControl", "White balance.", on=True),
        switch("GammaEnable", "AnalogControl", "Gamma."),
        switch("LUTEnable", "LUTControl", "Table over the codes."),
        choice("GainSelector", "AnalogControl", "Gain that is set.", ("All",)),
    ),
    chunks={"ChunkFrameID": None, "ChunkTimestamp": None},
    quirks=("slow_to_arm",),
)
