"""Looks at a session's calibrations, makes and chooses them, in threads of their own."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from gui.images import rgb_image
from gui.sessions import SessionKeeper
from gui.workers import NewestSlot, Trouble, Worker
from processing.calibration.overview import Known, Overview, look
from processing.profile import Profile
from rig.errors import SessionError
from rig.session import Session


@dataclass(frozen=True)
class CalibrationView:
    """The picture of a calibration: null where there is none, with the reason in `note`."""

    path: Path
    picture: QImage
    note: str = ""


class CalibrationJob(QObject):
    """One thread looks and draws, another one measures; what is made can be stopped.

    Args:
        keeper: The session.
        parent: The Qt parent.

    Attributes:
        view: The newest picture.
    """

    looked = Signal(object)
    drawn = Signal()
    progressed = Signal(str)
    made = Signal(str, str)
    """Kind of what was made (empty when it was stopped), and words about it."""
    chosen = Signal()
    failed = Signal(object)

    def __init__(self, keeper: SessionKeeper, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._keeper = keeper
        self._cancel = threading.Event()
        self._running = False
        self.view: NewestSlot[CalibrationView] = NewestSlot()
        self._looker = Worker("calibrations", limit=4, parent=self)
        self._maker = Worker("calibrate", limit=1, parent=self)
        self._looker.failed.connect(self.failed)
        self._maker.failed.connect(self._make_failed)

    @property
    def running(self) -> bool:
        """Whether a calibration is being made."""
        return self._running

    def look(self) -> None:
        """Read the session's calibrations anew."""
        self._looker.submit(self._look, "look", newest_only=True)

    def draw(self, known: Known) -> None:
        """Read or draw the picture of a calibration."""
        self._looker.submit(lambda: self._draw(known), "draw", newest_only=True)

    def choose(self, kind: str, path: Path | None) -> None:
        """Use a file for all scenes from now on; None goes back to the scenes' own takes."""
        self._looker.submit(lambda: self._choose(kind, path), "choose")

    def make(self, kind: str, scene: str, profile: Profile) -> bool:
        """Make a calibration from the takes of a scene; False when one is being made."""
        if self._running:
            return False
        self._cancel.clear()
        self._running = self._maker.submit(lambda: self._make(kind, scene, profile), "make")
        return self._running

    def cancel(self) -> None:
        """Stop at the next pair or step."""
        self._cancel.set()

    def end(self) -> None:
        """Stop and end both threads."""
        self._cancel.set()
        self._maker.end()
        self._looker.end()

    # ---- in the threads

    def _session(self) -> Session:
        session = self._keeper.open_existing()
        if session is None:
            raise SessionError("no session is open", hint="capture something, or open one with Ctrl+O")
        return session

    def _look(self) -> None:
        session = self._keeper.open_existing()
        self.looked.emit(Overview(self._keeper.folder) if session is None else look(session))

    def _draw(self, known: Known) -> None:
        from processing.calibration.laboratory import load_calibration
        from processing.calibration.pictures import geometry_picture, lightbox_picture, scene_picture
        from processing.calibration.scene import SceneCalibration

        picture, note = QImage(), ""
        if known.kind == "scene":
            picture = rgb_image(scene_picture(SceneCalibration.load(known.path)))
        elif known.picture is not None:
            picture = QImage(str(known.picture))
            note = f"{known.picture.name} cannot be read" if picture.isNull() else ""
        elif known.kind in ("lightbox", "geometry"):  # the chart's frame is not in the file of the colours
            found = load_calibration(known.path)
            draw = {"lightbox": lightbox_picture, "geometry": geometry_picture}[known.kind]
            picture = rgb_image(draw(found))  # type: ignore[operator]
        else:
            note = f"{known.path.with_suffix('.png').name}, its picture, is not beside it"
        self.view.put(CalibrationView(known.path, picture, note))
        self.drawn.emit()

    def _choose(self, kind: str, path: Path | None) -> None:
        from processing.calibration.chosen import choose

        try:
            choose(self._session(), [path] if path else [], [] if path else [kind])
        finally:
            self.chosen.emit()

    def _make(self, kind: str, scene: str, profile: Profile) -> None:
        from processing.errors import Cancelled

        try:
            done, text = kind, self._measure(kind, scene, profile)
        except Cancelled:
            done, text = "", "Stopped: nothing was written"
        finally:
            self._running = False
        self.made.emit(done, text)

    def _measure(self, kind: str, scene: str, profile: Profile) -> str:
        from processing.calibration.chosen import chosen_paths, given_for
        from processing.calibration.make import (
            colour_calibration,
            geometry_calibration,
            keep,
            lightbox_calibration,
        )
        from processing.pipeline import ScenePipeline

        session = self._session()
        if kind == "scene":
            files = chosen_paths(session)
            pipeline = ScenePipeline.from_session(
                session, scene, profile, calibrations=files, progress=self._tell
            )
            return f"Scene {scene} is calibrated: {pipeline.calibration.id}"
        given = given_for(session, scene, kind)
        if kind == "lightbox":
            path = keep(session, scene, lightbox_calibration(session, scene, progress=self._tell))
        elif kind == "colour":
            path = keep(session, scene, colour_calibration(session, scene, given=given, progress=self._tell))
        else:
            path = keep(
                session, scene, geometry_calibration(session, scene, given=given, progress=self._tell)
            )
        return f"Written: {path.name}. Choose it above to use it for all scenes"

    def _tell(self, text: str) -> None:
        from processing.errors import Cancelled

        if self._cancel.is_set():
            raise Cancelled("stopped by the operator")
        self.progressed.emit(text)

    def _make_failed(self, trouble: Trouble) -> None:
        self._running = False
        self.failed.emit(trouble)
