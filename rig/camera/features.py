"""Named access to a camera's features: every write is read back, every refusal says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rig.camera import nodes
from rig.camera.errors import ReadBackMismatch
from rig.camera.types import Applied, FeatureInfo, FeatureValue, Limits
from rig.errors import FeatureMissing

_ROUNDING = 1e-9
"""Relative difference of two floats that a camera's own arithmetic may make."""


class FeatureMap:
    """The features of an opened camera.

    Args:
        node_map: genicam's node map of the remote device.
        aliases: For names written as `$alias`: the camera's own names to try, first existing one wins.
    """

    def __init__(self, node_map: Any, aliases: Mapping[str, Sequence[str]]) -> None:
        self._node_map = node_map
        self._aliases = {name: list(candidates) for name, candidates in aliases.items()}

    def find(self, name: str) -> nodes.Feature:
        """Look up a feature by its own name or as `$alias`.

        Raises:
            FeatureMissing: no such feature, or none of the alias' candidates.
        """
        if not name.startswith("$"):
            return nodes.find(self._node_map, name)
        candidates = self._aliases.get(name[1:], [])
        for candidate in candidates:
            try:
                return nodes.find(self._node_map, candidate)
            except FeatureMissing:
                continue
        if not candidates:
            known = ", ".join(f"${alias}" for alias in self._aliases)
            raise FeatureMissing(f"{name} is no name in the camera's profile", hint=f"known: {known}")
        raise FeatureMissing(f"the camera has no feature for {name}", hint=f"tried: {', '.join(candidates)}")

    def has(self, name: str) -> bool:
        """True when the camera implements the feature (it may be locked or unavailable right now)."""
        try:
            self.find(name)
        except FeatureMissing:
            return False
        return True

    def read(self, name: str) -> FeatureValue:
        """Return a value; enumerations as their entry's name.

        Raises:
            FeatureMissing: no such feature.
            FeatureRejected: not readable now.
        """
        return self.find(name).read()

    def unit(self, name: str) -> str:
        """Return the unit of a feature; empty when it has none."""
        return self.find(name).unit

    def limits(self, name: str) -> Limits:
        """Return the present limits of a number.

        Raises:
            FeatureMissing: no such feature.
            FeatureRejected: not a number, or not readable now.
        """
        return self.find(name).limits()

    def entries(self, name: str) -> list[str]:
        """Return the entries of an enumeration that can be chosen now.

        Raises:
            FeatureMissing: no such feature.
            FeatureRejected: not an enumeration.
        """
        return self.find(name).entries()

    def write(
        self, name: str, value: FeatureValue, *, abs_tol: float | None = None, rel_tol: float | None = None
    ) -> Applied:
        """Write a value, read it back and compare; a command is executed.

        Numbers agree within `abs_tol` (feature units) or `rel_tol` times the value asked, the larger one;
        without either, and for everything else, they must be equal.

        Returns:
            What was asked and what was read back: None of a command and of what can only be written.

        Raises:
            FeatureMissing: no such feature.
            FeatureRejected: not writable now, outside limits, increment or entries; the hint says which.
            ReadBackMismatch: the camera applied another value than tolerated.
        """
        feature = self.find(name)
        if feature.type == "command":
            feature.execute()
            return Applied(feature.name, value, None)
        asked = feature.parse(value)
        feature.write(asked)
        if not feature.readable:
            return Applied(feature.name, asked, None, feature.unit)
        applied = feature.read()
        if not _agree(feature, asked, applied, abs_tol, rel_tol):
            raise ReadBackMismatch(
                f"{feature.name} was set to {asked} {feature.unit}".rstrip()
                + f", the camera applied {applied}",
                hint="ask for a value that the camera can apply, or allow a tolerance in its profile",
            )
        return Applied(feature.name, asked, applied, feature.unit)

    def execute(self, name: str) -> None:
        """Execute a command.

        Raises:
            FeatureMissing: no such feature.
            FeatureRejected: no command, or not to be executed now.
            CameraTimeout: it was not done in time.
        """
        self.find(name).execute()

    def list(self) -> list[FeatureInfo]:
        """Return all features that the camera shows to users, in the order of its categories."""
        found: dict[str, FeatureInfo] = {}
        if self._node_map.has_node("Root"):
            self._walk(self._node_map.get_node("Root"), "", found, set())
        return list(found.values())

    def _walk(self, category: Any, label: str, found: dict[str, FeatureInfo], seen: set[str]) -> None:
        for node in category.features:
            feature = nodes.Feature(node)
            if feature.name in seen:
                continue
            seen.add(feature.name)
            if feature.type == "category":
                self._walk(node, feature.name, found, seen)
            elif feature.access != "not implemented":
                found[feature.name] = feature.info(label)


def _agree(
    feature: nodes.Feature,
    asked: FeatureValue,
    applied: FeatureValue,
    abs_tol: float | None,
    rel_tol: float | None,
) -> bool:
    if feature.type not in {"integer", "float"}:
        return asked == applied
    goal, got = float(asked), float(applied)
    tolerance = max(abs_tol or 0.0, (rel_tol or 0.0) * abs(goal))
    return abs(got - goal) <= tolerance + _ROUNDING * abs(goal)
