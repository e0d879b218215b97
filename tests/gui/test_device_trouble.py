"""What the operator sees when the box goes, the disk fills or a session is damaged."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from gui.app import BeamrigApp
from gui.main_window import MainWindow
from gui.settings import Settings
from gui.take import StatusNow
from rig.session import Session
from rig.virtual.client import WorldClient
from tests.gui.windows import opened_window

Wait = Callable[..., None]
BOX = "Trigger box"


@pytest.fixture(scope="module")
def window(
    qapp: BeamrigApp, tmp_path_factory: pytest.TempPathFactory, wait_until: Wait
) -> Iterator[MainWindow]:
    folder = tmp_path_factory.mktemp("trouble")
    with opened_window(folder, Settings(page="capture", own_pairs={"whiteboard": 1, "static": 1})) as made:
        wait_until(lambda: made.service.applied_plan is not None, "the plan on the rig", 60)
        wait_until(made.readiness.isHidden, "the strip to go")
        yield made


def take(window: MainWindow, kind: str, wait_until: Wait) -> str:
    panel = window.capture_page.panel
    panel.checklist.choose(kind)
    wait_until(panel.button.isEnabled, "the capture button")
    panel.button.click()
    wait_until(lambda: window.capture_page.take.running is not None, "the start of the take")
    wait_until(lambda: window.capture_page.take.running is None, "the end of the take", 60)
    return panel.verdict.text()


def test_a_box_that_is_gone_is_told_with_its_reason_and_is_reconnected_by_its_button(
    window: MainWindow, wait_until: Wait
) -> None:
    rig, panel = window.service.rig, window.readiness
    assert rig is not None
    world = WorldClient(rig.run_dir)
    world.fault("box unplug")
    assert "failed" in take(window, "static", wait_until)
    wait_until(panel.isVisible, "the strip")
    assert panel.parts[BOX].state == "failed"
    assert "port is gone" in panel.parts[BOX].text
    assert panel.parts["Camera B"].state == "ready"
    assert panel.mend[BOX].isVisible()
    assert not panel.mend["Camera B"].isVisible()
    assert "lost" in window.chips.chips["Box"].plain()
    wait_until(lambda: "Trigger box lost" in window.capture_page.panel.why_not.text(), "no take without it")
    panel.mend[BOX].click()
    wait_until(lambda: "annot open" in panel.parts[BOX].text, "the reason why it does not come back")
    world.fault("box replug")
    wait_until(panel.mend[BOX].isVisible, "the button")
    panel.mend[BOX].click()
    wait_until(panel.isHidden, "the strip to go", 60)
    assert take(window, "static", wait_until) == "Static: 1 paired of 1 fired"


@pytest.mark.parametrize(("level", "mark"), [("soft", "#f3b64c"), ("hard", "#ff6e6e"), ("ok", "#4fc98f")])
def test_the_disk_is_told_by_its_level_with_the_pairs_left(window: MainWindow, level: str, mark: str) -> None:
    now: list[StatusNow] = []
    window._status_timer.stop()
    rig = window.service.rig
    assert rig is not None
    now.append(window.service._status_now(rig))
    disk = replace(now[0].disk, level=level, pairs_left=1234)
    window.status_view.show_status(replace(now[0], disk=disk))
    chip = window.chips.chips["Disk"]
    assert "234 pairs left" in chip.plain()
    assert mark in chip.text()
    assert "GB free" in chip.toolTip()
    window._status_timer.start()


def test_a_damaged_session_is_told_when_it_is_opened_with_what_to_do(
    window: MainWindow, wait_until: Wait
) -> None:
    take(window, "whiteboard", wait_until)
    damaged = window.keeper.folder.with_name("damaged")
    shutil.copytree(window.keeper.folder, damaged)
    with Session.open(damaged) as session:
        session.pairs("s01", "whiteboard")[0].path_b.unlink()
    window.banner.dismiss()
    window.service.switch_session(damaged)
    wait_until(lambda: "missing" in window.banner.message, "the finding")
    chip = window.chips.chips["Session"]
    assert "1 problem" in chip.plain()
    assert "beamrig session check" in chip.toolTip()
    assert "beamrig session recover" in window.messages.text()
