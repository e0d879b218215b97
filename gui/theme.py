"""Colours, fonts and the style sheet: dark, high contrast, calm; one place to change how it looks."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

BACKGROUND = "#121417"
PANEL = "#1a1d22"
RAISED = "#242931"
HOVER = "#2e343e"
BORDER = "#343b46"
TEXT = "#eceff3"
MUTED = "#a3adba"
FAINT = "#6d7784"
ACCENT = "#4da3ff"
OK = "#4fc98f"
WARN = "#f3b64c"
BAD = "#ff6e6e"
CAMERA = {"B": "#f0a35e", "S": "#58c7e8"}
"""B (long exposure, blurred) is warm and S (short, sharp) is cold, wherever they are drawn."""
CHANNEL = {"R": "#ff6161", "G": "#5fd38a", "B": "#6a9bff"}
CLIPPED = "#ff2d55"
"""The colour of clipped pixels: it occurs nowhere else in the window."""
MASK = "#b57bff"
"""The colour of the blur mask over a picture."""

SPACE = 8
"""The distance between controls in pixels; margins are multiples of it."""

FAMILIES = ("Inter", "Noto Sans", "Segoe UI", "DejaVu Sans")
MONO_FAMILIES = ("JetBrains Mono", "DejaVu Sans Mono", "Noto Sans Mono")
BASE_PX = 13


def colour(value: str, alpha: float = 1.0) -> QColor:
    """Return a QColor of a hex colour with an opacity of 0 to 1."""
    result = QColor(value)
    result.setAlphaF(alpha)
    return result


def font(px: int = BASE_PX, *, bold: bool = False, mono: bool = False) -> QFont:
    """Return the house font at a size in pixels, with figures of equal width."""
    result = QFont()
    result.setFamilies(list(MONO_FAMILIES if mono else FAMILIES))
    result.setPixelSize(px)
    result.setBold(bold)
    result.setFeature(QFont.Tag("tnum"), 1)  # figures of equal width in every font that has them
    return result


ASSETS = (Path(__file__).parent / "assets").as_posix()

STYLE = f"""
* {{ font-size: {BASE_PX}px; color: {TEXT}; outline: none; }}
QMainWindow, QDialog, QWidget#page, QWidget#central {{ background: {BACKGROUND}; }}
QWidget#panel {{ background: {PANEL}; border: 1px solid {BORDER}; border-radius: 8px; }}
QWidget#rail {{ background: {PANEL}; border-right: 1px solid {BORDER}; }}
QLabel {{ background: transparent; }}
QLabel#title {{ font-size: 20px; font-weight: 600; }}
QLabel#heading {{ font-size: 12px; font-weight: 600; color: {MUTED}; letter-spacing: 1px; }}
QLabel#muted {{ color: {MUTED}; }}
QLabel#fieldError {{ color: {BAD}; font-size: 12px; }}
QLabel#warning {{ color: {WARN}; }}
QLabel#badge {{ background: {RAISED}; border: 1px solid {BORDER}; border-radius: 9px; padding: 1px 8px;
    font-size: 12px; }}
QLabel#untrained {{ background: #3a2d12; border: 1px solid {WARN}; border-radius: 6px; color: {WARN};
    padding: 8px; }}
QToolTip {{ background: {RAISED}; color: {TEXT}; border: 1px solid {BORDER}; padding: 4px; }}
QMenuBar {{ background: {PANEL}; border-bottom: 1px solid {BORDER}; }}
QMenuBar::item {{ padding: 5px 10px; background: transparent; }}
QMenuBar::item:selected, QMenu::item:selected {{ background: {HOVER}; }}
QMenu {{ background: {RAISED}; border: 1px solid {BORDER}; padding: 4px; }}
QMenu::item {{ padding: 6px 28px 6px 16px; border-radius: 4px; }}
QMenu::item:disabled {{ color: {FAINT}; }}
QMenu::separator {{ height: 1px; background: {BORDER}; margin: 4px 8px; }}
QPushButton {{ background: {RAISED}; border: 1px solid {BORDER}; border-radius: 6px; padding: 7px 14px; }}
QPushButton:hover {{ background: {HOVER}; }}
QPushButton:pressed {{ background: {PANEL}; }}
QPushButton:focus, QToolButton:focus {{ border: 2px solid {ACCENT}; padding: 6px 13px; }}
QPushButton#primary:focus {{ border-color: {TEXT}; }}
QPushButton:disabled {{ color: {FAINT}; background: {PANEL}; }}
QPushButton:checked {{ background: #1d3b2e; border-color: {OK}; }}
QPushButton#primary {{ background: #2368b5; border-color: {ACCENT}; font-weight: 600; }}
QPushButton#primary:hover {{ background: #2c78cc; }}
QPushButton#primary:disabled {{ background: {RAISED}; border-color: {BORDER}; color: {FAINT}; }}
QPushButton#capture {{ background: #a52a35; border: 1px solid {BAD}; border-radius: 8px; font-size: 18px;
    font-weight: 700; padding: 12px; }}
