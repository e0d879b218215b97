"""The same tasks on a dask cluster: a real scheduler and two worker processes on this computer."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from processing.errors import WorkerLost
from processing.jobs.batch import process_session
from processing.jobs.cluster import ClusterCrew
from processing.jobs.verify import verify_session
from rig.session import Session

REPOSITORY = Path(__file__).parents[2]


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start a part of dask in a process of its own, without its web page."""
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:], "--no-dashboard"],
        cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def end(*programs: subprocess.Popen[str]) -> None:
    for program in programs:
        program.terminate()
    for program in programs:
        program.communicate(timeout=30)


def start_scheduler() -> tuple[subprocess.Popen[str], str]:
    """Start a scheduler; returns it and its address."""
    program = start("dask_scheduler", "--host", "127.0.0.1", "--port", "0")
    assert program.stderr is not None
    found = None
    for line in program.stderr:
        found = re.search(r"Scheduler at:\s+(tcp://\S+)", line)
        if found:
            break
    assert found
    return program, found[1]


def start_worker(address: str, name: str) -> subprocess.Popen[str]:
    """Start a worker process of one thread."""
    return start(
        "dask_worker", address, "--nthreads", "1", "--no-nanny", "--memory-limit", "0", "--name", name
    )


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Address of a scheduler without workers."""
    program, address = start_scheduler()
    yield address
    end(program)


@pytest.fixture(scope="module")
def cluster(scheduler: str) -> Iterator[str]:
    """Address of a scheduler with two worker processes of one thread each."""
    workers = [start_worker(scheduler, name) for name in ("one", "two")]
    yield scheduler
    end(*workers)


def results(session: Session) -> dict[str, bytes]:
    folder = session.root / "derived" / "s01"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_without_a_scheduler_or_workers_one_line_says_so(scheduler: str, recorded: Session) -> None:
    with pytest.raises(WorkerLost, match="no dask scheduler answers"):
        ClusterCrew("tcp://127.0.0.1:9", recorded.root, 1.0)
    with pytest.raises(WorkerLost, match="has no workers"):
        ClusterCrew(scheduler, recorded.root, 0.5)


def test_two_workers_of_a_cluster_write_the_same_bytes(
    cluster: str, recorded: Session, tmp_path: Path
) -> None:
    shutil.copytree(recorded.root, tmp_path / "session")
    with Session.open(tmp_path / "session") as session:
        local = process_session(session, workers=1)
        assert local.failures() == []
        made = results(session)
        shutil.rmtree(session.root / "derived")
        far = process_session(session, scheduler=cluster)
        assert far.workers == f"2 workers at {cluster}"
        assert far.failures() == []
        assert results(session) == made
        assert verify_session(session, sample=2, scheduler=cluster).differing == {}


def test_a_cluster_whose_workers_all_die_ends_with_one_line_and_keeps_what_was_done(
    recorded: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a scheduler of its own: the workers are shot after the first pair."""
    from processing.jobs import cluster as module

    monkeypatch.setattr(module, "ALONE_S", 1.0)
    shutil.copytree(recorded.root, tmp_path / "session")
    program, address = start_scheduler()
    workers = [start_worker(address, name) for name in ("one", "two")]

    def shoot(done: float, text: str) -> None:
        if "developed" in text:
            for worker in workers:
                worker.kill()

    try:
        with Session.open(tmp_path / "session") as session:
            with pytest.raises(WorkerLost, match="the cluster went away"):
                process_session(session, scheduler=address, progress=shoot, blur=False)
            rest = process_session(session, workers=1, blur=False).scenes["s01"]
            assert rest.skipped >= 1
            assert rest.failed == {}
    finally:
        end(program, *workers)


def test_a_session_that_the_workers_do_not_see_is_refused(cluster: str, tmp_path: Path) -> None:
    with pytest.raises(WorkerLost, match=r"worker tcp://\S+ does not see .*nowhere"):
        ClusterCrew(cluster, tmp_path / "nowhere")


def test_a_worker_of_another_version_is_refused(
    cluster: str, recorded: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    from processing.jobs import cluster as module

    newer = {**module.versions(), "algorithm": "999"}
    monkeypatch.setattr(module, "versions", lambda: newer)
    with pytest.raises(WorkerLost, match=r"has algorithm \d+, this computer 999"):
        ClusterCrew(cluster, recorded.root)
