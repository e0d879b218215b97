"""Before the first pulse: hooks run, exposures applied and read back, both cameras wait for the trigger."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from rig.camera.inbox import FrameRecord
from rig.camera.types import Applied, CameraCounters, DeviceInfo, FeatureValue, Mode, Pixels
from rig.capture.result import AppliedPlan
from rig.errors import BeamrigError, CameraTimeout, CaptureError, FeatureMissing
from rig.exposure import ExposurePlan
from rig.profiles import CAMERAS, CameraProfile, RigProfile
from rig.trigger.base import TriggerBox

WAITING_ALIAS: Final = "trigger_waiting"
"""Alias in a camera profile of a feature that is true while the camera waits for a trigger."""

_WAITING_S: Final = 5.0
_HOOK_S: Final = 60.0
_POLL_S: Final = 0.01
_TAIL_LINES: Final = 3
T = TypeVar("T")


class TakeCamera(Protocol):
    """What a take needs of a camera (see :class:`rig.camera.process.CameraProcess`)."""

    @property
    def info(self) -> DeviceInfo: ...  # noqa: D102
    def apply(self, phase: Any, context: Mapping[str, float | str] | None = None) -> list[Applied]: ...  # noqa: D102
    def read(self, name: str) -> FeatureValue: ...  # noqa: D102
    def start(self, mode: Mode) -> None: ...  # noqa: D102
    def stop(self) -> None: ...  # noqa: D102
    def next_record(self, timeout_s: float) -> FrameRecord: ...  # noqa: D102
    def pixels(self, record: FrameRecord) -> Pixels: ...  # noqa: D102
    def release(self, record: FrameRecord) -> None: ...  # noqa: D102
    def counters(self, *, fresh: bool = False) -> CameraCounters: ...  # noqa: D102


@dataclass(frozen=True)
class Bench:
    """What is taken with: cameras, their profiles, the box and its outputs, one clock or two.

    ``max_burst`` is the largest number of pulses that the box counts.
    """

    cameras: Mapping[str, TakeCamera]
    profiles: Mapping[str, CameraProfile]
    box: TriggerBox
    outputs: Mapping[str, str]
    shared_clock: bool = False
    max_burst: int = 1 << 31


def run_hook(rig: RigProfile, kind: str, env: Mapping[str, str]) -> None:
    """Run the rig's command for a take of this kind, if it has one.

    Raises:
        CaptureError: It cannot be started, failed, or took too long.
    """
    hook = next((hook for name, hook in rig.take_hooks.items() if name == kind), None)
    if hook is None:
        return
    name = f"the command before a {kind} take ({hook.command[0]})"
    try:
        done = subprocess.run(
            hook.command,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_HOOK_S,
            check=False,
        )
    except OSError as error:
        raise CaptureError(f"{name} cannot be started: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise CaptureError(f"{name} took longer than {_HOOK_S:g} s") from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-_TAIL_LINES:]
        raise CaptureError(f"{name} failed with code {done.returncode}", hint=" | ".join(said))


def apply_triggered(cameras: Mapping[str, TakeCamera], plan: ExposurePlan) -> AppliedPlan:
    """Set both cameras up for hardware triggers with the plan's exposures, and read the exposures back.

    What holds for every mode is written again, too: whatever happened to a camera since it was opened, the
    settings that go into the record of the take are those it was read back with now. Where the widths of the
    box's pulses make the exposures, those of the plan are returned: they are applied when the box is set up.

    Raises:
        DeviceError: A camera refused.
    """

    def one(name: str) -> tuple[list[Applied], float]:
        done = cameras[name].apply("common")
        wanted_us = plan.applied_us[name]
        if plan.exposure_control == "width":
            return done + cameras[name].apply("width", {"plan.exposure_us": wanted_us}), wanted_us
        done += cameras[name].apply("triggered", {"plan.exposure_us": wanted_us})
        return done, float(cameras[name].read("$exposure_us"))

    results = for_both(one)
    return AppliedPlan(
        plan=plan,
        exposure_us={name: exposure for name, (_, exposure) in results.items()},
        settings={name: done for name, (done, _) in results.items()},
    )


def start_both(cameras: Mapping[str, TakeCamera], profiles: Mapping[str, CameraProfile]) -> None:
    """Start both cameras and come back when both wait for the trigger.

    A camera that cannot say whether it waits counts as waiting when its start has returned.

    Raises:
        CameraTimeout: A camera does not begin to wait.
        DeviceError: A camera cannot be started.
    """

    def one(name: str) -> None:
        cameras[name].start("science")
        if WAITING_ALIAS not in profiles[name].nodes:
            return
        try:
            _wait_until_waiting(name, cameras[name])
        except FeatureMissing:
            return  # the profile is for many cameras, and this one cannot say

    for_both(one)


def _wait_until_waiting(name: str, camera: TakeCamera) -> None:
    deadline = time.monotonic() + _WAITING_S
    while not camera.read(f"${WAITING_ALIAS}"):
        if time.monotonic() > deadline:
            raise CameraTimeout(
                f"camera {name} does not wait for the trigger {_WAITING_S:g} s after its start",
                hint="look at its trigger settings",
            )
        time.sleep(_POLL_S)


def stop_all(bench: Bench) -> BeamrigError | None:
    """Bring box and cameras to rest whatever state they are in; return the first error."""
    first: BeamrigError | None = None
    for rest in (bench.box.safe, *(camera.stop for camera in bench.cameras.values())):
        try:
            rest()
        except BeamrigError as error:
            first = first or error
    return first


def for_both(action: Callable[[str], T]) -> dict[str, T]:
    """Do something for both cameras at the same time; when one fails, the other still comes to its end."""
    with ThreadPoolExecutor(len(CAMERAS), "camera") as pool:
        futures = {name: pool.submit(action, name) for name in CAMERAS}
    return {name: future.result() for name, future in futures.items()}
