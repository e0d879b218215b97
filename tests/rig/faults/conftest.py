"""One rig for all tests of this folder: what a test broke is mended after it, and the rig must then work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rig.faults.bench import Bench, opened_bench

MARGIN_S = 0.7
"""Seconds that a missing frame is waited for in these tests."""


@pytest.fixture(scope="session")
def _opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with opened_bench(tmp_path_factory.mktemp("faults")) as bench:
        yield bench


@pytest.fixture
def bench(_opened: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """The rig without a fault, less patient than usual; after the test the next take must be whole."""
    monkeypatch.setattr("rig.capture.volley.MARGIN_S", MARGIN_S)
    monkeypatch.setattr("rig.capture.volley.GRACE_S", 0.3)
    yield _opened
    _opened.mend()
    after = _opened.take(pairs=2)
    assert (after.failure, after.paired, after.lines) == (None, [0, 1], [])
