"""The two cameras of a rig together: opened, shown live, brought to rest for a take, restarted."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping

from rig.camera.process import CameraProcess
from rig.camera.types import Applied
from rig.capture.arming import for_both
from rig.errors import BeamrigError
from rig.exposure import ExposurePlan
from rig.profiles import CAMERAS, CameraProfile, RigProfile
from rig.status import CameraStatus

OnEvent = Callable[[str, str, str], None]


class CameraPair:
    """Cameras B and S. Not locked: the rig sees to it that one thing is done at a time.

    Args:
        rig: The rig's profile with the places of this run.
        profiles: The cameras' profiles.
        env: Environment of the host processes, over our own.
        on_event: Called with (camera, kind, message) from the cameras' own threads.

    Attributes:
        each: The cameras by name.
        live: Whether the live view is wanted.
    """

    def __init__(
        self,
        rig: RigProfile,
        profiles: Mapping[str, CameraProfile],
        env: Mapping[str, str],
        on_event: OnEvent | None,
    ) -> None:
        self._rate_hz = rig.live_rate_hz
        self._profiles = profiles
        self._wanted_us: dict[str, float] = {}
        self._applied_us: dict[str, float] = {}
        self._temperature_c: dict[str, float] = {}
        self.live = False
        self.each: dict[str, CameraProcess] = {}
        for name in CAMERAS:

            def tell(kind: str, message: str, name: str = name) -> None:
                if on_event is not None:
                    on_event(name, kind, message)

            self.each[name] = CameraProcess(rig.cameras[name], profiles[name], env, on_event=tell)

    def open(self) -> None:
        """Open both and apply what holds for every mode.

        Raises:
            DeviceError: A camera cannot be opened or set up.
        """
        for_both(lambda name: self.each[name].open())
        for_both(lambda name: self.each[name].apply("common"))

    def close(self) -> None:
        """Close both; each is closed whatever becomes of the other."""
        self.live = False
        with contextlib.ExitStack() as stack:
            for camera in self.each.values():
                stack.callback(camera.close)

    def expose(self, plan: ExposurePlan) -> dict[str, list[Applied]]:
        """Write the exposures of a plan; the cameras must be at rest.

        Raises:
            DeviceError: A camera refused.
        """
        self._wanted_us = dict(plan.applied_us)

        def one(name: str) -> list[Applied]:
            step = self._profiles[name].timing.exposure_increment_us
            return [self.each[name].write("$exposure_us", plan.applied_us[name], abs_tol=step)]

        settings = for_both(one)
        self.read_exposures()
        return settings

    def read_exposures(self) -> dict[str, float]:
        """Read both exposures back, in microseconds.

        Raises:
            DeviceError: A camera does not say.
        """
        self._applied_us = for_both(lambda name: float(self.each[name].read("$exposure_us")))
        return dict(self._applied_us)

    def start_live(self) -> None:
        """Start the live view; fine when it is on already.

        Raises:
            DeviceError: A camera cannot be started.
        """
        self.live = True
        for_both(self._start_live)

    def stop_live(self) -> None:
        """Stop the live view; fine when it is off already.

        Raises:
            DeviceError: A camera cannot be stopped (the other one was).
        """
        self.live = False
        for_both(self._stop)

    def restart(self, name: str) -> None:
        """Open a camera anew in a new process, with its settings; the live view goes on if it is wanted.

        Raises:
            DeviceError: It cannot be opened.
        """
        self.each[name].restart()
        if self.live:
            self._start_live(name)
        else:
            self._stop(name)

    @contextlib.contextmanager
    def at_rest(self) -> Iterator[None]:
        """Stop the live view meanwhile; it goes on afterwards if it is wanted, whatever happened."""
        for_both(self._stop)
        try:
            yield
        finally:
            if self.live:
                for_both(self._resume)

    def statuses(self) -> dict[str, CameraStatus]:
        """Return the state of both without asking them."""
        return {
            name: CameraStatus(
                state=camera.state,
                counters=camera.counters(),
                exposure_us=self._applied_us.get(name),
                temperature_c=self._temperature_c.get(name),
                pid=camera.pid,
                message=camera.error.one_line() if camera.error else "",
            )
            for name, camera in self.each.items()
        }

    def read_temperatures(self) -> None:
        """Read the temperatures of cameras that are idle or live and can tell theirs."""
        for name, camera in self.each.items():
            if camera.state not in ("idle", "live"):
                continue
            try:
                self._temperature_c[name] = float(camera.read("$temperature_c"))
            except (BeamrigError, ValueError):
                self._temperature_c.pop(name, None)

    def _start_live(self, name: str) -> None:
        camera = self.each[name]
        if camera.state == "live":
            return
        self._stop(name)
        wanted = self._wanted_us.get(name) or float(camera.read("$exposure_us"))
        context: dict[str, float | str] = {"plan.exposure_us": wanted, "live.rate_hz": self._rate_hz}
        camera.apply("live", context)
        camera.start("live")
        self._applied_us[name] = float(camera.read("$exposure_us"))

    def _stop(self, name: str) -> None:
        if self.each[name].state in ("live", "science"):
            self.each[name].stop()

    def _resume(self, name: str) -> None:
        # A camera that was lost meanwhile stays lost until it is restarted; the other one goes on.
        if self.each[name].state != "lost":
            self._start_live(name)
