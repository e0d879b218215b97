"""What an export will hold: decided in whole before the first file is written.

Sessions are put in the order of their making, scenes in the order of their names, and numbered s01, s02, ...
over both splits, so that the same sessions give the same data set in whatever order they are named.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from processing.dataset.crop import Window, choose_size, parse_size, place
from processing.dataset.split import Split, split_scenes
from processing.errors import Cancelled, ProcessingError
from processing.image_files import read_image
from processing.jobs.derived import DerivedPair, DerivedScene, read_scenes
from processing.page.paper_figures import HEIGHT, TEST_SHARE, WIDTH
from rig.session import Session

LAYOUT: Final = "reloblur"
DEFAULT_SIZE: Final = f"{WIDTH}x{HEIGHT}"


@dataclass(frozen=True)
class Wishes:
    """What the user asks for.

    Attributes:
        size: "WxH", "full", or empty for 2152x1436 or as much of it as the images have.
        allow_larger: let images pass that the published loader cuts wrongly.
        follow: move the crop where the centre would cut the moving object.
        test_share: share of the scenes in the test split.
        test_scenes: scenes of the test split instead, SCENE or SESSION/SCENE.
        leave_out: ids of pairs, or SESSION/id, that are not to be exported.
        name: of the data set.
        license: its licence; empty for what the sessions say.
        authors: its authors; empty for the sessions' operators.
    """

    size: str = ""
    allow_larger: bool = False
    follow: bool = True
    test_share: float = TEST_SHARE
    test_scenes: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    name: str = ""
    license: str = ""
    authors: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeftOut:
    """A shot that is not exported, and why."""

    session: str
    shot: str
    why: str


@dataclass(frozen=True)
class Item:
    """A pair with its name in the data set, such as s01/00/03."""

    name: str
    pair: DerivedPair


@dataclass(frozen=True)
class ScenePlan:
    """A scene of the data set."""

    name: str
    split: Split
    source: DerivedScene
    window: Window
    box: tuple[int, int]
    items: tuple[Item, ...]


@dataclass(frozen=True)
class ExportPlan:
    """The whole data set.

    Attributes:
        wishes: what was asked for.
        sessions: in the order of their making.
        scenes: with at least one pair each.
        left_out: shots that are not exported.
        notes: what the user should know.
    """

    wishes: Wishes
    sessions: tuple[Session, ...]
    scenes: tuple[ScenePlan, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...] = field(default=())

    def items(self) -> list[tuple[ScenePlan, Item]]:
        """Return all pairs with their scenes, in the order of their names."""
        return [(scene, item) for scene in self.scenes for item in scene.items]

    def to_dict(self) -> dict[str, Any]:
        """Return what decides about the bytes of the data set, as plain values."""
        return {
            "layout": LAYOUT,
            "scenes": [
                {
                    "name": scene.name,
                    "split": scene.split,
                    "session": scene.source.session.id,
                    "scene": scene.source.name,
                    "crop": scene.window.to_list(),
                    "calibration": scene.source.metrics.get("calibration", ""),
                    "pairs": {item.name: _made_of(item.pair) for item in scene.items},
                }
                for scene in self.scenes
            ],
            "left_out": [one.__dict__ for one in self.left_out],
            "name": self.wishes.name,
            "license": self.wishes.license,
            "authors": list(self.wishes.authors),
        }

    @property
    def id(self) -> str:
        """Hash of `to_dict`: 16 hexadecimal digits."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def plan_export(
    sessions: Sequence[Session],
    wishes: Wishes,
    progress: Callable[[float, str], None] | None = None,
    cancel: threading.Event | None = None,
) -> ExportPlan:
    """Decide what is exported under which name.

    Args:
        sessions: processed sessions, in any order.
        wishes: what the user asks for.
        progress: told the done fraction and what is being done, as the masks are looked at.
        cancel: set it to stop.

    Raises:
        ProcessingError: if a pair is not developed, nothing is left to export, or a wish cannot be met.
        Cancelled: if stopped.
    """
    ordered = tuple(sorted(sessions, key=lambda one: (one.created, one.id)))
    if len({one.id for one in ordered}) < len(ordered):
        raise ProcessingError("the same session is named twice")
    left_out: list[LeftOut] = []
    kept: list[tuple[DerivedScene, list[DerivedPair]]] = []
    wanted_out = dict.fromkeys(wishes.leave_out, 0)
    for session in ordered:
        for scene in read_scenes(session):
            pairs = _good_pairs(scene, wanted_out, left_out)
            if pairs:
                kept.append((scene, pairs))
    for name, times in sorted(wanted_out.items()):
        if times != 1:
            raise ProcessingError(
                f"{'several pairs are' if times else 'no pair is'} named {name}",
                hint="names are as s01/action/t01_0003, or SESSION/s01/action/t01_0003",
            )
    if not kept:
        why = f": {left_out[0].shot}: {left_out[0].why}" if left_out else ": there is no action pair"
        raise ProcessingError(f"nothing to export{why}")
    sides = split_scenes(
        [(scene.session.id, scene.session.root.name, scene.name) for scene, _ in kept],
        wishes.test_share,
        wishes.test_scenes,
    )
    width = max(2, len(str(len(kept))))
    total, done = sum(len(pairs) for _, pairs in kept), 0
    plans = []
    for number, (scene, pairs) in enumerate(kept, start=1):
        name = f"s{number:0{width}d}"
        if progress is not None:
            progress(done / total, f"{name}: where the object moves")
        window, box = _window(scene, pairs, wishes, cancel)
        split = sides[scene.session.id, scene.name]
        plans.append(ScenePlan(name, split, scene, window, box, tuple(_named(name, pairs))))
        done += len(pairs)
    return ExportPlan(wishes, ordered, tuple(plans), tuple(left_out), tuple(_notes(plans, wishes)))


