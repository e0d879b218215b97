"""A camera's features as a property browser shows them: categories, search, states, set with read-back.

The static part (`FeatureNode`) is fetched once in pages and kept; the part that changes (`FeatureState`) is
asked for by name, for what is on the screen. Works with any camera that answers `catalogue` and
`feature_states`, which `rig.camera.process.CameraProcess` does without ever waiting longer than a call's
deadline.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from rig.camera.types import Applied, FeatureValue
from rig.errors import FeatureMissing

Visibility = Literal["beginner", "expert", "guru"]
VISIBILITIES: tuple[Visibility, ...] = ("beginner", "expert", "guru")

_PAGE = 512
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True)
class FeatureNode:
    """What never changes about a feature.

    Attributes:
        name: As in the camera's description file.
        type: integer, float, boolean, enumeration, command, string or category.
        category: Names of the categories it lies in, joined by `/`; empty for those at the top.
        visibility: Level of user it is meant for: beginner, expert or guru.
        display_name: For people; the name where the camera has none.
        tooltip: One line about it, empty where the camera has none.
        description: More about it, likewise.
        selectors: Features that choose which of several instances this one shows.
        selects: Features of which this one chooses the instance.
        polling_ms: How often the value should be read again, in ms; None where the camera does not say.
    """

    name: str
    type: str
    category: str
    visibility: str
    display_name: str
    tooltip: str = ""
    description: str = ""
    selectors: tuple[str, ...] = ()
    selects: tuple[str, ...] = ()
    polling_ms: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return {**dataclasses.asdict(self), "selectors": list(self.selectors), "selects": list(self.selects)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FeatureNode:
        """Rebuild from `to_dict`."""
        return cls(
            **{**data, "selectors": tuple(data["selectors"]), "selects": tuple(data["selects"])},
        )


@dataclass(frozen=True)
class FeatureState:
    """What a feature is right now.

    Attributes:
        name: Of the feature.
        access: not implemented, not available, write only, read only or read/write.
        value: None where there is none to read.
        unit: Of the value; empty when it has none.
        minimum: Lowest value of a number, in its unit.
        maximum: Highest value.
        increment: Step; None where the camera states none.
        entries: Entries of an enumeration that can be chosen now.
        why: Why it cannot be written now; empty when it can.
        locked: A setting that can be read and will be writable again.
    """

    name: str
    access: str
    value: FeatureValue | None = None
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    increment: float | None = None
    entries: tuple[str, ...] = ()
    why: str = ""
    locked: bool = False

    @property
    def writable(self) -> bool:
        """True when it can be written now."""
        return self.access in {"write only", "read/write"}

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return {**dataclasses.asdict(self), "entries": list(self.entries)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FeatureState:
        """Rebuild from `to_dict`."""
        return cls(**{**data, "entries": tuple(data["entries"])})


@dataclass(frozen=True)
class Category:
    """A category with what lies in it, in the camera's order."""

    node: FeatureNode
    features: list[FeatureNode] = field(default_factory=list)
    categories: list[Category] = field(default_factory=list)


class Browsable(Protocol):
    """What a browser needs of a camera."""

    def catalogue(self, start: int, count: int) -> tuple[int, list[FeatureNode]]:
        """Return how many features there are, and a page of them."""

    def feature_states(self, names: Sequence[str]) -> list[FeatureState]:
        """Return the states of the first few of these features."""

    def write(
        self, name: str, value: FeatureValue, *, abs_tol: float | None = None, rel_tol: float | None = None
    ) -> Applied:
        """Write a feature and read it back."""


