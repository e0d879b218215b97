"""What a camera's host process does for its parent: one function a command, and the way of a frame."""

from __future__ import annotations

import dataclasses
import inspect
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from rig.camera.gentl import GenTLCamera
from rig.camera.producers import list_devices
from rig.camera.ring import Claim, FrameRing
from rig.camera.types import CameraSpec, FeatureValue, Mode, Pixels, StepSpec
from rig.errors import DeviceError

Result = tuple[Any, list[int]]
_ALIVE_S = 1.0
_FEWEST_SLOTS = 8
_RING_BYTES = 512 << 20  # memory that a slow disk may keep waiting, per camera; taken only when it is used


class Commands:
    """The camera of one host process.

    Args:
        send: Sends a message to the parent.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._camera: GenTLCamera | None = None
        self._ring: FrameRing | None = None
        self._handed_over = False
        self._mode: Mode | None = None
        self._sequence = 0
        self._claim: Claim | None = None
        self._full = False
        self._given_up = 0
        self._alive_at = 0.0
        self.closed = False
        self._commands: dict[str, Callable[..., Any]] = {
            "list": self._list,
            "open": self._open,
            "apply": self._apply,
            "read": self._read,
            "limits": self._limits,
            "entries": self._entries,
            "write": self._write,
            "execute": self._execute,
            "features": self._features,
            "catalogue": self._catalogue,
            "states": self._states,
            "start": self._start,
            "stop": self._stop,
            "counters": self._counters,
            "close": self._mark_closed,
        }

    @property
    def streaming(self) -> bool:
        """True between start and stop."""
        return self._mode is not None

    def run(self, name: str, args: dict[str, Any]) -> Result:
        """Execute a command; returns its result as plain data, and descriptors to hand over with it.

        Raises:
            DeviceError: unknown command, wrong arguments, or what the camera said.
            DeviceLost: the camera is gone.
        """
        command = self._commands.get(name)
        if command is None:
            raise DeviceError(f"the camera process knows no command {name}")
        try:
            call = inspect.signature(command).bind(**args)
        except TypeError as exc:
            raise DeviceError(f"the camera process cannot do {name}: {exc}") from exc
        try:
            result = command(*call.args, **call.kwargs)
        except DeviceError:
            if self._camera is not None:
                self._camera.check_alive()
            raise
        return result if isinstance(result, tuple) else (result, [])

    def take_frame(self) -> bool:
        """Move one frame from the producer to the ring; returns False when none was ready.

        Raises:
            DeviceLost: the camera is gone.
            DeviceError: its frames cannot be read.
        """
        frame = self._opened().poll(self._sink)
        claim, self._claim = self._claim, None
        if frame is None or self._ring is None or claim is None:
            if self._full:
                self._overflow()
            return False
        self._ring.commit(claim, frame, frame.pixels.dtype)
        self._sequence = claim.sequence
        if self._mode == "science":
            self._send({"t": "frame", "sequence": claim.sequence, "slot": claim.slot})
        return True

    def heartbeat(self) -> dict[str, Any]:
        """Return what the parent is told regularly; once a second this asks the transport for the camera.

        Raises:
            DeviceLost: it is gone.
        """
        if self._camera is None:
            return {"mode": None, "counters": None}
        now = time.monotonic()
        if now - self._alive_at > _ALIVE_S:
            self._camera.check_alive()
            self._alive_at = now
        return {"mode": self._mode, "counters": self._counters()}

    def close(self) -> None:
        """Close the camera."""
        if self._camera is not None:
            self._camera.close()

    def _opened(self) -> GenTLCamera:
        if self._camera is None:
            raise DeviceError("the camera is not open", hint="open it first")
        return self._camera

    def _list(self, cti: str) -> list[dict[str, str]]:
        return [info.to_dict() for info in list_devices(cti)]

    def _open(self, spec: dict[str, Any]) -> dict[str, str]:
        if self._camera is not None:
            raise DeviceError("the camera is open already")
        self._camera = GenTLCamera(CameraSpec(**spec))
        return self._camera.info.to_dict()

    def _apply(self, steps: list[dict[str, Any]], context: dict[str, float | str]) -> list[dict[str, Any]]:
        done = self._opened().apply([StepSpec.from_dict(step) for step in steps], context)
        return [applied.to_dict() for applied in done]

    def _read(self, name: str) -> FeatureValue:
        return self._opened().features.read(name)

    def _limits(self, name: str) -> dict[str, Any]:
        return dataclasses.asdict(self._opened().features.limits(name))

    def _entries(self, name: str) -> list[str]:
        return self._opened().features.entries(name)

    def _execute(self, name: str) -> None:
        self._opened().features.execute(name)

    def _features(self) -> list[dict[str, Any]]:
        return [info.to_dict() for info in self._opened().features.list()]

    def _catalogue(self, start: int, count: int) -> dict[str, Any]:
        return self._opened().browser.page(start, count)

    def _states(self, names: list[str]) -> list[dict[str, Any]]:
        return self._opened().browser.states(names, streaming=self.streaming)

    def _write(
        self, name: str, value: FeatureValue, abs_tol: float | None, rel_tol: float | None
    ) -> dict[str, Any]:
        camera = self._opened()
        applied = camera.features.write(name, value, abs_tol=abs_tol, rel_tol=rel_tol)
        if self.streaming:
            camera.refresh_settings()
        return applied.to_dict()

    def _start(self, mode: Mode, slots: int, after: int) -> Result:
        if mode not in {"live", "science"}:
            raise DeviceError(f"a camera cannot be started for {mode}", hint="live or science")
        if self.streaming:
            raise DeviceError(f"the camera runs for {self._mode} already", hint="stop it first")
        camera = self._opened()
        needed = camera.frame_bytes()
        slots = min(slots, max(_FEWEST_SLOTS, _RING_BYTES // max(needed, 1)))
        if self._ring is None or self._ring.slot_bytes < needed or self._ring.slots != slots:
            self._ring, self._handed_over = FrameRing.create(slots, needed), False
        self._sequence = max(self._sequence, after)
        self._full = False
        camera.start()
        self._mode = mode
        # Not before the camera runs: an error has no descriptors with it, and the next start hands them over.
        fds, self._handed_over = [] if self._handed_over else [self._ring.fd], True
        return {"slots": slots}, fds

    def _stop(self) -> None:
        self._mode = None
        self._opened().stop()

    def _counters(self) -> dict[str, int | None]:
        counters = self._opened().counters.to_dict()
        counters["live_dropped"] = self._given_up
        return counters

    def _mark_closed(self) -> None:
        self.closed = True

    def _sink(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Pixels | None:
        if self._ring is None or self._mode is None:
            return None
        self._claim = self._ring.claim(self._mode, self._sequence + 1)
        if self._claim is None:
            if self._mode == "science":
                self._full = True
            else:
                self._given_up += 1
            return None
        return self._ring.target(self._claim, shape, dtype)

    def _overflow(self) -> None:
        """Science data came faster than it was taken away: stop rather than lose or overwrite any of it."""
        self._full = False
        self._stop()
        slots = self._ring.slots if self._ring else 0
        self._send({"t": "overflow", "message": f"all {slots} frames of shared memory wait to be recorded"})
