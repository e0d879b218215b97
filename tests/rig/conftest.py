"""What the tests of trigger boxes share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rig.virtual.dg645_pulses import PulseEngine


@pytest.fixture
def engine() -> Iterator[PulseEngine]:
    engine = PulseEngine(lambda output, level, t_ns: None)
    engine.start()
    yield engine
    engine.close()
