"""What runs a network, and what measuring finds out about it: all at once, or pass by pass in the pauses."""

from __future__ import annotations

import threading

from models.choice import choose_at_once, judged
from models.errors import Cancelled
from models.halo import Ready, make_ready
from models.networks.lbag import LBAG
from models.runner import Runner
from models.steps import Steps

__all__ = ["Tuning"]


class Tuning:
    """A network ready to run at once, by what was remembered or guessed; measuring may change how it runs.

    For one thread at a time.

    Args:
        model: The network in float32 on the CPU, in eval mode.
        device: "auto", "cpu" or "cuda".
        precision: "auto" or what the caller insists on.
        use_memory: Whether what was measured at an earlier start counts.

    Raises:
        EngineError: The machine cannot do what was asked.
    """

    def __init__(self, model: LBAG, device: str, precision: str, *, use_memory: bool) -> None:
        self._model = model
        self.choice = choose_at_once(model, device, precision, use_memory=use_memory)
        self.runner = Runner(model, self.choice.backend)
        self.ready: Ready | None = None
        self._steps: Steps[None] | None = None

    def judge(self, cancel: threading.Event | None = None) -> None:
        """Measure how the network runs best, unless that is known.

        Raises:
            Cancelled: `cancel` was set; what was measured so far is kept.
        """
        while self.choice.provisional and self.a_step(cancel):
            pass

    def measure(self, cancel: threading.Event | None = None) -> Ready:
        """Measure all that is not known yet, and return what tiles need.

        Raises:
            Cancelled: As in `judge`.
        """
        while (ready := self.ready) is None:
            self.a_step(cancel)
        return ready

    def a_step(self, cancel: threading.Event | None = None) -> bool:
        """Do the next pass of what is to be measured; return whether anything is left.

        Raises:
            Cancelled: `cancel` was set.
        """
        if cancel is not None and cancel.is_set():
            raise Cancelled("deblurring was stopped")
        if self.ready is None:
            if self._steps is None:
                self._steps = self._everything()
            try:
                next(self._steps)
            except StopIteration:
                self._steps = None
            except BaseException:
                self._steps = None  # begun again next time
                raise
        return self.ready is None

    def _everything(self) -> Steps[None]:
        choice = yield from judged(self._model, self.choice)
        before, self.choice = self.choice.backend, choice
        if choice.backend.name != before.name:
            self.runner = Runner(self._model, choice.backend)
        yield  # here `judge` ends
        self.ready = yield from make_ready(choice, self._model, self.runner)
