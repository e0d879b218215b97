"""Lists what is in the session, in a thread of its own: the journal may be long."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gui.sessions import SessionKeeper
from gui.workers import Worker
from rig.records import PairRecord, RejectedShot

Shot = PairRecord | RejectedShot


@dataclass(frozen=True)
class Listing:
    """Everything the window shows about a session.

    Attributes:
        folder: Where it is or will be.
        made: Whether it exists.
        scenes: Names of its scenes.
        shots: All shots in the order they were made.
    """

    folder: Path
    made: bool = False
    scenes: tuple[str, ...] = ()
    shots: tuple[Shot, ...] = field(default=(), repr=False)

    def counts(self, scene: str, verdict: str) -> dict[str, int]:
        """Return how many shots of a scene have a verdict, for each kind of take."""
        found: dict[str, int] = {}
        for shot in self._of(scene):
            if shot.sync.verdict == verdict:
                found[shot.kind] = found.get(shot.kind, 0) + 1
        return found

    def _of(self, scene: str) -> Iterable[Shot]:
        return (shot for shot in self.shots if shot.scene == scene)


class SessionIndex(QObject):
    """Reads the session's journal in the background and tells the newest listing."""

    listed = Signal(object)
    failed = Signal(object)

    def __init__(self, keeper: SessionKeeper, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._keeper = keeper
        self._worker = Worker("index", limit=2, parent=self)
        self._worker.failed.connect(self.failed)

    def refresh(self) -> None:
        """Read anew; several wishes before the first is done are one."""
        self._worker.submit(self._list, "list", newest_only=True)

    def end(self) -> None:
        """End the thread."""
        self._worker.end()

    def _list(self) -> None:
        session, folder = self._keeper.open_existing(), self._keeper.folder
        if session is None:
            self.listed.emit(Listing(folder))
            return
        names = tuple(scene.name for scene in session.scenes())
        self.listed.emit(Listing(session.root, True, names, tuple(session.shots())))
