"""Snapshots of a camera's settings, and what differs between two of them or from a profile.

A feature that exists once for each entry of a selector is kept with the entry that the selector had, as
`TriggerMode[TriggerSelector=FrameStart]`: taking a snapshot changes nothing, so it holds one instance only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rig.camera.browser import FeatureBrowser, FeatureNode
from rig.camera.profile_steps import steps_of
from rig.camera.types import DeviceInfo, FeatureValue
from rig.errors import DeviceError
from rig.profiles import CameraProfile

_KIND = "beamrig camera features"
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Difference:
    """One feature that is not the same; None where a side does not have it (or could not read it)."""

    key: str
    before: FeatureValue | None
    after: FeatureValue | None
    unit: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return asdict(self)


def snapshot(
    browser: FeatureBrowser, info: DeviceInfo, only: Collection[str] | None = None
) -> dict[str, Any]:
    """Return all values that can be read now, or only those of some features, as plain data for JSON.

    Raises:
        DeviceLost: the camera is gone.
    """
    nodes = {one.name: one for one in browser.features()}
    wanted = nodes if only is None else [name for name in nodes if name in only]
    states = browser.states(name for name in wanted if nodes[name].type != "command")
    values = {name: state.value for name, state in states.items() if state.value is not None}
    return {
        "kind": _KIND,
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": info.to_dict(),
        "features": {
            _key(nodes[name], values.get): {
                "value": _plain(value),
                "unit": states[name].unit,
                "setting": states[name].writable or states[name].locked,
            }
            for name, value in values.items()
        },
    }


def save(taken: Mapping[str, Any], path: Path) -> None:
    """Write a snapshot as JSON.

    Raises:
        DeviceError: the file cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(json.dumps(taken, indent=2, allow_nan=False) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as exc:
        raise DeviceError(f"{path} cannot be written: {exc.strerror}") from exc


def load(path: Path) -> dict[str, Any]:
    """Read a snapshot.

    Raises:
        DeviceError: the file cannot be read, or is no snapshot.
    """
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise DeviceError(f"{path} cannot be read: {getattr(exc, 'strerror', None) or exc}") from exc
    features = data.get("features") if isinstance(data, dict) and data.get("kind") == _KIND else None
    if not isinstance(features, dict) or not all(
        isinstance(one, dict) and "value" in one for one in features.values()
    ):
        raise DeviceError(
            f"{path} holds no features of a camera", hint="save some with `beamrig devices features --save`"
        )
    found: dict[str, Any] = data
    return found


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], *, settings_only: bool = True
) -> list[Difference]:
    """Return what differs between two snapshots; by default only settings, not what the camera just tells."""
    old, new = before["features"], after["features"]
    found = []
    for key in dict.fromkeys([*old, *new]):
        one, other = old.get(key, {}), new.get(key, {})
        if settings_only and not (one.get("setting", False) or other.get("setting", False)):
            continue
        if not _same(one.get("value"), other.get("value")):
            unit = one.get("unit") or other.get("unit") or ""
            found.append(Difference(key, one.get("value"), other.get("value"), unit))
    return found


def named_in_profile(
    browser: FeatureBrowser, profile: CameraProfile, phases: tuple[str, ...] = ("common",)
) -> set[str]:
    """Return the features that a profile's steps set and their selectors: all that a comparison reads."""
    nodes = {one.name: one for one in browser.features()}
    named: set[str] = set()
    for step in (step for phase in phases for step in steps_of(profile, phase)):
        candidates = profile.nodes[step.set[1:]] if step.set.startswith("$") else [step.set]
        named |= {one for one in candidates if isinstance(one, str)}
    found = named & nodes.keys()
    return found | {selector for name in found for selector in nodes[name].selectors}


def differences_from_profile(
    taken: Mapping[str, Any],
    browser: FeatureBrowser,
    profile: CameraProfile,
    phases: tuple[str, ...] = ("common",),
) -> list[Difference]:
    """Return what a profile's steps would change: `before` is the camera's value, `after` the profile's.

    Values that come from the plan or the rig (`$plan.exposure_us`) are left out, and so are features of
    another selector entry than the snapshot holds.
    """
    nodes = {one.name: one for one in browser.features()}
    features = taken["features"]
    wanted: dict[str, tuple[list[FeatureValue], float]] = {}
    chosen: dict[str, FeatureValue] = {}
    for phase in phases:
        for step in steps_of(profile, phase):
            candidates = profile.nodes[step.set[1:]] if step.set.startswith("$") else [step.set]
            name = next((one for one in candidates if one in nodes), "")
            values = [value for value in step.to if not str(value).startswith("$")]
            if not name or not values or nodes[name].type == "command":
                continue
            if nodes[name].selects:
                chosen[name] = values[0]
                continue  # where a selector points is no setting of the camera
            key = _key(nodes[name], chosen.get)
            if step.for_each or key not in features:
                here = _key(nodes[name], lambda one: _selected(features, one))
                key = here if step.for_each else key
            tolerance = max(step.verify.abs or 0.0, (step.verify.rel or 0.0) * abs(_number(values[0])))
            wanted[key] = (values, tolerance)
    return [
        Difference(key, features[key]["value"], values[0], features[key].get("unit", ""))
        for key, (values, tolerance) in wanted.items()
        if key in features and not any(_same(features[key]["value"], value, tolerance) for value in values)
    ]


def _key(node: FeatureNode, value_of: Callable[[str], FeatureValue | None]) -> str:
    chosen = [f"{name}={value}" for name in node.selectors if (value := value_of(name)) is not None]
    return f"{node.name}[{','.join(chosen)}]" if chosen else node.name


def _selected(features: Mapping[str, Any], name: str) -> FeatureValue | None:
    value: FeatureValue | None = features.get(name, {}).get("value")
    return value


def _plain(value: FeatureValue) -> FeatureValue:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _number(value: FeatureValue) -> float:
    try:
        return float(value)
    except ValueError:
        return math.nan


def _same(one: FeatureValue | None, other: FeatureValue | None, tolerance: float = 0.0) -> bool:
    if one is None or other is None:
        return one is other
    if isinstance(one, bool) or isinstance(other, bool):
        words = {"on": "true", "yes": "true", "1": "true", "off": "false", "no": "false", "0": "false"}
        first, second = (words.get(str(value).lower(), str(value).lower()) for value in (one, other))
        return first == second
    a, b = _number(one), _number(other)
    if math.isnan(a) or math.isnan(b):
        return str(one) == str(other)
    return abs(a - b) <= (0.0 if math.isnan(tolerance) else tolerance) + _ROUNDING * abs(a)
