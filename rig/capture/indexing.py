"""Which pulse made which frame of one camera: proven from the camera's own numbers and times, or refused.

A frame's index is never counted off by arrival. Two witnesses must agree:

* *Intervals*: exposures that the pulses caused start on a grid of the box's period, seen through the
  camera's clock (linear: offset and a drift of some ppm). This gives the indices relative to each other.
* *Counts*: where the grid starts. The pulses are numbered 0 to N-1, the camera numbers its exposures from
  ``first_id`` since it was started, and counts the triggers that it ignored. All starts that contradict none
  of these are tried; only when exactly one is left are the indices proven.

A burst of a single pulse has no intervals: there the camera's number alone must do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np

DRIFT_PPM: Final = 200.0
"""Largest difference in rate between a camera's clock and the box's that is believed."""


@dataclass(frozen=True)
class FrameStamp:
    """What a camera says about one frame: its own number, and its own time of the exposure's start, in ns."""

    frame_id: int
    timestamp_ns: int


@dataclass(frozen=True)
class Trace:
    """All that one camera delivered in a burst.

    Attributes:
        frames: Stamps in order of arrival.
        ignored: By how much the camera's counter of ignored triggers rose; None when it has no such counter.
        first_id: Number that the camera gives to its first exposure; None when that is not known.
        clocked: Whether the times are of the camera's own clock; without them nothing can be proven.
        ended: Why the camera stopped before the burst was over; empty when it did not.
    """

    frames: tuple[FrameStamp, ...]
    ignored: int | None = None
    first_id: int | None = 0
    clocked: bool = True
    ended: str = ""


@dataclass(frozen=True)
class Burst:
    """What the box was told: how many pulses at most, their period, and how exact a start may be expected.

    Attributes:
        pulses: Number of pulses configured, N.
        period_ns: Time from pulse to pulse.
        complete: Whether all N were surely fired; False after a cancelled take.
        s_delay_ns: How much later than B the box triggers S.
        jitter_ns: Largest believed deviation of an exposure start from the grid.
    """

    pulses: int
    period_ns: int
    complete: bool = True
    s_delay_ns: int = 0
    jitter_ns: int = 200_000


@dataclass
class Assignment:
    """The proven indices of one camera, and why the rest has none.

    Attributes:
        index: Position in ``Trace.frames`` -> trigger index.
        refused: Position in ``Trace.frames`` -> why that frame has no index.
        missing: Trigger index -> what became of its frame, as far as that is known.
        failure: Why no frame of this camera has an index; empty when some have.
    """

    index: dict[int, int] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    missing: dict[int, str] = field(default_factory=dict)
    failure: str = ""


def assign(burst: Burst, trace: Trace) -> Assignment:
    """Find the trigger index of every frame of one camera that can be proven.

    Returns:
        Every frame either in ``index`` or in ``refused``.
    """
    result = Assignment()
    single = _drop_repeated(trace.frames, result)
    if not single:
        result.failure = trace.ended or (
            "it delivered no usable frame" if trace.frames else "it delivered no frame"
        )
        return result
    if not trace.clocked:
        return _refuse_all(result, trace, "the camera gives no times of its own")
    order = sorted(single, key=lambda position: trace.frames[position].timestamp_ns)
    steps = _grid(burst, [trace.frames[position].timestamp_ns for position in order])
    if steps is None:
        return _refuse_all(result, trace, "the intervals of the frames do not fit the period of the box")
    kept = [position for position, step in zip(order, steps, strict=True) if step is not None]
    relative = [step for step in steps if step is not None]
    for position, step in zip(order, steps, strict=True):
        if step is None:
            result.refused[position] = "it started at a time at which the box gave no pulse"
    start = _start(burst, trace, kept, relative, strays=bool(result.refused))
    if isinstance(start, str):
        return _refuse_all(result, trace, start)
    result.index = {position: start + step for position, step in zip(kept, relative, strict=True)}
    _explain_missing(burst, trace, kept, result)
    return result


def _refuse_all(result: Assignment, trace: Trace, reason: str) -> Assignment:
    result.failure = reason
    for position in range(len(trace.frames)):
        result.refused.setdefault(position, reason)
    return result


def _drop_repeated(frames: Sequence[FrameStamp], result: Assignment) -> list[int]:
    """Refuse second copies of a frame, and frames that share a number or a time but are not the same."""
    first: dict[FrameStamp, int] = {}
    for position, stamp in enumerate(frames):
        if stamp in first:
            result.refused[position] = "it was delivered twice"
        else:
            first[stamp] = position
    ids = Counter(stamp.frame_id for stamp in first)
    times = Counter(stamp.timestamp_ns for stamp in first)
    for stamp, position in first.items():
        if ids[stamp.frame_id] > 1 or times[stamp.timestamp_ns] > 1:
            result.refused[position] = "another frame has the same number or the same time"
    return [position for position in first.values() if position not in result.refused]


