"""Adapting a network to one session: the rig takes perfect training pairs of the very set that it looks at.

The last fifth of each scene's developed pairs is held out. The rest trains the given weights for a few
minutes at a small rate; now and then the running mean of the weights is measured on the held-out pairs, and
the best one is kept. It is kept only where it gains and leaves the background alone: otherwise no weights are
written and nothing is claimed.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import Tensor, nn

from models.checkpoints import read_checkpoint, save_safetensors
from models.networks.lbag import MULTIPLE
from models.training.adapt_report import AdaptReport, HeldOutPair
from models.training.batches import Mixture, batches
from models.training.board import spoken
from models.training.data import Chosen, apart_in_time, cut_by, held_out_patches, spread
from models.training.distributed import Crew, crew
from models.training.errors import TrainingError
from models.training.losses import LossWeights
from models.training.networks import TRAINABLE, build, file_sha256, has_mask
from models.training.pace import Pace
from models.training.pairs import PairSource, TrainingPair
from models.training.recipe import Network, Recipe
from models.training.recipe_file import load_recipe
from models.training.run_folder import open_folder
from models.training.sources import open_source
from models.training.trainer import Trainer
from models.training.validation import Figures, validate
from models.training.windows import Windows
from processing.outputs import Encoded, publish

__all__ = ["AdaptReport", "HeldOutPair", "adapt", "default_folder", "losses_of"]

LOOKS = 8
"""At most how often the held-out pairs are looked at: to stop before harm, not to pick by chance."""
PLANS = (1, 8, 40)
"""Steps after which the rest of the time is shared out: the first steps still decode and warm up."""
LEAST_GAIN_DB = 0.05
MOST_SPOILT_DB = 0.5
CLEAN_DB = 45.0
"""The background may lose so much, and more while it stays above what an eye can tell from none."""
REPORT, WEIGHTS = "adapt.json", "weights.safetensors"
Progress = Callable[[float, str], None]


def default_folder(session_folder: Path) -> Path:
    """Return where an adaptation goes that names no folder."""
    return session_folder / "derived" / "_adapted"


def adapt(
    session_folder: Path,
    init: Path,
    minutes: float,
    cancel: threading.Event | None = None,
    progress: Progress | None = None,
    *,
    out: Path | None = None,
    device: str = "auto",
    recipe: Recipe | None = None,
) -> AdaptReport:
    """Adapt weights to the developed pairs of a session.

    Args:
        session_folder: The session (or any folder of pairs that `models.training.sources` knows).
        init: Weights to start from: LBAG's or MIMO-UNet's.
        minutes: What it may take in all, measuring included.
        cancel: Set it to stop after the present step.
        progress: Takes the done fraction and a text with the time left.
        out: Folder for weights and report; `default_folder` when left out.
        device: auto, cpu or cuda.
        recipe: Rates, patches and losses; when left out the one that ships as "adapt", with the losses that
            the weights were trained with where they tell.

    Raises:
        DataError: The folder holds no pairs.
        TrainingError: Fewer than two developed pairs, or nothing moves in those held out.
        CheckpointError: The weights cannot be read, or are another network's.
        RunFolderError: `out` holds something else.
    """
    began = time.monotonic()
    folder = out or default_folder(session_folder)
    open_folder(folder, REPORT, "an adaptation")
    recipe, network = _from_parent(init, recipe)
    source = open_source(session_folder, "all", cache_mib=0)  # what is asked for again is kept as windows
    if len(source) < 2:
        raise TrainingError(
            f"{session_folder} has {len(source)} developed pair, and adapting needs two: one is held out",
            hint="take more action pairs, and run 'beamrig process'",
        )
    side = min(
        recipe.patches.side_px, *(length // MULTIPLE * MULTIPLE for length in source[0].blurred.shape[:2])
    )
    recipe = recipe.model_copy(update={"patches": recipe.patches.model_copy(update={"side_px": side})})
    train, held = apart_in_time([files.name for files in source.files])
    chosen = [held[index] for index in spread(len(held), recipe.validation.count)]
    pairs = held_out_patches(source, chosen, recipe)
    with crew(device) as present:
        work = _Work(recipe, network, Chosen(source, train), pairs, present, began, minutes * 60)
        work.go(cancel or threading.Event(), progress or (lambda _done, _text: None))
    return _finish(work, session_folder, init, folder)


class _Work:
    """The steps of an adaptation and the best weights so far."""

    def __init__(
        self,
        recipe: Recipe,
        network: nn.Module,
        train: PairSource,
        pairs: list[TrainingPair],
        present: Crew,
        began: float,
        budget_s: float,
    ) -> None:
        self.recipe, self.pairs, self.trained_pairs = recipe, pairs, len(train)
        self.trainer = Trainer(recipe, network, present)
        windows = Windows(train, recipe.patches.side_px, recipe.seed)
        self.mixture = Mixture([cut_by(windows, recipe)], [1.0], recipe.seed)
        self.began, self.budget_s = began, budget_s
        self.pace = Pace(began + budget_s)
        self.looks = LOOKS
        self.cancelled = False
        self.best_step = 0
        self.best_state: dict[str, Tensor] = {}
        self.before = self.after = Figures({}, ())

    def go(self, cancel: threading.Event, progress: Progress) -> None:
        """Train until the time is over; the state of the best look stays in `best_state`."""
        progress(0.0, "measuring the weights as they are")
        pace, trainer = self.pace, self.trainer
        pace.begin()
        self.before = self.after = self._look()
        pace.end("look")
        if "psnr_out" not in self.before.mean:
            raise TrainingError(
                f"nothing moves in the {len(self.pairs)} held-out pairs: no gain could be measured",
                hint="take action pairs in which something moves",
            )
        stream = batches(self.mixture, 0, self.recipe.steps, range(self.recipe.batch), 0)
        look_at: list[int] = []
        for batch in stream:
            if not look_at:
                progress(0.0, "measuring what this machine does fastest")
                trainer.choose_precision(batch, trials=2)
                pace.begin()
            trainer.train_step(batch)
            pace.end("step")  # from the second on with the wait for its batch
            step = trainer.step
            if step in PLANS:
                look_at = self._plan(step)
            done = min(1.0, 1 - pace.left_s() / self.budget_s)
            left = spoken(max(0.0, pace.left_s()))
            progress(done, f"step {step} of about {look_at[-1]}, {self.gain():+.2f} dB, {left} left")
            over = step >= look_at[-1] or pace.over("step", "look") or cancel.is_set()
            if over or step in look_at:
                self._keep_if_better(step)
                self.looks = max(1, self.looks - 1)
                pace.end("look")
            if over:
                break
        self.cancelled = cancel.is_set()
        stream.close()

    def _plan(self, step: int) -> list[int]:
        """Return the steps after which the held-out pairs are looked at, the last of all at the end.

        The schedule goes by steps, the operator's patience by minutes: as many steps as fit.
        """
        pace = self.pace
        room, look_s = pace.left_s(), pace.expected_s("look")
        if step == PLANS[0]:
            self.looks = max(2, min(LOOKS, int(room / (5 * look_s))))
        fitting = step + int(0.95 * (room - self.looks * look_s) / pace.expected_s("step"))
        steps = max(step + self.looks, min(self.recipe.steps, fitting))
        self.trainer.recipe = self.recipe.model_copy(update={"steps": steps})
        return [round(step + (index + 1) * (steps - step) / self.looks) for index in range(self.looks)]

    def gain(self) -> float:
        """Return by how much the best look beats the parent inside the masks, dB."""
        return self.after.mean["psnr_out"] - self.before.mean["psnr_out"]

    def _keep_if_better(self, step: int) -> None:
        found = self._look()
        background = found.mean.get("background_out", CLEAN_DB)
        least = min(CLEAN_DB, self.before.mean.get("background_out", CLEAN_DB) - MOST_SPOILT_DB)
        if found.mean["psnr_out"] > self.after.mean["psnr_out"] and background >= least:
            self.after, self.best_step = found, step
            self.best_state = {name: value.clone() for name, value in self.trainer.mean.mean.items()}

    def _look(self) -> Figures:
        trainer = self.trainer
        # Always in fp32: before and after must be measured alike, and nothing is lost to rounding.
        with trainer.averaged() as network:
            masks = has_mask(self.recipe.network)
            return validate(network, self.pairs, trainer.crew.device, masks=masks).figures


def _from_parent(init: Path, given: Recipe | None) -> tuple[Recipe, nn.Module]:
    """Return the recipe of an adaptation with the parent's network, and that network with its weights."""
    checkpoint = read_checkpoint(init)
    architecture = checkpoint.architecture
    if architecture.name not in TRAINABLE:
        raise TrainingError(f"{init.name} holds {architecture}, which is not trained here")
    recipe = given or load_recipe("adapt")
    if given is None:
        recipe = recipe.model_copy(update={"losses": losses_of(checkpoint.recipe, recipe.losses)})
    spec = Network(
        name=TRAINABLE[architecture.name],
        base=architecture.size["base"],
        num_res=architecture.size["num_res"],
        gate_min=checkpoint.gate_min,
        drop=0.0,
    )
    recipe = recipe.model_copy(update={"network": spec, "init": str(init)})
    network = build(spec, recipe.seed)
    network.load_state_dict(checkpoint.state, strict=True)
    return recipe, network


