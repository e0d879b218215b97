"""The live preview: never waits, the newest frame wins, coarse before refined, errors are answers."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from models.deblur import DeblurEngine
from models.errors import Cancelled, ImageError
from models.preview import LivePreview, PreviewAnswer

LONG_S = 60.0
Image = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def engine(tiny_weights: Path) -> DeblurEngine:
    engine = DeblurEngine(tiny_weights, "cpu", "fp32")
    engine.prepare()
    return engine


@pytest.fixture
def answers() -> queue.Queue[PreviewAnswer]:
    return queue.Queue()


@pytest.fixture
def preview(engine: DeblurEngine, answers: queue.Queue[PreviewAnswer]) -> Iterator[LivePreview]:
    preview = LivePreview(engine, answers.put)
    yield preview
    preview.close()


def big(seed: int = 0) -> Image:
    return np.random.default_rng(seed).random((600, 1200, 3), dtype=np.float32)


def test_a_coarse_answer_comes_before_the_refined_one(
    preview: LivePreview, answers: queue.Queue[PreviewAnswer], engine: DeblurEngine
) -> None:
    frame = big()
    reference = frame.copy()
    reference[200:260, 300:380] = 0.5
    preview.submit(frame, reference, key="a")
    coarse, refined = answers.get(timeout=LONG_S), answers.get(timeout=LONG_S)
    assert [(answer.key, answer.stage) for answer in (coarse, refined)] == [("a", "coarse"), ("a", "refined")]
    assert coarse.result is not None
    assert refined.result is not None
    assert coarse.result.scale == 0.25
    expected = engine.run(frame, reference=reference, only_moved=True)
    np.testing.assert_array_equal(refined.result.sharp, expected.sharp)
    assert refined.result.route == "moved"


def test_the_first_answer_waits_for_no_measuring_and_the_refined_one_does_it(
    tiny_weights: Path, answers: queue.Queue[PreviewAnswer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # nothing is known of this machine
    fresh = DeblurEngine(tiny_weights, "cpu", measure_now=False)
    seen: list[bool] = []

    def look(answer: PreviewAnswer) -> None:
        seen.append(fresh.describe().candidates == () and fresh.describe().moving is None)
        answers.put(answer)

    preview = LivePreview(fresh, look)
    frame = big()
    preview.submit(frame, np.roll(frame, 2, axis=1))
    coarse, refined = answers.get(timeout=LONG_S), answers.get(timeout=LONG_S)
    preview.close()
    assert seen == [True, False]
    assert coarse.result is not None
    assert coarse.result.info.reason == "not measured yet"
    assert coarse.result.scale < 0.25  # of an unknown machine nothing is expected
    assert refined.result is not None
    assert refined.result.info.moving is not None
    assert [way.verdict for way in refined.result.info.candidates].count("chosen") == 1


def test_measuring_goes_on_bit_by_bit_in_a_stream_that_never_pauses(
    tiny_weights: Path, answers: queue.Queue[PreviewAnswer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    fresh = DeblurEngine(tiny_weights, "cpu", measure_now=False)
    preview = LivePreview(fresh, answers.put)
    frame = big()
    deadline = time.monotonic() + LONG_S
    preview.submit(frame)
    while fresh.describe().moving is None and time.monotonic() < deadline:
        answers.get(timeout=LONG_S)
        preview.submit(frame)
        preview.submit(frame)
    preview.close()
    assert fresh.describe().moving is not None


def test_a_stopped_measuring_goes_on_where_it_was(
    tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    stepwise = DeblurEngine(tiny_weights, "cpu", measure_now=False)
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        stepwise.run(big(), stop)
    steps = 1
    while stepwise.prepare_a_little():
        steps += 1
    assert steps > 10
    assert stepwise.describe().moving is not None
    assert DeblurEngine(tiny_weights, "cpu").describe().remembered


def test_of_many_frames_the_newest_is_answered_and_few_others(
    preview: LivePreview, answers: queue.Queue[PreviewAnswer]
) -> None:
    frames = [big(seed) for seed in range(3)]
    for number in range(40):
        preview.submit(frames[number % 3], key=number)
    seen = []
    while not seen or (seen[-1].key, seen[-1].stage) != (39, "refined"):
        seen.append(answers.get(timeout=LONG_S))
    keys = [answer.key for answer in seen]
    assert keys == sorted(keys, key=str) or keys == sorted(keys, key=int)  # type: ignore[call-overload]
    assert len(set(keys)) <= 4


def test_handing_in_a_frame_does_not_wait_for_the_network(preview: LivePreview) -> None:
    frame = big()
    preview.submit(frame)
    time.sleep(0.05)  # the network runs now
    started = time.perf_counter()
    for _ in range(100):
        preview.submit(frame)
    assert time.perf_counter() - started < 0.5


def test_a_stream_faster_than_the_network_is_still_answered(
    preview: LivePreview, answers: queue.Queue[PreviewAnswer]
) -> None:
    frame, stop = big(), threading.Event()

    def stream() -> None:
        while not stop.is_set():
            preview.submit(frame)
            time.sleep(0.002)

    thread = threading.Thread(target=stream)
    thread.start()
    try:
        stages = [answers.get(timeout=LONG_S).stage for _ in range(3)]
    finally:
        stop.set()
        thread.join()
    assert stages == ["coarse"] * 3


def test_a_wrong_frame_is_answered_with_its_error_and_the_next_one_works(
    preview: LivePreview, answers: queue.Queue[PreviewAnswer]
) -> None:
    preview.submit(np.zeros((8, 8), np.float32), key="bad")
    bad = answers.get(timeout=LONG_S)
    assert (bad.key, bad.stage, bad.result) == ("bad", "coarse", None)
    assert isinstance(bad.error, ImageError)
    preview.submit(big(), key="good")
    assert answers.get(timeout=LONG_S).error is None


def test_a_receiver_that_fails_does_not_end_the_preview(
    engine: DeblurEngine, answers: queue.Queue[PreviewAnswer], caplog: pytest.LogCaptureFixture
) -> None:
    def fail_first(answer: PreviewAnswer) -> None:
        answers.put(answer)
        if answer.key == "first":
            raise RuntimeError("receiver")

    preview = LivePreview(engine, fail_first, refine=False)
    preview.submit(big(), key="first")
    answers.get(timeout=LONG_S)
    preview.submit(big(), key="second")
    assert answers.get(timeout=LONG_S).key == "second"
    preview.close()
    assert "receiver" in caplog.text


def test_closing_stops_inside_the_network_and_says_no_to_more(engine: DeblurEngine) -> None:
    answers: list[PreviewAnswer] = []
    preview = LivePreview(engine, answers.append)
    preview.submit(np.random.default_rng(0).random((2400, 3600, 3), dtype=np.float32))
    time.sleep(0.1)
    closers = [threading.Thread(target=preview.close) for _ in range(3)]
    for thread in closers:
        thread.start()
    for thread in closers:
        thread.join(LONG_S)
    assert not preview._thread.is_alive()
    assert preview.submit(big()) is False
    assert answers == []


def test_a_receiver_may_close_the_preview(engine: DeblurEngine) -> None:
    done = threading.Event()

    def close(_: PreviewAnswer) -> None:
        preview.close()
        done.set()

    preview = LivePreview(engine, close)
    preview.submit(big())
    assert done.wait(LONG_S)
    preview._thread.join(LONG_S)
    assert not preview._thread.is_alive()
