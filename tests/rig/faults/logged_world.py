"""The world, writing down what is true as it happens: ``python -m tests.rig.faults.logged_world TRUTH ...``.

A world that is killed takes its memory with it; what it has written stays. One JSON object a line, written
before anybody else can know of it: ``{"pulse": OUTPUT, "rise_ns": T}`` for each pulse of the box, and
``{"camera": B or S, "timestamp_ns": T, "pulse_ns": T or null}`` for each frame that was rendered.
"""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rig.profiles import RigProfile
from rig.virtual import world
from rig.virtual.dg645_pulses import Pulse
from rig.virtual.frames import RenderedFrame


class _Noted(deque[Any]):
    """A deque that tells of what is appended, first."""

    def __init__(self, note: Callable[[Any], None], kept: int | None) -> None:
        super().__init__(maxlen=kept)
        self._note = note

    def append(self, item: Any) -> None:
        self._note(item)
        super().append(item)


class LoggedWorld(world.World):
    """The world with a log of its truth."""

    truth: Path

    def __init__(self, run_dir: Path, profile: RigProfile, *rest: Any, **options: Any) -> None:
        super().__init__(run_dir, profile, *rest, **options)
        self._log = os.open(self.truth, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.engine.pulses = _Noted(self._note_pulse, self.engine.pulses.maxlen)
        self.links.frames = _Noted(self._note_frame, self.links.frames.maxlen)

    def _note_pulse(self, pulse: Pulse) -> None:
        self._write({"pulse": pulse.output, "rise_ns": pulse.rise_ns})

    def _note_frame(self, frame: RenderedFrame) -> None:
        if frame.triggered:
            cause = self.wires.cause(frame.camera, frame.t_start_ns)
            self._write(
                {
                    "camera": frame.camera,
                    "timestamp_ns": frame.timestamp_ns,
                    "pulse_ns": cause[1] if cause else None,
                }
            )

    def _write(self, fact: dict[str, Any]) -> None:
        # A kill may tear even a short write; what comes next must begin on a line of its own.
        os.write(self._log, b"\n" + json.dumps(fact).encode() + b"\n")


if __name__ == "__main__":
    LoggedWorld.truth = Path(sys.argv.pop(1))
    world.World = LoggedWorld  # type: ignore[misc]
    world.main()
