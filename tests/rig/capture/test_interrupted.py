"""A take that is interrupted as a script is, not through its control, and parts of it that break."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from rig import Rig
from rig.capture.recorder import Recorder
from rig.capture.result import Shot, TakeFailed
from rig.capture.schedule import ByHand, TakeControl
from rig.cli.capture_live import follow_keys
from rig.cli.session import session as session_command
from rig.session import Session
from rig.virtual.client import WorldClient
from tests.rig.small_rig import small_plan, small_rig


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with Rig.open(small_rig(tmp_path_factory.mktemp("small"))) as rig:
        rig.apply_plan(small_plan(rig.source))
        yield rig


@pytest.fixture
def record(small: Rig, tmp_path: Path) -> Iterator[Session]:
    with Session.create(tmp_path / "session", small.source) as session:
        session.add_scene("s01", small_plan(small.source))
        yield session


class CtrlC:
    """Interrupts the thread that asks it, once pulses come."""

    def __init__(self, world: WorldClient) -> None:
        self._world = world
        self._before = len(world.pulses())

    def is_set(self) -> bool:
        if len(self._world.pulses()) - self._before > 6:
            raise KeyboardInterrupt
        return False


def test_an_interrupted_script_stops_the_box_at_once_and_keeps_what_was_told(
    small: Rig, record: Session
) -> None:
    world = WorldClient(small.run_dir)
    told: list[Shot] = []
    before = len(world.pulses())
    with pytest.raises(KeyboardInterrupt):
        small.capture(record, "s01", "action", 200, 0.05, on_shot=told.append, cancel=CtrlC(world))
    after = len(world.pulses())
    assert (after - before) / 2 < 60, "the box went on firing for seconds"
    assert [shot.id for shot in told] == [shot.id for shot in record.shots()]
    assert [take.state for take in record.takes()] == ["failed"]
    time.sleep(0.2)
    assert len(world.pulses()) == after
    assert small.capture(record, "s01", "action", 3).paired == 3


def test_a_frame_that_cannot_be_taken_for_a_reason_nobody_thought_of_fails_the_take(
    small: Rig, record: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver = Recorder.deliver

    def broken(self: Recorder, camera: str, number: int, *rest: object) -> None:
        if (camera, number) == ("S", 4):
            raise MemoryError("no room")
        deliver(self, camera, number, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Recorder, "deliver", broken)
    with pytest.raises(TakeFailed, match="collecting frames failed: MemoryError: no room"):
        small.capture(record, "s01", "action", 8, 0.05)
    monkeypatch.undo()
    assert small.capture(record, "s01", "action", 3).paired == 3


@pytest.mark.parametrize("keys", [None, io.TextIOWrapper(io.BytesIO(b"\xff\xfe\n"), "utf-8")])
def test_a_keyboard_that_is_closed_or_gives_no_text_ends_a_take_by_hand(
    keys: io.TextIOWrapper | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", keys)
    control = TakeControl()
    follow_keys(ByHand(), control)
    deadline = time.monotonic() + 10
    while not control.stopping and time.monotonic() < deadline:
        control.pressed()
        time.sleep(0.01)
    assert control.stopping


def test_a_damaged_line_of_the_journal_is_shown_as_it_is(record: Session) -> None:
    with record.journal.path.open("a") as journal:
        journal.write("[/b] [red\n")
    found = CliRunner().invoke(session_command, ["check", str(record.root)])
    assert found.exit_code == 1
    assert "[/b] [red" in found.output
