"""A session that is not whole says so: one line and a hint for each thing; full and read-only disks."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.errors import DiskFull, SessionError
from rig.raw_store import RawStore
from rig.records import PairRecord, revoked_event
from rig.session import Session
from rig.session_check import check_session
from rig.session_recover import recover_session
from tests.rig.disk_faults import frame, small_disk
from tests.rig.recorded import RIG, crashed, found, record, replace_mark, run, whole_session


@pytest.fixture
def store() -> Iterator[RawStore]:
    with RawStore() as made:
        yield made


@pytest.fixture
def root(tmp_path: Path, store: RawStore) -> Path:
    return whole_session(tmp_path / "ses", store)


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
    assert run("check", tmp_path) == (
        2,
        f"{tmp_path} is no session (name the folder that holds session.yaml)",
    )


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
