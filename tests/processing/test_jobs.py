"""The jobs behind `beamrig process`: the same bits from any crew, and nothing lost when something dies."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from processing.errors import ProcessingError
from processing.jobs import batch
from processing.jobs.batch import process_session
from processing.jobs.cli import process
from processing.jobs.pair_record import write_sealed
from processing.jobs.verify import verify_session
from processing.pipeline import ScenePipeline
from processing.profile import PROFILES
from rig.session import Session

REPOSITORY = Path(__file__).parents[2]
Bytes = dict[str, bytes]


@pytest.fixture(scope="module")
def measured(recorded: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recorded session after its scene was measured in both ways."""
    folder = tmp_path_factory.mktemp("measured") / "session"
    shutil.copytree(recorded.root, folder)
    with Session.open(folder) as copy:
        for profile in PROFILES:
            ScenePipeline.from_session(copy, "s01", profile)
    return folder


@pytest.fixture
def session(measured: Path, tmp_path: Path) -> Iterator[Session]:
    """A copy of the measured session that a test may write into."""
    shutil.copytree(measured, tmp_path / "session")
    with Session.open(tmp_path / "session") as copy:
        yield copy


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let even a few pairs be worth processes."""
    monkeypatch.setattr(batch, "FEW_PAIRS", 0)


def results(session: Session) -> Bytes:
    """Return the bytes of everything that was made of a scene."""
    folder = session.root / "derived" / "s01"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fresh(session: Session) -> None:
    shutil.rmtree(session.root / "derived")
    (session.root / "derived").mkdir()


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-300] ^= 1
    path.write_bytes(data)


def children() -> set[int]:
    """Return the process ids of this process's children that run a worker."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        for pid in (task / "children").read_text().split():
            if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text():
                found.add(int(pid))
    return found


