from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, QSizeF

from gui.widgets.view_state import MAX_ZOOM, ViewState

VIEW, PICTURE = QSizeF(600, 500), QSizeF(2448, 2048)


def picture_point(state: ViewState, screen: QPointF) -> tuple[float, float]:
    target = state.target(VIEW, PICTURE)
    return (screen.x() - target.left()) / target.width(), (screen.y() - target.top()) / target.height()


@given(st.floats(0.35, 0.65), st.floats(0.35, 0.65), st.floats(2.0, 8.0), st.floats(1.05, 3.0))
@settings(max_examples=60, deadline=None)
def test_zooming_in_keeps_the_point_under_the_mouse(x: float, y: float, zoom: float, factor: float) -> None:
    state = ViewState()
    state.set(zoom, QPointF(0.5, 0.5))
    mouse = QPointF(x * VIEW.width(), y * VIEW.height())
    before = picture_point(state, mouse)
    state.zoom_at(factor, mouse, VIEW, PICTURE)
    assert picture_point(state, mouse) == pytest.approx(before, abs=1e-9)


@given(st.lists(st.tuples(st.floats(-4000, 4000), st.floats(-4000, 4000), st.floats(0.1, 10)), max_size=8))
@settings(max_examples=60, deadline=None)
def test_the_picture_never_leaves_the_view(moves: list[tuple[float, float, float]]) -> None:
    state = ViewState()
    for dx, dy, factor in moves:
        state.zoom_at(factor, QPointF(100, 100), VIEW, PICTURE)
        state.pan(QPointF(dx, dy), VIEW, PICTURE)
        assert 1.0 <= state.zoom <= MAX_ZOOM
        target = state.target(VIEW, PICTURE)
        assert target.left() < VIEW.width()
        assert target.right() > 0
        assert target.top() < VIEW.height()
        assert target.bottom() > 0


def test_panning_moves_the_picture_with_the_mouse() -> None:
    state = ViewState()
    state.set(4.0, QPointF(0.5, 0.5))
    before = state.target(VIEW, PICTURE)
    state.pan(QPointF(30, -20), VIEW, PICTURE)
    after = state.target(VIEW, PICTURE)
    assert after.left() - before.left() == pytest.approx(30)
    assert after.top() - before.top() == pytest.approx(-20)


def test_actual_pixels_are_one_to_one() -> None:
    state = ViewState()
    state.set(state.actual_zoom(VIEW, PICTURE), QPointF(0.5, 0.5))
    assert state.scale(VIEW, PICTURE) == pytest.approx(1.0)


def test_fit_shows_the_whole_picture_in_the_middle() -> None:
    state = ViewState()
    state.set(9.0, QPointF(0.2, 0.8))
    state.fit()
    target = state.target(VIEW, PICTURE)
    assert target.center().x() == pytest.approx(VIEW.width() / 2)
    assert target.height() == pytest.approx(min(VIEW.height(), VIEW.width() * 2048 / 2448))
