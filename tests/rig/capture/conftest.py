"""The real virtual rig, opened once for all tests of a file, and a session of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rig import Rig
from rig.exposure import ExposurePlan, plan_exposure
from rig.session import Session


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig.open("virtual") as opened:
        yield opened


@pytest.fixture(scope="module")
def plan(rig: Rig) -> ExposurePlan:
    return plan_exposure(rig.source, speed_mps=1.4, distance_m=5.0, blur_s_px=4.0)


@pytest.fixture
def session(rig: Rig, plan: ExposurePlan, tmp_path: Path) -> Iterator[Session]:
    with Session.create(tmp_path / "session", rig.source) as made:
        made.add_scene("s01", plan)
        yield made