@pytest.mark.parametrize("profile", ["best", "paper"])
def test_one_worker_two_and_two_processes_write_the_same_bytes(
    session: Session, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    made: list[Bytes] = []
    for workers, few, crew in ((1, 99, "1 thread"), (2, 99, "2 threads"), (2, 0, "2 processes")):
        monkeypatch.setattr(batch, "FEW_PAIRS", few)
        fresh(session)
        report = process_session(session, profile=profile, workers=workers, blur=False)  # type: ignore[arg-type]
        assert (report.workers, report.failures()) == (crew, [])
        made.append(results(session))
    assert len(made[0]) == 3 * 3 + 3 * 4 + 2  # static pairs, action pairs with masks, the scene's two files
    assert made[0] == made[1] == made[2]
    assert not children()


def test_workers_that_are_killed_cost_their_pairs_and_the_next_run_makes_them(
    session: Session, processes: None
) -> None:
    process_session(session, blur=False)
    whole = results(session)
    fresh(session)
    shots: list[threading.Timer] = []

    def kill_all() -> None:
        for worker in children():
            os.kill(worker, signal.SIGKILL)

    def shoot(done: float, text: str) -> None:
        """Kill both workers shortly after a pair is done: then at least one of them is at the next."""
        if "action/t01_0000 developed" in text and not shots:
            shots.append(threading.Timer(0.03, kill_all))
            shots[0].start()

    report = process_session(session, progress=shoot, blur=False)
    failures = report.failures()
    assert 1 <= len(failures) <= 2
    assert all("worker process died" in reason for reason in failures)
    assert report.scenes["s01"].developed == 6 - len(failures)
    assert not list((session.root / "derived").rglob("*.part"))
    again = process_session(session, blur=False).scenes["s01"]
    assert (again.developed + again.skipped, again.failed) == (6, {})
    assert {name: data for name, data in results(session).items() if "metrics" not in name} == {
        name: data for name, data in whole.items() if "metrics" not in name
    }


def test_a_program_that_is_killed_leaves_no_workers_and_its_work_goes_on(session: Session) -> None:
    code = (
        "import sys; from processing.jobs import batch; from rig.session import Session\n"
        "batch.FEW_PAIRS = 0; tell = lambda done, text: print(text, flush=True)\n"
        "batch.process_session(Session.open(sys.argv[1]), progress=tell, blur=False)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(session.root)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        developed = 0  # two workers may end in either order
        for line in program.stdout:
            developed += " developed" in line
            if developed == 2:
                break
        listed = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text().split()
        program.kill()
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}/exe").exists() for pid in listed) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert listed
    assert not any(Path(f"/proc/{pid}/exe").exists() for pid in listed)
    scene = process_session(session, blur=False).scenes["s01"]
    assert scene.skipped >= 2
    assert scene.skipped + scene.developed == 6
    assert not list((session.root / "derived").rglob("*.part"))
    assert not (session.root / "derived" / "s01" / ".frames").exists()


def test_a_cancel_ends_workers_and_leaves_whole_files(session: Session, processes: None) -> None:
    stop = threading.Event()
    report = process_session(
        session, progress=lambda done, text: stop.set() if "developed" in text else None, cancel=stop
    )
    assert report.cancelled
    assert 0 < report.scenes["s01"].developed < 6
    assert not children()
    assert not list((session.root / "derived").rglob("*.part"))
    assert not (session.root / "derived" / "s01" / ".frames").exists()


def test_a_changed_and_a_truncated_file_fail_their_pairs_only(session: Session) -> None:
    first, second, third = session.pairs("s01", "action")
    flip_a_bit(first.path_b)
    second.path_s.write_bytes(second.path_s.read_bytes()[:-5000])
    third.path_s.unlink()
    report = process_session(session, blur=False)
    scene = report.scenes["s01"]
    assert (scene.developed, set(scene.failed)) == (3, {first.id, second.id, third.id})
    assert "t01_0000_B.dng is not the file that was recorded" in scene.failed[first.id]
    assert "t01_0001_S.dng" in scene.failed[second.id]
    assert "missing" in scene.failed[third.id]
    assert json.loads((session.root / "derived/s01/metrics.json").read_text())["failed"] == scene.failed


def test_without_one_sound_static_pair_it_is_said_why_there_are_no_masks(session: Session) -> None:
    for record in session.pairs("s01", "static"):
        flip_a_bit(record.path_b)
    report = process_session(session, blur=False)
    assert report.scenes["s01"].developed == 3
    record = json.loads((session.root / "derived" / "s01" / "action" / "t01_0000.json").read_text())
    (finding,) = record["verdict"]["findings"]
    assert finding["text"].startswith("nothing is compared with the static pairs: not one of them is sound")
    assert "s01: no masks: not one of its static pairs is sound" in report.failures()


def test_a_failed_pair_is_told_in_one_line_with_exit_code_2(session: Session) -> None:
    (record, *_) = session.pairs("s01", "action")
    record.path_b.write_bytes(b"II*\0")
    run = CliRunner().invoke(process, [str(session.root), "--json"])
    assert run.exit_code == 2
    assert run.stderr.startswith(f"error: not everything could be processed: {record.id}: ")
    assert run.stderr.count("\n") == 1
    (scene,) = json.loads(run.stdout)["scenes"]
    assert list(scene["failed"]) == [record.id]
    assert scene["developed"] == 5


def test_ctrl_c_keeps_what_is_finished_and_says_130(session: Session) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "beamrig", "process", str(session.root), "--workers", "1"],
        cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as run:  # fmt: skip
        done = session.root / "derived" / "s01" / "static" / "t01_0000.json"
        while not done.exists() and run.poll() is None:
            time.sleep(0.01)
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=60)
    assert run.returncode == 130
    assert said == "error: stopped by the operator; what was finished stays\n"
    assert process_session(session, blur=False).scenes["s01"].skipped >= 1


