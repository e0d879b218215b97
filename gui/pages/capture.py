"""Capture page: both live views, what the RAW codes say, counters, and the operator's column."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gui.frames import CAMERAS, FramePreparer
from gui.imaging import RawFormat
from gui.pages.take_progress import TakeProgress
from gui.planning import sentence
from gui.session_index import Listing
from gui.settings import Settings
from gui.take import TakeRequest
from gui.widgets.capture_bar import CaptureBar
from gui.widgets.capture_panel import CapturePanel
from gui.widgets.counters import CounterTable
from gui.widgets.live_view import LiveView
from gui.widgets.view_state import ViewState
from gui.workers import Trouble
from rig.capture.result import TakeResult
from rig.exposure import ExposurePlan
from rig.status import RigStatus


class CapturePage(QWidget):
    """Shows what the cameras see and lets the operator take pairs.

    Args:
        settings: Remembers pairs and the clipping switch.
        preparer: Where prepared frames come from.
    """

    capture_wanted = Signal(object)
    cancel_wanted = Signal()
    live_wanted = Signal(bool)
    restart_wanted = Signal(str)

    def __init__(self, settings: Settings, preparer: FramePreparer) -> None:
        super().__init__()
        self.setObjectName("page")
        self._settings = settings
        self._preparer = preparer
        self._numbers = dict.fromkeys(CAMERAS, 0)
        self._ready = False
        self._why_not = "The rig is opening"
        self._live = True
        self._lost: list[str] = []
        self._plan: ExposurePlan | None = None
        self._wished: ExposurePlan | None = None
        self._listing = Listing(Path())
        self._counted = ("", "")
        self.state = ViewState(self)
        self.views = {camera: LiveView(camera, self.state) for camera in CAMERAS}
        self.counters = CounterTable()
        self.panel = CapturePanel(settings.own_pairs)
        self.take = TakeProgress(self.panel)
        self.bar = CaptureBar(settings.show_clipping, settings.show_grid)
        self._set_clipping(settings.show_clipping)
        self._set_grid(settings.show_grid)
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
        left.addWidget(self.counters)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 12, 16, 12)
        row.setSpacing(14)
        row.addLayout(left, 1)
        row.addWidget(self.panel)

    def _connect(self) -> None:
        self.bar.fit_wanted.connect(self.fit)
        self.bar.actual_wanted.connect(self.show_actual_pixels)
        self.bar.live_wanted.connect(self.live_wanted)
        self.bar.clipping.toggled.connect(self._set_clipping)
        self.bar.grid.toggled.connect(self._set_grid)
        self.panel.capture_wanted.connect(self.fire)
        self.panel.cancel_wanted.connect(self.cancel_wanted)
        self.panel.new_scene_wanted.connect(self.use_new_scene)
        self.panel.checklist.chosen.connect(self._update_button)
        self.panel.scene_edit.textChanged.connect(self._count_scene)
        self.panel.period_edit.textChanged.connect(self._update_button)
        for view in self.views.values():
            view.restart_wanted.connect(self.restart_wanted)

    # ---- frames and status, from the window's timer

    def pull_frames(self) -> int:
        """Show what the preparer has that is new; return how many frames that were."""
        shown = 0
        for camera, view in self.views.items():
            found = self._preparer.slots[camera].take(self._numbers[camera])
            if found is not None:
                self._numbers[camera], frame = found
                view.show_frame(frame)
                shown += 1
            self._preparer.set_wish(camera, view.canvas.wanted())
        return shown

    def show_status(self, status: RigStatus) -> None:
        """Show the counters of a rig status; without both cameras there is no take."""
        lost = [camera for camera in CAMERAS if status.cameras[camera].state == "lost"]
        if lost != self._lost:
            self._lost = lost
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
            self.panel.period_edit.setPlaceholderText(f"plan's {plan.period_s * 1e3:.0f} ms")
        self._update_button()

    def show_listing(self, listing: Listing) -> None:
        """Know what the session holds."""
        self._listing = listing
        self._count_scene()

    def _count_scene(self) -> None:
        """Show what the chosen scene has already; another scene starts with its first open step."""
        scene, listing, checklist = self.scene, self._listing, self.panel.checklist
        checklist.set_counts(listing.counts(scene, "paired"), listing.counts(scene, "rejected"))
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
        if not self.panel.check_fields() or plan is None:
            return None
        kind = self.panel.checklist.current
        self.panel.pairs_spin.interpretText()
        return TakeRequest(self.scene, kind, self.panel.pairs_spin.value(), self.panel.period_s(), plan)

    def fire(self) -> None:
        """Ask for the take, if one can be made."""
        if self.take.running is not None or not self.panel.button.isEnabled():
            return
        request = self.request()
        if request is not None:
            # off until the rig says that it began: no second take by a double click
            self.panel.button.setEnabled(False)
            self.capture_wanted.emit(request)

    def take_started(self, request: TakeRequest) -> None:
        """Show that a take began."""
        self.take.started(request)
        self._show_pause()
        self._update_button()

    def take_finished(self, result: TakeResult) -> None:
        """Show the outcome of a take and go on to the next step when it was a good one."""
        self.take.finished(result)
        self._show_pause()
        self._update_button()

    def take_failed(self, trouble: Trouble) -> None:
        """Show why a take could not be made."""
        self.take.failed(trouble)
        self._show_pause()
        self._update_button()

    # ---- cameras

    def camera_lost(self, camera: str, reason: str, attempt: int) -> None:
        """Show that a camera is gone and being restarted."""
        again = "" if attempt <= 1 else f" (attempt {attempt})"
        self.views[camera].show_trouble(f"Camera {camera} lost", f"{sentence(reason)}\nRestarting it{again}…")

    def camera_given_up(self, camera: str, reason: str) -> None:
        """Show that a camera does not come back by itself."""
        self.views[camera].show_trouble(
            f"Camera {camera} does not come back",
            f"{sentence(reason)}\nRestart it when it is there again.",
        )

    def camera_back(self, camera: str) -> None:
        """Take the cover away."""
        self.views[camera].clear_trouble()

    def set_live(self, live: bool) -> None:
        """Show whether the live views run."""
        self.bar.live.setChecked(live)
        self._live = live
        self._show_pause()

    def _show_pause(self) -> None:
        words = "" if self._live else "Live view is off  [L]"
        if self.take.running is not None:
            words = "Capturing"
        for view in self.views.values():
            view.canvas.set_pause(words)

    def clear_views(self, text: str) -> None:
        """Show a line instead of pictures while the rig is closed."""
        for view in self.views.values():
            view.clear_trouble()
            view.canvas.clear(text)

    # ---- views

    def fit(self) -> None:
        """Show the whole picture in both views."""
        self.state.fit()

    def show_actual_pixels(self) -> None:
        """Show actual pixels in both views."""
        self.views["B"].canvas.show_actual_pixels()

    def _set_clipping(self, shown: bool) -> None:
        self._settings.show_clipping = shown
        for view in self.views.values():
            view.set_show_clipping(shown)

    def _set_grid(self, shown: bool) -> None:
        self._settings.show_grid = shown
        for view in self.views.values():
            view.set_show_grid(shown)

    def _update_button(self) -> None:
        kind = self.panel.checklist.current
        self.panel.button.setText(f"Capture {kind}")
        reasons = []
        if not self._ready:
            reasons.append(self._why_not)
        elif self.take.running is not None:
            reasons.append("A take is running")
        elif self._lost:
            reasons.append(f"Camera {' and '.join(self._lost)} lost: it is being restarted")
        elif (self._plan or self._wished) is None:
            reasons.append("No plan yet: see the Plan page (F2)")
        good = self.panel.check_fields()
        self.panel.set_ready(not reasons and good, reasons[0] if reasons else "")
