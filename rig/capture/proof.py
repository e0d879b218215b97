"""The sync proof of one shot: what pairing, cameras and box say, put together for the record."""

from __future__ import annotations

from collections.abc import Mapping

from rig.camera.types import FrameMeta
from rig.capture.pairing import Burst, Match, Pairing, Rejection
from rig.profiles import CAMERAS
from rig.records import SyncProof


def prove(
    burst: Burst,
    pairing: Pairing,
    one: Match | Rejection,
    metas: Mapping[str, FrameMeta | None],
    *,
    ignored: Mapping[str, int | None],
    placement: str,
    fired: int | None = None,
    box_shots: int | None = None,
    reason: str = "",
) -> SyncProof:
    """Make the record of why two frames belong to the same pulse, or why that cannot be said.

    Args:
        burst: What the box was told.
        pairing: The outcome of the burst, or of the stretch of it that proved this shot.
        one: The shot, with its index within the take.
        metas: Its frames; None where a camera gave none.
        ignored: Triggers that each camera ignored during the take; None where it does not count them.
        placement: Where S's exposure was to lie in B's.
        fired: Pulses of the take, when `pairing` is only a stretch of it.
        box_shots: Pulses by the box's own counter; None where it has none.
        reason: Why a proven pair is rejected all the same (it could not be written, say).
    """
    why = one.reason if isinstance(one, Rejection) else reason
    match = one if isinstance(one, Match) else None
    clocks = pairing.clocks
    return SyncProof(
        trigger_index=one.index,
        frame_id={name: meta.frame_id if meta else None for name, meta in metas.items()},
        timestamp_ns={name: meta.timestamp_ns if meta else None for name, meta in metas.items()},
        skew_us=match.skew_us if match else None,
        residual_us=match.residual_us if match else None,
        fired=pairing.fired if fired is None else fired,
        ignored=dict(ignored),
        verdict="rejected" if why else "paired",
        reason=why,
        clock=pairing.clock,
        placement=placement,
        s_delay_us=burst.s_delay_ns / 1e3,
        box_shots=box_shots,
        clock_rate_ppm=clocks.rate_ppm,
        clock_offset_us=clocks.offset_us,
        grid_rate_ppm=dict(clocks.grid_rate_ppm),
        grid_residual_us={name: match.grid_residual_us.get(name) if match else None for name in CAMERAS},
    )


def warnings_of(pairing: Pairing, one: Match) -> tuple[str, ...]:
    """Return what is worth knowing about the synchrony of a proven pair, to be recorded with it."""
    return tuple(text for text in (one.warning, pairing.clocks.warning) if text)
