"""Where the data sets of the papers have their files.

Each finder returns the pairs of one side, an empty list where the layout is there but that side is not, or
None where the folder has another layout. Only names that the folder itself lists are opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from models.errors import DataError

__all__ = ["LAYOUTS", "PairFiles", "Side", "find_folder", "find_gopro", "find_reds", "find_reloblur"]

Side = Literal["train", "test"]
_PICTURES: Final = frozenset({".png", ".tif", ".tiff", ".jpg", ".jpeg"})


@dataclass(frozen=True)
class PairFiles:
    """The files of one pair.

    Attributes:
        name: Unique in its source.
        blurred: Blurred picture.
        sharp: Sharp picture.
        mask: Mask of the blur; None where there is none.
    """

    name: str
    blurred: Path
    sharp: Path
    mask: Path | None


def _folders(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if one.is_dir()) if folder.is_dir() else []


def _pictures(folder: Path) -> list[Path]:
    return sorted(
        one
        for one in folder.rglob("*")
        if one.suffix.lower() in _PICTURES and not one.name.startswith(".") and one.is_file()
    )


def _complete(pairs: Iterable[PairFiles]) -> list[PairFiles]:
    """Return the pairs if each has its files.

    Raises:
        DataError: A counterpart is missing.
    """
    kept = list(pairs)
    lacking = [
        file
        for pair in kept
        for file in (pair.blurred, pair.sharp, pair.mask)
        if file is not None and not file.is_file()
    ]
    if lacking:
        others = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        raise DataError(f"{lacking[0]}{others} is missing: its counterpart is there")
    return kept


def find_reloblur(root: Path, side: Side) -> list[PairFiles] | None:
    """Return the pairs of ReLoBlur's published layout, of an export of ours, or of its folder `dataset`.

    Without a folder `masks` beside `dataset` the pairs have no masks.
    """
    pictures = next((one for one in (root / "dataset", root) if any(one.glob("*/*/*/*_sharp.png"))), None)
    if pictures is None:
        return [] if (root / "dataset" / side).is_dir() else None
    masks = pictures.parent / "masks"

    def pairs() -> Iterator[PairFiles]:
        for sharp in sorted((pictures / side).glob("*/*/*_sharp.png")):
            stem = sharp.name.removesuffix("_sharp.png")
            place = sharp.parent.relative_to(pictures)
            mask = masks / place / f"{stem}.png" if masks.is_dir() else None
            name = "/".join((*place.parts[1:], stem))
            yield PairFiles(name, sharp.with_name(f"{stem}_blur.png"), sharp, mask)

    return _complete(pairs())


def find_reds(root: Path, side: Side) -> list[PairFiles] | None:
    """Return the pairs of REDS (Nah et al. 2019); its validation side is the test side here."""
    parts = {"train": "train", "test": "val"}
    homes = {key: next((h for h in (root / part, root) if (h / f"{part}_sharp").is_dir()), None)
             for key, part in parts.items()}  # fmt: skip
    if not any(homes.values()):
        return None
    home, part = homes[side], parts[side]
    if home is None:
        return []
    kinds = (f"{part}_blur", f"{part}_blur_comp", f"{part}_blur_jpeg")
    blurred = next((home / kind for kind in kinds if (home / kind).is_dir()), None)
    if blurred is None:
        raise DataError(f"{home} has {part}_sharp, but none of {', '.join(kinds)}")
    return _side_by_side(blurred, home / f"{part}_sharp", None)


def find_gopro(root: Path, side: Side) -> list[PairFiles] | None:
    """Return the pairs of GOPRO (Nah et al. 2017): those averaged in linear light where there are both kinds.

    `blur_gamma` holds what a camera with its gamma would have taken; `blur` is the mean of encoded values.
    """
    if not any(root.glob("*/*/sharp")):
        return None

    def pairs() -> Iterator[PairFiles]:
        for sequence in _folders(root / side):
            sharp = sequence / "sharp"
            if sharp.is_dir():
                gamma = sequence / "blur_gamma"
                blurred = gamma if gamma.is_dir() else sequence / "blur"
                for file in _pictures(blurred) if blurred.is_dir() else _pictures(sharp):
                    yield PairFiles(
                        f"{sequence.name}/{file.stem}", blurred / file.name, sharp / file.name, None
                    )

    return _complete(pairs())


def find_folder(root: Path, side: Side) -> list[PairFiles] | None:
    """Return the pairs of folders `blurred` (or `blur`), `sharp` and `mask` (or `masks`), perhaps by side."""
    by_side = any((root / one / "sharp").is_dir() for one in ("train", "test"))
    if not by_side and not (root / "sharp").is_dir():
        return None
    home = root / side if by_side else root
    if not (home / "sharp").is_dir() or (side == "test" and not by_side):
        return []
    blurred = _first(home, "blurred", "blur")
    if blurred is None:
        raise DataError(f"{home} has sharp/, but neither blurred/ nor blur/")
    return _side_by_side(blurred, home / "sharp", _first(home, "mask", "masks"))


def _first(home: Path, *names: str) -> Path | None:
    return next((home / name for name in names if (home / name).is_dir()), None)


def _side_by_side(blurred: Path, sharp: Path, masks: Path | None) -> list[PairFiles]:
    """Pair the files of folders by their path without its ending; each blurred picture needs a sharp one."""
    sharps, masked = _by_name(sharp), {} if masks is None else _by_name(masks)

    def pairs() -> Iterator[PairFiles]:
        for name, file in _by_name(blurred).items():
            mask = None if masks is None else masked.get(name, masks / f"{name}.png")
            yield PairFiles(name, file, sharps.get(name, sharp / f"{name}{file.suffix}"), mask)

    return _complete(pairs())


def _by_name(folder: Path) -> dict[str, Path]:
    return {file.relative_to(folder).with_suffix("").as_posix(): file for file in _pictures(folder)}


LAYOUTS: Final[tuple[tuple[str, Callable[[Path, Side], list[PairFiles] | None]], ...]] = (
    ("ReLoBlur", find_reloblur),
    ("REDS", find_reds),
    ("GOPRO", find_gopro),
    ("folder", find_folder),
)