class FeatureBrowser:
    """The features of one camera; its calls go to the camera's process, so a GUI makes them in a worker.

    Args:
        camera: An opened camera.
    """

    def __init__(self, camera: Browsable) -> None:
        self._camera = camera
        self._nodes: dict[str, FeatureNode] = {}

    def nodes(self) -> list[FeatureNode]:
        """Return all features and categories, fetched once.

        Raises:
            DeviceLost: the camera is gone.
        """
        if not self._nodes:
            found: list[FeatureNode] = []
            total = 1
            while len(found) < total:
                total, page = self._camera.catalogue(len(found), _PAGE)
                if not page:
                    break
                found += page
            self._nodes = {one.name: one for one in found}
        return list(self._nodes.values())

    def node(self, name: str) -> FeatureNode:
        """Return one feature.

        Raises:
            FeatureMissing: no such feature.
            DeviceLost: the camera is gone.
        """
        self.nodes()
        if name not in self._nodes:
            raise FeatureMissing(f"the camera has no feature {name}")
        return self._nodes[name]

    def features(self, visibility: Visibility = "guru", category: str = "") -> list[FeatureNode]:
        """Return the features, without the categories, that a level of user sees, of all or one category."""
        return [
            one
            for one in self.nodes()
            if one.type != "category" and shown(one, visibility) and _within(one, category)
        ]

    def tree(self, visibility: Visibility = "guru") -> list[Category]:
        """Return the categories with the features that a level of user sees; empty ones are left out."""
        top: list[Category] = []
        by_path: dict[str, Category] = {}
        for node in self.nodes():
            if node.type == "category":
                made = Category(node)
                by_path[f"{node.category}/{node.name}".lstrip("/")] = made
                parent = by_path.get(node.category)
                (parent.categories if parent else top).append(made)
            elif node.category in by_path and shown(node, visibility):
                by_path[node.category].features.append(node)
        return _without_empty(top)

    def categories(self) -> list[str]:
        """Return the names of all categories."""
        return [one.name for one in self.nodes() if one.type == "category"]

    def search(self, text: str, visibility: Visibility = "guru") -> list[FeatureNode]:
        """Return the features in which every word of the text occurs, best first.

        A whole name comes before its beginning, that before a word inside it, any other place in it, the name
        for people, and last the texts. An empty text finds everything.
        """
        words = text.lower().split()
        ranked = []
        for order, node in enumerate(self.features(visibility)):
            ranks = [_rank(node, word) for word in words]
            if None not in ranks:
                ranked.append((sum(rank for rank in ranks if rank is not None), order, node))
        return [node for _, _, node in sorted(ranked, key=lambda one: one[:2])]

    def states(self, names: Iterable[str]) -> dict[str, FeatureState]:
        """Return the present states by name, in as many calls as it takes.

        Raises:
            FeatureMissing: no such feature.
            DeviceLost: the camera is gone.
        """
        left = list(dict.fromkeys(names))
        found: dict[str, FeatureState] = {}
        while left:
            answered = self._camera.feature_states(left[:_PAGE])
            found.update((one.name, one) for one in answered)
            left = left[max(len(answered), 1) :]
        return found

    def write(
        self, name: str, value: FeatureValue, *, rel_tol: float | None = None
    ) -> tuple[Applied, dict[str, FeatureState]]:
        """Write a feature; return what the camera applied, with the new states of it and of what it selects.

        Raises what `FeatureMap.write` raises.
        """
        applied = self._camera.write(name, value, rel_tol=rel_tol)
        return applied, self.states([name, *self.node(name).selects])


def shown(node: FeatureNode, visibility: Visibility) -> bool:
    """True when a level of user sees the feature; an unknown level of the camera's counts as guru."""
    level = VISIBILITIES.index(node.visibility) if node.visibility in VISIBILITIES else 2
    return level <= VISIBILITIES.index(visibility)


def _within(node: FeatureNode, category: str) -> bool:
    wanted = category.strip("/").lower()
    return not wanted or f"/{wanted}/" in f"/{node.category.lower()}/"


def _without_empty(categories: list[Category]) -> list[Category]:
    kept = []
    for one in categories:
        inner = _without_empty(one.categories)
        if one.features or inner:
            kept.append(Category(one.node, one.features, inner))
    return kept


def _rank(node: FeatureNode, word: str) -> int | None:
    name = node.name.lower()
    if name == word:
        return 0
    if name.startswith(word):
        return 1
    if any(part.lower().startswith(word) for part in _WORD.findall(node.name)):
        return 2
    if word in name:
        return 3
    if word in node.display_name.lower():
        return 4
    return 5 if word in f"{node.tooltip} {node.description}".lower() else None
