"""The outcome of a sync test: verdict with reasons, the histogram of the skew, what each camera did."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from gui import theme
from gui.sync_summary import CLOCKS, DASH
from gui.widgets.readout import ValueTable
from rig.sync_report import Bar, CameraReport, histogram
from rig.sync_test import SyncTest

VERDICTS = {
    "good": ("Good: every pulse gives one frame in each camera", theme.OK),
    "bad": ("Not good", theme.BAD),
    "cancelled": ("Cancelled: this is what was found until then", theme.WARN),
}


class SkewHistogram(QWidget):
    """Bars of how far S started from its time, in microseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.bars: list[Bar] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(120)
        self.setAccessibleName("Histogram of the skew")

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        """Room for bars and an axis."""
        return QSize(420, 180)

    def show_skews(self, skews_us: tuple[float, ...]) -> None:
        """Show the skew of each pair."""
        self.bars = histogram(skews_us)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """Draw the bars with their counts and the axis."""
        painter = QPainter(self)
        painter.setFont(theme.font(11))
        area = QRectF(self.rect()).adjusted(8, 20, -8, -36)
        if not self.bars:
            painter.setPen(theme.colour(theme.MUTED))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No skew could be measured")
            painter.end()
            return
        most = max(bar.count for bar in self.bars)
        step = area.width() / len(self.bars)
        centre = Qt.AlignmentFlag.AlignHCenter
        for index, bar in enumerate(self.bars):
            left, height = area.left() + index * step, area.height() * bar.count / most
            if bar.count:
                box = QRectF(left + 2, area.bottom() - height, step - 4, height)
                painter.fillRect(box, theme.colour(theme.ACCENT, 0.85))
                painter.setPen(theme.colour(theme.TEXT))
                painter.drawText(QRectF(left, box.top() - 17, step, 16), centre, str(bar.count))
            if index % 2 == 0:
                painter.setPen(theme.colour(theme.MUTED))
                middle = (bar.low_us + bar.high_us) / 2
                under = QRectF(left - step / 2, area.bottom() + 4, 2 * step, 14)
                painter.drawText(under, centre, f"{middle:.2f}")
        painter.setPen(QPen(theme.colour(theme.BORDER), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.setPen(theme.colour(theme.MUTED))
        below = QRectF(area.left(), area.bottom() + 19, area.width(), 16)
        painter.drawText(below, centre, "skew of S against B, µs; pairs in each bar")
        painter.end()


class SyncResultView(QWidget):
    """Everything that a sync test found, on one page."""

    def __init__(self) -> None:
        super().__init__()
        self.verdict = QLabel()
        self.reasons = QLabel()
        self.reasons.setWordWrap(True)
        self.histogram = SkewHistogram()
        self.rig = ValueTable()
        self.cameras = {camera: ValueTable() for camera in ("B", "S")}
        tables = QHBoxLayout()
        tables.setSpacing(24)
        tables.addLayout(_titled("Rig", theme.TEXT, self.rig), 4)
        for camera, table in self.cameras.items():
            tables.addLayout(_titled(f"Camera {camera}", theme.CAMERA[camera], table), 3)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.verdict)
        column.addWidget(self.reasons)
        column.addWidget(self.histogram, 1)
        column.addLayout(tables)

    def show_result(self, found: SyncTest) -> None:
        """Show the outcome of a test."""
        words, colour = VERDICTS[found.verdict]
        self.verdict.setText(words)
        self.verdict.setStyleSheet(f"font-size: 17px; font-weight: 600; color: {colour};")
        self.reasons.setText("\n".join(f"•  {reason}" for reason in found.reasons))
        self.reasons.setVisible(bool(found.reasons))
        self.histogram.show_skews(found.skews_us)
        self.rig.show_all(rig_rows(found))
        for camera, table in self.cameras.items():
            table.show_all(camera_rows(found.cameras[camera], found.edges[camera].verdict))


def rig_rows(found: SyncTest) -> dict[str, str]:
    """Return the facts about the rig as a whole."""
    skew, limit = found.skew, found.limit
    shortest = DASH
    if limit is not None:
        shortest = "none found" if limit.shortest_s is None else f"{limit.shortest_s * 1e3:.4g} ms"
        shortest += f" (plan's {limit.plan_min_s * 1e3:.4g} ms)"
    return {
        "Pairs": f"{found.paired} of {found.pulses} pulses",
        "Period": f"{found.period_s * 1e3:.4g} ms",
        "S in B": f"{found.placement}, {found.s_delay_us:.1f} µs later",
        "Skew": DASH
        if skew is None
        else f"p50 {skew.p50_us:.2f}, p95 {skew.p95_us:.2f}, max {skew.max_us:.2f} µs",
        "Clocks": CLOCKS.get(found.clock, found.clock),
        "Drift S to B": _figure(found.clock_rate_ppm, "ppm"),
        "Box counted": DASH if found.box_shots is None else f"{found.box_shots} pulses",
        "Shortest period": shortest,
    }


def camera_rows(report: CameraReport, edges: str) -> dict[str, str]:
    """Return the facts about one camera."""
    residual = report.residual
    return {
        "Edges": edges,
        "Frames": f"{report.frames}, {report.missing_ids} missing",
        "Ignored": DASH if report.ignored is None else str(report.ignored),
        "Damaged": DASH if report.incomplete is None else str(report.incomplete),
        "Drift to box": _figure(report.rate_ppm, "ppm"),
        "Residual": DASH if residual is None else f"p95 {residual.p95_us:.2f} µs",
    }


def _figure(value: float | None, unit: str) -> str:
    return DASH if value is None else f"{value:+.2f} {unit}"


def _titled(title: str, colour: str, table: ValueTable) -> QVBoxLayout:
    heading = QLabel(title)
    heading.setStyleSheet(f"font-weight: 600; color: {colour};")
    column = QVBoxLayout()
    column.setSpacing(4)
    column.addWidget(heading)
    column.addWidget(table)
    column.addStretch(1)
    return column
