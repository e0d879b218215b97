"""Named access to a camera's features: every write is read back, every refusal says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rig.camera import nodes, reasons
from rig.camera.conversion import Candidate, unit_of_alias
from rig.camera.errors import ReadBackMismatch
from rig.camera.types import Applied, FeatureInfo, FeatureValue, Limits
from rig.errors import FeatureMissing, FeatureRejected

_ROUNDING = 1e-9
"""Relative difference of two floats that a camera's own arithmetic may make."""


class FeatureMap:
    """The features of an opened camera.

    Args:
        node_map: genicam's node map of the remote device.
        aliases: For names written as `$alias`: the camera's own names to try, first existing one wins; one
            whose unit is not the alias' as the fields of a `Candidate`. Values of an alias are in its unit.
    """

    def __init__(self, node_map: Any, aliases: Mapping[str, Sequence[str | dict[str, Any]]]) -> None:
        self._node_map = node_map
        self._aliases = {name: [Candidate.of(one) for one in found] for name, found in aliases.items()}

    def find(self, name: str) -> nodes.Feature:
        """Look up a feature by its own name or as `$alias`.

        Raises:
            FeatureMissing: no such feature, or none of the alias' candidates.
        """
        return self.resolve(name)[0]

    def resolve(self, name: str) -> tuple[nodes.Feature, Candidate]:
        """Look up a feature, and how its value becomes that of the name.

        Raises:
            FeatureMissing: no such feature, or none of the alias' candidates.
            FeatureRejected: the camera states another unit than the profile.
        """
        if not name.startswith("$"):
            return nodes.find(self._node_map, name), Candidate(name)
        candidates = self._aliases.get(name[1:], [])
        for candidate in candidates:
            try:
                feature = nodes.find(self._node_map, candidate.feature)
            except FeatureMissing:
                continue
            candidate.check_unit(feature.unit)
            return feature, candidate
        if not candidates:
            known = ", ".join(f"${alias}" for alias in self._aliases)
            raise FeatureMissing(f"{name} is no name in the camera's profile", hint=f"known: {known}")
        tried = ", ".join(candidate.feature for candidate in candidates)
        raise FeatureMissing(f"the camera has no feature for {name}", hint=f"tried: {tried}")

    def number(self, name: str) -> float:
        """Read a feature that scales another one; raises as `read`."""
        return float(nodes.find(self._node_map, name).read())

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
        feature, candidate = self.resolve(name)
        return candidate.to_alias(feature.read(), self.number)

    def unit(self, name: str) -> str:
        """Return the unit of a feature; empty when it has none."""
        feature, candidate = self.resolve(name)
        return unit_of_alias(name) if candidate.converts else feature.unit

    def limits(self, name: str) -> Limits:
        """Return the present limits of a number.

        Raises:
            FeatureMissing: no such feature.
            FeatureRejected: not a number, or not readable now.
        """
        feature, candidate = self.resolve(name)
        own = feature.limits()
        return candidate.limits(own, unit_of_alias(name), self.number) if candidate.converts else own

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
        feature, candidate = self.resolve(name)
        if feature.type == "command":
            feature.execute()
            return Applied(feature.name, value, None)
        if candidate.converts:
            return self._write_converted(feature, candidate, name, value, (abs_tol, rel_tol))
        asked = feature.parse(value)
        self._put(feature, asked)
        if not feature.readable:
            return Applied(feature.name, asked, None, feature.unit)
        applied = feature.read()
        if not _agree(feature, asked, applied, abs_tol, rel_tol):
            raise _mismatch(feature.name, asked, applied, feature.unit)
        return Applied(feature.name, asked, applied, feature.unit)

    def _write_converted(
        self,
        feature: nodes.Feature,
        candidate: Candidate,
        name: str,
        value: FeatureValue,
        tolerance: tuple[float | None, float | None],
    ) -> Applied:
        """Write a value in the alias' unit; our own rounding to the feature's step is tolerated."""
        limits, unit = feature.limits(), unit_of_alias(name)
        whole = feature.type == "integer"
        raw = candidate.to_feature(value, limits, self.number, whole=whole)
        asked = float(value)
        try:
            self._put(feature, feature.parse(raw))
        except FeatureRejected as exc:
            allowed = candidate.limits(limits, unit, self.number)
            raise FeatureRejected(
                f"{exc.message} ({value} {unit})",
                hint=f"{exc.hint}; that is {allowed.minimum:g} to {allowed.maximum:g} {unit}",
            ) from exc
        if not feature.readable:
            return Applied(feature.name, asked, None, unit)
        read = feature.read()
        applied = float(candidate.to_alias(read, self.number))
        rounding = candidate.rounding(float(raw), limits, self.number) if whole else 0.0
        allowed_error = max(tolerance[0] or 0.0, (tolerance[1] or 0.0) * abs(asked), rounding)
        if not abs(applied - asked) <= allowed_error + _ROUNDING * max(abs(asked), 1.0):
            raise _mismatch(feature.name, asked, applied, unit)
        return Applied(feature.name, asked, applied, unit, raw=read)

    def _put(self, feature: nodes.Feature, value: FeatureValue) -> None:
        """Write; a refusal names the automatic function or mode that holds the feature."""
        try:
            feature.write(value)
        except FeatureRejected as exc:
            why = "" if feature.writable else reasons.in_words(self._holders(feature.name))
            raise FeatureRejected(exc.message, hint=why or exc.hint) from exc

    def _holders(self, name: str) -> list[tuple[str, FeatureValue]]:
        found = []
        for holder, free in reasons.suspects(name):
            try:
                now = nodes.find(self._node_map, holder).read()
            except (FeatureMissing, FeatureRejected):
                continue
            if now not in free:
                found.append((holder, now))
        return found

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


def _mismatch(name: str, asked: FeatureValue, applied: FeatureValue, unit: str) -> ReadBackMismatch:
    return ReadBackMismatch(
        f"{name} was set to {asked} {unit}".rstrip() + f", the camera applied {applied}",
        hint="ask for a value that the camera can apply, or allow a tolerance in its profile",
    )


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
