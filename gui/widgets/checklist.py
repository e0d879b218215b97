"""The steps of a scene in their order, with what is done and what comes next."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from gui import theme
from gui.scene_check import check_details, finding_line
from rig.take_check import TakeCheck

LEVEL_COLOURS = {"note": theme.MUTED, "warn": theme.WARN, "stop": theme.BAD}


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        kind: The kind of take.
        title: What the operator reads.
        hint: What he is to do.
        pairs: How many pairs are suggested.
        optional: Whether a scene can do without it.
        aside: Whether it is never suggested: the operator chooses it.
    """

    kind: str
    title: str
    hint: str
    pairs: int
    optional: bool = False
    aside: bool = False


SCENE_STEPS: tuple[Step, ...] = (
    Step("whiteboard", "Whiteboard", "Even white card fills both views", 2),
    Step("lightbox", "Lightbox", "Light box fills both views: colour cast", 4, optional=True),
    Step("static", "Static", "The scene without the moving object", 5),
    Step("action", "Action", "The object moves through the scene", 8),
    Step("colorchecker", "Colour chart", "ColorChecker in both views: colours", 2, optional=True, aside=True),
)


class StepRow(QWidget):
    """One row: mark, title, hint and how many pairs there are."""

    chosen = Signal(str)

    def __init__(self, step: Step) -> None:
        super().__init__()
        self.step = step
        self.paired = 0
        self.rejected = 0
        self.check: TakeCheck | None = None
        self.current = False
        self.running = False
        self.focused = False
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(step.title)
        self.setToolTip(step.hint)

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        """Fixed height."""
        return QSize(220, 43)

    def state_text(self) -> str:
        """Return what stands at the right end of the row."""
        if self.running:
            return "running"
        if self.rejected:
            return f"{self.paired} pairs, {self.rejected} rejected"
        if self.paired:
            return f"{self.paired} pair{'s' if self.paired != 1 else ''}"
        return "optional" if self.step.optional else ""

    def set_check(self, check: TakeCheck | None) -> None:
        """Show what was found in the newest take of this step."""
        self.check = check
        self.setToolTip(self.step.hint if check is None else check_details(check))
        self.update()

    def hint(self) -> tuple[str, str]:
        """Return the line under the title and its colour."""
        if self.check is None:
            return self.step.hint, theme.MUTED
        level = "note" if self.check.overruled else self.check.level
        return finding_line(self.check), LEVEL_COLOURS[level]

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Choose this step."""
        self.chosen.emit(self.step.kind)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """Draw the row."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 1.5, -0.5, -1.5)
        if self.current:
            painter.setPen(QPen(theme.colour(theme.ACCENT), 2.4 if self.focused else 1.2))
            painter.setBrush(theme.colour(theme.RAISED))
            painter.drawRoundedRect(box, 6, 6)
        self._paint_mark(painter, QRectF(10, box.center().y() - 8, 16, 16))
        text_left = 36.0
        painter.setFont(theme.font(12))
        state = self.state_text()
        painter.setPen(
            theme.colour(theme.WARN if self.rejected else theme.OK if self.paired else theme.FAINT)
        )
        right = QRectF(text_left, box.top(), box.width() - text_left - 8, box.height() * 0.55)
        painter.drawText(right, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, state)
        painter.setFont(theme.font(13, bold=self.current))
        painter.setPen(theme.colour(theme.TEXT if self.current or self.paired else theme.MUTED))
        painter.drawText(right, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self.step.title)
        painter.setFont(theme.font(11))
        words, colour = self.hint()
        painter.setPen(theme.colour(colour))
        below = QRectF(
            text_left, box.top() + box.height() * 0.5, box.width() - text_left - 8, box.height() * 0.45
        )
        hint = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, int(below.width()))
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, hint)
        painter.end()

    def _paint_mark(self, painter: QPainter, box: QRectF) -> None:
        if self.paired:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour(theme.OK))
            painter.drawEllipse(box)
            tick = QPainterPath()
            tick.moveTo(box.left() + 4, box.center().y())
            tick.lineTo(box.left() + 7, box.bottom() - 5)
            tick.lineTo(box.right() - 3.5, box.top() + 5)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.colour(theme.BACKGROUND), 2))
            painter.drawPath(tick)
            return
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.colour(theme.ACCENT if self.current else theme.FAINT), 2))
        painter.drawEllipse(box.adjusted(1, 1, -1, -1))
        if self.running:
            painter.setBrush(theme.colour(theme.ACCENT))
            painter.drawEllipse(box.adjusted(5, 5, -5, -5))


class Checklist(QWidget):
    """All steps of a scene; one of them is current. Arrow keys move, like in a group of radio buttons."""

    chosen = Signal(str)

    def __init__(self, steps: tuple[Step, ...] = SCENE_STEPS) -> None:
        super().__init__()
        self._rows = {step.kind: StepRow(step) for step in steps}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for row in self._rows.values():
            row.chosen.connect(self.choose)
            column.addWidget(row)
        self._current = steps[0].kind
        self._rows[self._current].current = True
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Step of the scene")

    @property
    def current(self) -> str:
        """The kind of take that is captured next."""
        return self._current

    def row(self, kind: str) -> StepRow:
        """Return the row of a kind."""
        return self._rows[kind]

    def choose(self, kind: str) -> None:
        """Make a step the current one."""
        for name, row in self._rows.items():
            row.current = name == kind
            row.update()
        if kind != self._current:
            self._current = kind
            self.chosen.emit(kind)

    def choose_next(self) -> None:
        """Go on to the next step; from the last one to the first."""
        kinds = list(self._rows)
        self.choose(kinds[(kinds.index(self._current) + 1) % len(kinds)])

    def next_open(self) -> str:
        """Return the step to go on with: the first without a pair, the last when all have some."""
        kinds = self._suggested()
        return next((kind for kind in kinds if not self._rows[kind].paired), kinds[-1])

    def open_after(self, kind: str) -> str:
        """Return the first step after `kind` that has no pair yet; without one `kind` itself."""
        kinds = self._suggested()
        later = kinds[kinds.index(kind) + 1 :] if kind in kinds else []
        return next((name for name in later if not self._rows[name].paired), kind)

    def _suggested(self) -> list[str]:
        return [kind for kind, row in self._rows.items() if not row.step.aside]

    def suggested_pairs(self, kind: str) -> int:
        """Return how many pairs are suggested for a step."""
        return self._rows[kind].step.pairs

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        """Choose the step above or below."""
        by = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if by is None:
            super().keyPressEvent(event)
            return
        kinds = list(self._rows)
        self.choose(kinds[min(max(kinds.index(self._current) + by, 0), len(kinds) - 1)])

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 (Qt's name)
        """Show that the arrow keys work here."""
        self._show_focus(True)
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802 (Qt's name)
        """Show that they do not any more."""
        self._show_focus(False)
        super().focusOutEvent(event)

    def _show_focus(self, focused: bool) -> None:
        for row in self._rows.values():
            row.focused = focused
            row.update()

    def set_counts(self, paired: dict[str, int], rejected: dict[str, int]) -> None:
        """Show how many pairs and rejected shots each kind has."""
        for kind, row in self._rows.items():
            row.paired, row.rejected = paired.get(kind, 0), rejected.get(kind, 0)
            row.update()

    def set_checks(self, checks: dict[str, TakeCheck]) -> None:
        """Show what was found in the newest take of each kind."""
        for kind, row in self._rows.items():
            row.set_check(checks.get(kind))

    def set_running(self, kind: str | None) -> None:
        """Mark the step that is being captured."""
        for name, row in self._rows.items():
            row.running = name == kind
            row.update()
