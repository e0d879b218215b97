"""From a recipe's data entries to patches for the loop and to held-out pairs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from models.errors import DataError, SynthesisError
from models.training.batches import Mixture
from models.training.errors import RecipeError
from models.training.pairs import PairSource, TrainingPair
from models.training.patches import Patches
from models.training.recipe import Data, LbsData, Recipe
from models.training.sources import FilePairs, open_source

__all__ = ["Chosen", "TrainingData", "apart_in_time", "cut_by", "held_out_patches", "open_data", "spread"]

Split = Literal["train", "test", "all"]
HELD_OUT_SHARE = 5
GAP_FROM = 10
"""From so many pairs on in a scene, the one before the held-out ones is left out: it looks most like them."""
TEST_SEED = 0x7E57
"""Keeps the dice of the held-out pairs apart from the training's."""


@dataclass(frozen=True)
class TrainingData:
    """What a training needs.

    Attributes:
        mixture: Patches.
        held_out: Pairs that no step sees.
        sizes: Pairs in each source, by its name; they must not change between two pieces of a training.
        prints: Of the names and sizes of each source's files; they must not change, either. Made pairs are
            as many as the recipe says, whatever photographs they are made of.
    """

    mixture: Mixture
    held_out: list[TrainingPair]
    sizes: dict[str, int]
    prints: dict[str, str]


class Chosen:
    """A few pairs of a source as a source."""

    def __init__(self, source: PairSource, indices: Sequence[int]) -> None:
        self.source, self.indices = source, tuple(indices)

    def __len__(self) -> int:
        """Return how many were chosen."""
        return len(self.indices)

    def __getitem__(self, index: int) -> TrainingPair:
        """Return one of them."""
        return self.source[self.indices[index]]


def open_data(recipe: Recipe, keys: Mapping[str, Path], *, held_out: bool = True) -> TrainingData:
    """Open the data of a recipe.

    Args:
        recipe: The recipe.
        keys: What `--data KEY=PATH` gave.
        held_out: Whether validation pairs are made; only the process that writes needs them.

    Raises:
        RecipeError: A path is neither a folder nor a key that was given, or a key is not the recipe's.
    """
    unknown = [key for key in keys if key not in {entry.path for entry in recipe.data}]
    if unknown:
        known = ", ".join(entry.path for entry in recipe.data)
        raise RecipeError(f"--data {unknown[0]}=...: {recipe.name} has no such data", hint=f"it has {known}")
    sides = [_sides(entry, _find(recipe, entry, keys), recipe) for entry in recipe.data]
    makers = [cut_by(train, recipe) for train, _ in sides]
    pairs: list[TrainingPair] = []
    shares = np.array_split(np.arange(recipe.validation.count), len(recipe.data))
    for (_, test), share in zip(sides, shares, strict=True):
        if held_out and test is not None and len(share):
            pairs += held_out_patches(test, spread(len(test), len(share)), recipe)
    sizes = {f"data[{index}]": len(train) for index, (train, _) in enumerate(sides)}
    prints = {f"data[{index}]": _print(train) for index, (train, _) in enumerate(sides)}
    mixture = Mixture(makers, [entry.weight for entry in recipe.data], recipe.seed)
    return TrainingData(mixture, pairs, sizes, prints)


def cut_by(source: PairSource, recipe: Recipe) -> Patches:
    """Return the patches of a source as a recipe wants them."""
    cut = recipe.patches
    return Patches(source, cut.side_px, blurred_share=cut.blurred_share, flips=cut.flips, reading=cut.reading)


def spread(length: int, count: int) -> list[int]:
    """Return so many indices, spread evenly over a source; all of them where there are fewer."""
    count = min(length, count)
    return [index * length // count for index in range(count)]


def apart_in_time(names: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return which pairs are trained on and which are held out: the last fifth of each scene.

    A pair looks much like the one before it: pairs drawn at random would measure what was learnt by heart.

    Args:
        names: Of the pairs, in the order in which they were taken, as "scene/..."; at least two.
    """
    scenes: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        scenes.setdefault(name.partition("/")[0] if "/" in name else "", []).append(index)
    if max(map(len, scenes.values())) < HELD_OUT_SHARE:
        scenes = {"": list(range(len(names)))}  # of a few short scenes the last pairs of all
    train, held = list[int](), list[int]()
    for members in scenes.values():
        hold = max(len(members) // HELD_OUT_SHARE, 1 if len(scenes) == 1 else 0)
        cut = len(members) - hold
        held += members[cut:]
        train += members[: cut - 1] if len(members) >= GAP_FROM else members[:cut]
    return train, held


def held_out_patches(source: PairSource, indices: Sequence[int], recipe: Recipe) -> list[TrainingPair]:
    """Return pairs to validate on: whole, or the patch of `validate.side_px` around the blur of each."""
    side = recipe.validation.side_px
    found = []
    for index in indices:
        pair = source[index]
        if side and min(pair.blurred.shape[:2]) > side:
            patches = Patches(source, side, blurred_share=1.0, flips=())
            pair = replace(patches.of_pair(pair, np.random.default_rng((TEST_SEED, index))), name=pair.name)
        found.append(pair)
    return found


def _find(recipe: Recipe, entry: Data, keys: Mapping[str, Path]) -> Path:
    path = keys.get(entry.path, Path(entry.path))
    if not path.is_dir():
        given = f" ({path})" if entry.path in keys else ""
        raise RecipeError(
            f"{recipe.name}: data {entry.path!r}{given} is no folder", hint=f"add --data {entry.path}=FOLDER"
        )
    return path.resolve()


def _sides(entry: Data, path: Path, recipe: Recipe) -> tuple[PairSource, PairSource | None]:
    """Return what a data entry trains on and what it holds out.

    Where the data lacks a side (a plain folder, a session of one scene), the last tenth of all is held out;
    of a single pair nothing.
    """
    try:
        train = _open(entry, path, recipe.seed, "train")
        return train, _open(entry, path, recipe.seed + TEST_SEED, "test")
    except (DataError, SynthesisError):
        whole = _open(entry, path, recipe.seed, "all")
    cut = len(whole) - min(len(whole) - 1, max(1, len(whole) // 10))
    if cut == len(whole):
        return whole, None
    return Chosen(whole, range(cut)), Chosen(whole, range(cut, len(whole)))


def _open(entry: Data, path: Path, seed: int, split: Split) -> PairSource:
    if isinstance(entry, LbsData):
        from models.synth.local_blur import LocalBlurSource

        return LocalBlurSource(
            path,
            seed=seed,
            count=entry.count,
            side_px=entry.side_px,
            blur_px=entry.blur_px,
            split=split,
            scale=entry.scale,
            noise=entry.noise,
            still_share=entry.still_share,
            silhouette_share=entry.silhouette_share,
            near_share=entry.near_share if split == "train" else 0.0,
        )
    return open_source(path, split)


def _print(source: PairSource) -> str:
    """Return a hash of the names and sizes of a source's files, wherever the folder lies."""
    digest = hashlib.sha256()
    for file in _files(source):
        digest.update(f"{file.name} {file.stat().st_size}\n".encode())
    return digest.hexdigest()


def _files(source: PairSource) -> Iterable[Path]:
    if isinstance(source, Chosen):
        return _files(source.source)
    if isinstance(source, FilePairs):
        return (file for pair in source.files for file in (pair.blurred, pair.sharp, pair.mask) if file)
    return getattr(source, "photos", ())
