"""A rig that cannot open: the window says which part and why, and planning goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from serial.tools import list_ports

from gui.main_window import MainWindow
from gui.settings import Settings
from rig.profiles import profile_text

Wait = Callable[..., None]


def test_a_rig_that_cannot_open_names_the_part_and_can_be_tried_again(
    qtbot: QtBot, tmp_path: Path, wait_until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_ports, "comports", list)  # what is plugged into this machine is left alone
    profile = tmp_path / "broken.yaml"
    text = profile_text("virtual")
    profile.write_text(text.replace("${package}/rig/virtual/beamrig_virtual.cti", "/nowhere/vendor.cti"))
    broken = MainWindow(Settings(page="plan"), rig_name=str(profile), session_dir=tmp_path / "session")
    qtbot.addWidget(broken)
    broken.show()
    broken.open_rig()
    parts = broken.readiness.parts
    wait_until(lambda: any(part.state == "failed" for part in parts.values()), "the reason", 60)
    failed = [part for part in broken.readiness.parts.values() if part.state == "failed"]
    assert "vendor.cti" in failed[0].text
    assert not broken.readiness.retry.isHidden()
    assert not broken.capture_page.panel.button.isEnabled()
    assert not broken.plan_page.use_button.isEnabled()
    assert broken.plan_page.plan() is not None  # planning needs no rig
    broken.show_page("devices")
    cards = broken.devices_page.devices.cards
    wait_until(
        lambda: all(card.facts is not None and bool(card.facts.lines) for card in cards.values()),
        "what the rig expects",
        60,
    )
    assert cards["B"].facts is not None
    assert (cards["B"].facts.words, "VR-B-0001" in cards["B"].facts.lines[0]) == ("missing", True)
    assert "vendor.cti" in cards["B"].facts.problem
    assert not cards["B"].button.isEnabled()
    broken.close()
