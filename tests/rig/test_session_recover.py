"""After a crash: what was proven is completed, nothing else becomes a pair, no byte is lost."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.dng import write_dng
from rig.raw_store import RawStore
from rig.session import Session
from rig.session_check import check_session
from rig.session_recover import recover_session
from tests.rig.disk_faults import frame
from tests.rig.recorded import contents, crashed, found, record, run, whole_session


@pytest.fixture
def store() -> Iterator[RawStore]:
    with RawStore() as made:
        yield made


@pytest.fixture
def root(tmp_path: Path, store: RawStore) -> Path:
    return whole_session(tmp_path / "ses", store)


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


def test_a_take_that_asked_for_no_number_is_told_without_one(root: Path, store: RawStore) -> None:
    with Session.open(root) as session:
        take = session.start_take("s01", "action", 0, {})
        record(session, store, take, 0)
    text = run("recover", root)[1]
    assert "take 2 is closed as interrupted: 1 shots are in the journal, 1 of them pairs" in text
    assert "until stopped" in run("show", root)[1]


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


_RECORDER = """
import sys
from pathlib import Path
from rig.raw_store import RawStore
from rig.session import Session
from tests.rig.recorded import record
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
