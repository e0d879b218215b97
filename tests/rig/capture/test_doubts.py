"""Takes whose evidence is doubtful for a while, or for good: nothing unproven stays a pair."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig import Rig
from rig.capture.result import TakeFailed, TakeResult
from rig.capture.rolling import Rolling
from rig.capture.schedule import ByHand, TakeControl, UntilStopped
from rig.capture.volley import Volley
from rig.raw_image import RawImage
from rig.raw_store import RawStore, Staged
from rig.session import Session
from rig.virtual.client import WorldClient
from tests.rig.capture.test_schedules import stray
from tests.rig.small_rig import small_plan, small_rig, write_small_rig

PERIOD_S = 0.05


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with Rig.open(small_rig(tmp_path_factory.mktemp("small"))) as rig:
        rig.apply_plan(small_plan(rig.source))
        yield rig


@pytest.fixture
def world(small: Rig) -> Iterator[WorldClient]:
    client = WorldClient(small.run_dir)
    yield client
    client.clear_faults()


@pytest.fixture
def record(small: Rig, tmp_path: Path) -> Iterator[Session]:
    with Session.create(tmp_path / "session", small.source) as session:
        session.add_scene("s01", small_plan(small.source))
        yield session


def take_in_thread(
    rig: Rig, session: Session, **options: object
) -> tuple[threading.Thread, list[TakeResult]]:
    results: list[TakeResult] = []

    def run() -> None:
        results.append(rig.capture(session, "s01", "action", **options))  # type: ignore[arg-type]

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, results


def until_paired(rig: Rig, count: int) -> None:
    deadline = time.monotonic() + 60
    while (now := rig.status().take) is None or now.paired < count:
        assert time.monotonic() < deadline, now
        time.sleep(0.01)


def test_after_a_lost_frame_pairs_are_recorded_again_while_the_take_runs(
    small: Rig, world: WorldClient, record: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rig.capture.rolling.MARGIN_S", 0.3)
    world.fault("lose_frame", camera="S", at=5)
    world.fault("ignore_trigger", camera="B", at=40)
    control = TakeControl()
    thread, results = take_in_thread(small, record, schedule=UntilStopped(PERIOD_S), control=control)
    until_paired(small, 60)
    control.stop()
    thread.join(60)
    (result,) = results
    assert {shot.record.index: shot.reason for shot in result.shots if not shot.paired} == {
        5: "camera S: its frame was lost on the way to the computer",
        40: "camera B: it ignored the trigger",
    }
    assert result.paired == result.fired - 2
    assert [shot.record.index for shot in result.shots] == list(range(result.fired))
    assert record.problems() == []


def test_after_a_volley_with_a_fault_the_cameras_are_armed_anew_and_the_index_runs_on(
    small: Rig, world: WorldClient, record: Session
) -> None:
    world.fault("lose_frame", camera="S", at=1)
    control = TakeControl()
    for _ in range(3):
        control.fire()
    control.fire(last=True)
    result = small.capture(record, "s01", "action", schedule=ByHand(pairs_a_press=4), control=control)
    assert (result.state, result.fired, result.paired) == ("complete", 12, 11)
    assert [shot.record.index for shot in result.shots if not shot.paired] == [1]
    ids = [pair.meta_b["frame_id"] for pair in record.pairs() if pair.index >= 4]
    assert ids == list(range(8)), "numbers began anew after the first volley, and ran on after the second"
    assert record.problems() == []


def test_one_exposure_too_many_takes_the_pairs_back_and_the_take_fails_loudly(
    small: Rig, world: WorldClient, record: Session
) -> None:
    world.fault("duplicate_trigger", camera="both", at=7, delay_us=PERIOD_S * 1e6)
    with pytest.raises(TakeFailed, match="exposed more often than the box was to fire") as failed:
        small.capture(record, "s01", "action", 8, PERIOD_S)
    assert (failed.value.result.paired, failed.value.result.rejected) == (0, 8)
    assert "spikes on the trigger lines" in failed.value.hint
    assert record.pairs() == []
    revoked = [event for event in record.journal.events() if event["event"] == "shot_revoked"]
    assert [event["index"] for event in revoked] == list(range(8))
    assert all("exposed more often" in shot.sync.reason for shot in record.rejected())
    assert len(list(record.root.rglob("*.dng"))) == 16, "RAW files stay, whatever they are worth"
    assert record.takes()[0].state == "failed"


def test_when_recording_is_slower_than_shooting_the_take_stops_and_loses_nothing(
    small: Rig, record: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = RawStore.stage

    def slow(store: RawStore, path: Path, image: object) -> Staged:
        time.sleep(0.25)
        return stage(store, path, image)  # type: ignore[arg-type]

    monkeypatch.setattr(RawStore, "stage", slow)
    result = small.capture(record, "s01", "action", 2000, PERIOD_S)
    assert result.state == "stopped"
    assert "recording is slower than shooting" in result.reason
    assert 10 < result.paired == result.fired < 2000
    assert record.problems() == []


def test_a_disk_that_does_not_answer_ends_the_take_with_a_reason(
    small: Rig, record: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, stage = threading.Event(), RawStore.stage

    def hangs(store: RawStore, path: Path, image: RawImage) -> Staged:
        if image.trigger_index >= 3:
            answers.wait(60)
        return stage(store, path, image)

    monkeypatch.setattr(RawStore, "stage", hangs)
    monkeypatch.setattr("rig.capture.recorder.LONGEST_WRITE_S", 1.0)
    with pytest.raises(TakeFailed, match="was not written within 1 s") as failed:
        small.capture(record, "s01", "action", 6, PERIOD_S)
    answers.set()
    assert failed.value.result.paired == 3
    assert "the disk does not answer" in failed.value.hint


def test_frames_that_came_before_the_box_was_fired_are_no_shots(
    small: Rig, record: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    control, start_proof = TakeControl(), Volley._start_proof

    def stopped_meanwhile(volley: Volley) -> Rolling:
        stray(small)
        control.stop()
        return start_proof(volley)

    monkeypatch.setattr(Volley, "_start_proof", stopped_meanwhile)
    result = small.capture(record, "s01", "action", 2, PERIOD_S, control=control)
    assert (result.state, result.fired, result.shots) == ("cancelled", 0, ())
    assert [line.split(": ")[1] for line in result.refused] == ["no pulse was fired"] * 4
    assert record.pairs() == record.rejected() == []


def test_without_a_counter_of_ignored_triggers_an_open_take_is_cut_into_short_volleys(tmp_path: Path) -> None:
    path = write_small_rig(tmp_path)
    camera = tmp_path / "small_camera.yaml"
    text = camera.read_text()
    camera.write_text(text.replace("  ignored_triggers: [FrameTriggerIgnoredCount]\n", "", 1))
    with Rig.open(path) as rig, Session.create(tmp_path / "session", rig.source) as session:
        session.add_scene("s01", small_plan(rig.source))
        rig.apply_plan(small_plan(rig.source))
        control = TakeControl()
        thread, results = take_in_thread(rig, session, schedule=UntilStopped(PERIOD_S), control=control)
        until_paired(rig, 50)
        control.stop()
        thread.join(60)
        (result,) = results
        assert {pair.sync.ignored["B"] for pair in session.pairs()} == {None}
        assert [pair.index for pair in session.pairs()][:50] == list(range(50))
        assert result.paired >= 50


def test_a_take_of_many_pairs_needs_no_more_memory_than_one_of_few(small: Rig, record: Session) -> None:
    small.capture(record, "s01", "action", 40, PERIOD_S)
    before = resident_kb()
    result = small.capture(record, "s01", "action", 120, PERIOD_S)
    assert result.paired + result.rejected == result.fired == 120
    assert resident_kb() - before < 6_000, "some kilobytes a pair at most"


def resident_kb() -> int:
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmRSS"))
    return int(line.split()[1])
