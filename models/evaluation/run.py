"""Evaluates candidates on a data set, picture by picture: resumed where it ended, stopped when asked."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models.errors import Cancelled, EngineError, EvaluationError
from models.evaluation.candidates import About, Candidate, InputAsItIs, Prediction
from models.evaluation.figures import judge, to_8bit
from models.evaluation.store import FiguresFile, ImageResult, pair_digest
from models.training.pairs import PairSource, TrainingPair
from processing.jobs.steps import Progress, Steps
from rig.errors import BeamrigError

__all__ = ["Evaluation", "ModelFigures", "chosen_indices", "evaluate"]


@dataclass
class ModelFigures:
    """What came of one candidate.

    Attributes:
        about: What it is.
        images: Index of the pair -> its figures.
    """

    about: About
    images: dict[int, ImageResult] = field(default_factory=dict)


@dataclass
class Evaluation:
    """What came of all of them; the first one is the blurred input.

    Attributes:
        models: One for each candidate.
        pairs: Number of pairs in the data set.
        chosen: Indices of the pairs that were asked for.
        failed: Name of a pair, or candidate and pair -> why it has no figures.
        cancelled: The work was stopped; what was finished stays.
        seconds: Time taken.
    """

    models: list[ModelFigures]
    pairs: int
    chosen: list[int]
    failed: dict[str, str] = field(default_factory=dict)
    cancelled: bool = False
    seconds: float = 0.0


def chosen_indices(count: int, limit: int | None) -> list[int]:
    """Return which pairs are looked at: all, or so many spread evenly, so that every scene has its share."""
    if limit is None or limit >= count:
        return list(range(count))
    return sorted({round(float(place)) for place in np.linspace(0, count - 1, limit)})


def evaluate(
    candidates: Sequence[Candidate],
    source: PairSource,
    *,
    limit: int | None = None,
    align: bool = True,
    out: Path | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Evaluation:
    """Take the figures of candidates on a data set; the input is always among them.

    Args:
        candidates: What is compared.
        source: The pairs.
        limit: Look at so many pairs only, spread evenly.
        align: Take PSNR_a and SSIM_a too.
        out: Folder in which figures are kept, and those of an earlier run are found.
        workers: Threads that take figures while the networks work; one a core without it.
        progress: Told the done fraction and what is done, with pace and time left.
        cancel: Set it to stop.

    Raises:
        EvaluationError: There is no pair, or the figures cannot be kept.
        EngineError: The machine cannot do what was asked of an engine.
    """
    begun = time.monotonic()
    if len(source) == 0:
        raise EvaluationError("the data set holds no pair")
    rest = [one for one in candidates if not isinstance(one, InputAsItIs)]
    run = _Run([InputAsItIs(), *rest], source, align, out, progress, cancel or threading.Event())
    run.evaluation.chosen = chosen_indices(len(source), limit)
    run.all(workers or len(os.sched_getaffinity(0)))
    run.evaluation.seconds = time.monotonic() - begun
    return run.evaluation


class _Run:
    """One evaluation: networks in this thread, one picture at a time; figures in others, few waiting."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        source: PairSource,
        align: bool,
        out: Path | None,
        progress: Progress | None,
        cancel: threading.Event,
    ) -> None:
        self._candidates, self._source, self._align, self._cancel = candidates, source, align, cancel
        self._files = [FiguresFile(out, one.about.key) for one in candidates]
        self._steps = Steps(progress)
        self._waiting: deque[tuple[int, int, Future[ImageResult]]] = deque()
        self.evaluation = Evaluation([ModelFigures(one.about) for one in candidates], len(source), [])

    def all(self, workers: int) -> None:
        """Go through the chosen pairs."""
        self._steps.total = len(self.evaluation.chosen)
        self._steps.begin_pairs()
        with ThreadPoolExecutor(workers, "figures") as pool:
            try:
                for index in self.evaluation.chosen:
                    if self._cancel.is_set():
                        raise Cancelled("the evaluation was stopped")
                    self._pair(index, pool, workers)
            except Cancelled:
                self.evaluation.cancelled = True
            finally:
                self._collect(0)

    def _pair(self, index: int, pool: ThreadPoolExecutor, workers: int) -> None:
        """Let every candidate make its picture of one pair, and have the figures taken."""
        try:
            pair = self._source[index]
        except BeamrigError as error:
            self.evaluation.failed[f"pair {index}"] = error.one_line()
            self._steps.say(f"pair {index} failed", passed=1)
            return
        digest = pair_digest(pair)
        share = 1 / len(self._candidates)
        made = False
        for place, (candidate, file) in enumerate(zip(self._candidates, self._files, strict=True)):
            known = file.find(digest, aligned=self._align)
            if known is not None:
                self.evaluation.models[place].images[index] = known
                self._steps.say(f"{pair.name} was there", passed=share)
                continue
            prediction = self._predict(candidate, pair, share)
            if prediction is not None:
                made = True
                work = pool.submit(_judged, pair, digest, prediction, align=self._align)
                self._waiting.append((place, index, work))
                self._collect(workers + 1)
        self._steps.say(pair.name, made=int(made))

    def _predict(self, candidate: Candidate, pair: TrainingPair, share: float) -> Prediction | None:
        text = f"{pair.name} · {candidate.about.name}"
        done = 0.0

        def tell(fraction: float) -> None:
            nonlocal done
            self._steps.say(text, passed=(fraction - done) * share)
            done = fraction

        try:
            prediction = candidate.predict(pair.blurred, self._cancel, tell)
        except (Cancelled, EngineError):
            raise
        except BeamrigError as error:
            self.evaluation.failed[f"{candidate.about.name}, {pair.name}"] = error.one_line()
            prediction = None
        tell(1.0)
        return prediction

    def _collect(self, most: int) -> None:
        """Keep finished figures, the oldest first, until so many are waiting at most."""
        while len(self._waiting) > most:
            place, index, work = self._waiting.popleft()
            try:
                result = work.result()
            except BeamrigError as error:
                who = self.evaluation.models[place].about.name
                self.evaluation.failed[f"{who}, pair {index}"] = error.one_line()
                continue
            self._files[place].add(result)
            self.evaluation.models[place].images[index] = result


def _judged(pair: TrainingPair, digest: str, prediction: Prediction, *, align: bool) -> ImageResult:
    if pair.sharp.shape != prediction.sharp.shape:
        raise EvaluationError(f"the sharp picture is {pair.sharp.shape}, not {prediction.sharp.shape}")
    judged = judge(to_8bit(pair.sharp), prediction.sharp, pair.mask, prediction.mask, align=align)
    height, width = pair.sharp.shape[:2]
    return ImageResult(
        pair.name, digest, height, width, align, judged.values, judged.undefined, round(prediction.seconds, 3)
    )
