"""Walks a data set in the published ReLoBlur layout by the rules of its loader and says what would go wrong.

The rules are written down anew from the loader's facts and share no code with the export:

- pictures are those that match DATA_DIR/SPLIT/*/*/*sharp.png, DATA_DIR being `data/dataset`;
- the blurred one is found by replacing "sharp" by "blur", the mask by replacing "dataset" by "masks" and
  deleting "_sharp", each in the whole path;
- masks, but not images, are cut to the first 1436 rows and 2152 columns;
- the test set's blurred pictures and masks are padded to multiples of 4, the sharp ones are not;
- training draws patches of 256 pixels, around mask pixels where the mean of the mask's 8-bit values exceeds
  0.05: 0.02 % of the area for masks of 0 and 255, but 5 % for masks of 0 and 1.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

import numpy as np

from processing.dataset.check_files import decode, png_head, wrong_with_head, wrong_with_mask
from processing.errors import ProcessingError

Level = Literal["note", "warn", "stop"]
SPLITS: Final = ("train", "test")
_DATA_DIR: Final = "data/dataset"
_TRAPS: Final = ("sharp", "blur", "dataset")


@dataclass(frozen=True)
class DatasetFinding:
    """One thing that is wrong with a data set.

    Attributes:
        level: "stop" for what breaks a training or makes it learn something else, "warn" for what may,
            "note" for what is good to know.
        path: where, relative to the data set; "." for all of it.
        text: what is wrong.
    """

    level: Level
    path: str
    text: str


@dataclass
class DatasetCheck:
    """What the walk found.

    Attributes:
        root: the data set.
        pairs: number of pairs that the loader sees, by split.
        findings: in the order of the walk.
    """

    root: Path
    pairs: dict[str, int] = field(default_factory=dict)
    findings: list[DatasetFinding] = field(default_factory=list)

    @property
    def broken(self) -> bool:
        """Whether something must be put right before the data set is used."""
        return any(one.level == "stop" for one in self.findings)

    def add(self, level: Level, path: Path | str, text: str) -> None:
        """Add a finding."""
        where = path.relative_to(self.root).as_posix() if isinstance(path, Path) else path
        self.findings.append(DatasetFinding(level, where, text))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "root": str(self.root),
            "pairs": dict(self.pairs),
            "broken": self.broken,
            "findings": [dict(one.__dict__) for one in self.findings],
        }


@dataclass(frozen=True)
class LoaderPaths:
    """Where the published loader looks for the parts of a pair, given the path of the sharp picture."""

    sharp: str
    blur: str
    mask: str
    item: str


def loader_paths(sharp: str) -> LoaderPaths:
    """Apply the loader's replacements to the path of a sharp picture, as text."""
    blur = sharp.replace("sharp", "blur")
    mask = sharp.replace("dataset", "masks").replace("_sharp", "")
    item = "/".join(sharp.split("/")[3:]).split("_sharp", maxsplit=1)[0]
    return LoaderPaths(sharp, blur, mask, item)


def check_dataset(root: Path, progress: Callable[[float, str], None] | None = None) -> DatasetCheck:
    """Walk a data set as the published loader would.

    Args:
        root: the folder that holds `dataset` and `masks`.
        progress: told the done fraction and which pair is looked at.

    Raises:
        ProcessingError: if the folder holds no data set at all.
    """
    folder = root.absolute()
    if not (folder / "dataset").is_dir():
        raise ProcessingError(
            f"{root} holds no data set", hint="name the folder that holds the folders dataset and masks"
        )
    check = DatasetCheck(folder)
    _check_root(check)
    sharps = {split: list(_sharps(folder, split)) for split in SPLITS}
    used: set[Path] = set()
    done, total = 0, max(1, sum(map(len, sharps.values())))
    for split, found in sharps.items():
        check.pairs[split] = len(found)
        for sharp in found:
            if progress is not None:
                progress(done / total, f"{split}/{loader_paths(sharp).item}")
            used |= _check_pair(check, sharp)
            done += 1
    if not any(check.pairs.values()):
        check.add("stop", ".", "no file matches dataset/{train,test}/*/*/*sharp.png: the loader sees nothing")
    _check_splits(check, sharps)
    _check_strays(check, used)
    _check_lists(check, sharps)
    _check_sums(check)
    return check


def _check_root(check: DatasetCheck) -> None:
    text = str(check.root)
    advice = "link the folder as 'data' and let data_dir be data/dataset"
    for word in ("sharp", "dataset"):
        if word in text:
            check.add("warn", ".", f"its own path {text} holds {word!r}, which the loader replaces: {advice}")
    if "blur" in text:
        check.add(
            "note", ".", f"its own path holds 'blur': loaders that replace 'blur' need a link; {advice}"
        )


def _sharps(root: Path, split: str) -> Iterator[str]:
    """Yield the paths that the loader's pattern matches, as it would see them, sorted."""
    base = root / "dataset" / split
    found = [path for path in base.glob("*/*/*") if fnmatchcase(path.name, "*sharp.png")]
    # glob.glob leaves out names that start with a dot
    plain = (path for path in found if not any(part[0] == "." for part in path.relative_to(base).parts))
    yield from sorted(f"{_DATA_DIR}/{split}/{path.relative_to(base).as_posix()}" for path in plain)


def _real(root: Path, path: str) -> Path:
    """Return the file behind a path that the loader sees below its folder `data`."""
    return root.joinpath(*PurePosixPath(path).parts[1:])