def losses_of(trained: Mapping[str, Any], own: LossWeights) -> LossWeights:
    """Return the losses that weights were trained with: another kind would first unlearn.

    The shift is the adaptation's own: it belongs to the data.
    """
    try:
        return LossWeights.model_validate({**trained["losses"], "shift_px": own.shift_px})
    except (KeyError, TypeError, ValidationError):
        return own


def _finish(work: _Work, session: Path, init: Path, folder: Path) -> AdaptReport:
    """Write weights where they help, and the report in every case."""
    gain = work.gain()
    helped = gain >= LEAST_GAIN_DB
    after = work.after if helped else work.before
    sha256 = file_sha256(init)
    target = folder / WEIGHTS
    count = len(work.pairs)
    measured = f"{count} held-out pair{'s' if count > 1 else ''} of {session.name}"
    if helped:
        note = f"gains {gain:.2f} dB inside the mask on {measured}, which also chose the step"
    else:
        note = f"adapting did not help on {measured}: use the weights as they were"
        target.unlink(missing_ok=True)
    held = tuple(
        HeldOutPair(old.name, old.psnr_in, old.psnr_out, new.psnr_out, _minus(new.psnr_out, old.psnr_out))
        for old, new in zip(work.before.pairs, after.pairs, strict=True)
    )
    report = AdaptReport(
        session=session,
        parent=init,
        parent_sha256=sha256,
        weights=target if helped else None,
        helped=helped,
        gain_db=gain if helped else 0.0,
        before=work.before.mean,
        after=after.mean,
        held_out=held,
        trained_pairs=work.trained_pairs,
        steps=work.trainer.step,
        best_step=work.best_step if helped else 0,
        seconds=time.monotonic() - work.began,
        cancelled=work.cancelled,
        note=note,
    )
    if helped:
        work.trainer.network.load_state_dict(work.best_state)
        origin = {
            "session": session.name,
            "parent": init.name,
            "parent_sha256": sha256,
            "pairs": work.trained_pairs,
        }
        recipe = {**work.recipe.plain(), "step": work.best_step, "adapted": origin, "validation": after.mean}
        save_safetensors(target, work.trainer.network, trained=True, recipe=recipe, note=note)
    publish([Encoded(folder / REPORT, json.dumps(report.to_dict(), indent=2).encode())])
    return report


def _minus(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else after - before