def test_a_full_disk_stops_with_one_line_and_leaves_no_parts(session: Session) -> None:
    code = (
        "import resource, sys; from beamrig.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))\n"
        "sys.argv = ['beamrig', 'process', sys.argv[1], '--workers', '1', '--bits', '16']; main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(session.root)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 2
    assert run.stderr.startswith("error: cannot write ")
    assert run.stderr.count("\n") == 1
    assert not list((session.root / "derived").rglob("*.part"))
    assert not list((session.root / "derived").rglob("*.png"))


def test_a_record_that_cannot_be_taken_back_stops_its_pair_with_one_line(session: Session) -> None:
    for number in range(3):  # a folder in the record's place: what refuses even the administrator
        (session.root / "derived" / "s01" / "static" / f"t01_{number:04d}.json" / "x").mkdir(parents=True)
    run = subprocess.run(
        [sys.executable, "-m", "beamrig", "process", str(session.root), "--workers", "1"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 2
    assert "static/t01_0000: cannot write " in " ".join(run.stdout.split())
    assert "Traceback" not in run.stderr


def test_a_second_program_at_the_same_session_is_refused(session: Session) -> None:
    with batch.alone(session.root / "derived"), pytest.raises(ProcessingError, match="another beamrig"):
        process_session(session)


def test_another_choice_makes_everything_anew_and_the_same_one_nothing(session: Session) -> None:
    process_session(session, bits=8, blur=False)
    assert process_session(session, bits=8, blur=False).scenes["s01"].skipped == 6
    assert process_session(session, bits=8, blur=False, again=True).scenes["s01"].developed == 6
    assert process_session(session, bits=16, blur=False).scenes["s01"].developed == 6
    assert process_session(session, bits=16, blur=False, flow="dis").scenes["s01"].developed == 6


@pytest.mark.parametrize("profile", ["best", "paper"])
def test_what_was_made_can_be_made_again_and_a_changed_byte_is_found(session: Session, profile: str) -> None:
    process_session(session, profile=profile, bits=8, blur=False)  # type: ignore[arg-type]
    left_by_a_killed_run = session.root / "derived" / "s01" / ".frames" / "static_t01_0000.npy"
    left_by_a_killed_run.parent.mkdir()
    np.save(left_by_a_killed_run, np.zeros((2, 494, 621, 3), np.uint8))
    report = verify_session(session)
    assert (report.checked, report.differing) == (6, {})
    folder = session.root / "derived" / "s01" / "action"
    mask = folder / "t01_0001_mask.png"
    flip_a_bit(mask)
    record = json.loads((folder / "t01_0002.json").read_text())
    record["files"]["t01_0002_S.png"]["sha256"] = "0" * 64
    write_sealed(folder / "t01_0002.json", record)
    differing = verify_session(session).differing
    assert set(differing) == {"s01/action/t01_0001", "s01/action/t01_0002"}
    assert "t01_0001_mask.png is not what was written" in differing["s01/action/t01_0001"]
    assert "t01_0002_S.png would be made otherwise" in differing["s01/action/t01_0002"]


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ('"profile": "best"', '"profile": "paper"'),
        ('"choices"', '"choice"'),
        ('"images": [', '"images": "none", "pictures": ['),
        ('"findings": [', '"findings": [], "hidden": ['),
        ('"sha256"', '"sha512"'),
    ],
)
def test_a_record_that_was_edited_by_hand_is_told_and_made_anew(
    session: Session, said: str, instead: str
) -> None:
    process_session(session, bits=8, blur=False)
    record = session.root / "derived" / "s01" / "action" / "t01_0002.json"
    whole = record.read_text()
    assert said in whole
    record.write_text(whole.replace(said, instead))
    report = verify_session(session)
    assert report.checked == 5
    assert "record is damaged, was changed" in report.differing["s01/action/t01_0002"]
    scene = process_session(session, bits=8, blur=False).scenes["s01"]
    assert (scene.developed, scene.skipped) == (1, 5)
    assert record.read_text() == whole


def test_verify_names_the_pair_with_exit_code_2(session: Session) -> None:
    process_session(session, bits=8, blur=False)
    (session.root / "derived" / "s01" / "static" / "t01_0002_B.png").write_bytes(b"other")
    assert verify_session(session, sample=1).checked == 1
    run = CliRunner().invoke(process, [str(session.root), "--verify", "--sample", "2", "--json"])
    assert run.exit_code == 2
    assert run.stderr.startswith(
        "error: not what the record says: s01/static/t01_0002: t01_0002_B.png is not"
    )
    assert list(json.loads(run.stdout)["differing"]) == ["s01/static/t01_0002"]


def test_verify_tells_pairs_that_are_gone_from_those_that_never_were_developed(session: Session) -> None:
    failing = session.pairs("s01", "action")[0]
    failing.path_b.rename(failing.path_b.with_suffix(".away"))
    process_session(session, bits=8, blur=False)
    gone = session.root / "derived" / "s01" / "action"
    for path in gone.glob("t01_0002*"):
        path.unlink()
    report = verify_session(session)
    assert report.undeveloped == ["s01/action/t01_0000"]
    assert report.differing == {"s01/action/t01_0002": "its record is gone, although it was developed"}
    assert report.checked == 4
    session.pairs("s01", "action")[0].path_s.unlink()
    assert "t01_0001_S.dng" in verify_session(session).differing["s01/action/t01_0001"]
