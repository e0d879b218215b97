"""Where a running training is seen: TensorBoard, and a line or a bar on the terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["Board", "Clock", "spoken"]

Progress = Callable[[float, str], None]


class Board:
    """TensorBoard events of one run folder.

    Args:
        folder: The run folder; the events lie in `board`.
        step: The step that the training goes on from; later ones of an earlier piece are hidden.
    """

    def __init__(self, folder: Path, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder / "board"), purge_step=step + 1, flush_secs=60)

    def numbers(self, group: str, values: Mapping[str, float], step: int) -> None:
        """Draw numbers of one group."""
        for name, value in values.items():
            self._writer.add_scalar(f"{group}/{name}", value, step)

    def picture(self, name: str, picture: npt.NDArray[np.uint8], step: int) -> None:
        """Show a picture (H, W, 3)."""
        self._writer.add_image(name, picture, step, dataformats="HWC")

    def close(self) -> None:
        """Bring everything to the disk."""
        self._writer.close()


class Clock:
    """Guesses the time left from the steps of this piece.

    Args:
        step: The step that this piece starts from.
        steps: Steps in all.
        deadline_s: Seconds that this piece may take; None for as long as it takes.
    """

    def __init__(self, step: int, steps: int, deadline_s: float | None = None) -> None:
        self._first, self._steps, self._deadline_s = step, steps, deadline_s
        self._began = time.monotonic()

    def done(self, step: int) -> float:
        """Return the done part of the whole training."""
        return step / self._steps

    def text(self, step: int, loss: float) -> str:
        """Return a line such as "step 40 of 3000, loss 0.1234, 0.31 s a step, 15 min left"."""
        took = (time.monotonic() - self._began) / max(1, step - self._first)
        left = took * (self._steps - step)
        text = f"step {step} of {self._steps}, loss {loss:.4f}, {took:.2f} s a step, {spoken(left)} left"
        if (
            self._deadline_s is not None
            and (rest := self._deadline_s - (time.monotonic() - self._began)) < left
        ):
            text += f", this piece {spoken(max(0.0, rest))}"
        return text


def spoken(seconds: float) -> str:
    """Return a time as people say it: "40 s", "12 min", "3 h 05 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
