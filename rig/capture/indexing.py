"""Which pulse made which frame of one camera: proven from the camera's own numbers and times, or refused.

A frame's index is never counted off by arrival. Two witnesses must agree:

* *Intervals*: exposures that the pulses caused start on a grid of the box's period, seen through the
  camera's clock (linear: offset and a drift of some ppm). This gives the indices relative to each other.
* *Counts*: where the grid starts. The pulses are numbered 0 to N-1, the camera numbers its exposures from
  ``first_id`` since it was started, and counts the triggers that it ignored. All starts that contradict none
  of these are tried; only when exactly one is left are the indices proven.
* *Causes come first*: no exposure starts before its pulse. An edge that was lost on the way to the camera is
  counted by nobody; that none was lost before the first frame is told by a frame that came in good time.

A burst of a single pulse has no intervals: there the camera's number alone must do.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np

from rig.camera.types import FrameMeta
from rig.capture.clocks import fit_line
from rig.capture.reference import DRIFT_PPM, Reference

HOST_PPM: Final = 1000.0
"""Largest difference in rate between the computer's clock, which may be slewed, and the box's."""

_ANCHORS: Final = 32
CROSS_TALK: Final = (
    "it ignored about as many triggers as there were pulses besides its frames: each pulse reaches it twice"
    " (cross-talk between the trigger lines, or ringing)"
)
_TWICE: Final = "it was delivered twice"


@dataclass(frozen=True, slots=True)  # a long take keeps all of them
class FrameStamp:
    """What a camera says about one frame: its own number, and its own time of the exposure's start, in ns.

    ``arrived_ns`` is the latest time, on the computer's clock (``time.monotonic_ns``), at which the exposure
    can have started: that of the frame's arrival less the exposure; None where it is not known.
    """

    frame_id: int
    timestamp_ns: int
    arrived_ns: int | None = field(default=None, compare=False)

    @classmethod
    def of(cls, meta: FrameMeta) -> FrameStamp:
        """Return the stamp of a frame that came."""
        exposure_ns = round(meta.exposure_us * 1e3) if math.isfinite(meta.exposure_us) else 0
        return cls(meta.frame_id, meta.timestamp_ns, meta.host_monotonic_ns - exposure_ns)


@dataclass(frozen=True)
class Trace:
    """All that one camera delivered in a burst.

    Attributes:
        frames: Stamps in order of arrival.
        ignored: By how much the camera's counter of ignored triggers rose; None when it has no such counter.
        first_id: Number that the camera gives to its first exposure; None when that is not known.
        clocked: Whether the times are of the camera's own clock; without them nothing can be proven.
        ended: Why the camera stopped before the burst was over; empty when it did not.
        anchored: Whether the first frame is known to be of pulse 0, as it was proven so before (see
            :mod:`rig.capture.rolling`); what the camera ignored then came later.
    """

    frames: tuple[FrameStamp, ...]
    ignored: int | None = None
    first_id: int | None = 0
    clocked: bool = True
    ended: str = ""
    anchored: bool = False


@dataclass(frozen=True)
class Burst:
    """What the box was told: how many pulses at most, their period, and how exact a start may be expected.

    Attributes:
        pulses: Number of pulses configured, N.
        period_ns: Time from pulse to pulse.
        complete: Whether all N were surely fired; False after a cancelled take.
        s_delay_ns: How much later than B the box triggers S.
        jitter_ns: Largest believed deviation of an exposure start from the grid; an eighth of the period at
            most.
        shared_clock: Whether the cameras' times are known to be of one clock (PTP, or one machine): then a
            constant distance of the two starts is seen, too.
        earliest_ns: Time on the computer's clock before which no frame of a pulse can have come; None where
            that is not known.
        reference: A pair that was proven before on the same clocks; None where there is none.
    """

    pulses: int
    period_ns: int
    complete: bool = True
    s_delay_ns: int = 0
    jitter_ns: int = 200_000
    shared_clock: bool = False
    earliest_ns: int | None = None
    reference: Reference | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "jitter_ns", min(self.jitter_ns, self.period_ns // 8))


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
    single = _drop_early(burst, trace.frames, result, _drop_repeated(trace.frames, result))
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
    strays = any(reason != _TWICE for reason in result.refused.values())  # a second copy was no exposure
    start = _start(burst, trace, kept, relative, strays=strays)
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
            result.refused[position] = _TWICE
        else:
            first[stamp] = position
    ids = Counter(stamp.frame_id for stamp in first)
    times = Counter(stamp.timestamp_ns for stamp in first)
    for stamp, position in first.items():
        if ids[stamp.frame_id] > 1 or times[stamp.timestamp_ns] > 1:
            result.refused[position] = "another frame has the same number or the same time"
    return [position for position in first.values() if position not in result.refused]


def _drop_early(
    burst: Burst, frames: Sequence[FrameStamp], result: Assignment, positions: Sequence[int]
) -> list[int]:
    """Refuse frames that came before the first pulse can have made one."""
    kept = []
    for position in positions:
        arrived_ns = frames[position].arrived_ns
        if burst.earliest_ns is not None and arrived_ns is not None and arrived_ns < burst.earliest_ns:
            result.refused[position] = "it came before the first pulse"
        else:
            kept.append(position)
    return kept


def _grid(burst: Burst, times_ns: Sequence[int]) -> list[int | None] | None:
    """Return for each time how many periods it lies after the first on the grid; None off the grid.

    The grid is the one that more than half of the times lie on; without such a majority there is no grid, and
    with more than `_ANCHORS` exposures beside the pulses at the beginning none is looked for.
    """
    if len(times_ns) == 1:
        return [0] if burst.pulses == 1 else None
    for anchor in range(min(len(times_ns) // 2 + 1, _ANCHORS)):
        steps: list[int | None] = [None] * anchor + [0]
        last, position = times_ns[anchor], 0
        for time_ns in times_ns[anchor + 1 :]:
            elapsed = time_ns - last
            periods = round(elapsed / burst.period_ns)
            slack = burst.jitter_ns + elapsed * DRIFT_PPM * 1e-6
            # Beyond half a period of slack nobody could tell how many periods went by.
            if periods >= 1 and abs(elapsed - periods * burst.period_ns) <= slack < burst.period_ns / 2:
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
    line = fit_line(steps, late)
    drift_limit = burst.period_ns * DRIFT_PPM * 1e-6 + 2 * burst.jitter_ns / max(float(np.ptp(steps)), 1.0)
    return bool(np.abs(line.residual).max() <= burst.jitter_ns and abs(line.rate) <= drift_limit)


def _start(
    burst: Burst, trace: Trace, kept: Sequence[int], relative: Sequence[int], *, strays: bool
) -> int | str:
    """Return the index of the first frame on the grid when only one is possible, else why not."""
    room = burst.pulses - 1 - relative[-1]
    if room < 0:
        return "there are more exposures than pulses"
    if burst.pulses == 1 and trace.ignored:  # two edges, one pulse: nothing tells which of them was the pulse
        return "it took one trigger and ignored another, where the box gave one pulse"
    ids = [trace.frames[position].frame_id for position in kept]
    gaps = [
        (later - earlier) - (after - before)
        for (earlier, later), (before, after) in zip(pairwise(relative), pairwise(ids), strict=True)
    ]
    if not strays and any(gap < 0 for gap in gaps):
        return "the frame numbers rise faster than the pulses came"
    if _doubled(burst, trace, ids):
        return CROSS_TALK
    if trace.anchored:  # from there on the intervals count the pulses
        return 0 if kept[0] == 0 else "an exposure came before the one that was proven to be the first"
    if strays or trace.first_id is None:
        # The camera also exposed without a pulse: its numbers count something else, only a full house proves.
        full = len(kept) == burst.pulses
        return 0 if full else "the camera's numbers do not tell which pulses the frames belong to"
    ignored_between = sum(gaps)
    if trace.ignored is not None and ignored_between > trace.ignored:
        return "frame numbers are missing where the camera ignored no trigger"
    spare = room if trace.ignored is None else trace.ignored - ignored_between
    lowest = ids[0] - trace.first_id
    latest = latest_start(burst, [trace.frames[position] for position in kept], relative)
    unseen = burst.earliest_ns is not None and not (burst.shared_clock or burst.reference)
    if latest is None:
        latest = lowest + spare
    elif unseen and len(kept) < burst.pulses and latest > max(lowest, 0):
        # It came so late that it may be of a spike a period before, and nothing else would show that.
        return "the first frame came more than a period late, and not every pulse has a frame"
    possible = [start for start in range(max(lowest, 0), latest + 1) if start <= room]
    if not possible or lowest < 0:
        return "the frame numbers do not fit the number of pulses"
    if len(possible) > 1:
        return f"the first frame may belong to any of the pulses {possible[0]} to {possible[-1]}"
    return possible[0]


def _doubled(burst: Burst, trace: Trace, ids: Sequence[int]) -> bool:
    """Whether more edges came than pulses and every other frame on the grid may be of the wrong ones.

    Where the edge of B's pulse also reaches S, S exposes too early and ignores its own pulse, every time: a
    full house, on the grid. One or two such edges are a spike; on most pulses they would make the grid.
    """
    exposed = len(ids) if trace.first_id is None or trace.anchored else ids[-1] - trace.first_id + 1
    return 2 * (max(exposed, len(ids)) + (trace.ignored or 0) - burst.pulses) > burst.pulses


def latest_start(burst: Burst, frames: Sequence[FrameStamp], relative: Sequence[int]) -> int | None:
    """Return the largest index that the first of some frames can have, as none started before its pulse.

    Args:
        burst: What the box was told.
        frames: Frames on the grid, (N,).
        relative: How many periods each started after the first of them, (N,).

    Returns:
        The index; negative when the first frame started before the first pulse; None when no times are known.
    """
    if burst.earliest_ns is None:
        return None
    return min(
        (
            _longest_ns(stamp.arrived_ns - burst.earliest_ns) // burst.period_ns - step
            for stamp, step in zip(frames, relative, strict=True)
            if stamp.arrived_ns is not None
        ),
        default=None,
    )


def _longest_ns(elapsed_ns: int) -> int:
    """Return the longest time by the box's clock that can be so long by the computer's."""
    return elapsed_ns + math.ceil(abs(elapsed_ns) * HOST_PPM * 1e-6)


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
    found = set(result.index.values())
    for index in range(burst.pulses):
        if index not in found:
            result.missing.setdefault(index, trace.ended or "it delivered no frame")
