"""FLIR (Teledyne) Blackfly S with GigE: frames of the transport count from 1."""

from ..producer.features import Feature
from ..producer.personality import Personality
from . import _flir

PERSONALITY = Personality(
    vendor="FLIR",
    model="Blackfly S BFS-PGE-50S5C",
    tl_type="GEV",
    change=_flir.CHANGE,
    drop=_flir.DROP,
    add=(
        *_flir.ADD,
        Feature(
            "GevTimestampTickFrequency",
            "TransportLayerControl",
            "integer",
            "Ticks a second.",
            "RO",
            1_000_000_000,
            unit="Hz",
        ),
        Feature(
            "GevSCPSPacketSize",
            "TransportLayerControl",
            "integer",
            "Bytes of a packet.",
            default=1400,
            minimum=576,
            maximum=9000,
            increment=4,
        ),
        Feature("GevIEEE1588", "TransportLayerControl", "boolean", "Whether the clock follows PTP."),
    ),
)
