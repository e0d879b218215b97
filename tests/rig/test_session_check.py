"""Sessions after crashes and disks' moods: what is wrong is named, what can be completed is, none is lost."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from beamrig.cli import cli
from rig.dng import write_dng
from rig.errors import BeamrigError, DiskFull, SessionError
from rig.profiles import load_rig
from rig.raw_store import RawStore
from rig.records import PairRecord, SyncProof, revoked_event
from rig.session import Session
from rig.session_check import check_session
from rig.session_recover import recover_session
from tests.rig.disk_faults import frame, small_disk

RIG = load_rig("virtual")
NOBODY = {"B": None, "S": None}


def proof(index: int) -> SyncProof:
    numbers: dict[str, int | None] = {"B": index, "S": index}
    return SyncProof(index, numbers, numbers, 0.5, 0.1, 2, {"B": 0, "S": 0}, "paired", "", "common")


def pair_record(session: Session, take: int, index: int, files: Any) -> PairRecord:
    b, s = ({"bytes": one.bytes, "sha256": one.sha256, "file": one.path.name} for one in files)
    paths = [session.shot_path("s01", "action", take, index, camera) for camera in "BS"]
    return PairRecord("s01", "action", take, index, *paths, proof(index), b, s)  # type: ignore[misc]


def record(session: Session, store: RawStore, take: int, index: int) -> PairRecord:
    """Record a pair as a take does: frames, announcement, names, line."""
    staged = [
        store.stage(
            session.shot_path("s01", "action", take, index, camera), frame(camera=camera, trigger_index=index)
        )
        for camera in "BS"
    ]
    made = pair_record(session, take, index, staged)
    session.announce_shots([made])
    store.commit(staged)
    session.record_shots([made])
    return made


@pytest.fixture
def store() -> Iterator[RawStore]:
    with RawStore() as made:
        yield made


@pytest.fixture
def root(tmp_path: Path, store: RawStore) -> Path:
    """A whole session with one take of two pairs."""
    with Session.create(tmp_path / "ses", RIG) as session:
        session.add_scene("s01")
        take = session.start_take("s01", "action", 2, {})
        for index in range(2):
            record(session, store, take, index)
        session.end_take("s01", "action", take, "complete", {})
    return tmp_path / "ses"


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["session", *map(str, words)], env={"COLUMNS": "200"})
    if isinstance(done.exception, BeamrigError):
        return 2, done.exception.one_line()
    return done.exit_code, done.output


def found(root: Path) -> list[tuple[str, str]]:
    with Session.open(root) as session:
        return [(one.kind, one.where) for one in check_session(session).findings]


def contents(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".recording")
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_a_whole_session_is_found_whole_by_reading_every_byte(root: Path) -> None:
    seen: list[tuple[int, int]] = []
    with Session.open(root) as session:
        report = check_session(session, progress=lambda done, total: seen.append((done, total)))
    size = sum(path.stat().st_size for path in root.rglob("*.dng"))
    assert (report.findings, report.pairs, report.files, report.bytes) == ((), 2, 4, size)
    assert seen[-1] == (size, size)
    assert report.complete
    assert run("check", root)[0] == 0


def test_one_changed_bit_anywhere_in_a_frame_is_found(root: Path) -> None:
    path = root / "scenes" / "s01" / "action" / "t01_0001_S.dng"
    content = bytearray(path.read_bytes())
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    path.write_bytes(content)
    assert found(root) == [("file damaged", "scenes/s01/action/t01_0001_S.dng")]


def test_each_thing_that_is_wrong_is_one_line_with_a_hint_and_the_exit_code_says_so(root: Path) -> None:
    folder = root / "scenes" / "s01" / "action"
    (folder / "t01_0000_B.dng").unlink()
    shutil.copy(folder / "t01_0000_S.dng", folder / "t09_0000_S.dng")
    (folder / "t09_0000_B.dng.part").touch()
    with (folder / "t01_0001_B.dng").open("ab") as file:
        file.write(b"x")
    (root / "profiles" / "rig.yaml").write_text("# changed\n" + (root / "profiles" / "rig.yaml").read_text())
    lines = (root / "journal.jsonl").read_text().splitlines(keepends=True)
    (root / "journal.jsonl").write_text("".join([*lines[:2], *lines[3:], '{"event":"sh']))
    code, text = run("check", root, "--json")
    assert code == 1
    report = json.loads(text)
    assert sorted(one["kind"] for one in report["findings"]) == [
        "file damaged", "file missing", "journal", "journal", "orphan", "part file", "profile",
    ]  # fmt: skip
    assert all(one["message"].count("\n") == 0 and one["hint"] for one in report["findings"])
    assert "t01_0000_B.dng is missing" in run("check", root)[1]


def test_a_folder_that_is_no_session_is_bad_input(tmp_path: Path) -> None:
    assert run("check", tmp_path) == (2, f"{tmp_path} is no session")


def test_a_check_can_be_cancelled(root: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    with Session.open(root) as session:
        report = check_session(session, cancel=cancel)
    assert (report.complete, report.bytes) == (False, 0)


def test_a_revoked_pair_keeps_its_files_and_they_are_still_verified(root: Path) -> None:
    with Session.open(root) as session:
        session.journal.append(revoked_event("s01", "action", 1, 1, "the box fired once too often"))
    assert found(root) == []
    (root / "scenes" / "s01" / "action" / "t01_0001_S.dng").unlink()
    assert found(root) == [("file missing", "s01/action/t01_0001")]


def test_a_take_that_is_being_recorded_is_neither_found_fault_with_nor_repaired(
    root: Path, store: RawStore
) -> None:
    with Session.open(root) as recording:
        take = recording.start_take("s01", "action", 1, {})
        store.stage(recording.shot_path("s01", "action", take, 0, "B"), frame())
        assert found(root) == []
        with Session.open(root) as other, pytest.raises(SessionError, match="another program works"):
            recover_session(other)
    assert sorted(kind for kind, _ in found(root)) == ["part file", "unfinished take"]


def crashed(root: Path, store: RawStore, *, named: str, announced: bool) -> PairRecord:
    """A take whose program died while a proven pair got its names; returns that pair."""
    with Session.open(root) as session:
        take = session.start_take("s01", "action", 3, {})
        record(session, store, take, 0)
        staged = [
            store.stage(
                session.shot_path("s01", "action", take, 1, camera), frame(camera=camera, trigger_index=1)
            )
            for camera in "BS"
        ]
        made = pair_record(session, take, 1, staged)
        if announced:
            session.announce_shots([made])
        for one, camera in zip(staged, "BS", strict=True):
            if camera in named:
                one.part.rename(one.path)
    return made


@pytest.mark.parametrize("named", ["", "B", "BS"])
def test_an_announced_pair_is_completed_wherever_its_naming_was_cut_off(
    root: Path, store: RawStore, named: str
) -> None:
    pair = crashed(root, store, named=named, announced=True)
    with Session.open(root) as session:
        assert [step.kind for step in recover_session(session).steps] == ["complete pair", "close take"]
        assert session.pairs()[-1] == pair
        assert session.takes()[-1].state == "interrupted"
    assert found(root) == []


@pytest.mark.parametrize("named", ["", "B", "BS"])
def test_frames_without_proof_are_kept_and_never_become_a_pair(
    root: Path, store: RawStore, named: str
) -> None:
    crashed(root, store, named=named, announced=False)
    before = {path.read_bytes() for path in root.rglob("t02_*")}
    with Session.open(root) as session:
        pairs = session.pairs()
        steps = recover_session(session).steps
        assert [step.kind for step in steps] == ["keep frame", "keep frame", "close take"]
        assert session.pairs() == pairs
        assert sorted(session.ledger.kept()) == [f"recovered/s01/action/t02_0001_{c}.dng" for c in "BS"]
        assert session.start_take("s01", "action", 1, {}) == 3
        session.end_take("s01", "action", 3, "complete", {})
    assert {path.read_bytes() for path in root.rglob("t02_*")} == before
    assert found(root) == []


def test_an_announced_pair_with_another_frame_than_announced_is_not_completed(
    root: Path, store: RawStore
) -> None:
    pair = crashed(root, store, named="BS", announced=True)
    pair.path_s.unlink()
    write_dng(pair.path_s, frame(camera="S", trigger_index=1, frame_id=7))
    with Session.open(root) as session:
        recover_session(session)
        assert pair not in session.pairs()
    assert found(root) == []


def test_a_half_written_frame_is_listed_as_lost_and_its_bytes_are_kept(root: Path, store: RawStore) -> None:
    crashed(root, store, named="", announced=True)
    part = root / "scenes" / "s01" / "action" / "t02_0001_S.dng.part"
    part.write_bytes(part.read_bytes()[:5000])
    with Session.open(root) as session:
        steps = recover_session(session).steps
    assert [step.kind for step in steps] == ["keep frame", "lost frame", "close take"]
    assert (root / "recovered" / "s01" / "action" / part.name).stat().st_size == 5000
    assert found(root) == []


def test_a_dry_run_changes_no_byte_and_says_what_the_repair_then_does(root: Path, store: RawStore) -> None:
    crashed(root, store, named="B", announced=False)
    journal = root / "journal.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"event":"sh')
    before = contents(root)
    code, text = run("recover", root, "--dry-run", "--json")
    assert (code, contents(root)) == (0, before)
    kinds = [step["kind"] for step in json.loads(text)["steps"]]
    assert kinds == ["put aside", "keep frame", "keep frame", "close take"]
    code, text = run("recover", root, "--json")
    assert [step["kind"] for step in json.loads(text)["steps"]] == kinds
    assert found(root) == []
    assert "nothing to repair" in run("recover", root)[1]
    assert [path.read_bytes() for path in root.glob("recovered/*.torn")] == [b'{"event":"sh']


def test_a_repair_that_was_cut_off_is_gone_on_with(root: Path, store: RawStore) -> None:
    crashed(root, store, named="BS", announced=False)
    with Session.open(root) as session:
        moved = root / "recovered" / "s01" / "action"
        moved.mkdir(parents=True)
        session.shot_path("s01", "action", 2, 1, "B").rename(moved / "t02_0001_B.dng")
        recover_session(session)
        assert len(session.ledger.kept()) == 2
    assert found(root) == []


def test_show_tells_takes_and_problems(root: Path, store: RawStore) -> None:
    crashed(root, store, named="", announced=False)
    code, text = run("show", root, "--json")
    data = json.loads(text)
    assert code == 0
    assert [(take["take"], take["state"], take["paired"]) for take in data["takes"]] == [
        (1, "complete", 2), (2, "unfinished", 1),
    ]  # fmt: skip
    assert len(data["problems"]) == 3
    assert "never finished" in run("show", root)[1]


def test_a_session_on_a_full_disk_keeps_all_acknowledged_pairs(tmp_path: Path, store: RawStore) -> None:
    with small_disk(tmp_path, "700k") as folder, Session.create(folder / "ses", RIG) as session:
        session.add_scene("s01")
        take = session.start_take("s01", "action", 99, {})
        done: list[PairRecord] = []

        def fill() -> None:
            for index in range(99):
                done.append(record(session, store, take, index))

        with pytest.raises(DiskFull) as caught:
            fill()
        assert caught.value.hint.startswith("make room on the disk")
        assert len(done) > 5
        assert session.pairs() == done
        assert check_session(replace_mark(session)).findings[0].kind in ("part file", "unfinished take")
        for path in session.root.rglob("*.part"):
            path.unlink()
        session.end_take("s01", "action", take, "failed", {})
        with Session.open(session.root) as again:
            assert again.pairs() == done
            assert check_session(again).findings == ()


def replace_mark(session: Session) -> Session:
    """The session as it would be after its program died: nobody records."""
    session.recording.close()
    return session


def test_a_read_only_session_can_be_checked_and_shown_and_recording_is_refused_with_a_hint(
    root: Path, tmp_path: Path
) -> None:
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or umount is None:
        pytest.skip("only root may mount a folder read-only")
    view = tmp_path / "view"
    view.mkdir()
    bound = subprocess.run([mount, "--bind", str(root), str(view)], capture_output=True, check=False)
    if bound.returncode != 0:
        pytest.skip("a folder cannot be mounted here")
    try:
        subprocess.run([mount, "-o", "remount,ro,bind", str(view)], check=True)
        assert run("check", view)[0] == 0
        assert run("show", view)[0] == 0
        with Session.open(view) as session:
            assert session.journal.read_only
            with pytest.raises(SessionError) as caught:
                session.start_take("s01", "action", 1, {})
            assert caught.value.hint
        assert run("recover", view)[0] == 2
    finally:
        subprocess.run([umount, str(view)], check=True)
    assert found(root) == []


_RECORDER = """
import sys
from pathlib import Path
from rig.raw_store import RawStore
from rig.session import Session
from tests.rig.test_session_check import record
with Session.open(sys.argv[1]) as session, RawStore() as store:
    while True:
        take = session.start_take("s01", "action", 5, {})
        for index in range(5):
            print(record(session, store, take, index).id, flush=True)
        session.end_take("s01", "action", take, "complete", {})
"""


def test_a_program_killed_at_any_moment_loses_nothing_that_it_acknowledged(root: Path) -> None:
    """Eight programs record into one session and are killed; the session is repaired after each."""
    rng = random.Random(5)
    acknowledged: set[str] = set()
    here = Path(__file__).parents[2]
    for _ in range(8):
        command = [sys.executable, "-c", _RECORDER, str(root)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=here) as recorder:
            assert recorder.stdout is not None
            acknowledged.add(recorder.stdout.readline().strip())
            time.sleep(rng.uniform(0, 0.06))
            recorder.send_signal(signal.SIGKILL)
            acknowledged |= {line.strip() for line in recorder.stdout if line.endswith("\n")}
        with Session.open(root) as session:
            recover_session(session)
            assert acknowledged <= {pair.id for pair in session.pairs()}
            assert check_session(session).findings == ()
    assert len(acknowledged) > 16
