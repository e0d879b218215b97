"""Which weights are used: asked for, then the variable, then the shipped ones, then none."""

from __future__ import annotations

from pathlib import Path

import pytest

from models import weights
from models.weights import are_shipped, choose_weights


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return weights that ship, in a folder of this test."""
    monkeypatch.delenv("BEAMRIG_WEIGHTS", raising=False)
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    path = tmp_path / weights.SMALL
    path.write_bytes(b"weights")
    return path


def test_what_is_asked_for_goes_before_the_variable_and_the_variable_before_the_shipped(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert choose_weights() == shipped
    monkeypatch.setenv("BEAMRIG_WEIGHTS", "/elsewhere/of_the_lab.ckpt")
    assert choose_weights() == Path("/elsewhere/of_the_lab.ckpt")
    assert choose_weights(Path("mine.safetensors")) == Path("mine.safetensors")


def test_the_variable_can_ask_for_the_untrained_network(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEAMRIG_WEIGHTS", "untrained")
    assert choose_weights() is None
    assert choose_weights(shipped) == shipped


def test_a_package_without_weights_runs_untrained(shipped: Path) -> None:
    shipped.unlink()
    assert choose_weights() is None


def test_an_empty_variable_asks_for_nothing(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEAMRIG_WEIGHTS", "")
    assert choose_weights() == shipped


def test_shipped_weights_are_known_whatever_way_leads_to_them(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    assert are_shipped(link / weights.SMALL)
    assert are_shipped(str(shipped))
    monkeypatch.chdir(tmp_path)
    assert are_shipped(weights.SMALL)
    assert not are_shipped(tmp_path / "other.safetensors")
    assert not are_shipped(None)
