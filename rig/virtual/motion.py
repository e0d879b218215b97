"""How the objects move: straight paths in metres, to and fro at constant speed, cut into exact pieces."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

NS = 1e-9


@dataclass(frozen=True)
class Path:
    """A straight path in the object plane, origin on the optical axis, x to the right, y down.

    Attributes:
        half_length_m: The object's centre runs from -half_length_m to +half_length_m along the path.
        centre_x_m: Middle of the path.
        centre_y_m: Middle of the path.
        angle_deg: Direction of the outward run, 0 to the right, 90 down.
    """

    half_length_m: float
    centre_x_m: float = 0.0
    centre_y_m: float = 0.0
    angle_deg: float = 0.0

    @property
    def direction(self) -> tuple[float, float]:
        """Return cosine and sine of the angle."""
        return math.cos(math.radians(self.angle_deg)), math.sin(math.radians(self.angle_deg))


@dataclass(frozen=True)
class Piece:
    """One straight part of an exposure: from ``start_m`` to ``end_m`` in ``share`` of the time."""

    start_m: float
    end_m: float
    share: float


@dataclass(frozen=True)
class _Epoch:
    since_ns: int
    way_m: float
    speed_mps: float
    half_length_m: float

    def way_at(self, t_ns: int) -> float:
        return self.way_m + self.speed_mps * (t_ns - self.since_ns) * NS

    def fold(self, way_m: float) -> float:
        turn = 2 * self.half_length_m
        rest = math.fmod(way_m, 2 * turn)
        return rest - self.half_length_m if rest <= turn else 3 * self.half_length_m - rest


@dataclass
class Motion:
    """Position against time: a triangular wave whose speed may be changed on the way without a jump.

    Epochs are kept: an exposure that began before a change is still rendered as it was. Not thread-safe.
    """

    path: Path
    speed_mps: float
    start_ns: int
    start_way_m: float = 0.0
    _epochs: list[_Epoch] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._epochs = [_Epoch(self.start_ns, self.start_way_m, self.speed_mps, self.path.half_length_m)]

    def _epoch(self, t_ns: int) -> _Epoch:
        for epoch in reversed(self._epochs):
            if epoch.since_ns <= t_ns:
                return epoch
        return self._epochs[0]

    def set_speed(self, speed_mps: float, t_ns: int) -> None:
        """Go on with ``speed_mps`` (>= 0, m/s) from where the object is at ``t_ns``."""
        now = self._epoch(t_ns)
        self.speed_mps = speed_mps
        way = now.way_at(t_ns) % (4 * now.half_length_m)
        self._epochs = [*self._epochs[-3:], _Epoch(t_ns, way, speed_mps, now.half_length_m)]

    def set_path(self, path: Path, t_ns: int) -> None:
        """Start anew on another path at ``t_ns``, as far along it in proportion as on the old one."""
        now = self._epoch(t_ns)
        part = (now.way_at(t_ns) / (4 * now.half_length_m)) % 1.0
        self.path = path
        self._epochs = [_Epoch(t_ns, part * 4 * path.half_length_m, self.speed_mps, path.half_length_m)]

    def position_m(self, t_ns: int) -> float:
        """Return the centre's position along the path at ``t_ns``, -half_length_m .. +half_length_m."""
        epoch = self._epoch(t_ns)
        return epoch.fold(epoch.way_at(t_ns))

    def pieces(self, start_ns: int, end_ns: int) -> list[Piece]:
        """Return the straight pieces of the exposure from ``start_ns`` to ``end_ns``; their shares add to 1.

        The exposure is cut where the object turns round and where its speed was changed.
        """
        length = end_ns - start_ns
        if length <= 0:
            here = self.position_m(start_ns)
            return [Piece(here, here, 1.0)]
        cuts = [start_ns, *(e.since_ns for e in self._epochs if start_ns < e.since_ns < end_ns), end_ns]
        pieces: list[Piece] = []
        for begin, end in pairwise(cuts):
            epoch = self._epoch(begin)
            first, last = epoch.way_at(begin), epoch.way_at(end)
            turn = 2 * epoch.half_length_m
            marks = [first]
            following = (math.floor(first / turn) + 1) * turn
            while following < last:
                marks.append(following)
                following += turn
            marks.append(last)
            for one, two in pairwise(marks):
                part = (two - one) / (last - first) if last > first else 1.0
                run = math.floor((one + two) / 2 / turn)
                there, here = two - run * turn, one - run * turn
                sign, zero = (1, -epoch.half_length_m) if run % 2 == 0 else (-1, epoch.half_length_m)
                pieces.append(Piece(zero + sign * here, zero + sign * there, part * (end - begin) / length))
        return pieces
