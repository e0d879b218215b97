"""Devices page: what is connected and how it is, the settings of each camera, what happened."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from gui import actions
from gui.device_facts import camera_facts, expected_facts, open_rig_facts, port_facts, producer_facts
from gui.device_search import DeviceSearch, Survey
from gui.happenings import Happenings
from gui.messages import MessageLog
from gui.report import Report
from gui.rig_service import RigService
from gui.sessions import SessionKeeper
from gui.take import StatusNow
from gui.widgets.device_list import DeviceList
from gui.widgets.event_log import EventLog
from gui.widgets.feature_panel import FeaturePanel

LEFT_PX = 372


class DevicesPage(QWidget):
    """Cards of the devices at the left, settings and happenings at the right.

    Args:
        service: The window's door to the rig.
        keeper: The session.
        log: Everything that was told or happened.
    """

    trouble = Signal(object)

    def __init__(self, service: RigService, keeper: SessionKeeper, log: MessageLog) -> None:
        super().__init__()
        self.setObjectName("page")
        self._service = service
        self._capturing = False
        self._settled = False  # whether the rig was opened, or failed to
        self.search = DeviceSearch(service, self)
        self.devices = DeviceList()
        self.features = FeaturePanel(service)
        self.tabs = QTabWidget()
        self.tabs.addTab(self.features, "Settings of the cameras")
        self.events = EventLog(log)
        self.tabs.addTab(self.events, "What happened")
        self.report = Report(service, keeper, self)
        self._log = log
        self.happenings = Happenings(self)
        self.look_button = QPushButton("Look again")
        self.look_button.setToolTip(actions.tooltip("devices.look"))
        self.look_button.clicked.connect(self.look)
        self._survey: Survey | None = None
        self._build()
        self.devices.restart_wanted.connect(self._restart)
        self.search.progressed.connect(self.devices.set_note)
        self.search.found.connect(self._found)
        self.search.failed.connect(self.trouble)
        self.search.ended.connect(self._update_buttons)
        self.events.report_wanted.connect(self.copy_report)
        self.report.ready.connect(self._report_ready)
        self.features.live_wanted.connect(service.set_live)
        service.restarted.connect(self.features.camera_restarted)
        self.devices.set_note("Nobody has looked yet.")
        self._update_buttons()

    def _build(self) -> None:
        title = QLabel("Devices")
        title.setObjectName("title")
        top = QHBoxLayout()
        top.addWidget(title, 1)
        top.addWidget(self.look_button)
        left = QFrame()
        left.setFixedWidth(LEFT_PX)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(top)
        column.addWidget(self.devices, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 12, 16, 12)
        row.setSpacing(14)
        row.addWidget(left)
        row.addWidget(self.tabs, 1)
        self.tabs.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    # ---- search

    def look(self) -> None:
        """Look for devices, or stop looking."""
        if self.search.running:
            self.search.cancel()
            self.look_button.setEnabled(False)
        elif self._may_look():
            self.search.look()
            self._update_buttons()

    def _may_look(self) -> bool:
        return self._settled and not self._capturing

    def _found(self, survey: Survey) -> None:
        self._survey = survey
        if self._service.rig is None:
            self.devices.show_rig(expected_facts(survey.parts))
        producers = [facts for one in survey.producers if (facts := producer_facts(one)) is not None]
        cameras = [camera_facts(camera) for one in survey.producers for camera in one.cameras]
        ports = [port_facts(one) for one in survey.ports]
        self.devices.show_others([*cameras, *ports, *producers])
        nothing = (
            "" if cameras or ports or producers else " There is no other camera and no other serial port."
        )
        self.devices.set_note(f"Looked at {survey.when:%H:%M:%S}.{nothing}")

    def _update_buttons(self) -> None:
        running = self.search.running
        self.look_button.setText("Stop looking" if running else "Look again" if self._survey else "Look")
        self.look_button.setEnabled(running or self._may_look())
        why = "Not during a take" if self._capturing else "The rig is opening"
        self.look_button.setToolTip(actions.tooltip("devices.look") if self.look_button.isEnabled() else why)
        is_open = self._service.rig is not None
        why = "Not during a take" if self._capturing else "The rig is not open"
        self.devices.set_buttons(is_open and not self._capturing, why)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        """Look the first time that somebody wants to know."""
        super().showEvent(event)
        self._look_first()

    def _look_first(self) -> None:
        if self._survey is None and self.isVisible() and self._may_look() and not self.search.running:
            self.look()

    def find_setting(self) -> None:
        """Give the keyboard to the search of settings."""
        self.tabs.setCurrentWidget(self.features)
        self.features.focus_search()

    def copy_report(self) -> None:
        """Put all that a bug report needs on the clipboard."""
        self.tabs.setCurrentWidget(self.events)
        others = [card.facts for card in self.devices.others if card.facts is not None]
        self.report.make(self._log.messages, others)

    def _report_ready(self, text: str) -> None:
        QApplication.clipboard().setText(text)
        self.events.show_copied()

    # ---- rig

    def rig_opening(self) -> None:
        """The rig is being opened: nobody may look meanwhile."""
        self._settled = False
        self.search.cancel()
        self.devices.show_closed("opening")
        self.features.close_rig("The rig is opening")
        self._update_buttons()

    def rig_opened(self) -> None:
        """The rig is open."""
        self.features.open_rig()
        self._settle()

    def rig_failed(self) -> None:
        """The rig could not be opened."""
        self.devices.show_closed("not open")
        self.features.close_rig("The rig is not open")
        self._settle()

    def _settle(self) -> None:
        self._settled = True
        self._survey = None
        self._update_buttons()
        self._look_first()

    def show_status(self, now: StatusNow) -> None:
        """Show the state of the open rig."""
        rig = self._service.rig
        if rig is None:
            return
        if self._capturing != now.rig.capturing:
            self._capturing = now.rig.capturing
            self._update_buttons()
        self.features.show_status(now)
        self.happenings.status(now)
        if self.isVisible():
            self.devices.show_rig(open_rig_facts(rig, now.rig))

    def _restart(self, part: str) -> None:
        if part == "Box":
            self._service.restart_box()
        else:
            self._service.restart_camera(part)

    def end(self) -> None:
        """End the threads of the page."""
        self.search.end()
        self.features.end()
        self.report.end()
