"""The window: wires pages, rig service, status bar and shortcuts together; holds no logic of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QTimer
from PySide6.QtGui import QAction, QCloseEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from gui import actions, wiring
from gui.button_keys import ButtonKeys
from gui.device_watch import DeviceWatch
from gui.frames import FramePreparer
from gui.messages import MessageLog
from gui.pages.calibrate import CalibratePage
from gui.pages.capture import CapturePage
from gui.pages.deblur import DeblurPage
from gui.pages.devices import DevicesPage
from gui.pages.plan import PlanPage
from gui.pages.review import ReviewPage
from gui.planning import sentence
from gui.rail import PAGES, Rail, build_menus
from gui.rig_service import RigService
from gui.rig_view import RigView
from gui.session_flow import SessionFlow
from gui.sessions import SessionKeeper, today_folder
from gui.settings import Settings, save_settings
from gui.status_view import StatusView
from gui.sync_flow import SyncFlow
from gui.take import PARTS
from gui.view_commands import ViewCommands
from gui.widgets.error_banner import ErrorBanner
from gui.widgets.help_overlay import HelpOverlay
from gui.widgets.readiness import ReadinessPanel, StatusChips
from gui.workers import Trouble

logger = logging.getLogger(__name__)

FRAME_TIMER_MS = 33
STATUS_TIMER_MS = 250


class MainWindow(QMainWindow):
    """The one window of the app.

    Args:
        settings: What is remembered.
        rig_name: Rig profile, a name or a file.
        session_dir: Session folder; None takes today's.
    """

    def __init__(
        self, settings: Settings, *, rig_name: str = "virtual", session_dir: Path | None = None
    ) -> None:
        super().__init__()
        self.settings = settings
        self.setMinimumSize(1180, 720)
        self.resize(1440, 900)
        self.preparer = FramePreparer(self)
        self.keeper = SessionKeeper(session_dir or today_folder())
        self.service = RigService(rig_name, self.keeper, self.preparer)
        self.messages = MessageLog(self)
        self.plan_page = PlanPage(settings)
        self.capture_page = CapturePage(settings, self.preparer)
        self.session = SessionFlow(self, self.keeper)
        self.review_page = ReviewPage(self.keeper, self.session.index)
        self.deblur_page = DeblurPage(settings, self.keeper, self.preparer, lambda: self.capture_page.scene)
        self.calibrate_page = CalibratePage(self.keeper)
        self.devices_page = DevicesPage(self.service, self.keeper, self.messages)
        self.pages: dict[str, QWidget] = {
            "plan": self.plan_page,
            "capture": self.capture_page,
            "review": self.review_page,
            "deblur": self.deblur_page,
            "calibrate": self.calibrate_page,
            "devices": self.devices_page,
        }
        self.banner = ErrorBanner()
        self.readiness = ReadinessPanel("Opening the rig", PARTS)
        self.chips = StatusChips()
        self.status_view = StatusView(self.chips, self.keeper)
        self.actions_by_key = actions.build_actions(self)
        self._build()
        self.help = HelpOverlay(self)
        self._button_keys = ButtonKeys(self)
        self.views = ViewCommands(self)
        self.sync = SyncFlow(self)
        self.device_watch = DeviceWatch(self)
        self.rig_view = RigView(self)
        wiring.connect(self)
        self._frame_timer = self._timer(FRAME_TIMER_MS, self._pull_frames)
        self._status_timer = self._timer(STATUS_TIMER_MS, self._pull_status)
        self._restore()
        self.rig_view.load_profile(rig_name)

    # ---- building

    def _build(self) -> None:
        self.rail = Rail(self.actions_by_key)
        self.stack = QStackedWidget()
        for page in self.pages.values():
            self.stack.addWidget(page)
        top = QWidget()
        strip = QVBoxLayout(top)
        strip.setContentsMargins(16, 0, 16, 0)
        strip.setSpacing(8)
        strip.addWidget(self.banner)
        strip.addWidget(self.readiness)
        body = QVBoxLayout()
        body.setContentsMargins(0, 8, 0, 0)
        body.setSpacing(0)
        body.addWidget(top)
        body.addWidget(self.stack, 1)
        central = QWidget()
        central.setObjectName("central")
        row = QHBoxLayout(central)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addLayout(body, 1)
        self.setCentralWidget(central)
        self.statusBar().addWidget(self.chips)
        self.statusBar().setSizeGripEnabled(False)
        build_menus(self, self.actions_by_key)

    def _timer(self, interval_ms: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.timeout.connect(slot)
        timer.start(interval_ms)
        return timer

    # ---- pages

    @property
    def page(self) -> str:
        """Name of the page that is shown."""
        return PAGES[self.stack.currentIndex()]

    def show_page(self, name: str) -> None:
        """Show a page; its own shortcuts work, those of other pages do not."""
        self.stack.setCurrentWidget(self.pages[name])
        self.settings.page = name
        self.rail.choose(name)
        for info in actions.ACTIONS:
            if info.page:
                self.actions_by_key[info.key].setEnabled(info.page == name)
        self.preparer.set_active(name == "capture")
        focused = self.focusWidget()
        if focused is not None:
            focused.clearFocus()
        if name in ("review", "deblur", "calibrate"):
            self.session.index.refresh()
        if name == "deblur":
            self.deblur_page.enter()
        else:
            self.deblur_page.leave()

    def help_toggle(self) -> None:
        """Show or hide the shortcuts."""
        self.help.toggle()

    def action(self, key: str) -> QAction:
        """Return an action by its key."""
        return self.actions_by_key[key]

    # ---- rig

    def open_rig(self) -> None:
        """Open the rig in the background, or open it anew."""
        self.rig_view.open()

    def take_finished(self, result: Any) -> None:
        """Show the outcome of a take and list the session anew."""
        self.capture_page.take_finished(result)
        self.session.index.refresh()

    def take_failed(self, trouble: Trouble) -> None:
        """Show why a take could not be made."""
        self.capture_page.take_failed(trouble)
        self.show_trouble(trouble)
        self.session.index.refresh()
        self.session.index.check()

    def toggle_live(self) -> None:
        """Start or stop both live views."""
        self.service.set_live(not self.service.live_wanted)

    def _pull_frames(self) -> None:
        self.capture_page.live.pull_frames()

    def _pull_status(self) -> None:
        now = self.service.poll()
        if now is not None:
            self.rig_view.show_status(now)

    def deblur_pair(self, path: Path) -> None:
        """Open a developed picture on the Deblur page."""
        self.show_page("deblur")
        self.deblur_page.open_picture(path)

    def capture_kind(self, scene: str, kind: str) -> None:
        """Go to the Capture page with a scene and a kind of take chosen."""
        self.show_page("capture")
        if self.capture_page.take.running is None:
            self.capture_page.panel.choose_take(scene, kind)

    # ---- rest

    def cancel(self) -> None:
        """Stop whatever runs: take, processing, deblur; close the banner when nothing does."""
        busy = self.capture_page.take.running is not None
        if busy and not self.capture_page.take.stopping:
            self.capture_page.stop()
        working = self.review_page.processing or self.deblur_page.busy or self.calibrate_page.running
        if not (busy or working):
            self.banner.dismiss()
        self.review_page.cancel()
        self.calibrate_page.cancel()
        self.deblur_page.cancel()

    def show_title(self) -> None:
        """Name session and rig in the title; the desktop adds the app."""
        self.setWindowTitle(f"{self.keeper.folder.name}  –  {self.rig_view.title}")

    def show_trouble(self, trouble: Trouble) -> None:
        """Show an error in the banner; everything else goes on."""
        self.banner.show_message(sentence(trouble.message), sentence(trouble.hint), details=trouble.details)

    def _restore(self) -> None:
        if self.settings.geometry:
            self.restoreGeometry(QByteArray.fromBase64(self.settings.geometry.encode()))
        self.show_page(self.settings.page)
        self.status_view.show_session()
        self.session.index.refresh()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 (Qt's name)
        """Remember, close the rig, end all threads."""
        self._frame_timer.stop()
        self._status_timer.stop()
        self.settings.geometry = bytes(self.saveGeometry().toBase64().data()).decode()
        save_settings(self.settings)
        self.hide()
        self.review_page.end()
        self.deblur_page.end()
        self.calibrate_page.end()
        self.devices_page.end()
        self.session.end()
        if not self.service.close():
            logger.error("the rig did not close in time")
        self.preparer.end()
        self.keeper.close()
        super().closeEvent(event)
