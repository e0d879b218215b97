"""Writes a data set in the layout of ReLoBlur: pictures, masks, lists, card, checksums; then walks it.

::

    DIR/dataset/{train,test}/s01/00/00_sharp.png, 00_blur.png    8-bit RGB
        masks/{train,test}/s01/00/00.png                         8-bit, 0 or 255
        train.txt, test.txt                                      names of the pairs, in the loader's order
        pairs.csv, dataset_description.json, README.md           where everything is from, and its figures
        export.json                                              what was to be exported; written first
        SHA256SUMS                                               written last

The same sessions and wishes give the same bytes. A folder that holds the same export unfinished is completed;
any other that is not empty is refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from processing.dataset.card import card_text, description, pairs_table
from processing.dataset.check import DatasetCheck, check_dataset
from processing.dataset.pixels import Written, export_pair, put
from processing.dataset.plan import ExportPlan, Item, ScenePlan, Wishes, plan_export
from processing.dataset.split import SPLITS
from processing.errors import Cancelled, ProcessingError
from processing.outputs import read_json
from rig.session import Session

Progress = Callable[[float, str], None]
PLAN_FILE: Final = "export.json"
SUMS_FILE: Final = "SHA256SUMS"
_WORKERS: Final = 2


@dataclass(frozen=True)
class ExportReport:
    """What an export did.

    Attributes:
        root: the data set.
        plan: what it holds.
        description: what `dataset_description.json` says.
        kept: pairs that were there already.
        check: what the walk by the loader's rules found.
    """

    root: Path
    plan: ExportPlan
    description: dict[str, Any]
    kept: int
    check: DatasetCheck

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "root": str(self.root),
            "id": self.plan.id,
            "kept": self.kept,
            "notes": list(self.plan.notes),
            "left_out": [one.__dict__ for one in self.plan.left_out],
            "statistics": self.description["Statistics"],
            "check": self.check.to_dict(),
        }


def export_sessions(
    sessions: Sequence[Session],
    out: Path,
    wishes: Wishes | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> ExportReport:
    """Export the action pairs of processed sessions.

    Args:
        sessions: in any order.
        out: a folder that is new, empty, or holds the same export.
        wishes: size, split, names.
        progress: told the done fraction and what is being done.
        cancel: set it to stop; what was written stays, and the same command goes on with it.

    Raises:
        ProcessingError: if something cannot be exported as wished, or the result does not pass its check.
        Cancelled: if stopped.
    """
    tell = progress or (lambda done, text: None)
    root = out.absolute()
    _refuse_inside(sessions, root)
    plan = plan_export(sessions, wishes or Wishes(), lambda done, text: tell(0.05 * done, text), cancel)
    _claim(root, plan)
    written: dict[str, Written] = {}
    total = max(1, len(plan.items()))
    for item, result in _pairs(root, plan, cancel or threading.Event()):
        written[item.name] = result
        tell(0.05 + 0.75 * len(written) / total, f"{item.name} of {item.pair.record.id}")
    _write_lists(root, plan)
    facts = description(plan, written)
    put(root / "pairs.csv", pairs_table(plan, written).encode(errors="backslashreplace"))
    put(root / "dataset_description.json", _json(facts))
    put(root / "README.md", card_text(plan, facts).encode(errors="backslashreplace"))
    _write_sums(root, plan, written)
    check = check_dataset(root, lambda done, text: tell(0.8 + 0.2 * done, f"checking {text}"))
    tell(1.0, "done")
    if check.broken:
        stops = [one for one in check.findings if one.level == "stop"]
        raise ProcessingError(
            f"the data set in {out} does not pass its check: {len(stops)} finding"
            f"{'s' * (len(stops) > 1)}, first {stops[0].path}: {stops[0].text}",
            hint=f"see all with beamrig export --check {out}",
        )
    kept = sum(result.kept for result in written.values())
    return ExportReport(root, plan, facts, kept, check)


def _refuse_inside(sessions: Sequence[Session], root: Path) -> None:
    for folder in (root, *root.parents):
        if (folder / "session.yaml").is_file():
            raise ProcessingError(f"{root} is inside the session {folder}", hint="export to a folder outside")
    if any(session.root.is_relative_to(root) for session in sessions):
        raise ProcessingError(f"{root} holds a session itself", hint="export to a folder of its own")


def _claim(root: Path, plan: ExportPlan) -> None:
    """Make the folder this export's own, or refuse it."""
    wanted = {"id": plan.id, **plan.to_dict()}
    try:
        root.mkdir(parents=True, exist_ok=True)
        found = [path.name for path in root.iterdir() if not path.name.endswith(".part")]
    except OSError as error:
        raise ProcessingError(
            f"{root} cannot be used: {error.strerror}", hint="name another folder"
        ) from error
    if found and PLAN_FILE not in found:
        raise ProcessingError(f"{root} is not empty", hint="a data set needs a folder of its own")
    if found and read_json(root / PLAN_FILE) != json.loads(json.dumps(wanted)):
        raise ProcessingError(
            f"{root} holds another export",
            hint="other sessions, pairs, or options make another data set; name another folder",
        )
    if found:
        for part in root.rglob("*.part"):
            with contextlib.suppress(OSError):
                part.unlink()
    put(root / PLAN_FILE, _json(wanted))


def _pairs(root: Path, plan: ExportPlan, cancel: threading.Event) -> Iterator[tuple[Item, Written]]:
    """Write the pairs, some at a time, and yield them in their order."""
    waiting: list[tuple[Item, Future[Written]]] = []
    with ThreadPoolExecutor(_WORKERS, "export") as pool:
        for scene, item in plan.items():
            if cancel.is_set():
                break
            waiting.append(
                (item, pool.submit(export_pair, item.pair, scene.window, _paths(root, scene, item)))
            )
            if len(waiting) > _WORKERS:
                first, work = waiting.pop(0)
                yield first, work.result()
        for first, work in waiting:
            yield first, work.result()
    if cancel.is_set():
        raise Cancelled("the export was stopped", hint="the same command goes on where it stopped")


def _paths(root: Path, scene: ScenePlan, item: Item) -> dict[str, Path]:
    pictures = root / "dataset" / scene.split / item.name
    mask = root / "masks" / scene.split / item.name
    return {
        "B": pictures.with_name(f"{pictures.name}_blur.png"),
        "S": pictures.with_name(f"{pictures.name}_sharp.png"),
        "mask": mask.with_name(f"{mask.name}.png"),
    }


def _write_lists(root: Path, plan: ExportPlan) -> None:
    for split in SPLITS:
        (root / "dataset" / split).mkdir(parents=True, exist_ok=True)
        names = [item.name for scene, item in plan.items() if scene.split == split]
        put(root / f"{split}.txt", "".join(f"{name}\n" for name in names).encode())


def _write_sums(root: Path, plan: ExportPlan, written: dict[str, Written]) -> None:
    sums: dict[str, str] = {}
    for scene, item in plan.items():
        for part, path in _paths(root, scene, item).items():
            sums[path.relative_to(root).as_posix()] = written[item.name].outputs[part]
    for name in (
        "README.md", "dataset_description.json", PLAN_FILE, "pairs.csv", *(f"{one}.txt" for one in SPLITS)
    ):  # fmt: skip
        sums[name] = hashlib.sha256((root / name).read_bytes()).hexdigest()
    put(root / SUMS_FILE, "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)).encode())


def _json(data: dict[str, Any]) -> bytes:
    return (json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode(
        errors="backslashreplace"
    )
