from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from pytestqt.qtbot import QtBot

from gui.workers import NewestSlot, Trouble, Worker
from rig.errors import BeamrigError


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker("test", limit=3)
    yield made
    assert made.end()


def busy(worker: Worker) -> threading.Event:
    """Keep the worker busy until the returned event is set."""
    gate, running = threading.Event(), threading.Event()

    def job() -> None:
        running.set()
        gate.wait(20)

    assert worker.submit(job, "busy")
    assert running.wait(20)
    return gate


def test_jobs_run_one_after_the_other_in_another_thread(
    worker: Worker, wait_until: Callable[..., None]
) -> None:
    seen: list[tuple[int, bool]] = []
    main = threading.get_ident()
    for number in range(3):
        worker.submit(lambda n=number: seen.append((n, threading.get_ident() != main)), "count")
    wait_until(lambda: len(seen) == 3, "three jobs")
    assert seen == [(0, True), (1, True), (2, True)]


def test_the_queue_is_bounded(worker: Worker) -> None:
    gate = busy(worker)
    assert [worker.submit(lambda: None, "more") for _ in range(5)] == [True, True, True, False, False]
    gate.set()


def test_of_newest_only_jobs_the_last_one_counts(worker: Worker, wait_until: Callable[..., None]) -> None:
    gate, done = busy(worker), []
    for number in range(50):
        assert worker.submit(lambda n=number: done.append(n), "view", newest_only=True)
    assert worker.pending("view")
    gate.set()
    wait_until(lambda: not worker.pending("view"), "the last job")
    assert done == [49]


def test_an_error_of_ours_speaks_for_itself_and_the_thread_lives_on(worker: Worker, qtbot: QtBot) -> None:
    def fail() -> None:
        raise BeamrigError("the disk is full", hint="make room")

    with qtbot.waitSignal(worker.failed) as told:
        worker.submit(fail, "record")
    assert told.args == [Trouble("the disk is full", "make room", "", "record")]
    done = threading.Event()
    worker.submit(done.set, "next")
    assert done.wait(20)


def test_an_unexpected_error_brings_its_traceback(worker: Worker, qtbot: QtBot) -> None:
    with qtbot.waitSignal(worker.failed) as told:
        worker.submit(lambda: {}["missing"], "index")
    trouble = told.args[0]
    assert "KeyError" in trouble.message
    assert "Traceback" in trouble.details


def test_the_end_runs_its_last_job_instead_of_those_that_wait() -> None:
    worker, done = Worker("ending", limit=3), []
    gate = busy(worker)
    worker.submit(lambda: done.append("waiting"), "waiting")
    threading.Timer(0.05, gate.set).start()
    assert worker.end(lambda: done.append("last"))
    assert done == ["last"]
    assert not worker.submit(lambda: None, "late")


def test_the_slot_keeps_the_newest_only_and_gives_it_once() -> None:
    slot: NewestSlot[str] = NewestSlot()
    assert slot.take(0) is None
    for text in ("a", "b", "c"):
        slot.put(text)
    assert slot.take(0) == (3, "c")
    assert slot.take(3) is None
    slot.put("d")
    slot.clear()
    assert slot.take(3) is None
