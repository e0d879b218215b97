"""Takes with a physical truth: edges, busy cameras, spikes, transport over a period, drifting clocks.

Every volley of a take is told to the proof as collectors, box and take would tell it; what each frame really
was of is known here. The truth of a spike that lies so near to a pulse that it exposes the same light is the
pulse; one so near to the grid outside the burst that no clock tells them apart is `COINCIDENT`.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Final

from rig.capture.pairing import Burst, FrameStamp, Match, Trace
from rig.capture.reference import Reference, Witness
from rig.capture.rolling import CAMERAS, MARGIN_S, Rolling
from rig.capture.sight import Sight

SECOND: Final = 1_000_000_000
TRANSPORT: Final = SECOND // 10
NO_PULSE: Final = -1
COINCIDENT: Final = -2


@dataclass
class Cam:
    """One camera; times in ns."""

    exposure: int
    readout: int
    latency: int
    latency_jitter: int
    offset: int
    drift: float
    counts: bool
    numbered: bool
    clock_jitter: int
    first_id: int
    next_id: int

    @classmethod
    def at_random(cls, c: random.Random, period: int) -> Cam:
        first = c.choice([0, 1])
        return cls(
            int(period * c.uniform(0.01, 0.6)),
            int(period * c.uniform(0.05, 0.35)),
            int(c.choice([c.uniform(1e6, 5e6), c.uniform(5e6, 60e6), period * c.uniform(0.5, 4)])),
            int(c.choice([0, 1e5, 2e6, period * 0.3])),
            c.randrange(-(10**15), 10**15),
            c.uniform(-80, 80),
            c.random() < 0.75,
            c.random() < 0.93,
            c.choice([0, 1000, 20_000]),
            first,
            first,
        )


@dataclass
class Told:
    """What one camera says of a volley: (arrival, stamp, truth) by arrival, and when it ignored a trigger."""

    frames: list[tuple[int, FrameStamp, int]] = field(default_factory=list)
    ignored: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Pulses:
    """One volley; times in ns on the computer's clock, which runs `rate` times as fast as the box's."""

    count: int
    fired: int
    period: int
    delay: int
    start: int
    rate: float


def some(c: random.Random, fired: int) -> set[int]:
    return {c.randrange(fired) for _ in range(c.choice([0, 0, 0, 1, 1, 2]))}


def tell(c: random.Random, cam: Cam, p: Pulses, *, noise: bool) -> Told:
    """Tell what one camera does with the pulses and with spikes on its line."""
    edges = [(k * p.period + p.delay, k) for k in range(p.fired)]
    lost_edges: set[int] = set()
    if noise and c.random() < 0.35:
        lost_edges = {c.choice([0, 0, 1, p.fired - 1, c.randrange(p.fired)]) for _ in range(c.choice([1, 2]))}
    if noise and c.random() < 0.4:
        for _ in range(c.choice([1, 1, 2])):
            kind, reach = c.random(), 3 * cam.latency + cam.exposure + cam.readout
            if kind < 0.4:
                at = -c.uniform(0, min(p.period, reach))
            elif kind < 0.6:
                at = c.randrange(-2, p.fired + 2) * p.period + c.choice([-1, 1]) * c.uniform(0, 1e6)
            else:
                at = c.uniform(-p.period, p.fired * p.period)
            edges.append((int(at), NO_PULSE))
    ignores, loses = (some(c, p.fired) if noise else set() for _ in range(2))
    late = {k: int(c.choice([p.period, 3 * p.period, 4 * SECOND, 9 * SECOND])) for k in ignores ^ loses}
    late = late if noise and c.random() < 0.25 else {}
    told, busy_until, number = Told(), -(10**18), cam.next_id
    for at, k in sorted(edges):
        if k in lost_edges:
            continue
        if at < busy_until or k in ignores:
            told.ignored.append(p.start + int(at * p.rate))
            continue
        busy_until = at + cam.exposure + cam.readout
        jitter = c.randint(-cam.clock_jitter, cam.clock_jitter)
        stamp_ns = cam.offset + round((p.start / p.rate + at) * (1 + cam.drift * 1e-6)) + jitter
        number += 1
        if k in loses and k not in late:
            continue
        came = p.start + int((busy_until + cam.latency + c.uniform(0, cam.latency_jitter)) * p.rate)
        came += late.get(k, 0)
        truth = k if k != NO_PULSE else nearest(at - p.delay, p)
        stamp = FrameStamp(number - 1, stamp_ns, came - cam.exposure)
        told.frames.append((came, stamp, truth))
        if noise and c.random() < 0.02:
            again = came + int(c.uniform(0, 3 * p.period))
            told.frames.append((again, replace(stamp, arrived_ns=again - cam.exposure), truth))
    told.frames.sort(key=lambda frame: frame[0])
    return told


def nearest(at: int, p: Pulses) -> int:
    """Return the pulse that a spike is of for all that anybody can measure."""
    k = round(at / p.period)
    off = abs(at - k * p.period)
    if 0 <= k < p.fired and off <= min(1_000_000, p.period // 4):
        return k
    return COINCIDENT if off <= min(400_000, p.period // 8) else NO_PULSE


@dataclass
class Outcome:
    """A pair of a take, with the truth of its frames; `why` says how a wrong one was possible."""

    pulse: int
    index: int
    b: int
    s: int
    why: str = ""

    @property
    def wrong(self) -> bool:
        return self.b != self.s or self.b == NO_PULSE


class FuzzedTake:
    """A take of several volleys with all its cameras' faults; `pairs` are those that stand at its end."""

    def __init__(self, seed: int) -> None:
        c = self.c = random.Random(seed)
        self.period = int(c.choice([c.uniform(2e6, 2e7), c.uniform(2e7, 2e8), c.uniform(2e8, 3e9)]))
        self.shared = c.random() < 0.4
        self.cams = {name: Cam.at_random(c, self.period) for name in CAMERAS}
        b, s = self.cams["B"], self.cams["S"]
        if self.shared:
            s.offset, s.drift = b.offset, b.drift
        if c.random() < 0.3:
            b.counts = s.counts = True
        self.delay = c.choice([0, 0, b.exposure // 2])
        self.rate, self.now = 1 + c.uniform(-200, 200) * 1e-6, c.randrange(10**12)
        self.pulses = c.choice([1, 1, 1, 2, 3, 5, 8, 12, 20, 40])
        self.witness, self.pulse = Witness(), 0
        self.pairs: list[Outcome] = []
        self.seen: Counter[str] = Counter()
        for _ in range(c.choice([1, 1, 3, 5])):
            self.volley(noise=c.random() < 0.85, early=c.random() < 0.1)

    def end_of(self, told: Told, cam: Cam, p: Pulses) -> int:
        """Return when a collector has its frames, or gives up."""
        frame = max(one.exposure + one.readout for one in self.cams.values())
        if p.fired < p.count:
            return p.start + (p.fired - 1) * p.period + frame + SECOND
        times = sorted([at for at, *_ in told.frames] + (told.ignored if cam.counts else []))
        given_up = p.start + (p.count - 1) * p.period + frame + int((MARGIN_S + 1) * SECOND)
        linger = frame + p.delay + TRANSPORT + p.start if p.count == 1 else 0
        return max(times[p.count - 1] if len(times) >= p.count else given_up, linger)

    def volley(self, *, noise: bool, early: bool) -> None:
        c, n = self.c, self.pulses
        start = self.now + int(c.uniform(0, 2e6))  # the box acts a little later than it is told
        p = Pulses(n, c.randint(1, n) if early else n, self.period, self.delay, start, self.rate)
        early = p.fired < n
        told = {
            name: tell(
                c,
                cam,
                p if name == "S" else replace(p, delay=0),
                noise=noise and c.random() < 0.8,
            )
            for name, cam in self.cams.items()
        }
        known = None if self.shared else self.witness.reference
        burst = Burst(
            n,
            p.period,
            s_delay_ns=p.delay,
            shared_clock=self.shared,
            earliest_ns=self.now,
            reference=known,
        )
        ids = {name: cam.next_id if cam.numbered else None for name, cam in self.cams.items()}
        rolling = Rolling(burst, ids, all(cam.counts for cam in self.cams.values()))
        ends = max(self.end_of(told[name], cam, p) for name, cam in self.cams.items())
        stamps: dict[str, list[FrameStamp]] = {name: [] for name in CAMERAS}
        vouched: dict[str, dict[int, int]] = {name: {} for name in CAMERAS}
        ignored: dict[str, int | None] = dict.fromkeys(CAMERAS)

        def read(name: str, at: int) -> None:
            if self.cams[name].counts:
                count = ignored[name] = sum(time <= at for time in told[name].ignored)
                vouched[name][count] = len(stamps[name])

        def sights() -> dict[str, Sight]:
            return {
                name: Sight(stamps[name], dict(vouched[name]), ignored[name] if cam.numbered else None)
                for name, cam in self.cams.items()
            }

        settled = []
        coming = sorted((f[0], name, i) for name in CAMERAS for i, f in enumerate(told[name].frames))
        for at, name, i in (one for one in coming if one[0] <= ends):
            stamps[name].append(told[name].frames[i][1])
            if len(stamps[name]) <= n:
                read(name, at + c.choice([0, 100_000, 5_000_000]) * noise)
            if c.random() < 0.7:
                settled += rolling.advance(sights())
        for name in CAMERAS:
            read(name, ends)
        settled += rolling.advance(sights())
        traces = {
            name: Trace(
                tuple(stamps[name]),
                ignored[name] if any(vouched[name].values()) or not stamps[name] else None,
                ids[name],
            )
            for name in CAMERAS
        }
        at_most = (ends - self.now) // p.period + 2 if early else None
        closing = rolling.close(traces, complete=not early, at_most=at_most)
        settled += closing.settled
        # ---- what the take makes of it
        self.seen["bursts"] += 1
        fits = not any(one.pairing.off_ns is not None for one in settled)
        full = fits and not early and not closing.refused and not rolling.alarm
        full = full and all(len(stamps[name]) == n for name in CAMERAS)
        came = [
            (
                one,
                {name: told[name].frames[place or 0] for name, place in (("B", one.one.b), ("S", one.one.s))},
            )
            for one in settled
            if isinstance(one.one, Match)
        ]
        before, free, volley = self.witness.reference, False, range(self.pulse, self.pulse + closing.fired)
        self.witness.last = range(0)
        if rolling.alarm or not fits:
            self.take_back(self.witness.refute())
            came = [] if rolling.alarm else came
        elif came:
            one, frames = came[-1]
            b_ns, s_ns = frames["B"][1].timestamp_ns, frames["S"][1].timestamp_ns
            free = one.pairing.clock == "fitted"
            self.witness.confirm(Reference(b_ns, s_ns - b_ns - p.delay), volley, free=free)
            self.witness.ended_ns = {name: max(one.timestamp_ns for one in stamps[name]) for name in CAMERAS}
        some_coincident = any(f[2] == COINCIDENT for name in CAMERAS for f in told[name].frames)
        for one, frames in came:
            outcome = Outcome(volley.start + one.one.index, one.one.index, frames["B"][2], frames["S"][2])
            if outcome.wrong:
                outcome.why = f"n={min(n, 2)} " + ("no pair before" if before is None else "a pair before")
                if COINCIDENT in (outcome.b, outcome.s) or (some_coincident and n > 1):
                    outcome.why = "coincident " + outcome.why
            self.pairs.append(outcome)
        clean = not noise and not early
        self.seen["clean"] += n * clean
        self.seen["clean paired"] += len(came) * clean
        self.pulse, self.now = volley.stop, self.now + int(n * p.period + 20 * SECOND)
        within, jitter = int(MARGIN_S * SECOND), burst.jitter_ns
        stale = [
            (name, f[1]) for name in CAMERAS for f in told[name].frames if full and ends < f[0] < self.now
        ]
        if any(self.witness.overtaken(name, f.timestamp_ns, p.period, jitter, within) for name, f in stale):
            doubted = self.witness.last
            self.witness.refute()
            self.take_back(doubted)
        for name, cam in self.cams.items():
            cam.next_id = cam.next_id + len(stamps[name]) if full and not stale else cam.first_id

    def take_back(self, doubted: range) -> None:
        self.seen["taken back"] += sum(one.pulse in doubted for one in self.pairs)
        self.pairs = [one for one in self.pairs if one.pulse not in doubted]
