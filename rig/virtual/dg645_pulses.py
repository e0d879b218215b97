"""The fast half of the simulated DG645: triggers, bursts, and the edges on its outputs."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from rig.virtual.dg645_settings import PAIRS, Settings

EVENT_TRIG, EVENT_RATE, EVENT_END_OF_DELAY, EVENT_END_OF_BURST, _, EVENT_ABORT = (
    1 << bit for bit in range(6)
)
LOOK_AHEAD_NS = 5_000_000
PULSES_KEPT = 8192
THRESHOLD_V = 1.4
"""A camera's input line reads 1 above this voltage."""


@dataclass(frozen=True)
class Pulse:
    """One pulse of one output pair: ``index`` counts the delay cycles since the world began; times in ns."""

    output: str
    index: int
    rise_ns: int
    fall_ns: int


@dataclass
class _Run:
    """A burst (or a single cycle, or an endless internal trigger): cycles at start + k period."""

    settings: Settings
    start_ns: int
    period_s: float
    count: int | None
    done: int = 0
    busy_until_ns: int = 0

    def next_ns(self) -> int:
        return self.start_ns + round(self.done * self.period_s * 1e9)

    def finished(self) -> bool:
        return self.count is not None and self.done >= self.count


class PulseEngine:
    """Turns triggers into edges.

    Args:
        edge: Called with output pair ("AB"), level seen by a line on it, and time in ns, some ms ahead.
        clock: CLOCK_MONOTONIC ns.
    """

    def __init__(
        self, edge: Callable[[str, int, int], None], clock: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._edge = edge
        self._clock = clock
        self._settings = Settings()
        self._run: _Run | None = None
        self._cycles = 0
        self._levels = dict.fromkeys(PAIRS, 0)
        self._closed = False
        self._changed = threading.Condition(threading.RLock())
        self._events = 0
        self.pulses: deque[Pulse] = deque(maxlen=PULSES_KEPT)
        self._thread = threading.Thread(target=self._loop, name="world-dg645", daemon=True)

    def start(self) -> None:
        """Let time run."""
        self._thread.start()

    def close(self) -> None:
        """Stop; what is not yet out stays inside."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(timeout=2)

    @property
    def events(self) -> int:
        """Return the bits of INSR without clearing them."""
        with self._changed:
            self.pump()
            return self._events

    def take_events(self) -> int:
        """Return the bits of INSR and clear them."""
        with self._changed:
            self.pump()
            value, self._events = self._events, 0
            return value

    def busy(self) -> bool:
        """Return whether a delay cycle or a burst is in progress."""
        with self._changed:
            self.pump()
            return self._run is not None

    @property
    def cycles(self) -> int:
        """Return the number of delay cycles given out since the world began."""
        with self._changed:
            self.pump()
            return self._cycles

    def recent(self) -> list[Pulse]:
        """Return the newest pulses, oldest first."""
        with self._changed:
            return list(self.pulses)

    def configure(self, settings: Settings, *, abort: bool = False) -> None:
        """Take new settings; they hold from the next trigger on. ``abort`` ends what is running."""
        with self._changed:
            self.pump()
            if abort and self._run is not None:
                self._events |= EVENT_ABORT
                self._run = None
            self._settings = settings.copy()
            for number, pair in enumerate(PAIRS):
                self._change(pair, self._line_level(number, active=False), self._clock())
            if self._settings.source == 0 and self._run is None:
                self._begin(1 / self._settings.rate_hz, None)
            self._changed.notify()

    def trigger(self) -> None:
        """Take a single-shot trigger; one that comes while busy is lost and noted as a rate error."""
        with self._changed:
            self.pump()
            if self._run is not None:
                self._events |= EVENT_RATE
                return
            burst = self._settings.burst == 1
            self._begin(
                self._settings.burst_period_s if burst else 0.0, self._settings.burst_count if burst else 1
            )
            self._changed.notify()

    def _begin(self, period_s: float, count: int | None) -> None:
        delay_s = self._settings.burst_delay_s if self._settings.burst == 1 else 0.0
        self._events |= EVENT_TRIG
        self._run = _Run(self._settings.copy(), self._clock() + round(delay_s * 1e9), period_s, count)
        self.pump()

    def _line_level(self, pair: int, *, active: bool, settings: Settings | None = None) -> int:
        used = settings or self._settings
        high = active == bool(used.positive[pair])
        return int(used.offset_v[pair] + (used.amplitude_v[pair] if high else 0.0) > THRESHOLD_V)

    def _change(self, pair: str, level: int, t_ns: int) -> None:
        if self._levels[pair] != level:
            self._levels[pair] = level
            self._edge(pair, level, t_ns)

    def pump(self) -> None:
        """Bring the state up to now and give out the edges of cycles that begin within the look-ahead."""
        with self._changed:
            now = self._clock()
            run = self._run
            while run is not None and not run.finished() and run.next_ns() <= now + LOOK_AHEAD_NS:
                begin = run.next_ns()
                run.done += 1
                if begin < run.busy_until_ns:
                    self._events |= EVENT_RATE  # a trigger during a cycle is ignored
                    continue
                run.busy_until_ns = begin + round(run.settings.cycle_s() * 1e9)
                self._cycle(run.settings, begin)
            if run is not None and run.finished() and now >= run.busy_until_ns:
                self._events |= EVENT_END_OF_DELAY
                if run.settings.burst == 1:
                    self._events |= EVENT_END_OF_BURST
                self._run = None

    def _cycle(self, settings: Settings, begin_ns: int) -> None:
        for number in range(1, len(PAIRS)):
            first, second = (settings.delay_s(2 * number), settings.delay_s(2 * number + 1))
            rise, fall = (begin_ns + round(t * 1e9) for t in sorted((first, second)))
            if fall <= rise:
                continue  # no width, no pulse
            active = self._line_level(number, active=True, settings=settings)
            idle = self._line_level(number, active=False, settings=settings)
            if active != idle:
                self._edge(PAIRS[number], active, rise)
                self._edge(PAIRS[number], idle, fall)
                self.pulses.append(Pulse(PAIRS[number], self._cycles, rise, fall))
        self._cycles += 1

    def _loop(self) -> None:
        with self._changed:
            while not self._closed:
                self.pump()
                if self._run is None:
                    self._changed.wait()
                elif self._run.finished():
                    self._changed.wait(max(1e-3, (self._run.busy_until_ns - self._clock()) * 1e-9))
                else:
                    wait_ns = self._run.next_ns() - LOOK_AHEAD_NS - self._clock()
                    self._changed.wait(max(1e-4, wait_ns * 1e-9))
