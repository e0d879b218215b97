"""Deblurring the developed pairs of a whole session at full size, with a record beside each result.

Beside the developed pictures of a pair, SESSION/derived/<scene>/<kind>/<pair>_B.png, come
<pair>_deblurred.png, <pair>_deblurred_mask.png and the record <pair>_deblurred.json: the hashes of what went
in, of the weights and of what came out, and the engine. A pair whose record is what would be written now, and
whose files are there, is skipped; so a run that was stopped or killed goes on where it ended, and other
weights or a newly developed picture are done anew.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.deblur import DeblurEngine, DeblurResult
from models.errors import Cancelled, EngineError
from models.session_pair import DeblurWish, PairDesk, PairInput
from processing.errors import NoRoom, ProcessingError
from processing.jobs.batch import alone
from processing.jobs.derived import DerivedPair, read_scene
from processing.jobs.steps import Progress, Steps
from rig.errors import BeamrigError
from rig.session import Session

__all__ = ["SessionDeblurReport", "deblur_session"]


@dataclass
class SessionDeblurReport:
    """What was done.

    Attributes:
        root: SESSION/derived.
        deblurred: Ids of the pairs that were made now.
        skipped: Ids of those that were there.
        undeveloped: Pair id -> why it has no developed picture to start from.
        failed: Pair id (or name of a scene) -> why there is no result, in one line.
        share: Mean part of the frames that the network ran on; None when nothing was made.
        cancelled: The work was stopped; what was finished stays.
        seconds: Time taken.
    """

    root: Path
    deblurred: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    undeveloped: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    share: float | None = None
    cancelled: bool = False
    seconds: float = 0.0

    def failures(self) -> list[str]:
        """Return one line for each pair or scene that failed."""
        return [f"{name}: {why}" for name, why in sorted(self.failed.items())]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {**self.__dict__, "root": str(self.root), "seconds": round(self.seconds, 3)}


def deblur_session(
    session: Session,
    engine: DeblurEngine,
    wish: DeblurWish,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> SessionDeblurReport:
    """Deblur B of developed pairs at full size.

    Args:
        session: The session, open.
        engine: With the weights.
        wish: Which pairs, and how.
        progress: Told the done fraction and what is done, with pace and time left.
        cancel: Set it to stop; the pair in work is given up, finished ones stay.

    Raises:
        ProcessingError: Nothing of what was asked for is developed, or another program is at it.
        NoRoom: The disk is full.
        EngineError: The machine cannot do what was asked of the engine.
        SessionError: There is no such scene.
    """
    begun = time.monotonic()
    report = SessionDeblurReport(session.root / "derived")
    pairs = _chosen(session, wish, report)
    if not pairs and not report.failed:
        some = f": {next(iter(report.undeveloped.values()))}" if report.undeveloped else ""
        raise ProcessingError(
            f"{session.root} has no developed pair of those that were asked for{some}",
            hint="develop first: beamrig process",
        )
    with alone(report.root):
        run = _Run(engine, wish, Steps(progress, max(1, len(pairs))), cancel or threading.Event(), report)
        run.all(pairs)
    report.seconds = time.monotonic() - begun
    return report


def _chosen(
    session: Session, wish: DeblurWish, report: SessionDeblurReport
) -> list[tuple[Path, DerivedPair]]:
    """Return the folders and pairs to be done; tell of those that cannot be."""
    kinds = ("static", "action") if wish.kind == "all" else (wish.kind,)
    chosen = []
    for name in wish.scenes or [scene.name for scene in session.scenes()]:
        session.scene(name)
        try:
            scene = read_scene(session, name)
        except ProcessingError as error:
            report.failed[name] = error.one_line()
            continue
        for pair in scene.pairs:
            if pair.record.kind not in kinds or (wish.takes and pair.record.take not in wish.takes):
                continue
            if pair.data and "B" in pair.files and pair.state != "stale":
                chosen.append((scene.folder, pair))
            else:
                fresh = pair.state == "missing" and not pair.data
                (report.undeveloped if fresh else report.failed)[pair.record.id] = pair.why
    return chosen


class _Run:
    """One run over the pairs: the next is read and the last is written while the network works."""

    def __init__(
        self,
        engine: DeblurEngine,
        wish: DeblurWish,
        steps: Steps,
        cancel: threading.Event,
        report: SessionDeblurReport,
    ) -> None:
        self._engine, self._wish, self._steps, self._cancel = engine, wish, steps, cancel
        self._report = report
        self._desk = PairDesk(engine.describe(), wish)
        self._shares: list[float] = []

    def all(self, pairs: Sequence[tuple[Path, DerivedPair]]) -> None:
        """Do the pairs one after the other.

        Raises:
            NoRoom: The disk is full.
            EngineError: The engine cannot do any pair.
        """
        writing: tuple[DerivedPair, Future[None]] | None = None
        with ThreadPoolExecutor(1, "read") as reader, ThreadPoolExecutor(1, "write") as writer:
            self._steps.begin_pairs()
            try:
                for folder, pair, read in self._ahead(pairs, reader):
                    made = self._one(pair, read)
                    if made is not None:
                        before, writing = writing, None
                        self._finish(before)
                        writing = (pair, writer.submit(self._desk.write, folder, pair, *made))
            except Cancelled:
                self._report.cancelled = True
            finally:
                self._finish(writing)
        if self._shares:
            self._report.share = round(sum(self._shares) / len(self._shares), 4)

    def _ahead(
        self, pairs: Sequence[tuple[Path, DerivedPair]], reader: ThreadPoolExecutor
    ) -> Iterator[tuple[Path, DerivedPair, Future[PairInput | None]]]:
        """Yield the pairs, each while the one after it is being read."""
        waiting: deque[tuple[Path, DerivedPair, Future[PairInput | None]]] = deque()
        for folder, pair in pairs:
            waiting.append((folder, pair, reader.submit(self._desk.read, folder, pair)))
            if len(waiting) > 1:
                yield waiting.popleft()
        yield from waiting

    def _one(
        self, pair: DerivedPair, read: Future[PairInput | None]
    ) -> tuple[PairInput, DeblurResult] | None:
        """Return what was read and made of a pair; None when there is nothing to be written."""
        done = 0.0

        def tell(fraction: float) -> None:
            nonlocal done
            self._steps.say(pair.record.id, passed=fraction - done)
            done = fraction

        if self._cancel.is_set():
            raise Cancelled("deblurring was stopped")
        try:
            source = read.result()
            if source is None:
                self._report.skipped.append(pair.record.id)
                self._steps.say(f"{pair.record.id} was there", passed=1)
                return None
            result = self._engine.run(source.rgb, self._cancel, tell, **self._moved(source))
        except (Cancelled, EngineError, NoRoom):
            raise
        except BeamrigError as error:
            self._fail(pair, error)
            self._steps.say(f"{pair.record.id} failed", passed=1 - done)
            return None
        self._shares.append(result.share)
        self._steps.say(pair.record.id, passed=1 - done, made=1)
        return source, result

    def _moved(self, source: PairInput) -> dict[str, Any]:
        return {"reference": source.reference, "only_moved": True} if self._wish.only_moved else {}

    def _finish(self, writing: tuple[DerivedPair, Future[None]] | None) -> None:
        """Wait until a pair is written; a full disk ends everything, other troubles are its own."""
        if writing is None:
            return
        pair, future = writing
        try:
            future.result()
        except NoRoom:
            raise
        except BeamrigError as error:
            self._fail(pair, error)
        else:
            self._report.deblurred.append(pair.record.id)

    def _fail(self, pair: DerivedPair, error: BeamrigError) -> None:
        self._report.failed[pair.record.id] = error.one_line()
