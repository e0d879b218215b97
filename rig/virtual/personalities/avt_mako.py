"""Allied Vision Mako G-507C: the maker's older names, triggers On with source Freerun, no line selector.

Source: feature lists of a Mako G-507B and a G-234C (areaDetector/ADGenICam); GigE Camera and Driver
Features (AVT).
"""

from ..producer.extras import (
    ACTIVATIONS,
    AUTO,
    NO_CHUNK_VALUES,
    NO_CHUNKS,
    NO_STATUS,
    ONLY_VIRTUAL,
    choice,
    mirrors,
    number,
    switch,
)
from ..producer.features import Feature
from ..producer.personality import Personality

PERSONALITY = Personality(
    vendor="Allied Vision Technologies",
    model="Mako G-507C (E0022706)",
    tl_type="GEV",
    change={
        "PixelFormat": {
            "entries": {
                "BayerRG8": "BayerRG8",
                "BayerRG12": "BayerRG12",
                "BayerRG12Packed": "BayerRG12Packed",
            },
            "default": "BayerRG8",
        },
        "AcquisitionMode": {
            "entries": {
                "Continuous": "Continuous",
                "SingleFrame": "SingleFrame",
                "MultiFrame": "MultiFrame",
                "Recorder": None,
            }
        },
        # Neither names its unit.
        "ExposureTime": {"name": "ExposureTimeAbs", "minimum": 13.0, "maximum": 84_000_000.0, "unit": ""},
        "AcquisitionFrameRate": {"name": "AcquisitionFrameRateAbs", "default": 23.0, "unit": ""},
        "TriggerDelay": {"name": "TriggerDelayAbs", "unit": ""},
        "Gain": {"maximum": 40.0, "increment": 0.1},
        "BlackLevel": {"maximum": 255.75, "increment": 0.25, "default": 4.0, "unit": ""},
        "TriggerSelector": {
            "entries": {
                "FrameStart": "FrameStart",
                "AcquisitionStart": "AcquisitionStart",
                "AcquisitionEnd": None,
                "AcquisitionRecord": None,
            }
        },
        "TriggerMode": {"default": "On"},
        "TriggerSource": {
            "entries": {
                "Freerun": None,
                "Line1": "Line0",
                "Line2": None,
                "Line3": None,
                "Line4": None,
                "FixedRate": None,
                "Software": "Software",
            },
            "default": "Freerun",
        },
        "TriggerActivation": {"entries": ACTIVATIONS},
        "TriggerOverlap": {"entries": {"Off": "Off", "ReadOut": "ReadOut", "PreviousFrame": None}},
        "TimestampLatch": {"name": "GevTimestampControlLatch"},
        "TimestampLatchValue": {"name": "GevTimestampValue", "unit": ""},
    },
    drop=(
        *ONLY_VIRTUAL,
        *NO_STATUS,
        *NO_CHUNKS,
        "AcquisitionFrameRateEnable",
        "AcquisitionResultingFrameRate",
        "LineSelector",
        "LineMode",
        "LineInverter",
        "LineStatus",
    ),
    add=(
        *mirrors(),
        choice(
            "BandwidthControlMode",
            "StreamControl",
            "What limits the stream.",
            ("StreamBytesPerSecond", "SCPD", "Both"),
        ),
        number(
            "StreamBytesPerSecond", "StreamControl", "Bytes a second.", 115_000_000, (1_000_000, 124_000_000)
        ),
        Feature("ExposureTimeIncrement", "ExposureControl", "float", "Step of the exposure.", "RO", 1.0),
        Feature(
            "AcquisitionFrameRateLimit", "AcquisitionControl", "float", "Highest frame rate.", "RO", 23.7
        ),
        choice("BalanceWhiteAuto", "WhiteBalanceControl", "White balance by the camera.", AUTO),
        choice("BalanceRatioSelector", "WhiteBalanceControl", "Colour of BalanceRatioAbs.", ("Red", "Blue")),
        number(
            "BalanceRatioAbs",
            "WhiteBalanceControl",
            "Factor on the colour.",
            1.4,
            (0.8, 3.0),
            selector="BalanceRatioSelector",
        ),
        choice("GainSelector", "GainControl", "Gain that is set.", ("All",)),
        choice("BlackLevelSelector", "BlackLevelControl", "Black level that is set.", ("All",)),
        number("Gamma", "ImageProcess", "Exponent.", 1.0, (0.45, 1.0)),
        switch("LUTEnable", "ImageProcess", "Table over the codes."),
        number("BinningHorizontal", "ImageFormat", "Columns a pixel.", 1, (1, 8)),
        number("BinningVertical", "ImageFormat", "Rows a pixel.", 1, (1, 8)),
        choice("SyncInSelector", "IO", "Input.", ("SyncIn1", "SyncIn2", "SyncIn3", "SyncIn4")),
        number(
            "SyncInGlitchFilter",
            "IO",
            "Shortest pulse that counts, in ns.",
            0,
            (0, 50_000),
            selector="SyncInSelector",
        ),
        Feature("GevTimestampTickFrequency", "GigE", "integer", "Ticks a second.", "RO", 1_000_000_000),
        choice(
            "DeviceTemperatureSelector", "DeviceStatus", "Where the temperature is taken.", ("Sensor", "Main")
        ),
    ),
    chunks=NO_CHUNK_VALUES,
)
