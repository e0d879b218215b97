"""Capture page: both live views, what the RAW codes say, counters, and the operator's column."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gui import actions, theme
from gui.frames import CAMERAS, FramePreparer, PreparedFrame
from gui.imaging import RawFormat
from gui.planning import sentence
from gui.rig_service import TakeRequest
from gui.settings import Settings
from gui.widgets.capture_panel import CapturePanel
from gui.widgets.counters import CounterTable
from gui.widgets.live_view import LiveView
from gui.widgets.view_state import ViewState
from gui.workers import Trouble
from rig.capture.result import Shot, TakeResult
from rig.errors import BeamrigError, UnitError
from rig.exposure import ExposurePlan
from rig.records import check_scene_name
from rig.status import RigStatus
from rig.units import parse_quantity

SHARPEST_VIEW = 1.1
"""Screen pixels that a prepared pixel may cover before a finer picture is prepared."""


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
        self._running: TakeRequest | None = None
        self._plan: ExposurePlan | None = None
        self._wished: ExposurePlan | None = None
        self._used_scenes: set[str] = set()
        self.state = ViewState(self)
        self.views = {camera: LiveView(camera, self.state) for camera in CAMERAS}
        self.counters = CounterTable()
        self.panel = CapturePanel(settings.pairs)
        self._plan_line = QLabel("")
        self._plan_line.setObjectName("muted")
        self._plan_line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.live_button = QPushButton("Live")
        self.live_button.setCheckable(True)
        self.live_button.setChecked(True)
        self.live_button.setToolTip(actions.tooltip("rig.live"))
        self.live_button.clicked.connect(self.live_wanted)
        self.clipping = QCheckBox("Mark clipped")
        self.clipping.setToolTip(actions.tooltip("view.clipping"))
        self.clipping.setChecked(settings.show_clipping)
        self.clipping.toggled.connect(self._set_clipping)
        self._set_clipping(settings.show_clipping)
        self._build()
        self._connect()
        self._update_button()

    def _build(self) -> None:
        title = QLabel("Capture")
        title.setObjectName("title")
        bar = QHBoxLayout()
        bar.setSpacing(10)
        bar.addWidget(title)
        bar.addWidget(self._plan_line, 1)
        bar.addWidget(self.clipping)
        for key, text, slot in (
            ("view.fit", "Fit", self.fit),
            ("view.actual", "1:1", self.show_actual_pixels),
        ):
            button = QPushButton(text)
            button.setToolTip(actions.tooltip(key))
            button.clicked.connect(slot)
            bar.addWidget(button)
        bar.addWidget(self.live_button)
        views = QHBoxLayout()
        views.setSpacing(12)
        for view in self.views.values():
            views.addWidget(view, 1)
        left = QVBoxLayout()
        left.setSpacing(10)
        left.addLayout(bar)
        left.addLayout(views, 1)
        left.addWidget(self.counters)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 12, 16, 12)
        row.setSpacing(14)
        row.addLayout(left, 1)
        row.addWidget(self.panel)

    def _connect(self) -> None:
        self.panel.capture_wanted.connect(self.fire)
        self.panel.cancel_wanted.connect(self.cancel_wanted)
        self.panel.new_scene_wanted.connect(self.use_new_scene)
        self.panel.pairs_spin.valueChanged.connect(self._remember_pairs)
        self.panel.checklist.chosen.connect(self._step_chosen)
        self.panel.scene_edit.textChanged.connect(self._update_button)
        self.panel.period_edit.textChanged.connect(self._update_button)
        for view in self.views.values():
            view.restart_wanted.connect(self.restart_wanted)

    # ---- frames and status, from the window's timer

    def pull_frames(self) -> int:
        """Show what the preparer has that is new; return how many frames that were."""
        shown = 0
        for camera, view in self.views.items():
            found = self._preparer.slots[camera].take(self._numbers[camera])
            if found is None:
                continue
            self._numbers[camera], frame = found
            self.show_frame(frame)
            self._preparer.set_step(camera, self._step_for(view, frame))
            shown += 1
        return shown

    def show_frame(self, frame: PreparedFrame) -> None:
        """Show a frame in its view."""
        self.views[frame.camera].show_frame(frame)

    def _step_for(self, view: LiveView, frame: PreparedFrame) -> int:
        scale = view.canvas.screen_scale()
        for step in (4, 2):
            if 2 * step * scale <= SHARPEST_VIEW:
                return step
        return 1

    def show_status(self, status: RigStatus) -> None:
        """Show the counters of a rig status."""
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
        plan = self._plan or self._wished
        if plan is None:
            self._plan_line.setText("No plan: the Plan page says what is missing")
        else:
            words = "on the rig" if self._plan else "planned, goes to the rig with the first take"
            self._plan_line.setText(
                f"B {plan.applied_us['B'] / 1e3:.3f} ms, {plan.blur_px['B']:.1f} px   "
                f"S {plan.applied_us['S'] / 1e3:.3f} ms, {plan.blur_px['S']:.1f} px   ({words})"
            )
            self.panel.period_edit.setPlaceholderText(f"plan's {plan.period_s * 1e3:.0f} ms")
        self._plan_line.setToolTip(self._plan_line.text())
        self._update_button()

    def set_scene_counts(self, scenes: set[str], paired: dict[str, int], rejected: dict[str, int]) -> None:
        """Show what the chosen scene has already."""
        self._used_scenes = scenes
        self.panel.checklist.set_counts(paired, rejected)

    @property
    def scene(self) -> str:
        """Name of the chosen scene."""
        return self.panel.scene_edit.text().strip()

    def use_new_scene(self) -> None:
        """Take the next free name for a scene."""
        number = 1
        while f"s{number:02d}" in self._used_scenes:
            number += 1
        self.panel.scene_edit.setText(f"s{number:02d}")
        self.panel.checklist.choose("whiteboard")

    def request(self) -> TakeRequest | None:
        """Return the take as it is set up, or None with the wrong field marked."""
        period, good = self._period_s()
        problem = self._scene_problem()
        self.panel.scene.set_error(problem)
        plan = self._plan or self._wished
        if not good or problem or plan is None:
            return None
        kind = self.panel.checklist.current
        return TakeRequest(self.scene, kind, self.panel.pairs_spin.value(), period, plan)

    def fire(self) -> None:
        """Ask for the take, if one can be made."""
        if self._running is not None or not self.panel.button.isEnabled():
            return
        request = self.request()
        if request is not None:
            self.panel.button.setEnabled(
                False
            )  # until the rig says that it began: no second take by a double click
            self.capture_wanted.emit(request)

    def take_started(self, request: TakeRequest) -> None:
        """Show that a take began."""
        self._running = request
        self.panel.start(request.kind, request.pairs)
        self._update_button()

    def show_shot(self, shot: Shot) -> None:
        """Show the verdict on one shot."""
        if shot.paired:
            skew = "" if shot.skew_us is None else f"  skew {shot.skew_us:+.2f} µs"
            text = f"paired{skew}" + "".join(f"; {warning}" for warning in shot.warnings)
        else:
            text = f"rejected: {shot.reason}"
        self.panel.add_shot(shot.record.index, shot.paired and not shot.warnings, text)

    def take_finished(self, result: TakeResult) -> None:
        """Show the outcome of a take and go on to the next step when it was a good one."""
        self._running = None
        self.panel.finish()
        good = result.state == "complete" and result.paired and not result.rejected
        text = f"{result.kind.capitalize()}: {result.paired} paired of {result.fired} fired"
        if result.rejected:
            text += f", {result.rejected} rejected"
        if result.state != "complete":
            text += f", {result.state}"
        self.panel.say(text, theme.OK if good else theme.WARN)
        if good and result.kind != "action":
            self.panel.checklist.choose_next()
        self._update_button()

    def take_failed(self, trouble: Trouble) -> None:
        """Show why a take could not be made."""
        self._running = None
        self.panel.finish()
        self.panel.say(f"Take failed: {trouble.message}. {sentence(trouble.hint)}", theme.BAD)
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
            f"{sentence(reason)}\nCheck cable and power, then restart it.",
        )

    def camera_back(self, camera: str) -> None:
        """Take the cover away."""
        self.views[camera].clear_trouble()

    def set_live(self, live: bool) -> None:
        """Show whether the live views run."""
        self.live_button.setChecked(live)
        if not live:
            for view in self.views.values():
                if not view.canvas.has_image():
                    view.canvas.clear("Live view is off. Press L.")

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

    def _remember_pairs(self, pairs: int) -> None:
        self._settings.pairs = pairs

    def _step_chosen(self, kind: str) -> None:
        self._update_button()

    def _scene_problem(self) -> str:
        try:
            check_scene_name(self.scene)
        except BeamrigError as error:
            return sentence(error.hint or error.message)
        return ""

    def _period_s(self) -> tuple[float | None, bool]:
        text = self.panel.period_edit.text().strip()
        if not text:
            self.panel.period.set_error("")
            return None, True
        try:
            value = parse_quantity(text, "time")
        except UnitError as error:
            self.panel.period.set_error(sentence(error.hint or error.message))
            return None, False
        self.panel.period.set_error("" if value > 0 else "Must be above 0")
        return value, value > 0

    def _update_button(self) -> None:
        kind = self.panel.checklist.current
        self.panel.button.setText(f"Capture {kind}")
        reasons = []
        if not self._ready:
            reasons.append(self._why_not)
        elif self._running is not None:
            reasons.append("A take is running")
        elif (self._plan or self._wished) is None:
            reasons.append("No plan yet: see the Plan page (F2)")
        problem = self._scene_problem()
        self.panel.scene.set_error(problem)
        good = self._period_s()[1] and not problem
        self.panel.set_ready(not reasons and good, reasons[0] if reasons else "")
