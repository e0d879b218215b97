"""Capture page: both live views, what the RAW codes say, counters, and the operator's column."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gui.device_facts import BOX_HINTS
from gui.frames import CAMERAS, FramePreparer
from gui.imaging import RawFormat
from gui.pages.live_views import LiveViews
from gui.pages.shutter import Shutter, shutter
from gui.pages.take_progress import TakeProgress
from gui.planning import sentence
from gui.scene_check import comes_before, in_the_way, newest_checks
from gui.session_index import Listing
from gui.settings import Settings
from gui.take import TakeRequest
from gui.widgets.capture_bar import CaptureBar
from gui.widgets.capture_panel import CapturePanel
from gui.widgets.counters import CounterTable
from gui.widgets.sync_strip import SyncStrip
from gui.widgets.view_state import ViewState
from gui.workers import Trouble
from rig.capture.result import TakeResult
from rig.exposure import ExposurePlan
from rig.status import RigStatus
from rig.take_check import TakeCheck

WELL = ("idle", "live", "science")
"""States of a camera that a take can begin from, or that is in one."""


class CapturePage(QWidget):
    """Shows what the cameras see and lets the operator take pairs.

    Args:
        settings: Remembers mode, pairs and the clipping switch.
        preparer: Where prepared frames come from.
    """

    capture_wanted = Signal(object)
    fire_wanted = Signal()
    keep_wanted = Signal()
    cancel_wanted = Signal()
    abort_wanted = Signal()
    overrule_wanted = Signal(object)
    live_wanted = Signal(bool)
    restart_wanted = Signal(str)

    def __init__(self, settings: Settings, preparer: FramePreparer) -> None:
        super().__init__()
        self.setObjectName("page")
        self._ready = False
        self._why_not = "The rig is opening"
        self._busy = ""
        self._lost: list[str] = []
        self._box = ""
        self._checks: dict[str, TakeCheck] = {}
        self._checking = ""
        self._plan: ExposurePlan | None = None
        self._wished: ExposurePlan | None = None
        self._listing = Listing(Path())
        self._counted = ("", "")
        self.state = ViewState(self)
        self.bar = CaptureBar(settings.show_clipping, settings.show_grid)
        self.live = LiveViews(self.state, settings, preparer, self.bar)
        self.views = self.live.views
        self.counters = CounterTable()
        self.sync = SyncStrip()
        self.panel = CapturePanel(settings)
        self.take = TakeProgress(self.panel)
        self._build()
        self._connect()
        self._update_button()

    def _build(self) -> None:
        views = QHBoxLayout()
        views.setSpacing(12)
        for view in self.views.values():
            views.addWidget(view, 1)
        left = QVBoxLayout()
        left.setSpacing(10)
        left.addWidget(self.bar)
        left.addLayout(views, 1)
        left.addWidget(self.sync)
        left.addWidget(self.counters)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 12, 16, 12)
        row.setSpacing(14)
        row.addLayout(left, 1)
        row.addWidget(self.panel)

    def _connect(self) -> None:
        self.bar.live_wanted.connect(self.live_wanted)
        self.panel.capture_wanted.connect(self.fire)
        self.panel.cancel_wanted.connect(self.stop)
        self.panel.anyway_wanted.connect(self.go_on_anyway)
        self.panel.new_scene_wanted.connect(self.use_new_scene)
        self.panel.checklist.chosen.connect(self._update_button)
        self.panel.scene_edit.textChanged.connect(self._count_scene)
        self.panel.mode.changed.connect(self._update_button)
        for view in self.views.values():
            view.restart_wanted.connect(self.restart_wanted)

    # ---- status, from the window's timer

    def show_status(self, status: RigStatus) -> None:
        """Show the counters of a rig status; without both cameras there is no take."""
        lost = [camera for camera in CAMERAS if status.cameras[camera].state not in WELL]
        box = "" if status.box not in BOX_HINTS else f"Trigger box {status.box}: reconnect it"
        if (lost, box) != (self._lost, self._box):
            self._lost, self._box = lost, box
            self._update_button()
        for camera in CAMERAS:
            item = status.cameras[camera]
            counters = item.counters
            self.counters.set(
                camera,
                {
                    "frames": counters.delivered,
                    "ignored": counters.ignored_triggers,
                    "incomplete": counters.incomplete,
                    "underruns": counters.underruns,
                    "dropped": counters.live_dropped,
                    "temperature": item.temperature_c,
                },
            )
        self.take.follow(status)

    # ---- state of rig and take

    def set_ready(self, ready: bool, why_not: str = "") -> None:
        """Say whether the rig can take pairs."""
        self._ready, self._why_not = ready, why_not
        self._update_button()

    def set_busy(self, words: str) -> None:
        """Say what else the rig is doing; nothing with an empty text."""
        self._busy = words
        self._update_button()

    @property
    def can_begin(self) -> bool:
        """Whether the rig is free for a take or a test now."""
        return self.take.running is None and not self._shutter().why_not

    def set_format(self, camera: str, fmt: RawFormat) -> None:
        """Fit the histogram to a camera."""
        self.views[camera].histogram.set_format(fmt)

    def set_wished_plan(self, plan: ExposurePlan | None) -> None:
        """Know the plan of the Plan page: it is applied with the first take where none was yet."""
        self._wished = plan
        self._show_plan()

    def set_plan(self, plan: ExposurePlan | None) -> None:
        """Know the plan that the rig has."""
        self._plan = plan
        self._show_plan()

    def _show_plan(self) -> None:
        self.bar.show_plan(self._plan, self._wished)
        plan = self._plan or self._wished
        if plan is not None:
            self.panel.mode.set_plan_period(plan.period_s)
        self._update_button()

    def show_listing(self, listing: Listing) -> None:
        """Know what the session holds."""
        self._listing = listing
        self._count_scene()

    def _count_scene(self) -> None:
        """Show what the chosen scene has already; another scene starts with its first open step."""
        scene, listing, checklist = self.scene, self._listing, self.panel.checklist
        checklist.set_counts(listing.counts(scene, "paired"), listing.counts(scene, "rejected"))
        self._checks = newest_checks(listing.checks, scene)
        checklist.set_checks(self._checks)
        if (str(listing.folder), scene) != self._counted and self.take.running is None:
            checklist.choose(checklist.next_open())
        self._counted = (str(listing.folder), scene)
        self._update_button()

    @property
    def scene(self) -> str:
        """Name of the chosen scene."""
        return self.panel.scene_edit.text().strip()

    def use_new_scene(self) -> None:
        """Take the next free name for a scene."""
        number = 1
        while f"s{number:02d}" in self._listing.scenes:
            number += 1
        self.panel.scene_edit.setText(f"s{number:02d}")

    def request(self) -> TakeRequest | None:
        """Return the take as it is set up, or None with the wrong field marked."""
        plan = self._plan or self._wished
        schedule = self.panel.mode.schedule()
        if not self.panel.check_fields() or plan is None or schedule is None:
            return None
        return TakeRequest(self.scene, self.panel.checklist.current, schedule, plan, self.panel.mode.warmup)

    def fire(self) -> None:
        """Do what the big button does now: begin a take, shoot by hand, keep the pre-roll."""
        deed = self._shutter().deed
        if not self.panel.button.isEnabled():
            return
        if deed == "fire":
            self.fire_wanted.emit()
        elif deed == "keep":
            self.keep()
        elif (request := self.request()) is not None:
            # off until the rig says that it began: no second take by a double click
            self.panel.button.setEnabled(False)
            self.capture_wanted.emit(request)

    def keep(self) -> None:
        """Keep the pre-roll of the take that runs, once."""
        running = self.take.running
        if running is not None and running.preroll and not self.take.kept:
            self.take.kept = True
            self.keep_wanted.emit()
            self._update_button()

    def set_checking(self, kind: str) -> None:
        """Know that a take of a kind is being looked at; later steps wait for what is found in it."""
        self._checking = kind
        self._update_button()

    def go_on_anyway(self) -> None:
        """Overrule the check that stands in the way of the chosen step."""
        refused = in_the_way(self._checks, self.panel.checklist.current)
        if refused is not None:
            self.overrule_wanted.emit(refused)

    def stop(self) -> None:
        """End the take after the present shot; asked for again, give up what is under way."""
        if self.take.stop():
            self.abort_wanted.emit()
        else:
            self.cancel_wanted.emit()
        self._update_button()

    def take_started(self, request: TakeRequest) -> None:
        """Show that a take began."""
        self.take.started(request)
        self._follow_take()

    def take_finished(self, result: TakeResult) -> None:
        """Show the outcome of a take and go on to the next step when it was a good one."""
        self.take.finished(result)
        self._follow_take()

    def take_failed(self, trouble: Trouble) -> None:
        """Show why a take could not be made."""
        self.take.failed(trouble)
        self._follow_take()

    def _follow_take(self) -> None:
        self.live.set_in_take(self.take.running is not None)
        self._update_button()

    def _shutter(self) -> Shutter:
        why_not = ""
        if not self._ready:
            why_not = self._why_not
        elif self._busy:
            why_not = self._busy
        elif self._lost:
            why_not = f"Camera {' and '.join(self._lost)} lost: it is being restarted"
        elif self._box:
            why_not = self._box
        elif (self._plan or self._wished) is None:
            why_not = "No plan yet: see the Plan page (F2)"
        elif comes_before(self._checking, self.panel.checklist.current):
            why_not = f"The {self._checking} take is being checked"
        elif (refused := in_the_way(self._checks, self.panel.checklist.current)) is not None:
            why_not = f"{sentence(refused.kind)}, take {refused.take}: {refused.reason()}"
        return shutter(
            self.panel.checklist.current,
            self.panel.mode.current,
            self.take.running,
            kept=self.take.kept,
            stopping=self.take.stopping,
            why_not=why_not,
        )

    def _update_button(self) -> None:
        now, good = self._shutter(), self.panel.check_fields()
        self.panel.set_button(now.text, not now.why_not and good, now.why_not)
        self.sync.test.setEnabled(self.can_begin)
        refused = in_the_way(self._checks, self.panel.checklist.current)
        self.panel.anyway.setVisible(refused is not None and self.take.running is None)
