"""A camera in a process of its own: what an app, a capture or the command line drives.

The parent never loads a vendor's library and never waits without a deadline. Calls (`apply`, `read`, ...)
go to the host process; frames come through shared memory, where `latest` (live view) and `pixels` (science)
look without asking anybody. All methods may be called from any thread; `latest`, `counters` and `state` never
wait, so a GUI thread may use them while another thread is in the middle of a capture.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, Self

from rig.camera import profile_steps
from rig.camera.errors import DeviceBusy
from rig.camera.inbox import FrameRecord
from rig.camera.link import HostLink
from rig.camera.remote import APPLY_S, CALL_S, RemoteSettings
from rig.camera.remote_frames import RemoteFrames
from rig.camera.types import CameraSpec, DeviceInfo, Mode, State
from rig.errors import DeviceError, DeviceLost, FrameOverflow
from rig.profiles import CameraProfile, CameraSlot

__all__ = ["CameraProcess", "EventKind", "FrameRecord", "OnEvent"]

EventKind = Literal["opened", "lost", "overflow", "restarted", "closed"]
OnEvent = Callable[[EventKind, str], None]

_OPEN_S = 30.0
_SLOTS = 128  # of small frames; of large ones as many as the host has memory for
_RELEASE_S = 10.0
_RETRY_S = 0.3
_SCIENCE_SILENCE_S = 10.0
"""In a take a slow computer must not cost the frames: a killed process loses those it has not handed over."""


class CameraProcess(RemoteSettings, RemoteFrames):
    """One camera of the rig in its own host process; a context manager that opens and closes it.

    Args:
        slot: Which camera: producer, serial number or device id, trigger line.
        profile: Its model: steps, aliases, pixel format; None takes the camera as it is (see `bare`).
        env: Environment for the host process, over the parent's own (such as a companion's).
        on_event: Called with (kind, message), for `lost` and `overflow` from the camera's own thread: it
            must return soon and not call this camera (let another thread restart it).
        silence_s: Longest time without a heartbeat (4 Hz) before the camera counts as lost; while it records,
            10 s at least.
    """

    def __init__(
        self,
        slot: CameraSlot | CameraSpec,
        profile: CameraProfile | None,
        env: Mapping[str, str] | None = None,
        *,
        on_event: OnEvent | None = None,
        silence_s: float = 3.0,
    ) -> None:
        self.spec = profile_steps.spec_of(slot, profile)
        RemoteSettings.__init__(self, profile, profile_steps.context_of(slot))
        RemoteFrames.__init__(self, self.spec.device or "camera")
        self._env = dict(env or {})
        self._on_event = on_event
        self._silence_s = silence_s
        self._change = threading.RLock()  # one thread at a time opens, starts, stops, restarts, closes
        self._link: HostLink | None = None
        self._info: DeviceInfo | None = None
        self._state: State = "closed"
        self._mode: Mode | None = None

    @classmethod
    def bare(cls, cti: str | os.PathLike[str], device: str = "") -> CameraProcess:
        """Make a camera without a profile, as it is: to list its features, to try a new model.

        Args:
            cti: Path of the producer.
            device: Device id, serial number or user name; empty takes the only one.
        """
        return cls(profile_steps.bare_spec(cti, device), None)

    @property
    def state(self) -> State:
        """What the camera is doing; `lost` after its process died, hung or lost its camera."""
        link = self._link
        gone = link is not None and link.lost is not None and self._state != "opening"
        return "lost" if gone else self._state

    @property
    def pid(self) -> int | None:
        """Process id of the host process while there is one."""
        link = self._link
        return link.pid if link is not None and link.lost is None else None

    @property
    def error(self) -> DeviceLost | FrameOverflow | None:
        """Why the camera is lost, or why the last science run stopped; None when all is well."""
        link = self._link
        return link.lost if link is not None and link.lost is not None else self._inbox.error

    @property
    def info(self) -> DeviceInfo:
        """The opened device.

        Raises:
            DeviceError: it was never open.
        """
        if self._info is None:
            raise DeviceError(f"camera {self.label} was never opened")
        return self._info

    def open(self) -> DeviceInfo:
        """Start the host process and open the camera in it.

        Raises:
            ProducerError: the producer cannot be loaded.
            DeviceNotFound: it shows no such camera.
            DeviceError: the camera cannot be opened, or its model is not the profile's.
            DeviceLost: the host process ended or hung on the way.
        """
        with self._change:
            if self._link is not None:
                raise DeviceError(f"camera {self.label} is open already")
            try:
                self._begin()
            except DeviceError:
                self._end("closed")
                raise
        self._tell("opened", f"{self.info.model} {self.info.serial_number}")
        return self.info

    def close(self) -> None:
        """Close the camera and end its process; closing twice is fine, and never hangs."""
        before = self._state
        with self._change:
            self._end("closed")
        if before != "closed":
            self._tell("closed", "")

    def kill(self) -> None:
        """Kill the host process without a word, as a crash would; the state is `lost` shortly after."""
        if self._link is not None:
            self._link.kill()

    def restart(self) -> None:
        """End what is left of the host process, open the camera anew, re-apply its settings, resume its mode.

        Records taken but not yet released stay readable. Raises what `open`, `apply` and `start` raise; the
        state is `lost` then, and another `restart` may be tried.
        """
        with self._change:
            mode = self._mode
            self._end("opening")
            try:
                self._begin_patiently()
                self._apply_again()
                if mode is not None:
                    self.start(mode)
            except DeviceError as exc:
                self._end("lost")
                self._mode = mode
                self._inbox.fail(
                    DeviceLost(f"camera {self.label} is still lost: {exc.message}", hint=exc.hint)
                )
                raise
        self._tell("restarted", mode or "idle")

    def start(self, mode: Mode) -> None:
        """Start acquisition.

        Args:
            mode: `live` shows the newest frame and drops what nobody looks at; `science` hands over every
                frame, keeps it until it is released, and stops rather than lose one.

        Raises:
            DeviceError: it runs already, or cannot start.
            DeviceLost: the camera is gone.
        """
        with self._change:
            link = self._opened()
            slots, after = _SLOTS, self._inbox.newest()
            self._inbox.begin()
            # set before, so that a loss or an overflow that comes with the answer has the last word
            before, self._mode, self._state = (self._mode, self._state), mode, mode
            if mode == "science":
                link.silence_s = max(self._silence_s, _SCIENCE_SILENCE_S)
            try:
                link.call("start", APPLY_S, mode=mode, slots=slots, after=after)
            except DeviceError as exc:
                self._mode, self._state = (mode, "lost") if isinstance(exc, DeviceLost) else before
                raise

    def stop(self) -> None:
        """Stop acquisition; records not yet taken stay. Stopping an idle camera is fine.

        Raises:
            DeviceLost: the camera is gone.
        """
        with self._change:
            link = self._opened()
            link.call("stop", CALL_S)
            link.silence_s = self._silence_s
            self._mode = None
            if self._state != "lost":
                self._state = "idle"

    def __enter__(self) -> Self:
        if self._link is None:
            self.open()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # What the link tells, from its own thread.

    def on_message(self, link: HostLink, message: dict[str, Any]) -> None:
        """Take a heartbeat, a frame or an overflow."""
        if message.get("t") == "overflow":
            self._mode, self._state = None, "idle"
            self._tell("overflow", self._inbox.overflow(str(message.get("message"))))
        else:
            self._inbox.take(message)

    def on_ring(self, link: HostLink, fd: int) -> None:
        """Map new shared memory."""
        self._inbox.map_ring(fd)

    def on_lost(self, link: HostLink, error: DeviceLost) -> None:
        """Note that the host is gone."""
        if self._link is not link and self._link is not None:
            return
        self._state = "lost"
        self._inbox.fail(error)
        self._tell("lost", error.message)

    def _begin(self) -> None:
        self._inbox.begin()
        self._state = "opening"
        self._link = HostLink(self.label, self._env, self, self._silence_s)
        self._info = DeviceInfo(**self._link.call("open", _OPEN_S, spec=self.spec.to_dict()))
        if self._profile is not None:
            profile_steps.check_match(self._profile, self._info)
        self._state = "idle" if self._link.lost is None else "lost"

    def _begin_patiently(self) -> None:
        """Begin again; a GigE camera may belong to its dead process until its own time-out."""
        give_up = time.monotonic() + _RELEASE_S
        while True:
            try:
                return self._begin()
            except DeviceBusy:
                if time.monotonic() > give_up:
                    raise
            self._end("opening")
            time.sleep(_RETRY_S)

    def _end(self, state: State) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()
        self._inbox.keep_totals()
        self._state, self._mode = state, None

    def _opened(self) -> HostLink:
        link, error = self._link, self.error
        if isinstance(error, DeviceLost):
            raise DeviceLost(error.message, hint=error.hint)
        if link is None:
            raise DeviceError(f"camera {self.label} is not open")
        return link

    def _call(self, op: str, deadline_s: float, **args: Any) -> Any:
        return self._opened().call(op, deadline_s, **args)

    def _live(self) -> bool:
        return self._mode == "live"

    def _tell(self, kind: EventKind, message: str) -> None:
        if self._on_event is not None:
            self._on_event(kind, message)
