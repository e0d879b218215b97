"""What is around the program: another one on the same rig, a computer's clock that is set, disks, folders."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
import serial

from rig.session import Session
from rig.session_check import check_session
from rig.session_recover import recover_session
from tests.rig.disk_faults import small_disk
from tests.rig.faults.outside import OutsideWorld
from tests.rig.faults.program import Program
from tests.rig.faults.told import capture, is_documented
from tests.rig.small_rig import small_plan

HOUR_NS = 3600 * 10**9


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OutsideWorld]:
    with OutsideWorld(tmp_path_factory.mktemp("programs")) as running:
        yield running


@pytest.fixture(autouse=True)
def _world_of_this_process(world: OutsideWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEAMRIG_WORLD", world.env["BEAMRIG_WORLD"])


def new_session(world: OutsideWorld, root: Path) -> Path:
    with Session.create(root, world.profile) as session:
        session.add_scene("s01", small_plan(world.profile))
    return root


def is_whole(root: Path) -> bool:
    with Session.open(root) as session:
        return check_session(session).findings == ()


@contextmanager
def recorder(world: OutsideWorld, root: Path, tmp: Path, **env: str) -> Iterator[Program]:
    """Another program that records take after take."""
    program = Program(world, root, tmp, env)
    try:
        program.loose()
        yield program
    finally:
        program.end(kill=True)


def test_the_second_program_on_a_rig_is_refused_and_the_first_one_goes_on(
    world: OutsideWorld, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    with recorder(world, new_session(world, tmp_path / "theirs"), tmp_path) as first:
        first.until(lambda line: line == "end complete")
        code, line = capture(world.path, mine)
        assert (code, line[:7]) == (2, "error: ")
        assert "in use" in line
        assert is_documented(line), line
        assert first.until(lambda line: line.startswith(("end ", "trouble "))) == "end complete"
        first.until(lambda line: line == "end complete")
        assert not [line for line in first.lines if line.startswith(("no ", "trouble "))]
    assert not list(mine.rglob("*.dng*"))
    assert capture(world.path, mine) == (0, "")
    assert is_whole(mine)


def test_a_box_that_another_program_talks_to_is_not_opened(world: OutsideWorld, tmp_path: Path) -> None:
    with serial.Serial(world.profile.trigger_box.port, exclusive=True):
        code, line = capture(world.path, tmp_path / "session")
    assert code == 2
    assert is_documented(line), line
    assert capture(world.path, tmp_path / "session") == (0, "")


def test_a_clock_that_is_set_back_between_and_within_takes_changes_neither_order_nor_pairs(
    world: OutsideWorld, tmp_path: Path
) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    assert compiler is not None, "beamrig itself needs a C compiler"
    library, clock = tmp_path / "clock.so", tmp_path / "clock"
    source = Path(__file__).parent / "clock.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    root = new_session(world, tmp_path / "session")

    def set_by(offset_ns: int) -> None:
        with clock.open("r+b" if clock.exists() else "wb") as file:
            file.write(struct.pack("=q", offset_ns))

    set_by(0)
    before = len(world.truth().pulses["AB"])
    env = {"LD_PRELOAD": str(library), "BEAMRIG_TEST_CLOCK": str(clock)}
    with recorder(world, root, tmp_path, **env) as program:
        for offset_ns in (-HOUR_NS, 5 * HOUR_NS, -24 * HOUR_NS):
            program.until(lambda line: line.startswith("ack ") and line.split()[1].endswith("_0002"))
            set_by(offset_ns)  # in the middle of a take
        program.until(lambda line: line == "end complete")
        program.until(lambda line: line == "end complete")
        assert not [line for line in program.lines if line.startswith(("no ", "trouble "))]
        acknowledged = list(program.acknowledged())
    truth = world.truth()
    with Session.open(root) as session:
        pairs, events = session.pairs(), session.journal.events()
        times = [datetime.fromisoformat(event["time"]) for event in events]
        assert sum(later < earlier for earlier, later in pairwise(times)) >= 2
        assert session.ledger.problems() == []
        assert [pair.id for pair in pairs][: len(acknowledged)] == acknowledged
        pulses = [truth.caused["B", pair.meta_b["timestamp_ns"]] for pair in pairs]
        assert pulses == [truth.caused["S", pair.meta_s["timestamp_ns"]] for pair in pairs]
        assert pulses == truth.pulses["AB"][before : before + len(pairs)]
        assert sorted(pair.path_b for pair in pairs) == [pair.path_b for pair in pairs]
        assert [take.take for take in session.takes()] == list(range(1, len(session.takes()) + 1))


def test_a_folder_that_may_not_be_written_is_refused_before_a_pulse(
    world: OutsideWorld, tmp_path: Path
) -> None:
    pulses = len(world.truth().pulses["AB"])
    with unwritable(tmp_path) as folder:
        code, line = capture(world.path, folder / "session")
        assert (code, line[:7]) == (2, "error: ")
        assert is_documented(line), line
    assert len(world.truth().pulses["AB"]) == pulses


def test_a_session_that_may_only_be_read_takes_no_further_take_and_stays_whole(
    world: OutsideWorld, tmp_path: Path
) -> None:
    root = tmp_path / "folder" / "session"
    assert capture(world.path, root) == (0, "")
    pulses = len(world.truth().pulses["AB"])
    with unwritable(tmp_path) as folder:
        code, line = capture(world.path, folder / "session", plan=())
        assert (code, line[:7]) == (2, "error: ")
        assert is_documented(line), line
    assert len(world.truth().pulses["AB"]) == pulses
    assert is_whole(root)
    assert capture(world.path, root, plan=()) == (0, "")


@contextmanager
def unwritable(tmp_path: Path) -> Iterator[Path]:
    """A folder in which this user may not write; for root a disk that is mounted read-only."""
    folder = tmp_path / "folder"
    folder.mkdir(exist_ok=True)
    if os.geteuid() != 0:
        folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
        files = [path for path in folder.rglob("*") if path.is_file()]
        for path in (*files, *folders):
            path.chmod(0o444 if path in files else 0o555)
        try:
            yield folder
        finally:
            for path in (*folders, *files):
                path.chmod(0o644 if path in files else 0o755)
        return
    view = tmp_path / "view"
    view.mkdir()
    if subprocess.run(["mount", "--bind", folder, view], capture_output=True, check=False).returncode:  # noqa: S607
        pytest.skip("a folder cannot be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", view], check=True)  # noqa: S607
        yield view
    finally:
        subprocess.run(["umount", view], check=True)  # noqa: S607


RESERVE = 256 * 2**20


def test_a_take_that_finds_no_room_is_refused_before_a_pulse(world: OutsideWorld, tmp_path: Path) -> None:
    pulses = len(world.truth().pulses["AB"])
    with small_disk(tmp_path, "256m") as disk:
        code, line = capture(world.path, disk / "session")
    assert code == 2
    assert is_documented(line), line
    assert len(world.truth().pulses["AB"]) == pulses


@pytest.mark.parametrize("left", [RESERVE + 10**6, 10**5])
def test_a_disk_that_fills_up_during_a_take_ends_it_and_after_making_room_work_goes_on(
    world: OutsideWorld, tmp_path: Path, left: int
) -> None:
    """Another program takes all room but the last pairs', or all of it in an instant."""
    with small_disk(tmp_path, "280m") as disk:
        root, ballast = disk / "session", disk / "ballast"
        assert capture(world.path, root) == (0, "")

        def fill() -> None:
            while len(list(root.glob("scenes/s01/action/t02*.dng"))) < 4:
                time.sleep(0.01)
            with ballast.open("wb") as file:
                while not ballast.stat().st_size:
                    place = os.statvfs(disk)
                    with suppress(OSError):  # the take has taken some of it meanwhile
                        os.posix_fallocate(file.fileno(), 0, place.f_bavail * place.f_frsize - left)

        filler = threading.Thread(target=fill, daemon=True)
        filler.start()
        code, line = capture(world.path, root, pairs=50, plan=())
        filler.join()
        assert code == 2
        assert is_documented(line), line
        ballast.unlink()
        with Session.open(root) as session:
            recorded = [pair.id for pair in session.pairs()]
            assert len(recorded) >= 4
            recover_session(session)
            assert check_session(session).findings == ()
            assert [pair.id for pair in session.pairs()] == recorded
        assert capture(world.path, root, plan=()) == (0, "")
