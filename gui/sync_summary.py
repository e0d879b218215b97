"""What the pairs of a take prove about the rig's synchrony, in a few figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rig.capture.result import TakeResult
from rig.records import SyncProof
from rig.sync_report import spread

CLOCKS = {"common": "one clock", "fitted": "two, fitted", "none": "not known"}
"""Kinds of clock of a proof, in the operator's words."""
DASH = "–"


@dataclass(frozen=True)
class SyncSummary:
    """The strip of the Capture page, ready to be read.

    Attributes:
        verdict: How many shots are proven pairs.
        good: Whether all are.
        clock: Kind of the cameras' clocks.
        skew: Median and largest size of the skew.
        drift: How much faster S's clock ran than B's.
        shots: Pulses by the box's own counter, against the frames of each camera.
        ignored: Triggers that each camera ignored.
    """

    verdict: str
    good: bool
    clock: str = DASH
    skew: str = DASH
    drift: str = DASH
    shots: str = DASH
    ignored: str = DASH


def summary(result: TakeResult) -> SyncSummary:
    """Sum up the proofs of a take; of a long one, those that are kept."""
    proofs = [shot.record.sync for shot in result.shots]
    total = result.paired + result.rejected
    good = bool(result.paired) and not result.rejected
    verdict = f"{result.paired} of {total} proven" if total else "no shot"
    if not proofs:
        return SyncSummary(verdict, good)
    last = proofs[-1]
    of_pairs = [proof for proof in proofs if proof.verdict == "paired"]
    skews = spread([proof.skew_us for proof in of_pairs if proof.skew_us is not None])
    clock = of_pairs[-1] if of_pairs else last
    return SyncSummary(
        verdict=verdict,
        good=good,
        clock=CLOCKS.get(clock.clock, clock.clock),
        skew=DASH if skews is None else f"{skews.p50_us:.2f} / {skews.max_us:.2f} µs",
        drift=DASH if clock.clock_rate_ppm is None else f"{clock.clock_rate_ppm:+.2f} ppm",
        shots=_shots(proofs, result),
        ignored=", ".join(f"{name} {_count(last.ignored.get(name))}" for name in ("B", "S")),
    )


def _shots(proofs: Sequence[SyncProof], result: TakeResult) -> str:
    counted = next((proof.box_shots for proof in reversed(proofs) if proof.box_shots is not None), None)
    if len(proofs) < result.paired + result.rejected:
        return f"{_count(counted)}, pairs {result.paired}"
    frames = {name: sum(proof.frame_id.get(name) is not None for proof in proofs) for name in ("B", "S")}
    return f"{_count(counted)}, B {frames['B']}, S {frames['S']}"


def _count(value: int | None) -> str:
    return DASH if value is None else str(value)
