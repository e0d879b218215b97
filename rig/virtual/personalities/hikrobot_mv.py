"""Hikrobot MV-CS050-10GC: FrameBurstStart only, an integer black level, a trigger cache, no chunks.

Source: feature names of the MVS client and its sample programs; AravisProject/aravis #589 for the trigger
selector. It comes with what other work may have left: embedded information, cache and debouncer on.
"""

from ..producer.extras import (
    NO_CHUNK_VALUES,
    NO_CHUNKS,
    NO_STATUS,
    ONLY_VIRTUAL,
    choice,
    mirrors,
    number,
    switch,
    temperature_selector,
)
from ..producer.features import Feature
from ..producer.personality import Personality

PERSONALITY = Personality(
    vendor="Hikrobot",
    model="MV-CS050-10GC",
    tl_type="GEV",
    change={
        "PixelFormat": {
            "entries": {
                "BayerRG8": "BayerRG8",
                "BayerRG10": "BayerRG10",
                "BayerRG10Packed": "BayerRG10Packed",
                "BayerRG12": "BayerRG12",
                "BayerRG12Packed": "BayerRG12Packed",
            },
            "default": "BayerRG8",
        },
        "ExposureTime": {"minimum": 15.0, "maximum": 9_999_999.0, "default": 5000.0},
        "ExposureMode": {"entries": {"Timed": "Timed"}},
        "ExposureAuto": {"default": "Continuous"},
        "Gain": {"maximum": 23.9},
        "BlackLevel": {"name": "", "maximum": 4095.0, "default": 240.0},
        "AcquisitionFrameRateEnable": {"default": 1},
        "AcquisitionResultingFrameRate": {"name": "ResultingFrameRate"},
        "TriggerSelector": {"entries": {"FrameBurstStart": "FrameStart"}},
        "TriggerSource": {
            "entries": {
                "Line0": "Line0",
                "Line2": None,
                "Counter0": None,
                "Software": "Software",
                "Anyway": None,
            }
        },
        "TriggerActivation": {
            "entries": {
                "RisingEdge": "RisingEdge",
                "FallingEdge": "FallingEdge",
                "LevelHigh": None,
                "LevelLow": None,
            }
        },
        "LineSelector": {"entries": {"Line0": "Line0", "Line1": None, "Line2": None}},
        "LineMode": {"entries": {"Input": "Input", "Strobe": None}},
        "TimestampLatch": {"name": "GevTimestampControlLatch"},
        "TimestampLatchValue": {"name": "GevTimestampValue", "unit": ""},
    },
    drop=(*ONLY_VIRTUAL, *NO_STATUS, *NO_CHUNKS, "ChunkModeActive", "TriggerOverlap"),
    add=(
        *mirrors(),
        temperature_selector("Sensor", "Mainboard"),
        switch("BlackLevelEnable", "AnalogControl", "Whether BlackLevel is used."),
        Feature(
            "BlackLevel",
            "AnalogControl",
            "integer",
            "Black level.",
            minimum=0,
            maximum=4095,
            increment=1,
            register="BlackLevel",
            to_register="FROM",
            from_register="TO",
            lock="BlackLevelEnable = 0",
        ),
        choice(
            "BalanceWhiteAuto",
            "AnalogControl",
            "White balance by the camera.",
            ("Off", "Continuous", "Once"),
            "Continuous",
        ),
        choice("BalanceRatioSelector", "AnalogControl", "Colour of BalanceRatio.", ("Red", "Green", "Blue")),
        number(
            "BalanceRatio",
            "AnalogControl",
            "1024 is a factor of one.",
            1500,
            (1, 4095),
            selector="BalanceRatioSelector",
        ),
        switch("GammaEnable", "AnalogControl", "Gamma."),
        switch("DigitalShiftEnable", "AnalogControl", "Digital gain."),
        switch("SharpnessEnable", "AnalogControl", "Sharpening."),
        switch("LUTEnable", "LUTControl", "Table over the codes."),
        switch("HDREnable", "AcquisitionControl", "Several exposures in turn."),
        choice(
            "FrameSpecInfoSelector",
            "ImageFormatControl",
            "Information in the picture's first pixels.",
            ("Timestamp", "Gain", "Exposure", "Framecounter", "ExtTriggerCount"),
        ),
        switch(
            "FrameSpecInfo",
            "ImageFormatControl",
            "Whether it overwrites them.",
            on=True,
            selector="FrameSpecInfoSelector",
        ),
        number("AcquisitionBurstFrameCount", "AcquisitionControl", "Frames a trigger.", 3, (1, 1023)),
        switch("TriggerCacheEnable", "AcquisitionControl", "Keeps an early trigger.", on=True),
        number(
            "LineDebouncerTime",
            "DigitalIOControl",
            "Shortest pulse that counts.",
            50,
            (0, 1_000_000),
            unit="us",
            selector="LineSelector",
        ),
        Feature(
            "GevTimestampTickFrequency",
            "TransportLayerControl",
            "integer",
            "Ticks a second.",
            "RO",
            100_000_000,
        ),
    ),
    chunks=NO_CHUNK_VALUES,
    tick_ns=10,
)
