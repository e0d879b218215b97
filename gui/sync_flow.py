"""The sync test in the window: begun from the strip or by its key, run in the rig's thread, shown beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from gui.sync_summary import summary
from gui.widgets.sync_dialog import SyncDialog
from gui.workers import Trouble
from rig.capture.result import TakeResult
from rig.sync_test import SyncTest

if TYPE_CHECKING:
    from gui.main_window import MainWindow

BUSY = "A sync test is running"


class SyncFlow(QObject):
    """Connects strip, service and dialog.

    Args:
        window: The window.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._page = window.capture_page
        self.dialog = SyncDialog(window)
        self.dialog.start_wanted.connect(self.start)
        self.dialog.cancel_wanted.connect(window.service.tests.cancel)
        self._page.sync.test_wanted.connect(self.start)
        tests = window.service.tests
        tests.sync_progress.connect(self.dialog.show_progress)
        tests.sync_finished.connect(self._finished)
        tests.sync_failed.connect(self._failed)
        window.service.take_finished.connect(self._take_finished)

    def start(self) -> None:
        """Begin a test, unless the rig has something else to do."""
        if self.dialog.running:
            self.dialog.raise_()
        elif self._page.can_begin:
            self._page.set_busy(BUSY)
            self.dialog.begin()
            self._window.service.tests.sync_test(self._window.plan_page.plan())

    def _finished(self, found: SyncTest) -> None:
        self._page.set_busy("")
        self.dialog.finish(found)

    def _failed(self, trouble: Trouble) -> None:
        self._page.set_busy("")
        self.dialog.fail(trouble)

    def _take_finished(self, result: TakeResult) -> None:
        self._page.sync.show_summary(summary(result))