def _grid(burst: Burst, times_ns: Sequence[int]) -> list[int | None] | None:
    """Return for each time how many periods it lies after the first on the grid; None off the grid.

    The grid is the one that more than half of the times lie on; without such a majority there is no grid.
    """
    if len(times_ns) == 1:
        return [0] if burst.pulses == 1 else None
    for anchor in range(len(times_ns) // 2 + 1):
        steps: list[int | None] = [None] * anchor + [0]
        last, position = times_ns[anchor], 0
        for time_ns in times_ns[anchor + 1 :]:
            elapsed = time_ns - last
            periods = round(elapsed / burst.period_ns)
            slack = burst.jitter_ns + elapsed * DRIFT_PPM * 1e-6
            if periods >= 1 and abs(elapsed - periods * burst.period_ns) <= slack:
                last, position = time_ns, position + periods
                steps.append(position)
            else:
                steps.append(None)
        fitting = [(step, time_ns) for step, time_ns in zip(steps, times_ns, strict=True) if step is not None]
        if 2 * len(fitting) > len(times_ns) and len(fitting) > 1 and _is_linear(burst, fitting):
            return steps
    return None


def _is_linear(burst: Burst, fitting: Sequence[tuple[int, int]]) -> bool:
    """Whether the times follow one linear clock: one offset and one rate for the whole burst."""
    steps = np.array([step for step, _ in fitting], float)
    late = np.array([time_ns - fitting[0][1] - step * burst.period_ns for step, time_ns in fitting], float)
    rate, offset = (
        np.polyfit(steps, late, 1) if len(fitting) > 2 else ((late[1] - late[0]) / steps[1], late[0])
    )
    drift_limit = burst.period_ns * DRIFT_PPM * 1e-6 + 2 * burst.jitter_ns / max(float(np.ptp(steps)), 1.0)
    return bool(np.abs(late - offset - rate * steps).max() <= burst.jitter_ns and abs(rate) <= drift_limit)


def _start(
    burst: Burst, trace: Trace, kept: Sequence[int], relative: Sequence[int], *, strays: bool
) -> int | str:
    """Return the index of the first frame on the grid when only one is possible, else why not."""
    room = burst.pulses - 1 - relative[-1]
    if room < 0:
        return "there are more exposures than pulses"
    ids = [trace.frames[position].frame_id for position in kept]
    gaps = [
        (later - earlier) - (after - before)
        for (earlier, later), (before, after) in zip(pairwise(relative), pairwise(ids), strict=True)
    ]
    if strays or trace.first_id is None:
        # The camera also exposed without a pulse: its numbers count something else, only a full house proves.
        full = len(kept) == burst.pulses
        return 0 if full else "the camera's numbers do not tell which pulses the frames belong to"
    if any(gap < 0 for gap in gaps):
        return "the frame numbers rise faster than the pulses came"
    ignored_between = sum(gaps)
    if trace.ignored is not None and ignored_between > trace.ignored:
        return "frame numbers are missing where the camera ignored no trigger"
    spare = room if trace.ignored is None else trace.ignored - ignored_between
    lowest = ids[0] - trace.first_id
    possible = [start for start in range(max(lowest, 0), lowest + spare + 1) if start <= room]
    if not possible or lowest < 0:
        return "the frame numbers do not fit the number of pulses"
    if len(possible) > 1:
        return f"the first frame may belong to any of the pulses {possible[0]} to {possible[-1]}"
    return possible[0]


def _explain_missing(burst: Burst, trace: Trace, kept: Sequence[int], result: Assignment) -> None:
    """Say of every pulse without a frame whether the camera ignored it or the frame was lost."""
    for before, after in pairwise(kept):
        pulses = range(result.index[before] + 1, result.index[after])
        exposed = trace.frames[after].frame_id - trace.frames[before].frame_id - 1
        if exposed == len(pulses):
            why = "its frame was lost on the way to the computer"
        else:
            why = "it ignored the trigger" if exposed <= 0 else "it ignored the trigger or its frame was lost"
        result.missing.update(dict.fromkeys(pulses, why))
    for index in range(burst.pulses):
        if index not in result.index.values():
            result.missing.setdefault(index, trace.ended or "it delivered no frame")
