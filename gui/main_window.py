"""The window: wires pages, rig service, status bar and shortcuts together; holds no logic of its own."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSize, Qt, QTimer
from PySide6.QtGui import QAction, QCloseEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QMenu,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gui import actions
from gui.frames import CAMERAS, FramePreparer
from gui.icons import icon
from gui.pages.capture import CapturePage
from gui.pages.deblur import DeblurPage
from gui.pages.plan import PlanPage
from gui.pages.review import ReviewPage
from gui.planning import sentence
from gui.rig_service import PARTS, RigService, TakeRequest, raw_format
from gui.session_index import Listing, SessionIndex
from gui.sessions import SessionKeeper, default_root, fresh_folder, today_folder
from gui.settings import Settings, save_settings
from gui.status_view import StatusView
from gui.widgets.error_banner import ErrorBanner
from gui.widgets.help_overlay import HelpOverlay
from gui.widgets.readiness import Readiness, ReadinessPanel, StatusChips
from gui.workers import Trouble
from rig.errors import BeamrigError
from rig.exposure import ExposurePlan
from rig.profiles import RigProfile, load_rig

logger = logging.getLogger(__name__)

FRAME_TIMER_MS = 33
STATUS_TIMER_MS = 250
PAGES = ("plan", "capture", "review", "deblur")
READY_STAYS_MS = 1500


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
        self.setWindowTitle("beamrig")
        self.setMinimumSize(1180, 720)
        self.resize(1440, 900)
        self.preparer = FramePreparer(self)
        self.keeper = SessionKeeper(session_dir or today_folder())
        self.service = RigService(rig_name, self.keeper, self.preparer)
        self.plan_page = PlanPage(settings)
        self.capture_page = CapturePage(settings, self.preparer)
        self.index = SessionIndex(self.keeper, self)
        self.review_page = ReviewPage(self.keeper, self.index)
        self.deblur_page = DeblurPage(settings)
        self.listing = Listing(self.keeper.folder)
        self.pages: dict[str, QWidget] = {
            "plan": self.plan_page,
            "capture": self.capture_page,
            "review": self.review_page,
            "deblur": self.deblur_page,
        }
        self.banner = ErrorBanner()
        self.readiness = ReadinessPanel("Opening the rig", PARTS)
        self.chips = StatusChips()
        self.status_view = StatusView(self.chips, self.keeper)
        self.actions_by_key = actions.build_actions(self)
        self._build()
        self.help = HelpOverlay(self)
        self._connect()
        self._frame_timer = self._timer(FRAME_TIMER_MS, self._pull_frames)
        self._status_timer = self._timer(STATUS_TIMER_MS, self._pull_status)
        self._restore()
        self._load_profile(rig_name)

    # ---- building

    def _build(self) -> None:
        rail = QWidget()
        rail.setObjectName("rail")
        rail.setFixedWidth(86)
        column = QVBoxLayout(rail)
        column.setContentsMargins(7, 12, 7, 12)
        column.setSpacing(6)
        self._rail: dict[str, QToolButton] = {}
        for name in PAGES:
            button = QToolButton()
            button.setText(name.capitalize())
            button.setIcon(icon(name))
            button.setIconSize(QSize(26, 26))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setCheckable(True)
            button.setFixedSize(72, 62)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setToolTip(actions.tooltip(f"page.{name}"))
            button.clicked.connect(self.actions_by_key[f"page.{name}"].trigger)
            column.addWidget(button)
            self._rail[name] = button
        column.addStretch(1)
        keys = QLabel("F1  keys")
        keys.setObjectName("muted")
        keys.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(keys)
        self.stack = QStackedWidget()
        for page in self.pages.values():
            self.stack.addWidget(page)
        top = QWidget()
        strip = QVBoxLayout(top)
        strip.setContentsMargins(16, 0, 16, 0)
        strip.setSpacing(8)
        strip.addSpacing(0)
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
        row.addWidget(rail)
        row.addLayout(body, 1)
        self.setCentralWidget(central)
        self.statusBar().addWidget(self.chips)
        self.statusBar().setSizeGripEnabled(False)
        for group in actions.GROUPS:
            menu = QMenu(group, self)
            for info in actions.ACTIONS:
                if info.group == group and info.in_menu:
                    menu.addAction(self.actions_by_key[info.key])
            if not menu.isEmpty():
                self.menuBar().addMenu(menu)
        for action in self.actions_by_key.values():
            self.addAction(action)

    def _timer(self, interval_ms: int, slot: Any) -> QTimer:
        timer = QTimer(self)
        timer.timeout.connect(slot)
        timer.start(interval_ms)
        return timer

    def _connect(self) -> None:
        service, capture, review = self.service, self.capture_page, self.review_page
        service.readiness.connect(self._show_readiness)
        service.opened.connect(self._rig_opened)
        service.closed.connect(self._rig_closed)
        service.live_changed.connect(capture.set_live)
        service.applied.connect(self._plan_applied)
        service.take_started.connect(capture.take_started)
        service.shot.connect(capture.show_shot)
        service.take_finished.connect(self._take_finished)
        service.take_failed.connect(self._take_failed)
        service.restarting.connect(capture.camera_lost)
        service.restarted.connect(capture.camera_back)
        service.gave_up.connect(capture.camera_given_up)
        service.trouble.connect(self.show_trouble)
        service.session_changed.connect(self._session_changed)
        self.plan_page.use_plan.connect(service.apply_plan)
        self.plan_page.plan_changed.connect(capture.set_wished_plan)
        capture.capture_wanted.connect(service.capture)
        capture.cancel_wanted.connect(service.cancel)
        capture.live_wanted.connect(service.set_live)
        capture.restart_wanted.connect(service.restart_camera)
        capture.panel.scene_edit.textChanged.connect(self._count_scene)
        self.readiness.retry_wanted.connect(self.open_rig)
        self.index.listed.connect(self._listed)
        self.index.failed.connect(self.show_trouble)
        review.trouble.connect(self.show_trouble)
        review.deblur_wanted.connect(self._deblur_pair)
        self.deblur_page.trouble.connect(self.show_trouble)
        for key, slot in {
            "session.new": self._new_session,
            "session.open": self._open_session,
            "app.quit": self.close,
            "plan.use": self.plan_page.send_plan,
            "rig.live": self._toggle_live,
            "rig.reopen": self.open_rig,
            "capture.fire": capture.fire,
            "capture.cancel": self._cancel,
            "capture.next": capture.panel.checklist.choose_next,
            "view.fit": self._fit,
            "view.actual": self._actual,
            "view.clipping": capture.clipping.toggle,
            "review.next": review.select_next,
            "review.previous": review.select_previous,
            "review.process": review.process,
            "deblur.run": self.deblur_page.run,
            "deblur.mask": self.deblur_page.toggle_mask,
            "help.keys": self.help_toggle,
        }.items():
            self.actions_by_key[key].triggered.connect(slot)
        for name in PAGES:
            self.actions_by_key[f"page.{name}"].triggered.connect(
                lambda _=False, page=name: self.show_page(page)
            )

    # ---- pages

    @property
    def page(self) -> str:
        """Name of the page that is shown."""
        return PAGES[self.stack.currentIndex()]

    def show_page(self, name: str) -> None:
        """Show a page; its own shortcuts work, those of other pages do not."""
        self.stack.setCurrentWidget(self.pages[name])
        self.settings.page = name
        for page, button in self._rail.items():
            button.setChecked(page == name)
        for info in actions.ACTIONS:
            if info.page:
                self.actions_by_key[info.key].setEnabled(info.page == name)
        self.preparer.set_active(name == "capture")
        focused = self.focusWidget()
        if focused is not None:
            focused.clearFocus()
        if name in ("review", "deblur"):
            self.index.refresh()

    def help_toggle(self) -> None:
        """Show or hide the shortcuts."""
        self.help.toggle()

    def action(self, key: str) -> QAction:
        """Return an action by its key."""
        return self.actions_by_key[key]

    # ---- rig

    def open_rig(self) -> None:
        """Open the rig in the background, or open it anew."""
        self.readiness.set_title("Opening the rig")
        self.readiness.show()
        self.capture_page.set_ready(False, "The rig is opening")
        self.plan_page.set_usable(False, "The rig is opening")
        self.service.open()

    def _load_profile(self, rig_name: str) -> None:
        try:
            profile = load_rig(rig_name)
            for camera in CAMERAS:
                self.capture_page.set_format(camera, raw_format(profile, camera))
        except BeamrigError as error:
            self.show_trouble(Trouble.of(error))
            return
        self.setWindowTitle(f"beamrig  {profile.title}")
        self.plan_page.set_rig(profile)

    def _show_readiness(self, readiness: Readiness) -> None:
        self.readiness.set_part(readiness)
        self.status_view.show_readiness(readiness)
        if readiness.state == "failed" and self.service.rig is None:
            self.readiness.set_title("The rig is not ready")
            self.capture_page.set_ready(False, "The rig is not open: see above")
            self.plan_page.set_usable(False, "The rig is not open")
            self.readiness.show()

    def _rig_opened(self, profile: RigProfile) -> None:
        self.readiness.set_title("The rig is ready")
        QTimer.singleShot(READY_STAYS_MS, self._hide_readiness)
        self.capture_page.set_ready(True)
        self.plan_page.set_usable(True)
        self.banner.dismiss()

    def _hide_readiness(self) -> None:
        if self.readiness.all_ready():
            self.readiness.hide()

    def _rig_closed(self) -> None:
        self.capture_page.clear_views("The rig is closed")
        self.capture_page.set_plan(None)
        self.plan_page.results.applied.clear()

    def _plan_applied(self, applied: Any) -> None:
        self.plan_page.results.applied.show_rows(self.status_view.applied_rows(applied))
        self.capture_page.set_plan(self.service.applied_plan)

    def _take_finished(self, result: Any) -> None:
        self.capture_page.take_finished(result)
        self.index.refresh()

    def _take_failed(self, trouble: Trouble) -> None:
        self.capture_page.take_failed(trouble)
        self.show_trouble(trouble)
        self.index.refresh()

    def _toggle_live(self) -> None:
        self.service.set_live(not self.service.live_wanted)

    def _pull_frames(self) -> None:
        self.capture_page.pull_frames()

    def _pull_status(self) -> None:
        now = self.service.poll()
        if now is not None:
            self.capture_page.show_status(now.rig)
            self.status_view.show_status(now)
            if now.rig.message:
                self.banner.show_message(sentence(now.rig.message), "Reopen the rig with Ctrl+R")

    # ---- session

    def _new_session(self) -> None:
        folder = fresh_folder()
        self.service.switch_session(folder)

    def _open_session(self) -> None:
        start = self.keeper.folder if self.keeper.folder.exists() else default_root()
        chosen = QFileDialog.getExistingDirectory(self, "Open a session folder", str(start))
        if chosen:
            self.service.switch_session(Path(chosen))

    def _session_changed(self) -> None:
        self.status_view.show_session()
        self.index.refresh()

    def _listed(self, listing: Listing) -> None:
        self.listing = listing
        self._count_scene()
        self.review_page.show_listing(listing)
        self.deblur_page.show_listing(listing)

    def _count_scene(self) -> None:
        scene = self.capture_page.scene
        paired, rejected = self.listing.counts(scene, "paired"), self.listing.counts(scene, "rejected")
        self.capture_page.set_scene_counts(set(self.listing.scenes), paired, rejected)

    def _deblur_pair(self, path: Path) -> None:
        self.show_page("deblur")
        self.deblur_page.open_picture(path)

    # ---- rest

    def _cancel(self) -> None:
        self.service.cancel()
        self.review_page.cancel()
        self.deblur_page.cancel()

    def _fit(self) -> None:
        self.capture_page.fit()
        self.review_page.slider.state.fit()
        self.deblur_page.slider.state.fit()

    def _actual(self) -> None:
        if self.page == "capture":
            self.capture_page.show_actual_pixels()
        elif self.page == "review":
            self.review_page.slider.show_actual_pixels()
        else:
            self.deblur_page.slider.show_actual_pixels()

    def show_trouble(self, trouble: Trouble) -> None:
        """Show an error in the banner; everything else goes on."""
        self.banner.show_message(sentence(trouble.message), sentence(trouble.hint), details=trouble.details)

    def _restore(self) -> None:
        if self.settings.geometry:
            self.restoreGeometry(QByteArray.fromBase64(self.settings.geometry.encode()))
        self.show_page(self.settings.page)
        self.status_view.show_session()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 (Qt's name)
        """Remember, close the rig, end all threads."""
        self._frame_timer.stop()
        self._status_timer.stop()
        self.settings.geometry = bytes(self.saveGeometry().toBase64().data()).decode()
        save_settings(self.settings)
        self.hide()
        self.review_page.end()
        self.deblur_page.end()
        self.index.end()
        if not self.service.close():
            logger.error("the rig did not close in time")
        self.preparer.end()
        self.keeper.close()
        super().closeEvent(event)

    def take_request(self) -> TakeRequest | None:
        """Return the take as the Capture page is set up."""
        return self.capture_page.request()

    def current_plan(self) -> ExposurePlan | None:
        """Return the plan of the Plan page."""
        return self.plan_page.plan()
