"""The wires from the trigger box to the cameras: skew and jitter, edges that get lost, edges too many."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from rig.virtual import protocol
from rig.virtual.edges import EdgeScheduler
from rig.virtual.fault_book import FaultBook
from rig.virtual.faults import Order

STARTS_KEPT = 8192
BOUNCE_NS = 10_000
"""A contact that bounces is open for this long."""


@dataclass
class _Wire:
    """The way to one camera's input line, and the pulse that is on it now."""

    camera: str
    line: int
    output: str
    rise_ns: int = 0
    shift_ns: int = 0
    ignored: bool = False
    extra: list[Order] = field(default_factory=list)


class Wires:
    """Carries the outputs' edges to the cameras, with the faults that are ordered for them.

    A pulse begins with the line's rise. What delays it delays both its edges, so that its length stays.

    Args:
        edges: Sends them in time.
        book: The orders.
        seed: Of the jitter.
    """

    def __init__(self, edges: EdgeScheduler, book: FaultBook, seed: int = 0) -> None:
        self._edges = edges
        self._book = book
        self._random = np.random.default_rng([seed, 0x0A1E])
        self._lock = threading.Lock()
        self._wires: list[_Wire] = []
        self._starts: dict[str, deque[tuple[int, str, int | None]]] = {}

    def connect(self, output: str, camera: str, line: int) -> None:
        """Lay a wire from an output of the pulse engine to a line of a camera."""
        with self._lock:
            self._wires.append(_Wire(camera, line, output))
            self._starts[camera] = deque(maxlen=STARTS_KEPT)

    def on_output(self, output: str, level: int, t_ns: int) -> None:
        """Take a change of an output, some ms ahead of its time."""
        with self._lock:
            for wire in self._wires:
                if wire.output == output:
                    (self._rise if level else self._fall)(wire, t_ns)

    def cause(self, camera: str, t_start_ns: int) -> tuple[str, int | None] | None:
        """Return what made the exposure of ``camera`` that started at ``t_start_ns``.

        Returns:
            Output and rise of the box's pulse, in ns; None instead of the rise for an edge that was no pulse.
            None when no edge came at that time: free run, software trigger, or a delay in the camera.
        """
        with self._lock:
            known = ((output, rise) for start, output, rise in self._starts[camera] if start == t_start_ns)
            return next(known, None)

    def _rise(self, wire: _Wire, t_ns: int) -> None:
        orders = self._book.strike("pulse", wire.camera)
        jitter_us = self._book.lasting("jitter", wire.camera)
        shift_us = self._book.lasting("skew", wire.camera) + (
            jitter_us * self._random.random() if jitter_us else 0.0
        )
        wire.rise_ns, wire.shift_ns = t_ns, round(shift_us * 1e3)
        wire.extra = [order for order in orders if order.kind.name == "duplicate_trigger"]
        ignoring = [order for order in orders if order.kind.name == "ignore_trigger"]
        wire.ignored = bool(ignoring)
        start_ns = t_ns + wire.shift_ns
        if not wire.ignored:
            self._pulse_start(wire, start_ns, t_ns)
        elif ignoring[0].options["counted"]:
            self._edges.add(wire.camera, protocol.Fault(protocol.FaultCode.IGNORE), start_ns)

    def _fall(self, wire: _Wire, t_ns: int) -> None:
        start_ns, end_ns = wire.rise_ns + wire.shift_ns, t_ns + wire.shift_ns
        if not wire.ignored:
            self._level(wire, 0, end_ns)
        for order in wire.extra:
            at_ns = start_ns + round(order.value("delay_us") * 1e3)
            if not wire.ignored and start_ns < at_ns < end_ns:
                self._level(wire, 0, at_ns - min(BOUNCE_NS, (at_ns - start_ns) // 2))
                self._pulse_start(wire, at_ns, None)
            else:
                self._pulse_start(wire, at_ns, None)
                self._level(wire, 0, at_ns + round(order.value("width_us") * 1e3))
        wire.ignored, wire.extra = False, []

    def _pulse_start(self, wire: _Wire, t_ns: int, rise_ns: int | None) -> None:
        self._starts[wire.camera].append((t_ns, wire.output, rise_ns))
        self._level(wire, 1, t_ns)

    def _level(self, wire: _Wire, level: int, t_ns: int) -> None:
        self._edges.add(wire.camera, protocol.Edge(wire.line, level, t_ns), t_ns)
