"""Reads and writes the features of the open rig's cameras for the window, never in the window's thread.

Reading has a thread of its own. Writing goes through the rig's thread, so that it can never fall into a take,
and is refused while one runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gui.rig_service import RigService
from gui.workers import Trouble, Worker
from rig.camera import feature_diff
from rig.camera.browser import FeatureBrowser, FeatureNode
from rig.camera.types import Applied, FeatureValue
from rig.errors import BeamrigError, CaptureError, DeviceError
from rig.rig import Rig

FLOAT_TOLERANCE = 0.05
"""A camera rounds times and gains to its own steps; what it made of the wish is shown beside it."""
OURS = ("AcquisitionStart", "AcquisitionStop", "AcquisitionAbort", "AcquisitionArm")
"""Commands that the rig gives itself: from elsewhere they would take the frames from under it."""
TAKE_RUNS = "a take is running: settings stay as they are until it ends"


class FeatureReader(QObject):
    """The window's door to the features; every call returns at once, answers come by signal.

    Signals carry the camera's name first: `loaded` (browser), `states` (by name), `differs` (differences from
    the profile by name), `written` (applied, new states), `refused` (name, trouble), `compared` (title,
    differences), `told` (words), `failed` (trouble).
    """

    loaded = Signal(str, object)
    states = Signal(str, object)
    differs = Signal(str, object)
    written = Signal(str, object, object)
    refused = Signal(str, str, object)
    compared = Signal(str, str, object)
    told = Signal(str, str)
    failed = Signal(str, object)

    def __init__(self, service: RigService, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._service = service
        self._worker = Worker("features", limit=8, parent=self)
        self._browsers: dict[str, FeatureBrowser] = {}

    def forget(self, camera: str = "") -> None:
        """Forget a camera's features, or those of all: another device may be there now."""
        if camera:
            self._browsers.pop(camera, None)
        else:
            self._browsers.clear()

    def load(self, camera: str) -> None:
        """Fetch the catalogue of a camera."""
        self._read(camera, "load", lambda rig, browser: self._load(rig, camera, browser))

    def ask(self, camera: str, names: Iterable[str]) -> None:
        """Read the states of some features."""
        wanted = list(names)

        def job(rig: Rig, browser: FeatureBrowser) -> None:
            self.states.emit(camera, browser.states(wanted))

        if wanted:
            self._read(camera, "states", job)

    def compare_with_profile(self, camera: str) -> None:
        """Find out which settings are not the profile's."""
        self._read(camera, "profile", lambda rig, browser: self._differs(rig, camera, browser))

    def save(self, camera: str, path: Path) -> None:
        """Write a snapshot of all values."""

        def job(rig: Rig, browser: FeatureBrowser) -> None:
            taken = feature_diff.snapshot(browser, rig.cameras[camera].info)
            feature_diff.save(taken, path)
            self.told.emit(camera, f"{len(taken['features'])} values saved to {path}")

        self._read(camera, "save", job)

    def compare(self, camera: str, path: Path) -> None:
        """Compare the camera with a saved snapshot."""

        def job(rig: Rig, browser: FeatureBrowser) -> None:
            before = feature_diff.load(path)
            after = feature_diff.snapshot(browser, rig.cameras[camera].info)
            self.compared.emit(camera, path.name, feature_diff.differences(before, after))

        self._read(camera, "compare", job)

    def write(self, camera: str, node: FeatureNode, value: FeatureValue) -> None:
        """Write a feature, or execute a command."""
        if self._capturing():
            self.refused.emit(camera, node.name, Trouble(TAKE_RUNS))
            return
        if not self._service.with_rig(lambda rig: self._write(rig, camera, node, value), "feature"):
            self.refused.emit(camera, node.name, Trouble("the rig is busy"))

    def end(self) -> None:
        """End the thread."""
        self._worker.end()

    # ---- jobs

    def _read(self, camera: str, key: str, job: Callable[[Rig, FeatureBrowser], None]) -> None:
        rig = self._service.rig
        if rig is None or camera not in rig.cameras:
            self.failed.emit(camera, Trouble("the rig is not open", "reopen it with Ctrl+R"))
            return
        browser = self._browsers.get(camera) or FeatureBrowser(rig.cameras[camera])

        def run() -> None:
            try:
                job(rig, browser)
            except BeamrigError as error:
                self.failed.emit(camera, Trouble.of(error, key))

        self._worker.submit(run, f"{key} {camera}", newest_only=True)

    def _load(self, rig: Rig, camera: str, browser: FeatureBrowser) -> None:
        if not browser.nodes():
            raise DeviceError(f"camera {camera} shows no features")
        self._browsers[camera] = browser
        self.loaded.emit(camera, browser)

    def _differs(self, rig: Rig, camera: str, browser: FeatureBrowser) -> None:
        profile = rig.camera_profiles[camera]
        named = feature_diff.named_in_profile(browser, profile)  # all would take a big camera seconds
        taken = feature_diff.snapshot(browser, rig.cameras[camera].info, named)
        found = feature_diff.differences_from_profile(taken, browser, profile)
        self.differs.emit(camera, {one.key.partition("[")[0]: one for one in found})

    def _write(self, rig: Rig | None, camera: str, node: FeatureNode, value: FeatureValue) -> None:
        try:
            if rig is None:
                raise CaptureError("the rig is not open", hint="reopen it with Ctrl+R")
            if node.name in OURS:
                raise DeviceError(f"{node.name} is given by the rig itself", hint="L starts and stops it")
            browser = self._browsers.get(camera) or FeatureBrowser(rig.cameras[camera])
            if node.type == "command":
                rig.cameras[camera].execute(node.name)
                applied = Applied(node.name, value, None)
                states = browser.states([node.name, *node.selects])
            else:
                tolerance = FLOAT_TOLERANCE if node.type == "float" else None
                applied, states = browser.write(node.name, value, rel_tol=tolerance)
        except BeamrigError as error:
            self.refused.emit(camera, node.name, Trouble.of(error, "write"))
        else:
            self.written.emit(camera, applied, states)

    def _capturing(self) -> bool:
        rig = self._service.rig
        return rig is not None and rig.status().capturing
