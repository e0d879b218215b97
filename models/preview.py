"""The live preview: frames in at any rate, a coarse answer for the newest soon, then the refined one.

One thread of its own runs the engine; whoever hands in frames never waits. A frame that comes while a refined
answer is under way stops it inside the network. A coarse answer is always finished: stopped as well, a stream
faster than the network would never be answered.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from models.deblur import DeblurEngine, DeblurResult
from models.errors import Cancelled
from models.results import EngineInfo

__all__ = ["LivePreview", "PreviewAnswer"]

logger = logging.getLogger(__name__)

FIRST_ANSWER_S = 0.15
LEAST_SCALE, MOST_SCALE = 1 / 8, 1 / 4
LEAST_SIDE_PX = 128
NETWORK_SHARE = 0.7
"""Part of the budget that is the network's; the rest is for reducing, enlarging and adding."""
SLOWEST_CHANGE = 0.8
"""The size follows the measured times at most this fast: one disturbed frame does not spoil the next."""

LONGEST_WAIT_S = 10.0
"""A residual block, the longest stretch that cannot be stopped, takes far less."""


@dataclass(frozen=True)
class PreviewAnswer:
    """One answer for one frame.

    Attributes:
        key: What the frame was submitted with.
        stage: "coarse" or "refined".
        result: What came out; None where it failed.
        error: Why it failed; None where it did not.
    """

    key: object
    stage: str
    result: DeblurResult | None
    error: Exception | None = None


@dataclass(frozen=True)
class _Frame:
    rgb: npt.NDArray[Any]
    reference: npt.NDArray[Any] | None
    key: object


class _Pace:
    """At which size the network sees a frame so that the coarse answer comes in time; learns from each one.

    Args:
        budget_s: What an answer may take.
    """

    def __init__(self, budget_s: float) -> None:
        self._budget_s = budget_s
        self._scale: float | None = None

    def side(self, shape: tuple[int, ...], guess: float) -> int | None:
        """Return the longest side for a frame; None for the engine's own choice.

        Args:
            shape: Of the frame.
            guess: Scale to begin with.
        """
        if self._scale is None:
            self._scale = min(max(guess, LEAST_SCALE), MOST_SCALE)
        if self._scale >= MOST_SCALE or len(shape) != 3:
            return None
        return max(round(max(shape[:2]) * self._scale), LEAST_SIDE_PX)

    def took(self, result: DeblurResult) -> None:
        """Learn from an answer: the time of the network goes with the area."""
        ratio = (self._budget_s / max(result.seconds, 1e-6)) ** 0.5
        wanted = (self._scale or MOST_SCALE) * min(max(ratio, SLOWEST_CHANGE), 1 / SLOWEST_CHANGE)
        self._scale = min(max(wanted, LEAST_SCALE), MOST_SCALE)


def _first_scale(info: EngineInfo, shape: tuple[int, ...], budget_s: float, *, has_reference: bool) -> float:
    """Return at which scale the first frame is answered in time, by what was measured at an earlier start."""
    if info.moving is None:
        return LEAST_SCALE
    if has_reference:
        return MOST_SCALE
    fixed_s, pixel_s = info.moving.whole_s
    pixels = max(NETWORK_SHARE * budget_s - fixed_s, 0.0) / max(pixel_s, 1e-12)
    return float((pixels / max(shape[0] * shape[1], 1)) ** 0.5) if len(shape) == 3 else MOST_SCALE


class LivePreview:
    """Answers the newest frame.

    Args:
        engine: Runs the network; may be used by others at the same time, who then wait for each other.
        on_result: Called with every answer, from the preview's own thread. What it raises is logged.
        refine: Whether a refined answer follows the coarse one.
        budget_s: What a coarse answer may take. The network sees a quarter of the frame's size, or less
            where that takes longer; what is not known yet of this machine is measured after the first answer.
    """

    def __init__(
        self,
        engine: DeblurEngine,
        on_result: Callable[[PreviewAnswer], None],
        *,
        refine: bool = True,
        budget_s: float = FIRST_ANSWER_S,
    ) -> None:
        self._engine = engine
        self._on_result = on_result
        self._refine = refine
        self._budget_s = budget_s
        self._paces = {has_reference: _Pace(budget_s) for has_reference in (False, True)}
        self._changed = threading.Condition()
        self._waiting: _Frame | None = None
        self._stop_refining = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="live preview", daemon=True)
        self._thread.start()

    def submit(
        self, rgb: npt.NDArray[Any], reference: npt.NDArray[Any] | None = None, key: object = None
    ) -> bool:
        """Hand in a frame; returns at once. Only the newest frame that waits is kept.

        Args:
            rgb: As in `DeblurEngine.run`; must not be changed afterwards.
            reference: As there; must not be changed afterwards.
            key: Comes back with the answers.

        Returns:
            False when the preview is closed.
        """
        with self._changed:
            if self._closed.is_set():
                return False
            self._waiting = _Frame(rgb, reference, key)
            self._stop_refining.set()
            self._changed.notify()
        return True

    def close(self) -> None:
        """Stop work and thread; may be called from any thread, `on_result`'s too, and more than once."""
        with self._changed:
            self._closed.set()
            self._stop_refining.set()
            self._waiting = None
            self._changed.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(LONGEST_WAIT_S)

    def _work(self) -> None:
        while (frame := self._next()) is not None:
            coarse = self._answer(frame, "coarse", self._closed)
            self._use_the_pause()
            if coarse and self._refine and not self._stop_refining.is_set():
                self._answer(frame, "refined", self._stop_refining)

    def _use_the_pause(self) -> None:
        """Measure what is not known yet: at least a little after each frame, all of it while none waits."""
        try:
            while self._engine.prepare_a_little() and not self._stop_refining.is_set():
                pass
        except Exception:  # a refined answer will meet it again, and carry it
            logger.exception("the engine could not be measured")

    def _next(self) -> _Frame | None:
        """Wait for a frame and take it; None when the preview was closed."""
        with self._changed:
            while self._waiting is None and not self._closed.is_set():
                self._changed.wait()
            frame, self._waiting = self._waiting, None
            if not self._closed.is_set():
                self._stop_refining.clear()
            return frame

    def _answer(self, frame: _Frame, stage: str, stop: threading.Event) -> bool:
        """Work out one answer and tell it; False when it failed or was stopped."""
        result: DeblurResult | None = None
        error: Exception | None = None
        try:
            if stage == "coarse":
                result = self._coarse(frame, stop)
            else:
                result = self._engine.run(frame.rgb, stop, reference=frame.reference, only_moved=True)
        except Cancelled:
            return False
        except Exception as caught:  # noqa: BLE001 - whatever it is, the caller must hear of it
            error = caught
        if not self._closed.is_set():
            try:
                self._on_result(PreviewAnswer(frame.key, stage, result, error))
            except Exception:
                logger.exception("the receiver of the preview's answers failed")
        return error is None

    def _coarse(self, frame: _Frame, stop: threading.Event) -> DeblurResult:
        has_reference, shape = frame.reference is not None, frame.rgb.shape
        pace = self._paces[has_reference]
        guess = _first_scale(self._engine.describe(), shape, self._budget_s, has_reference=has_reference)
        result = self._engine.preview(frame.rgb, pace.side(shape, guess), stop, reference=frame.reference)
        pace.took(result)
        return result
