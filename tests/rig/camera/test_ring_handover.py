"""The shared memory reaches the parent also when the first start of the camera fails."""

from __future__ import annotations

import os
from typing import Any

import pytest

from rig.camera.commands import Commands
from rig.camera.ring import FrameRing
from rig.errors import DeviceError


class Reluctant:
    """A camera that starts only at the second try."""

    tries = 0

    def frame_bytes(self) -> int:
        return 4096

    def start(self) -> None:
        self.tries += 1
        if self.tries == 1:
            raise DeviceError("not yet")

    def stop(self) -> None:
        """Nothing to stop."""

    def check_alive(self) -> None:
        """It is."""


def test_a_start_that_failed_does_not_keep_the_shared_memory_from_the_parent() -> None:
    sent: list[dict[str, Any]] = []
    commands = Commands(sent.append)
    commands._camera = Reluctant()  # type: ignore[assignment]
    order = {"mode": "live", "slots": 8, "after": 0}
    with pytest.raises(DeviceError, match="not yet"):
        commands.run("start", order)
    _, handed = commands.run("start", order)
    assert FrameRing.attach(os.dup(handed[0])).slots == 8
    commands.run("stop", {})
    assert commands.run("start", order)[1] == []


def test_large_frames_get_fewer_places_so_that_memory_stays_bounded() -> None:
    commands = Commands(lambda message: None)
    camera = Reluctant()
    camera.tries = 1
    camera.frame_bytes = lambda: 50 << 20  # type: ignore[method-assign]
    commands._camera = camera  # type: ignore[assignment]
    result, _ = commands.run("start", {"mode": "science", "slots": 32, "after": 0})
    assert result == {"slots": 10}
