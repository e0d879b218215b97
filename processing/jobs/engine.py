"""Keeps a crew busy with the tasks of several scenes, until all is done or somebody stops it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Any, Final

from processing.errors import NoRoom, ProcessingError, WorkerLost
from processing.jobs.crew import Crew
from rig.errors import BeamrigError

DEATHS_IN_A_ROW: Final = 3
"""After so many workers died without one result between, something is wrong with all of them."""
_CANCEL_POLL_S: Final = 0.1
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Call:
    """A task, and who wants to know how it went.

    Attributes:
        work: a function of `processing.jobs.tasks`.
        task: its argument.
        then: told the result.
        failed: told why there is none.
    """

    work: Callable[[Any], Any]
    task: Any
    then: Callable[[Any], None]
    failed: Callable[[BeamrigError], None]


Stages = Generator[list[Call], None, None]
"""What a scene wants done: all calls of a stage are over before the next stage is asked for."""


@dataclass
class _Running:
    stages: Stages
    ready: deque[Call] = field(default_factory=deque)
    out: int = 0

    def advance(self) -> bool:
        """Ask for the next stage when this one is over; False when there is none."""
        while not self.ready and not self.out:
            stage = next(self.stages, None)
            if stage is None:
                return False
            self.ready.extend(stage)
        return True


def run_all(scenes: Iterable[Stages], crew: Crew, cancel: threading.Event) -> bool:
    """Run the stages of all scenes; a seat that the first scene leaves free works for the next.

    After a cancel nothing new is started and what is under way is finished: tasks take seconds, and each
    leaves whole files.

    Args:
        scenes: stages of each scene.
        crew: does the tasks; closed here.
        cancel: set it to stop.

    Returns:
        Whether all is done.

    Raises:
        NoRoom: if the disk is full.
        WorkerLost: if worker after worker dies, or all are gone.
    """
    waiting = iter(scenes)
    running: list[_Running] = []
    out: dict[Future[Any], tuple[_Running, Call]] = {}
    verdict = _Verdict()
    try:
        while True:
            if not cancel.is_set() and verdict.fatal is None:
                _fill(running, waiting, crew, out)
            if not out:
                break
            done, _ = wait(out, timeout=_CANCEL_POLL_S, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=list(out).index):
                scene, call = out.pop(future)
                scene.out -= 1
                verdict.deliver(call, crew, future)
            if out:
                crew.check()
        if verdict.fatal is not None:
            raise verdict.fatal
        unfinished = [scene for scene in running if scene.advance()]
        return not unfinished and next(waiting, None) is None
    finally:
        crew.close(at_once=bool(out))  # only an exception on its way through leaves tasks behind
        for scene in running:
            scene.stages.close()


def _fill(
    running: list[_Running],
    waiting: Iterator[Stages],
    crew: Crew,
    out: dict[Future[Any], tuple[_Running, Call]],
) -> None:
    """Hand out tasks while seats are free, of the scene that began first if it has any."""
    while len(out) < crew.seats:
        running[:] = [scene for scene in running if scene.advance()]
        scene = next((scene for scene in running if scene.ready), None)
        if scene is None:
            stages = next(waiting, None)
            if stages is None:
                return
            running.append(_Running(stages))
            continue
        call = scene.ready.popleft()
        out[crew.submit(call.work, call.task)] = (scene, call)
        scene.out += 1


class _Verdict:
    """Passes results on, and notices what must stop everything."""

    def __init__(self) -> None:
        self.fatal: BeamrigError | None = None
        self._deaths = 0

    def deliver(self, call: Call, crew: Crew, future: Future[Any]) -> None:
        """Tell the caller how its task went."""
        try:
            result = crew.result(future)
        except BeamrigError as error:
            self._deaths = self._deaths + 1 if isinstance(error, WorkerLost) else 0
            if isinstance(error, NoRoom) or self._deaths >= DEATHS_IN_A_ROW:
                self.fatal = self.fatal or error
            call.failed(error)
        except Exception as error:  # noqa: BLE001 - one pair's defect must not cost the other pairs
            self._deaths = 0
            _LOG.exception("a task failed unexpectedly")
            call.failed(ProcessingError(f"unexpected {type(error).__name__}: {error}"))
        else:
            self._deaths = 0
            call.then(result)
