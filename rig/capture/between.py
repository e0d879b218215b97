"""Between two volleys of a take: where counting stands, what became of the last one, what came since."""

from __future__ import annotations

from dataclasses import dataclass, field

from rig.camera.types import FrameMeta
from rig.capture.arming import Bench
from rig.capture.reference import Witness
from rig.errors import BeamrigError, CameraTimeout
from rig.profiles import CAMERAS


@dataclass
class Numbers:
    """Where counting stands between two volleys.

    Attributes:
        pulse: Pulses of the take so far: the trigger index of the next one.
        frame: Frames of each camera so far.
        next_id: Number that each camera gives to its next exposure.
        witness: What the pairs so far say about the next one.
    """

    pulse: int
    frame: dict[str, int]
    next_id: dict[str, int]
    witness: Witness = field(default_factory=Witness)


@dataclass
class VolleyEnd:
    """What became of a volley.

    Attributes:
        fired: How many pulses were fired, as far as known.
        full: Whether both cameras delivered one frame for each pulse and nothing else.
        refused: Frames without a pulse, a line each.
        alarm: Why nothing of it can be trusted; empty when all is well.
        doubted: Pulses of an earlier volley whose pairs this one contradicts, so that neither can be trusted.
        error: What ended it; None when nothing did.
        stopped: Why it was ended early; empty when it was not, or by the operator.
        losses: By how much the cameras' counters rose.
    """

    fired: int = 0
    full: bool = False
    refused: list[str] = field(default_factory=list)
    alarm: str = ""
    doubted: range = range(0)
    error: BeamrigError | None = None
    stopped: str = ""
    losses: dict[str, dict[str, int | None]] = field(default_factory=dict)


def flush(bench: Bench) -> list[tuple[str, FrameMeta]]:
    """Throw away frames that came between two volleys; returns camera and description of each.

    Raises:
        DeviceError: A camera is gone.
    """
    stale: list[tuple[str, FrameMeta]] = []
    for name in CAMERAS:
        camera = bench.cameras[name]
        while True:
            try:
                record = camera.next_record(0.0)
            except CameraTimeout:
                break
            camera.release(record)
            stale.append((name, record.meta))
    return stale
