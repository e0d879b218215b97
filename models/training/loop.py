"""The loop: batches in, a better network out, and a folder that says how it went."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
from torch import nn

from models.checkpoints import save_safetensors
from models.training.batches import Batch, batches
from models.training.board import Board, Clock
from models.training.data import TrainingData
from models.training.distributed import Crew
from models.training.errors import RunFolderError
from models.training.networks import has_mask
from models.training.pace import Pace
from models.training.recipe import Recipe
from models.training.run_folder import RunFolder
from models.training.trainer import Trainer
from models.training.validation import Validation, validate
from processing.outputs import Encoded, publish

__all__ = ["Ending", "Outcome", "run_training"]

_SAME_DATA = "give the same data, or start anew with another --out"

Ending = Literal["finished", "piece", "stopped"]
Say = Callable[[str], None]
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Outcome:
    """How a piece of a training ended.

    Attributes:
        ending: finished, piece (its minutes are over) or stopped (by the operator).
        step: Steps done, over all pieces.
        steps: Steps in all.
        weights: File with the present weights; None before the first step.
        figures: Means of the last validation of this piece; empty without one.
        precision: What it computed in.
    """

    ending: Ending
    step: int
    steps: int
    weights: Path | None
    figures: dict[str, float]
    precision: str


def run_training(
    recipe: Recipe,
    network: nn.Module,
    data: TrainingData,
    folder: Path,
    crew: Crew,
    *,
    deadline_s: float | None = None,
    workers: int = 0,
    cancel: threading.Event | None = None,
    say: Say = lambda _: None,
    progress: Progress | None = None,
    origin: dict[str, Any] | None = None,
) -> Outcome:
    """Train until the recipe's steps are done, the time is over, or somebody cancels; the state is saved.

    The same call goes on where an earlier one ended, also where that one was killed.

    Args:
        recipe: What is to be done.
        network: The network at its start.
        data: Patches and held-out pairs.
        folder: The run folder.
        crew: The processes that share the work.
        deadline_s: `time.monotonic()` at which this piece has ended, its checkpoint written; a step is
            done in any case, or short pieces would never get on.
        workers: Processes that make batches; 0 makes them between the steps.
        cancel: Set it to stop after the present step.
        say: Takes a line for the operator.
        progress: Takes the done fraction and a text.
        origin: What the weights' header says besides the recipe.

    Raises:
        RunFolderError: The folder belongs to another training.
        TrainingError: A pair cannot be made, or the gradient is not finite.
        ProcessingError: The disk refuses; the last checkpoint is whole.
    """
    run = _Run(recipe, Trainer(recipe, network, crew), data, folder, say, origin or {})
    try:
        return run.go(deadline_s, workers, cancel or threading.Event(), progress)
    finally:
        run.close()


class _Run:
    """One piece of a training: what `run_training` does, in steps."""

    def __init__(
        self,
        recipe: Recipe,
        trainer: Trainer,
        data: TrainingData,
        folder: Path,
        say: Say,
        origin: dict[str, Any],
    ) -> None:
        self.recipe, self.trainer, self.data, self.say, self.origin = recipe, trainer, data, say, origin
        self.crew = trainer.crew
        self.folder = RunFolder(folder)
        self.seconds = 0.0
        self.sums: dict[str, float] = {}
        self.summed = 0
        self.figures: dict[str, float] = {}
        state = self.folder.begin(recipe) if self.crew.leads else self.folder.peek()
        self.resumed = state is not None
        if state is not None:
            trainer.load(state)
            if state["sizes"] != data.sizes:
                before, now = _counts(state["sizes"]), _counts(data.sizes)
                raise RunFolderError(
                    f"{folder} was trained on {before}, and now there are {now}", hint=_SAME_DATA
                )
            known = state.get("prints", {})
            changed = [name for name, mark in known.items() if data.prints.get(name) != mark]
            if changed:
                raise RunFolderError(f"the files of {changed[0]} are not those before", hint=_SAME_DATA)
            self.seconds, self.sums, self.summed = state["seconds"], dict(state["sums"]), state["summed"]
            self.figures = dict(state["figures"])
        self.board = Board(folder, trainer.step) if self.crew.leads else None
        self.began = time.monotonic()

    def go(
        self, deadline_s: float | None, workers: int, cancel: threading.Event, progress: Progress | None
    ) -> Outcome:
        """Do the steps of this piece."""
        trainer, recipe = self.trainer, self.recipe
        if trainer.step >= recipe.steps:
            return self._outcome("finished")
        ending: Ending = "finished"
        stream = batches(
            self.data.mixture, trainer.step, recipe.steps, self.crew.share(recipe.batch), workers
        )
        first = next(stream)
        self._announce(first)
        clock = Clock(trainer.step, recipe.steps, deadline_s and deadline_s - time.monotonic())
        pace, every = Pace(deadline_s), recipe.validation.every_steps
        saved = time.monotonic()
        for batch in _chain(first, stream):
            losses = trainer.train_step(batch)
            self._log(losses)
            if progress is not None:
                progress(clock.done(trainer.step), clock.text(trainer.step, losses["total"]))
            pace.end("step")  # with the wait for its batch
            if every and trainer.step % every == 0 and trainer.step < recipe.steps:
                self._validate()
                pace.end("look")
            looks = trainer.step + 1 == recipe.steps or (every and (trainer.step + 1) % every == 0)
            over = pace.over("step", "save", *(["look"] if looks else []))
            if trainer.step < recipe.steps and self.crew.any(cancel.is_set() or over):
                ending = "stopped" if cancel.is_set() else "piece"
                break
            if time.monotonic() - saved >= recipe.checkpoint_every_s:
                self._save()
                saved = time.monotonic()
                pace.end("save")
        stream.close()
        if ending == "finished":
            self._validate()
        self._save()
        return self._outcome(ending)

    def close(self) -> None:
        """Close what is open."""
        self.folder.close()
        if self.board is not None:
            self.board.close()

    def _announce(self, batch: Batch) -> None:
        trainer = self.trainer
        if self.resumed:
            self.say(f"going on at step {trainer.step} of {self.recipe.steps} in {trainer.precision}")
        else:
            self.say(trainer.choose_precision(batch))
        parameters = sum(value.numel() for value in trainer.network.parameters())
        self.say(f"{parameters / 1e6:.2f} M parameters on {self.crew.device}, {self.crew.size} process(es)")

    def _log(self, losses: dict[str, float]) -> None:
        """Add a step to the means; write them as a line of the curve every few steps."""
        step = self.trainer.step
        if all(math.isfinite(value) for value in losses.values()):
            for name, value in losses.items():
                self.sums[name] = self.sums.get(name, 0.0) + value
            self.summed += 1
        elif self.crew.leads:
            self.say(f"step {step} was skipped: its gradient is not finite")
        if step % self.recipe.log_every_steps:
            return
        means = {name: value / self.summed for name, value in self.sums.items()} if self.summed else {}
        self.sums, self.summed = {}, 0
        if self.board is None:
            return
        self.folder.note({"step": step, "time_s": round(self._time(), 2), "losses": means})
        self.board.numbers("train", means, step)

    def _validate(self) -> None:
        if self.board is None or not self.data.held_out:
            return
        step = self.trainer.step
        looked = self._look()
        self.figures = looked.figures.mean
        self.folder.note({"step": step, "time_s": round(self._time(), 2), "validation": self.figures})
        self.board.numbers("validation", self.figures, step)
        if looked.sheet is not None:
            ok, content = cv2.imencode(".png", looked.sheet[..., ::-1])
            if ok:
                publish([Encoded(self.folder.path / "pictures" / f"step_{step:08d}.png", content.tobytes())])
            self.board.picture("validation: blurred, result, sharp, mask", looked.sheet, step)
        self.say(f"step {step}: {looked.figures.line()}")

    def _look(self) -> Validation:
        trainer = self.trainer
        with trainer.averaged() as network, trainer.autocast(trainer.precision):
            return validate(
                network,
                self.data.held_out,
                self.crew.device,
                masks=has_mask(self.recipe.network),
                pictures=self.recipe.validation.pictures,
            )

    def _save(self) -> None:
        if not self.crew.leads:
            return
        own = {
            "seconds": self._time(),
            "sums": self.sums,
            "summed": self.summed,
            "sizes": self.data.sizes,
            "prints": self.data.prints,
            "figures": self.figures,
        }
        self.folder.save_state({**self.trainer.state(), **own}, self.recipe)
        step = self.trainer.step
        header = {**self.recipe.plain(), **self.origin, "step": step, "validation": self.figures}
        with self.trainer.averaged() as network:
            save_safetensors(
                self.folder.weights,
                network,
                trained=step > 0,
                recipe=json.loads(json.dumps(header)),
                note=f"{self.recipe.name}, {step} of {self.recipe.steps} steps",
            )

    def _time(self) -> float:
        return self.seconds + time.monotonic() - self.began

    def _outcome(self, ending: Ending) -> Outcome:
        step = self.trainer.step
        weights = self.folder.weights if step else None
        return Outcome(ending, step, self.recipe.steps, weights, self.figures, self.trainer.precision)


def _chain(first: Batch, rest: Iterator[Batch]) -> Iterator[Batch]:
    yield first
    yield from rest


def _counts(sizes: dict[str, int]) -> str:
    return ", ".join(f"{size} pairs in {name}" for name, size in sizes.items())
