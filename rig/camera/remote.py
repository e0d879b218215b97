"""Settings of a camera in another process: the same calls as on the camera, remembered for a restart."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rig.camera import profile_steps
from rig.camera.browser import FeatureNode, FeatureState
from rig.camera.types import Applied, FeatureInfo, FeatureValue, Limits
from rig.errors import DeviceError
from rig.profiles import CameraProfile

Phase = Literal["common", "triggered", "width", "live"]
CALL_S = 10.0
APPLY_S = 30.0


class RemoteSettings(ABC):
    """Settings of a camera in another process; `rig.camera.process.CameraProcess` adds the process.

    Args:
        profile: The camera's model, None for a camera as it is.
        context: Values for the profile's steps that are always known.
    """

    def __init__(self, profile: CameraProfile | None, context: Mapping[str, float | str]) -> None:
        self._profile = profile
        self._context = dict(context)
        self._history: list[tuple[str, str, dict[str, Any]]] = []
        self._history_lock = threading.Lock()

    @abstractmethod
    def _call(self, op: str, deadline_s: float, **args: Any) -> Any:
        """Ask the process that has the camera, and return its answer."""

    def apply(self, phase: Phase, context: Mapping[str, float | str] | None = None) -> list[Applied]:
        """Execute the profile's steps of a phase and return what became of each.

        Args:
            phase: `common` once after opening, then `triggered`, `width` or `live` before starting.
            context: Values for the steps: `plan.exposure_us` in µs, `live.rate_hz` in Hz; `slot.trigger_line`
                is known.

        Raises:
            FeatureMissing: the camera lacks a feature that is not optional.
            FeatureRejected: it refused a value or applied another one than tolerated.
            DeviceError: no profile, or a value of the context is missing.
            DeviceLost: the camera is gone.
        """
        if self._profile is None:
            raise DeviceError("a camera without a profile has no steps to apply")
        steps = [step.to_dict() for step in profile_steps.steps_of(self._profile, phase)]
        given = {**self._context, **{key.removeprefix("$"): value for key, value in (context or {}).items()}}
        args = {"steps": steps, "context": given}
        done = [Applied(**one) for one in self._call("apply", APPLY_S, **args)]
        self._remember("apply", "common" if phase == "common" else "run", args)
        return done

    def read(self, name: str) -> FeatureValue:
        """Return the value of a feature, by its own name or `$alias`.

        Raises:
            FeatureMissing: no such feature.
            FeatureRejected: not readable now.
            DeviceLost: the camera is gone.
        """
        value: FeatureValue = self._call("read", CALL_S, name=name)
        return value

    def write(
        self, name: str, value: FeatureValue, *, abs_tol: float | None = None, rel_tol: float | None = None
    ) -> Applied:
        """Write a feature and read it back; a restart writes it again. Raises as `FeatureMap.write`.

        Raises:
            DeviceLost: the camera is gone.
        """
        args = {"name": name, "value": value, "abs_tol": abs_tol, "rel_tol": rel_tol}
        applied = Applied(**self._call("write", CALL_S, **args))
        self._remember("write", name, args)
        return applied

    def execute(self, name: str) -> None:
        """Execute a command feature. Raises as `FeatureMap.execute`.

        Raises:
            DeviceLost: the camera is gone.
        """
        self._call("execute", CALL_S, name=name)

    def limits(self, name: str) -> Limits:
        """Return the present limits of a number. Raises as `FeatureMap.limits`, and DeviceLost."""
        return Limits(**self._call("limits", CALL_S, name=name))

    def entries(self, name: str) -> list[str]:
        """Return the present entries of an enumeration. Raises as `FeatureMap.entries`, and DeviceLost."""
        return list(self._call("entries", CALL_S, name=name))

    def features(self) -> list[FeatureInfo]:
        """Return all features that the camera shows to users.

        Raises:
            DeviceLost: the camera is gone.
        """
        found = self._call("features", APPLY_S)
        return [FeatureInfo(**{**one, "entries": tuple(one["entries"])}) for one in found]

    def catalogue(self, start: int, count: int) -> tuple[int, list[FeatureNode]]:
        """Return how many features and categories there are, and a page of them (see `rig.camera.browser`).

        Raises:
            DeviceLost: the camera is gone.
        """
        page = self._call("catalogue", APPLY_S, start=start, count=count)
        return int(page["total"]), [FeatureNode.from_dict(one) for one in page["nodes"]]

    def feature_states(self, names: Sequence[str]) -> list[FeatureState]:
        """Return the present states of the first of these features, as many as a moment allows.

        Raises:
            FeatureMissing: no such feature.
            DeviceLost: the camera is gone.
        """
        return [FeatureState.from_dict(one) for one in self._call("states", CALL_S, names=list(names))]

    def _remember(self, op: str, key: str, args: dict[str, Any]) -> None:
        """Keep what a restart has to do again, the last of each kind, in order."""
        with self._history_lock:
            self._history = [one for one in self._history if one[:2] != (op, key)]
            self._history.append((op, key, args))

    def _apply_again(self) -> None:
        """Do again what was applied and written, in the order it was done last."""
        with self._history_lock:
            history = list(self._history)
        for op, _, args in history:
            self._call(op, APPLY_S, **args)
