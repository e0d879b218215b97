"""The text of a bug report: versions, rig, devices, counters, session, what happened."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib import metadata

from PySide6.QtCore import QObject, Signal, qVersion

from gui.device_facts import DeviceFacts, open_rig_facts
from gui.messages import Message
from gui.rig_service import RigService
from gui.sessions import SessionKeeper
from gui.workers import Worker
from rig.errors import BeamrigError
from rig.rig import Rig

PACKAGES = ("beamrig", "PySide6", "numpy", "harvesters", "genicam", "pyserial", "opencv-python", "torch")
NEWEST = 200
"""So many messages go into a report; the log file has the rest."""


class Report(QObject):
    """Makes the report in a thread, as it reads the session's journal.

    Args:
        service: The window's door to the rig.
        keeper: The session.
        parent: The Qt parent.
    """

    ready = Signal(str)

    def __init__(self, service: RigService, keeper: SessionKeeper, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._service = service
        self._keeper = keeper
        self._worker = Worker("report", limit=1, parent=self)

    def make(self, messages: Sequence[Message], others: Sequence[DeviceFacts]) -> None:
        """Begin a report; it comes by `ready`.

        Args:
            messages: What happened, the oldest first.
            others: What else is connected.
        """
        now = datetime.now().astimezone()
        newest = messages[-NEWEST:]

        def job() -> None:
            rig = self._service.rig
            parts = [
                [f"beamrig report, {now:%Y-%m-%d %H:%M:%S %z}"],
                versions(),
                rig_lines(rig) if rig is not None else [f"Rig: {self._service.rig_name}, not open"],
                ["Also connected:", *(line for facts in others for line in device_lines(facts))],
                self._session(rig is not None and rig.status().capturing),
                ["What happened:", *(message.lines() for message in newest)],
            ]
            self.ready.emit("\n\n".join("\n".join(lines) for lines in parts) + "\n")

        self._worker.submit(job, "report", newest_only=True)

    def end(self) -> None:
        """End the thread."""
        self._worker.end()

    def _session(self, capturing: bool) -> list[str]:
        session = self._keeper.session
        if session is None:
            return [f"Session: {self._keeper.folder}, not made or not open"]
        lines = [f"Session: {session.root}"]
        if capturing:
            return [*lines, "  not checked: a take is running"]
        try:
            problems = session.problems()
        except BeamrigError as error:
            problems = [error.one_line()]
        return [*lines, *(f"  {one}" for one in problems or ["no problems"])]


def versions() -> list[str]:
    """Return what runs here, a line each."""
    lines = [f"{platform.platform()}, Python {platform.python_version()}, Qt {qVersion()}"]
    return lines + [f"{name} {_version(name)}" for name in PACKAGES]


def rig_lines(rig: Rig) -> list[str]:
    """Return what the rig says of itself, without asking a device."""
    status = rig.status()
    lines = [f"Rig: {rig.source.name} ({rig.source.title})"]
    for facts in open_rig_facts(rig, status).values():
        lines += device_lines(facts)
    lines.append(f"  disk: {status.disk_free_bytes / 1e9:.1f} GB free, {status.pairs_left} pairs left")
    return [*lines, f"  {status.message}"] if status.message else lines


def device_lines(facts: DeviceFacts) -> Iterable[str]:
    """Return what is shown of a device, as lines."""
    yield f"  {facts.name}: {facts.words}"
    for line in (facts.what, facts.problem, *facts.lines):
        if line:
            yield f"    {line}".replace("\u00a0", " ")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
