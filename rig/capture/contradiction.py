"""Later evidence against earlier: does the proof of the end of a burst agree with what was settled before?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rig.capture.indexing import Burst, Trace
from rig.capture.pairing import Match, Pairing, Rejection
from rig.capture.reference import DRIFT_PPM


def contradiction(
    pairing: Pairing, places: Mapping[str, Sequence[int]], starts: Mapping[str, int], base: int, known: int
) -> str:
    """Compare a proof with what was settled before; what it says nothing of is no quarrel.

    Args:
        pairing: The later proof; its indices count from pulse ``base`` of the burst.
        places: Position within the burst of each frame that it looked at, of "B" and "S".
        starts: Position of each camera's frame of pulse ``base``.
        base: First pulse that the proof looked at.
        known: How many pulses from there on were settled, each by the frame as far from ``starts``.

    Returns:
        What does not fit, empty when all does.
    """
    every: list[Match | Rejection] = [*pairing.pairs, *pairing.rejected]
    for one in every:
        at = {
            "B": None if one.b is None else places["B"][one.b] - starts["B"],
            "S": None if one.s is None else places["S"][one.s] - starts["S"],
        }
        index = base + one.index
        if one.index < known:
            if isinstance(one, Rejection) and one.b is not None and one.s is not None:
                return f"the pair of pulse {index} is refuted: {one.reason}"
            if any(place not in (None, one.index) for place in at.values()):
                return f"pulse {index} belongs to another frame than was recorded"
        elif any(place is not None and place < known for place in at.values()):
            return f"a frame of pulse {index} was recorded as of another one"
    return ""


def too_many(burst: Burst, base: int, tails: Mapping[str, Trace]) -> str:
    """A pulse too many: nobody can tell whether it came before the burst or after it.

    Args:
        burst: What the box was told.
        base: Pulse of the first frame of each trace.
        tails: What "B" and "S" delivered from there on.

    Returns:
        Which camera exposed too often, empty when none did.
    """
    for name, trace in tails.items():
        if not trace.frames:
            continue
        times = sorted(stamp.timestamp_ns for stamp in trace.frames)
        last, pulse = times[0], 0
        for time_ns in times[1:]:  # from pulse to pulse: over a long time clocks drift by whole periods
            elapsed = time_ns - last
            periods = round(elapsed / burst.period_ns)
            slack = burst.jitter_ns + elapsed * DRIFT_PPM * 1e-6
            if periods and abs(elapsed - periods * burst.period_ns) <= slack:
                last, pulse = time_ns, pulse + periods
        if base + pulse >= burst.pulses:
            return f"camera {name} exposed more often than the box was to fire"
    return ""