QPushButton#capture:hover {{ background: #bd323e; }}
QPushButton#capture:disabled {{ background: {RAISED}; border-color: {BORDER}; color: {FAINT}; }}
QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: 6px; padding: 5px; }}
QToolButton:hover {{ background: {HOVER}; }}
QToolButton:checked {{ background: {RAISED}; border-color: {BORDER}; }}
QWidget#rail QToolButton {{ border-radius: 8px; padding: 8px 2px; font-size: 12px; color: {MUTED}; }}
QWidget#rail QToolButton:checked {{ background: {RAISED}; border-color: {ACCENT}; color: {TEXT}; }}
QLineEdit, QAbstractSpinBox, QComboBox {{ background: {BACKGROUND}; border: 1px solid {BORDER};
    border-radius: 6px; padding: 6px 8px; selection-background-color: {ACCENT}; min-height: 18px; }}
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus {{ border-color: {ACCENT}; }}
QCheckBox:focus {{ color: {ACCENT}; }}
QCheckBox::indicator:focus {{ border: 2px solid {ACCENT}; }}
QListWidget:focus, QTreeView:focus, QPlainTextEdit:focus {{ border-color: {ACCENT}; }}
QSlider::handle:horizontal:focus {{ background: {ACCENT}; }}
QTabBar::tab:focus {{ color: {ACCENT}; }}
QLineEdit[wrong="true"], QComboBox[wrong="true"] {{ border-color: {BAD}; }}
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled {{ color: {FAINT}; }}
QComboBox::drop-down {{ border: none; width: 26px; }}
QComboBox::down-arrow {{ image: url({ASSETS}/chevron.svg); width: 12px; height: 12px; }}
QAbstractSpinBox {{ padding-right: 28px; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ subcontrol-origin: border; width: 22px;
    background: {RAISED}; border: none; border-left: 1px solid {BORDER}; }}
QAbstractSpinBox::up-button {{ subcontrol-position: top right; border-top-right-radius: 6px; }}
QAbstractSpinBox::down-button {{ subcontrol-position: bottom right; border-bottom-right-radius: 6px; }}
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover {{ background: {HOVER}; }}
QAbstractSpinBox::up-arrow {{ image: url({ASSETS}/plus.svg); width: 10px; height: 10px; }}
QAbstractSpinBox::down-arrow {{ image: url({ASSETS}/minus.svg); width: 10px; height: 10px; }}
QComboBox QAbstractItemView {{ background: {RAISED}; border: 1px solid {BORDER};
    selection-background-color: {HOVER}; }}
QCheckBox {{ spacing: 8px; }}
QCheckBox::indicator, QListView::indicator {{ width: 16px; height: 16px; border: 1px solid {FAINT};
    border-radius: 4px; background: {BACKGROUND}; }}
QCheckBox::indicator:checked, QListView::indicator:checked {{ background: {ACCENT}; border-color: {ACCENT};
    image: url({ASSETS}/check.svg); }}
QSlider::groove:horizontal {{ height: 4px; background: {BORDER}; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {ACCENT}; border-radius: 2px; }}
QSlider::handle:horizontal {{ width: 14px; height: 14px; margin: -5px 0; border-radius: 7px;
    background: {TEXT}; }}
QProgressBar {{ background: {BACKGROUND}; border: 1px solid {BORDER}; border-radius: 6px; text-align: center;
    min-height: 18px; }}
QProgressBar::chunk {{ background: #2368b5; border-radius: 5px; }}
QListWidget, QTreeView, QTableView, QPlainTextEdit {{ background: {PANEL}; border: 1px solid {BORDER};
    border-radius: 8px; alternate-background-color: {BACKGROUND}; gridline-color: {BORDER}; }}
QListWidget::item, QTreeView::item, QTableView::item {{ padding: 5px 4px; }}
QListWidget::item:selected, QTreeView::item:selected, QTableView::item:selected {{ background: #23405f; }}
QHeaderView::section {{ background: {RAISED}; color: {MUTED}; border: none; border-bottom: 1px solid {BORDER};
    padding: 5px 8px; }}
QTabBar::tab {{ padding: 7px 14px; color: {MUTED}; border-bottom: 2px solid transparent; }}
QTabBar::tab:selected {{ color: {TEXT}; border-color: {ACCENT}; }}
QTabWidget::pane {{ border: none; }}
QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 10px; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; }}
QScrollBar::handle {{ background: {BORDER}; border-radius: 5px; min-height: 24px; min-width: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QStatusBar {{ background: {PANEL}; border-top: 1px solid {BORDER}; }}
QStatusBar::item {{ border: none; }}
QSplitter::handle {{ background: {BACKGROUND}; width: 8px; }}
"""


def palette() -> QPalette:
    """Return the palette for what the style sheet does not reach (native painting, placeholders)."""
    result = QPalette()
    roles = QPalette.ColorRole
    for role, value in {
        roles.Window: BACKGROUND,
        roles.WindowText: TEXT,
        roles.Base: PANEL,
        roles.AlternateBase: BACKGROUND,
        roles.Text: TEXT,
        roles.Button: RAISED,
        roles.ButtonText: TEXT,
        roles.BrightText: BAD,
        roles.Highlight: "#2368b5",
        roles.HighlightedText: TEXT,
        roles.ToolTipBase: RAISED,
        roles.ToolTipText: TEXT,
        roles.PlaceholderText: FAINT,
        roles.Link: ACCENT,
    }.items():
        result.setColor(role, QColor(value))
    return result


def apply(app: QApplication) -> None:
    """Dress the application; called once, before the first window."""
    app.setStyle("Fusion")
    app.setPalette(palette())
    families = set(QFontDatabase.families())
    family = next((name for name in FAMILIES if name in families), "")
    base = font()
    if family:
        base.setFamily(family)
    app.setFont(base)
    app.setStyleSheet(STYLE)