def _check_pair(check: DatasetCheck, sharp: str) -> set[Path]:
    """Check the three files of a pair; returns those that the loader opens."""
    paths = loader_paths(sharp)
    inner = sharp.removeprefix(_DATA_DIR + "/").removesuffix("sharp.png")
    for word in _TRAPS:
        if word in inner:
            check.add("stop", _real(check.root, sharp), f"its path holds {word!r}, which the loader replaces")
    if not inner.endswith("_"):
        check.add("stop", _real(check.root, sharp), "does not end in _sharp.png: its mask cannot be found")
    files = {name: _real(check.root, getattr(paths, name)) for name in ("sharp", "blur", "mask")}
    heads = {}
    for name, file in files.items():
        what = {"sharp": "sharp picture", "blur": "blurred picture", "mask": "mask"}[name]
        if not file.is_file():
            check.add("stop", file, f"the {what} of {paths.item} is missing")
            continue
        head = png_head(file)
        if head is None:
            check.add("stop", file, f"the {what} is no PNG")
        else:
            heads[name] = head
            for text in wrong_with_head(head, is_mask=name == "mask"):
                check.add("stop", file, text)
    if len({head.size for head in heads.values()}) > 1:
        sizes = ", ".join(f"{name} {head.width}x{head.height}" for name, head in heads.items())
        check.add("stop", files["sharp"], f"the sizes differ: {sizes}")
    opened = {name: files[name] for name, head in heads.items() if not head.too_large}
    _check_pixels(check, opened, paths.item)
    return set(files.values())


def _check_pixels(check: DatasetCheck, files: dict[str, Path], item: str) -> None:
    images = {name: decode(path) for name, path in files.items()}
    for name, image in images.items():
        if image is None:
            check.add("stop", files[name], "cannot be decoded to its end")
    sharp, blur, mask = (images.get(name) for name in ("sharp", "blur", "mask"))
    if sharp is not None and blur is not None and np.array_equal(sharp, blur):
        check.add("warn", files["sharp"], f"both pictures of {item} are the same")
    if mask is not None and mask.dtype == np.uint8:
        wrong, text = wrong_with_mask(mask)
        if text:
            check.add("stop" if wrong else "warn", files["mask"], text)


def _check_splits(check: DatasetCheck, sharps: dict[str, list[str]]) -> None:
    scenes = {split: {path.split("/")[3] for path in found} for split, found in sharps.items()}
    for name in sorted(scenes["train"] & scenes["test"]):
        check.add("stop", f"dataset/test/{name}", f"scene {name} is in the train split too")
    rows = _table(check, "pairs.csv")
    sides: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        origin = row.get("session_id") or "", row.get("source_scene") or ""
        sides.setdefault(origin, set()).add(row.get("split") or "")
    for (_, scene), found_in in sorted(sides.items()):
        if len(found_in) > 1:
            check.add("stop", "pairs.csv", f"the recorded scene {scene} is in both splits")
    if not rows:
        return
    named = {f"{row.get('split')}/{row.get('item')}" for row in rows}
    there = {f"{split}/{loader_paths(path).item}" for split, found in sharps.items() for path in found}
    for missing in sorted(named - there):
        check.add("stop", "pairs.csv", f"{missing} is listed but not there")
    for extra in sorted(there - named):
        check.add("stop", "pairs.csv", f"{extra} is there but not listed")


def _text(check: DatasetCheck, name: str) -> str | None:
    """Return the text of one of the lists; None where there is none, or none that can be read."""
    path = check.root / name
    if not path.is_file():
        return None
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError) as error:
        why = "it is no UTF-8 text" if isinstance(error, ValueError) else error.strerror
        check.add("stop", name, f"cannot be read: {why}")
        return None


def _table(check: DatasetCheck, name: str) -> list[dict[str, str | None]]:
    try:
        return list(csv.DictReader(io.StringIO(_text(check, name) or "", newline="")))
    except csv.Error as error:
        check.add("stop", name, f"cannot be read: {error}")
        return []


def _check_strays(check: DatasetCheck, used: set[Path]) -> None:
    for part in ("dataset", "masks"):
        for path in sorted((check.root / part).rglob("*")):
            if path.is_file() and path not in used:
                check.add("warn", path, "is never read by the loader")


def _check_lists(check: DatasetCheck, sharps: dict[str, list[str]]) -> None:
    for split, found in sharps.items():
        text = _text(check, f"{split}.txt")
        if text is not None and text.split() != [loader_paths(sharp).item for sharp in found]:
            check.add("stop", f"{split}.txt", f"does not list the pairs of {split} in the loader's order")


def _check_sums(check: DatasetCheck) -> None:
    text = _text(check, "SHA256SUMS")
    if text is None:
        return
    listed = {check.root / "SHA256SUMS"}
    for line in text.splitlines():
        wanted, _, name = line.partition("  ")
        inside = PurePosixPath(name)
        if not name or inside.is_absolute() or ".." in inside.parts:
            check.add("stop", "SHA256SUMS", f"names {name!r}, which is no file of a data set")
            continue
        file = check.root / name
        listed.add(file)
        if not file.is_file():
            check.add("stop", "SHA256SUMS", f"{name} is listed but not there")
        elif _sha256(file) != wanted:
            check.add("stop", name, "is not what SHA256SUMS says")
    for file in sorted(check.root.rglob("*")):
        if file.is_file() and file not in listed:
            check.add("warn", file, "is not in SHA256SUMS")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
