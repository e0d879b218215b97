"""Looks for cameras and trigger boxes, off the window's thread, and never at those that the open rig uses.

With an open rig the search has a thread of its own: it asks producers for their lists, in other processes,
and leaves the rig's serial port alone. Without one it runs in the rig's thread, so that it can never hold a
device that is just being opened.
"""

from __future__ import annotations

import tempfile
import threading
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gui.rig_service import RigService
from gui.workers import Trouble, Worker
from rig.camera.paths import absolute_cti, installed_producers
from rig.errors import BeamrigError
from rig.profiles import RigProfile, expand, load_profile, load_rig
from rig.rig import Rig
from rig.survey import ProducerReport, RigPart, compare_with_rig, report_camera, survey_producers
from rig.trigger.discovery import PortReport, find_boxes

LONGEST_MS = 35_000
"""A producer that hangs is given up after 30 s; a thread is never left behind."""


@dataclass(frozen=True)
class Survey:
    """What a search found.

    Attributes:
        producers: Every producer with the cameras that the rig has not open.
        ports: Every serial port that the rig has not open.
        parts: What the rig expects and what is there; empty when it is open.
        when: When the search ended.
    """

    producers: tuple[ProducerReport, ...]
    ports: tuple[PortReport, ...]
    parts: tuple[RigPart, ...]
    when: datetime = field(default_factory=lambda: datetime.now().astimezone())

    @property
    def cameras(self) -> int:
        """How many cameras there are besides the rig's own."""
        return sum(len(one.cameras) for one in self.producers)


class Cancelled(BeamrigError):
    """The operator ended the search."""


class DeviceSearch(QObject):
    """One search at a time; what it finds comes by signal.

    Args:
        service: The window's door to the rig.
        parent: The Qt parent.
    """

    progressed = Signal(str)
    found = Signal(object)
    ended = Signal()
    failed = Signal(object)

    def __init__(self, service: RigService, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._service = service
        self._worker = Worker("devices", limit=1, parent=self)
        self._cancel = threading.Event()
        self.running = False
        self.ended.connect(self._over)

    def look(self) -> bool:
        """Start a search; False when one runs already or the rig is too busy for one."""
        if self.running:
            return False
        self._cancel = cancel = threading.Event()
        rig = self._service.rig
        if rig is not None:
            self.running = self._worker.submit(lambda: self._search(rig, cancel), "look")
        else:
            self.running = self._service.with_rig(lambda now: self._search(now, cancel), "look")
        return self.running

    def cancel(self) -> None:
        """End the search; what is being asked just now may take some seconds to answer."""
        self._cancel.set()

    def end(self) -> None:
        """End the thread."""
        self.cancel()
        self._worker.end(wait_ms=LONGEST_MS)

    def _over(self) -> None:
        self.running = False

    def _search(self, rig: Rig | None, cancel: threading.Event) -> None:
        try:
            self.found.emit(self._survey(rig, cancel))
        except Cancelled:
            self.progressed.emit("The search was stopped")
        except BeamrigError as error:
            self.failed.emit(Trouble.of(error, "look"))
        finally:
            self.ended.emit()

    def _survey(self, rig: Rig | None, cancel: threading.Event) -> Survey:
        profile = rig.profile if rig is not None else self._expected()
        own = dict.fromkeys(absolute_cti(slot.cti) for slot in profile.cameras.values()) if profile else {}
        env = dict(profile.companion.env) if rig is not None and profile and profile.companion else {}
        reports: list[ProducerReport] = []
        for path in dict.fromkeys([*own, *installed_producers()]):
            self._next(cancel, f"Asking {path.name} for its cameras")
            reports += survey_producers([path], env if path in own else None)
        self._next(cancel, "Asking the serial ports who is there")
        ports = self._ports(profile, rig is not None)
        self._next(cancel, "Comparing with the rig")
        everything = _together(reports)
        if rig is not None:
            return Survey(_without(everything, _opened(rig)), tuple(ports), ())
        parts = compare_with_rig(profile, everything, ports) if profile is not None else []
        return Survey(tuple(everything), tuple(ports), tuple(parts))

    def _expected(self) -> RigProfile | None:
        try:
            return expand(load_rig(self._service.rig_name), Path(tempfile.gettempdir()))
        except BeamrigError as error:
            self.failed.emit(Trouble.of(error, "look"))  # what is connected can still be listed
            return None

    def _ports(self, profile: RigProfile | None, is_open: bool) -> list[PortReport]:
        if profile is None:
            return find_boxes()
        slot = profile.trigger_box
        more = [(slot.profile, load_profile(slot.profile, "trigger_box"))]
        if is_open:
            return find_boxes(more=more, leave=[slot.port])
        there = profile.companion is None or Path(slot.port).exists()
        return find_boxes([slot.port] if there else [], more=more)

    def _next(self, cancel: threading.Event, words: str) -> None:
        if cancel.is_set():
            raise Cancelled("the search was stopped")
        self.progressed.emit(words)


def _together(reports: list[ProducerReport]) -> list[ProducerReport]:
    """Judge each camera again, now among those of all producers."""
    infos = [camera.info for report in reports for camera in report.cameras]
    return [
        ProducerReport(
            report.cti, report.error, tuple(report_camera(camera.info, infos) for camera in report.cameras)
        )
        for report in reports
    ]


def _opened(rig: Rig) -> set[tuple[str, str]]:
    return {(camera.info.cti, camera.info.id) for camera in rig.cameras.values()}


def _without(reports: list[ProducerReport], ours: set[tuple[str, str]]) -> tuple[ProducerReport, ...]:
    """Leave out the rig's own cameras, and producers that show nothing else."""
    left = []
    for report in reports:
        others = tuple(one for one in report.cameras if (one.info.cti, one.info.id) not in ours)
        if others or report.error is not None or not report.cameras:
            left.append(ProducerReport(report.cti, report.error, others))
    return tuple(left)
