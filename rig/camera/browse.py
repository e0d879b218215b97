"""The property browser's view of a node map, inside the process that has the camera.

What never changes about a feature (names, texts, type, place) is read once and handed out in pages; what does
(access, value, limits, entries) is read for the names that are asked for, with a bound on the time of a call,
because the frames of the same camera wait meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from rig.camera import nodes
from rig.camera.browser import FeatureNode, FeatureState
from rig.errors import FeatureMissing, FeatureRejected

PAGE = 512
"""Most features of a page of the catalogue."""
STATES_S = 0.25
"""A call for states ends after this time; what is left is asked for again."""
STREAMING_STATES_S = 0.03
"""The same while the camera acquires."""

_SKIPPED = {"register", "other"}
_LOCKS = ("pIsLocked", "pIsAvailable")
_DEEPEST = 6
_STREAMING = "TLParamsLocked"


class NodeBrowser:
    """Reads an opened camera's node map.

    Args:
        node_map: genicam's node map of the remote device.
    """

    def __init__(self, node_map: Any) -> None:
        self._node_map = node_map
        self._catalogue: list[FeatureNode] | None = None
        self._names: set[str] = set()
        self._blamed: dict[str, list[str]] = {}

    def page(self, start: int, count: int) -> dict[str, Any]:
        """Return {total, nodes}: a piece of the catalogue in the order of the camera's categories."""
        found = self._all()
        piece = found[max(start, 0) :][: max(min(count, PAGE), 1)]
        return {"total": len(found), "nodes": [one.to_dict() for one in piece]}

    def states(self, names: Sequence[str], *, streaming: bool = False) -> list[dict[str, Any]]:
        """Return the present states of the first of these features, as many as the time allows, at least one.

        Raises:
            FeatureMissing: The camera's description has no such name.
        """
        until = time.monotonic() + (STREAMING_STATES_S if streaming else STATES_S)
        found: list[dict[str, Any]] = []
        for name in names:
            found.append(self._state(name).to_dict())
            if time.monotonic() > until:
                break
        return found

    def _all(self) -> list[FeatureNode]:
        if self._catalogue is None:
            root = "Root"
            has_root = self._node_map.has_node(root)
            self._catalogue = list(self._walk(self._node_map.get_node(root), "", set())) if has_root else []
        return self._catalogue

    def _walk(self, category: Any, path: str, seen: set[str]) -> Iterator[FeatureNode]:
        for node in category.features:
            feature = nodes.Feature(node)
            if feature.name in seen or feature.type in _SKIPPED or feature.visibility == "invisible":
                continue
            seen.add(feature.name)
            yield self._static(feature, path)
            if feature.type == "category":
                yield from self._walk(node, f"{path}/{feature.name}".lstrip("/"), seen)

    def _static(self, feature: nodes.Feature, path: str) -> FeatureNode:
        return FeatureNode(
            name=feature.name,
            type=feature.type,
            category=path,
            visibility=feature.visibility,
            display_name=feature.text("display_name") or feature.name,
            tooltip=feature.text("tooltip"),
            description=feature.text("description"),
            selectors=tuple(feature.selectors),
            selects=tuple(feature.selects),
            polling_ms=feature.polling_ms,
        )

    def _state(self, name: str) -> FeatureState:
        if not self._node_map.has_node(name):
            raise FeatureMissing(f"the camera has no feature {name}")
        feature = nodes.Feature(self._node_map.get_node(name))
        info = feature.info("")
        return FeatureState(
            name=name,
            access=info.access,
            value=info.value,
            unit=info.unit,
            minimum=info.minimum,
            maximum=info.maximum,
            increment=info.increment,
            entries=info.entries,
            locked=not feature.writable and feature.readable and bool(feature.property("pIsLocked")),
            why="" if feature.writable or feature.type == "category" else self._why(feature),
        )

    def _why(self, feature: nodes.Feature) -> str:
        """Say why a feature cannot be written now, as far as the camera's own description tells."""
        if feature.access == "not implemented":
            return "this camera does not have it"
        verb = "locked" if feature.readable else "not available"
        blamed = self._controls(feature)
        if _STREAMING in blamed and self._value(_STREAMING) not in (0, None):
            return "locked while the camera acquires"
        reasons = [f"{name} is {value}" for name in blamed if (value := self._value(name)) is not None]
        if reasons:
            return f"{verb} while {', '.join(reasons)}"
        if blamed:
            return f"{verb}; it depends on {', '.join(blamed)}"
        if any(feature.property(lock) for lock in _LOCKS):
            return f"{verb} by the camera's present state"
        return "the camera only tells it" if feature.readable else "not available now"

    def _value(self, name: str) -> Any:
        try:
            return nodes.find(self._node_map, name).read()
        except (FeatureMissing, FeatureRejected):
            return None

    def _controls(self, feature: nodes.Feature) -> list[str]:
        """Return the features that the lock or the availability of a feature is calculated from."""
        if feature.name not in self._blamed:
            found: dict[str, None] = {}
            seen: set[str] = set()
            level = [self._node_map.get_node(name) for lock in _LOCKS for name in feature.property(lock)]
            for _ in range(_DEEPEST):
                new = [nodes.Feature(node) for node in level]
                new = [one for one in new if one.name not in seen]
                seen |= {one.name for one in new}
                owned = {one.name: self._owner(one) for one in new}
                found |= dict.fromkeys(owner for owner in owned.values() if owner)
                level = [child for one in new if not owned[one.name] for child in one.children]
            self._blamed[feature.name] = [name for name in found if name != feature.name]
        return self._blamed[feature.name]

    def _owner(self, node: nodes.Feature) -> str:
        """Return the feature that a node is or whose value it holds; empty when it is neither."""
        known = self._known()
        if node.name in known:
            return node.name
        above = [nodes.Feature(parent) for parent in node.parents]
        holders = (one for one in above if one.name in known and node.name in one.property("pValue"))
        return next((one.name for one in holders), "")

    def _known(self) -> set[str]:
        if not self._names:
            # the last one is often invisible, and just what most locks are about
            self._names = {one.name for one in self._all() if one.type != "category"} | {_STREAMING}
        return self._names