def _good_pairs(
    scene: DerivedScene, wanted_out: dict[str, int], left_out: list[LeftOut]
) -> list[DerivedPair]:
    """Return the pairs of a scene to export; the others go to the list with their reasons."""
    folder = scene.session.root
    good, undone = [], []
    for shot in scene.rejected:
        if shot.kind == "action":
            left_out.append(LeftOut(folder.name, shot.id, f"rejected at capture: {shot.sync.reason}"))
    for pair in scene.of_kind("action"):
        named = [name for name in (pair.record.id, f"{folder.name}/{pair.record.id}") if name in wanted_out]
        for name in named:
            wanted_out[name] += 1
        if named:
            left_out.append(LeftOut(folder.name, pair.record.id, "left out by hand"))
        elif pair.review is not None and pair.left_out:
            left_out.append(LeftOut(folder.name, pair.record.id, pair.left_out))
        elif pair.state == "failed":
            left_out.append(LeftOut(folder.name, pair.record.id, f"processing failed: {pair.why}"))
        elif pair.state != "developed":
            undone.append(pair)
        elif pair.left_out:
            left_out.append(LeftOut(folder.name, pair.record.id, pair.left_out))
        else:
            good.append(pair)
    if undone:
        first = undone[0]
        raise ProcessingError(
            f"{folder.name}: {len(undone)} pair{'s' * (len(undone) > 1)} of scene {scene.name} cannot be"
            f" exported ({first.record.id}: {first.why})",
            hint=f"run beamrig process {folder} first, or add --process",
        )
    return good


def _window(
    scene: DerivedScene, pairs: Sequence[DerivedPair], wishes: Wishes, cancel: threading.Event | None
) -> tuple[Window, tuple[int, int]]:
    rows = columns = np.zeros(0, np.int64)
    for pair in pairs:
        if cancel is not None and cancel.is_set():
            raise Cancelled("stopped before anything was written")
        mask = read_image(pair.files["mask"])
        if mask is None or mask.ndim != 2:
            raise ProcessingError(
                f"{pair.files['mask']} is no mask", hint="delete it and run beamrig process again"
            )
        if not rows.size:
            rows, columns = np.zeros(mask.shape[0], np.int64), np.zeros(mask.shape[1], np.int64)
        if mask.shape != (rows.size, columns.size):
            raise ProcessingError(
                f"masks of scene {scene.name} of {scene.session.root.name} have different sizes",
                hint="run beamrig process again",
            )
        rows += np.count_nonzero(mask, axis=1)
        columns += np.count_nonzero(mask, axis=0)
    box = int(columns.size), int(rows.size)
    size = choose_size(
        box,
        parse_size(wishes.size or DEFAULT_SIZE),
        at_most=not wishes.size,
        allow_larger=wishes.allow_larger,
    )
    return place(rows, columns, size, follow=wishes.follow), box


def _named(scene: str, pairs: Iterable[DerivedPair]) -> list[Item]:
    """Name the pairs scene/take/number, counting from 0 within each take."""
    takes: dict[int, list[DerivedPair]] = {}
    for pair in pairs:
        takes.setdefault(pair.record.take, []).append(pair)
    group_digits = max(2, len(str(len(takes) - 1)))
    digits = max(2, *(len(str(len(group) - 1)) for group in takes.values()))
    return [
        Item(f"{scene}/{at:0{group_digits}d}/{index:0{digits}d}", pair)
        for at, (_, group) in enumerate(sorted(takes.items()))
        for index, pair in enumerate(sorted(group, key=lambda one: one.record.index))
    ]


def _made_of(pair: DerivedPair) -> list[Any]:
    data, record = pair.data, pair.record
    made = [record.id, data.get("calibration"), record.meta_b.get("sha256"), record.meta_s.get("sha256")]
    return made if pair.review is None else [*made, pair.review.line()]


def _notes(plans: Sequence[ScenePlan], wishes: Wishes) -> Iterable[str]:
    for split in ("train", "test"):
        if not any(plan.split == split for plan in plans):
            yield f"no scene is in the {split} split; name some with --test-scene, or record more scenes"
    kept = [item.pair for plan in plans for item in plan.items if item.pair.stops and item.pair.review]
    for pair in kept:
        yield f"{pair.record.id} is in, in spite of the checks: {pair.review.line() if pair.review else ''}"
    sizes = sorted({(plan.window.width, plan.window.height) for plan in plans})
    if any(size[0] > WIDTH or size[1] > HEIGHT for size in sizes):
        yield f"images larger than {DEFAULT_SIZE}: the published loader would cut their masks only"
    if not wishes.size and any(size != (WIDTH, HEIGHT) for size in sizes):
        small = ", ".join(f"{w}x{h}" for w, h in sizes)
        yield f"developed images are smaller than {DEFAULT_SIZE}; exported as {small}"
    profiles = sorted({str(item.pair.data.get("profile")) for plan in plans for item in plan.items})
    if len(profiles) > 1:
        yield f"pairs were developed by different profiles: {', '.join(profiles)}"
