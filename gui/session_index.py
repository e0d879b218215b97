"""Lists what is in the session, in a thread of its own: the journal may be long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gui.sessions import SessionKeeper
from gui.verdicts import PairState, VerdictReader
from gui.workers import Worker
from rig.records import PairRecord, RejectedShot
from rig.take_check import TakeCheck, session_checks

Shot = PairRecord | RejectedShot


@dataclass(frozen=True)
class Listing:
    """Everything the window shows about a session.

    Attributes:
        folder: Where it is or will be.
        made: Whether it exists.
        scenes: Names of its scenes.
        shots: All shots in the order they were made.
        checks: What was found in its takes.
        states: What speaks for or against each pair, by its id.
    """

    folder: Path
    made: bool = False
    scenes: tuple[str, ...] = ()
    shots: tuple[Shot, ...] = field(default=(), repr=False)
    checks: tuple[TakeCheck, ...] = field(default=(), repr=False)
    states: Mapping[str, PairState] = field(default_factory=dict, repr=False)

    def counts(self, scene: str, verdict: str) -> dict[str, int]:
        """Return how many shots of a scene have a verdict, for each kind of take."""
        found: dict[str, int] = {}
        for shot in self._of(scene):
            if shot.sync.verdict == verdict:
                found[shot.kind] = found.get(shot.kind, 0) + 1
        return found

    def _of(self, scene: str) -> Iterable[Shot]:
        return (shot for shot in self.shots if shot.scene == scene)


@dataclass(frozen=True)
class Problems:
    """What does not fit together in a session, one line each."""

    folder: Path
    lines: tuple[str, ...] = ()

    def headline(self) -> str:
        """Say it in one line."""
        more = f" (and {len(self.lines) - 1} more)" if len(self.lines) > 1 else ""
        return f"Session {self.folder.name}: {self.lines[0]}{more}"

    def advice(self) -> str:
        """Say what to do about it."""
        return (
            f"beamrig session check {self.folder} looks at every file; "
            "beamrig session recover completes what can be completed"
        )


class SessionIndex(QObject):
    """Reads the session's journal in the background and tells the newest listing."""

    listed = Signal(object)
    checked = Signal(object)
    failed = Signal(object)

    def __init__(self, keeper: SessionKeeper, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._keeper = keeper
        self._verdicts = VerdictReader()
        self._worker = Worker("index", limit=3, parent=self)
        self._worker.failed.connect(self.failed)

    def refresh(self) -> None:
        """Read anew; several wishes before the first is done are one."""
        self._worker.submit(self._list, "list", newest_only=True)

    def check(self) -> None:
        """Compare journal and files, once a session is opened or a take failed."""
        self._worker.submit(self._check, "check", newest_only=True)

    def end(self) -> None:
        """End the thread."""
        self._worker.end()

    def _list(self) -> None:
        session, folder = self._keeper.open_existing(), self._keeper.folder
        if session is None:
            self.listed.emit(Listing(folder))
            return
        names = tuple(scene.name for scene in session.scenes())
        shots = tuple(session.shots())
        checks = tuple(session_checks(session))
        states = self._verdicts.read(session, shots, checks)
        self.listed.emit(Listing(session.root, True, names, shots, checks, states))

    def _check(self) -> None:
        session, folder = self._keeper.open_existing(), self._keeper.folder
        self.checked.emit(Problems(folder, () if session is None else tuple(session.problems())))
