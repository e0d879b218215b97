"""What the open rig is tested and measured for, without recording: synchrony, and the helps for the plan."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from gui.measuring import What, measure
from gui.workers import Trouble
from rig.errors import BeamrigError, CaptureError
from rig.exposure import ExposurePlan
from rig.rig import Rig
from rig.sync_test import sync_test


class RigTests(QObject):
    """Jobs for the rig's thread, and what came of them.

    Args:
        submit: Queues a job of a kind in the rig's thread.
        with_plan: Returns the open rig after applying this plan where it has none; raises when it is closed.
        parent: The Qt parent.
    """

    sync_progress = Signal(str, int, int)
    sync_finished = Signal(object)
    sync_failed = Signal(object)
    measured = Signal(object)
    measure_failed = Signal(object)

    def __init__(
        self,
        submit: Callable[[Callable[[], None], str], object],
        with_plan: Callable[[ExposurePlan | None], Rig],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._submit = submit
        self._with_plan = with_plan
        self._cancel = threading.Event()

    def sync_test(self, plan: ExposurePlan | None) -> None:
        """Test the synchrony with the plan in force, or with this one where none is yet."""
        self._cancel.clear()
        self._submit(lambda: self._sync_test(plan), "sync test")

    def cancel(self) -> None:
        """End the sync test that runs."""
        self._cancel.set()

    def measure(self, what: What, plan: ExposurePlan | None) -> None:
        """Measure what a plan needs on live frames; this plan is applied where none is yet."""
        self._submit(lambda: self._measure(what, plan), "measure")

    def _sync_test(self, plan: ExposurePlan | None) -> None:
        try:
            rig = self._with_plan(plan)
            found = sync_test(rig, cancel=self._cancel, on_progress=self.sync_progress.emit)
        except BeamrigError as error:
            self.sync_failed.emit(Trouble.of(error, "sync test"))
        else:
            self.sync_finished.emit(found)

    def _measure(self, what: What, plan: ExposurePlan | None) -> None:
        try:
            rig = self._with_plan(plan)
            if rig.plan is None:
                raise CaptureError("no plan is applied", hint="use a plan first")
            found = measure(rig, what, rig.plan.plan)
        except BeamrigError as error:
            self.measure_failed.emit(Trouble.of(error, "measure"))
        else:
            self.measured.emit(found)
