"""The folder of one training: its state, its curve, its weights.

`state.pt` is what a resumed training needs (read with `weights_only=True`, which runs no code); `curve.jsonl`
has a line every few steps and one a validation. A kill may leave the curve ahead of the state, or its last
line torn: at a resume it is cut back to the state's step, so that no step stands in it twice.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import torch

from models.errors import CheckpointError
from models.pickles import unpickle
from models.training.errors import RunFolderError
from models.training.recipe import Recipe
from processing.outputs import Encoded, publish

__all__ = ["RunFolder", "open_folder", "recipe_changes"]

FORMAT = "beamrig-training-1"
STATE, CURVE, RECIPE, WEIGHTS = "state.pt", "curve.jsonl", "recipe.json", "weights.safetensors"
FREE = ("steps", "validate", "checkpoint_every_s", "log_every_steps", "name")
"""Keys that may change between two pieces of a training; `steps` may only grow."""


class RunFolder:
    """Opens or makes the folder of a training.

    Args:
        path: The folder; made if missing.

    Raises:
        RunFolderError: The folder holds something else, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._curve: IO[str] | None = None
        open_folder(path, RECIPE, "a training")

    @property
    def weights(self) -> Path:
        """The weights to use: the running mean at the last checkpoint."""
        return self.path / WEIGHTS

    def begin(self, recipe: Recipe) -> dict[str, Any] | None:
        """Return the state to go on from; None at the very first start.

        Raises:
            RunFolderError: The folder's training follows another recipe, or its state is damaged.
        """
        state = self._read_state()
        if state is not None:
            changes = recipe_changes(state["recipe"], recipe.plain())
            if changes:
                raise RunFolderError(
                    f"{self.path} belongs to another recipe: {'; '.join(changes[:3])}",
                    hint="undo the change, or start anew with another --out",
                )
        _write(self.path / RECIPE, json.dumps(recipe.plain(), indent=2).encode())
        self._cut_curve(-1 if state is None else int(state["step"]))
        return state

    def peek(self) -> dict[str, Any] | None:
        """Return the state as `begin` does, and write nothing: for the processes that do not lead."""
        return self._read_state()

    def save_state(self, state: Mapping[str, Any], recipe: Recipe) -> None:
        """Write the state; a kill or a full disk leaves the old or the new one.

        Raises:
            ProcessingError: The disk refuses.
        """
        self.flush()
        buffer = io.BytesIO()
        torch.save({**state, "format": FORMAT, "recipe": json.dumps(recipe.plain())}, buffer)
        _write(self.path / STATE, buffer.getvalue())

    def note(self, line: Mapping[str, Any]) -> None:
        """Add a line to the curve."""
        if self._curve is None:
            self._curve = (self.path / CURVE).open("a", encoding="utf-8")
        self._curve.write(json.dumps(line, allow_nan=False) + "\n")
        self._curve.flush()  # people look at it while it grows

    def flush(self) -> None:
        """Bring the curve to the disk."""
        if self._curve is not None:
            self._curve.flush()
            os.fsync(self._curve.fileno())

    def close(self) -> None:
        """Close the curve."""
        if self._curve is not None:
            self.flush()
            self._curve.close()
            self._curve = None

    def curve(self) -> list[dict[str, Any]]:
        """Return the lines of the curve; what is no line is left out."""
        try:
            content = (self.path / CURVE).read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return []
        lines = []
        for text in content.split("\n"):
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if isinstance(line, dict) and isinstance(line.get("step"), int):
                lines.append(line)
        return lines

    def _cut_curve(self, step: int) -> None:
        kept = [line for line in self.curve() if line["step"] <= step]
        content = "".join(json.dumps(line) + "\n" for line in kept)
        _write(self.path / CURVE, content.encode())

    def _read_state(self) -> dict[str, Any] | None:
        path = self.path / STATE
        if not path.exists():
            return None
        damaged = RunFolderError(f"{path} is damaged", hint="start anew with another --out")
        try:
            state = dict(unpickle(path))
            with zipfile.ZipFile(path) as archive:
                whole = archive.testzip() is None  # torch's own reader does not look at the checksums
        except (
            CheckpointError,
            zipfile.BadZipFile,
            zlib.error,
            OSError,
            RuntimeError,
            ValueError,
        ) as error:
            raise damaged from error
        if not whole or state.get("format") != FORMAT:
            raise damaged
        try:
            state["recipe"] = json.loads(state["recipe"])
            int(state["step"])
        except (KeyError, TypeError, ValueError) as error:
            raise damaged from error
        return state


def recipe_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say what forbids to go on with another recipe, a sentence each; empty when nothing does."""
    old, new = _flat(before), _flat(now)
    changes = []
    for key in {**old, **new}:
        if key.split(".")[0] in FREE or old.get(key) == new.get(key):
            continue
        changes.append(f"{key} was {_said(old, key)} and is {_said(new, key)}")
    if new.get("steps", 0) < old.get("steps", 0):
        changes.append(f"steps was {old['steps']} and is {new['steps']}, it may only grow")
    return changes


def _said(flat: Mapping[str, Any], key: str) -> str:
    return json.dumps(flat[key]) if key in flat else "not there"


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(value, Mapping):
        items = [(f"{prefix}.{key}" if prefix else str(key), part) for key, part in value.items()]
    elif isinstance(value, list):
        items = [(f"{prefix}[{index}]", part) for index, part in enumerate(value)]
    else:
        return {prefix: value}
    return {key: leaf for name, part in items for key, leaf in _flat(part, name).items()}


def open_folder(path: Path, mark: str, what: str) -> None:
    """Make a folder, or make sure that it is ours.

    Args:
        path: The folder.
        mark: A file that stands in every such folder.
        what: What the folder holds, for messages.

    Raises:
        RunFolderError: The folder holds something else, or cannot be used.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        others = {entry.name for entry in path.iterdir()}
    except OSError as error:
        raise RunFolderError(f"cannot use {path}: {error.strerror or error}", hint="another --out") from error
    # A file being written is none yet: another process of this training may be at it, or was killed there.
    if mark not in others and any(not name.endswith(".part") for name in others):
        raise RunFolderError(
            f"{path} holds something else than {what}", hint="name an empty or new folder with --out"
        )


def _write(path: Path, content: bytes) -> None:
    publish([Encoded(path, content)])
