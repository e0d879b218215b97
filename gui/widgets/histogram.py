"""Histogram of RAW codes for each colour of the filter array, on a logarithmic count axis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui import theme
from gui.imaging import Histogram, RawFormat

SHOWN_BINS = 256


class HistogramView(QWidget):
    """Three outlines over RAW codes, with the black level and the white level marked."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumHeight(90)
        self.histogram = Histogram()
        self._plot: Any = pg.PlotWidget(background=theme.PANEL)
        item: Any = self._plot.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.setMouseEnabled(x=False, y=False)
        item.setContentsMargins(2, 2, 8, 0)
        item.hideAxis("left")
        axis: Any = item.getAxis("bottom")
        axis.setPen(theme.FAINT)
        axis.setTextPen(theme.MUTED)
        axis.setStyle(tickFont=theme.font(10), tickTextOffset=3)
        axis.enableAutoSIPrefix(False)
        item.setYRange(0, 1, padding=0.02)
        self._curves: dict[str, Any] = {}
        for name in ("R", "G", "B"):
            curve: Any = pg.PlotCurveItem(
                x=[0.0, 1.0],
                y=[0.0],
                pen=pg.mkPen(theme.CHANNEL[name], width=1.4),
                brush=pg.mkBrush(theme.colour(theme.CHANNEL[name], 0.16)),
                fillLevel=0.0,
                stepMode="center",
                antialias=True,
            )
            item.addItem(curve)
            self._curves[name] = curve
        self._white: Any = pg.InfiniteLine(pen=pg.mkPen(theme.CLIPPED, width=1))
        self._black: Any = pg.InfiniteLine(pen=pg.mkPen(theme.FAINT, width=1))
        item.addItem(self._white)
        item.addItem(self._black)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._plot)
        self.set_format(RawFormat())

    def set_format(self, fmt: RawFormat) -> None:
        """Fit the axis to a camera's codes."""
        self._plot.getPlotItem().setXRange(0, fmt.levels, padding=0.01)
        self._white.setValue(fmt.white_dn)
        self._black.setValue(fmt.black_dn)

    def set_histogram(self, histogram: Histogram) -> None:
        """Show counts: 256 bins, each outline scaled by the logarithm of the greatest count."""
        self.histogram = histogram
        drawn = {name: coarse(counts) for name, counts in histogram.counts.items()}
        top = max((float(counts.max()) for counts in drawn.values() if counts.size), default=1.0)
        scale = 1.0 / np.log1p(max(top, 1.0))
        for name, counts in drawn.items():
            per_bin = histogram.counts[name].size / max(counts.size, 1) * histogram.bin_width_dn
            edges = np.arange(counts.size + 1) * per_bin
            self._curves[name].setData(edges, np.log1p(counts.astype(np.float64)) * scale)


def coarse(counts: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Sum neighbouring bins to at most 256, without losing a count."""
    if counts.size <= SHOWN_BINS:
        return counts
    group = -(-counts.size // SHOWN_BINS)
    padded = np.zeros(-(-counts.size // group) * group, dtype=np.int64)
    padded[: counts.size] = counts
    summed: np.ndarray[Any, np.dtype[np.int64]] = padded.reshape(-1, group).sum(axis=1)
    return summed
