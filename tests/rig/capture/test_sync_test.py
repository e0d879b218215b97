"""The sync test on the virtual rig, healthy and broken on order, and what it says of edges."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from beamrig.cli import cli
from rig import Rig
from rig.capture.indexing import Burst, FrameStamp, Trace
from rig.errors import CaptureError
from rig.exposure import ExposurePlan
from rig.session import Session
from rig.sync_report import edge_report, histogram
from rig.sync_test import SyncTest, sync_test
from rig.virtual.client import WorldClient

PERIOD_NS = 50_000_000


@pytest.fixture
def world(rig: Rig, plan: ExposurePlan) -> Iterator[WorldClient]:
    rig.apply_plan(plan)
    client = WorldClient(rig.run_dir)
    yield client
    client.clear_faults()


def short_test(rig: Rig, plan: ExposurePlan, pulses: int = 12) -> SyncTest:
    return sync_test(rig, pulses, period_s=plan.min_period_s, search=False)


def test_a_healthy_rig_is_good_and_its_shortest_period_is_exposure_and_readout(
    rig: Rig, plan: ExposurePlan, world: WorldClient
) -> None:
    told: list[tuple[str, int, int]] = []
    found = sync_test(
        rig, 12, period_s=plan.min_period_s, on_progress=lambda *progress: told.append(progress)
    )
    assert (found.verdict, found.reasons, found.paired) == ("good", (), 12)
    assert (found.clock, found.skews_us) == ("common", (0.0,) * 12)
    assert {name: (of.first_id, of.last_id, of.ignored) for name, of in found.cameras.items()} == {
        "B": (0, 11, 0),
        "S": (0, 11, 0),
    }
    assert {of.verdict for of in found.edges.values()} == {"10 pulses, 10 frames"}
    limit = found.limit
    assert limit is not None
    assert limit.shortest_s is not None
    assert limit.ignored_at_s is not None
    busy_s = (plan.applied_us["B"] + 13_000) * 1e-6
    assert limit.ignored_at_s < busy_s <= limit.shortest_s < busy_s * 1.011
    assert {part for part, _, _ in told} == {"edges", "pairs", "shortest period"}
    assert json.loads(json.dumps(found.to_dict()))["limit"]["plan_holds"] is True
    assert (rig.status().box, rig.status().cameras["B"].state) == ("safe", "idle")


def test_a_skew_is_measured_and_named(rig: Rig, plan: ExposurePlan, world: WorldClient) -> None:
    world.fault("skew", skew_us=250.0)
    found = short_test(rig, plan)
    assert (found.verdict, found.paired) == ("bad", 12)
    assert set(found.skews_us) == {250.0}
    assert "S starts 250 us off its time" in found.reasons[0]


def test_a_skew_as_long_as_an_exposure_is_no_pair(rig: Rig, plan: ExposurePlan, world: WorldClient) -> None:
    world.fault("skew", skew_us=3000.0)
    found = short_test(rig, plan)
    assert (found.verdict, found.paired) == ("bad", 0)
    assert any("S started 3000 us later than planned" in reason for reason in found.reasons)


def test_a_clock_that_drifts_is_measured(rig: Rig, plan: ExposurePlan, world: WorldClient) -> None:
    world.fault("clock", camera="S", drift_ppm=80.0, offset_s=0.0)
    found = short_test(rig, plan)
    assert (found.paired, found.clock_rate_ppm) == (12, pytest.approx(80, abs=0.5))
    assert found.cameras["S"].rate_ppm == pytest.approx(80, abs=0.5)
    assert found.cameras["B"].rate_ppm == pytest.approx(0, abs=0.5)
    assert any("drift apart by 80" in reason for reason in found.reasons)


def test_cameras_with_clocks_of_their_own_are_related_by_their_intervals(
    rig: Rig, plan: ExposurePlan, world: WorldClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rig, "source", rig.source.model_copy(update={"shared_clock": False}))
    world.fault("clock", camera="S", drift_ppm=-35.0, offset_s=1234.5678)
    found = short_test(rig, plan)
    assert (found.verdict, found.paired, found.clock) == ("good", 12, "fitted")
    assert found.clock_rate_ppm == pytest.approx(-35, abs=0.5)
    assert found.skew is not None
    assert found.skew.max_us < 1


def test_jitter_shows_in_the_spread(rig: Rig, plan: ExposurePlan, world: WorldClient) -> None:
    world.fault("jitter", jitter_us=60.0)
    found = short_test(rig, plan)
    assert found.paired == 12
    assert found.skew is not None
    assert 0 < found.skew.p50_us < found.skew.p95_us <= found.skew.max_us <= 60


def test_what_happens_to_single_frames_is_found_and_costs_no_more_than_them(
    rig: Rig, plan: ExposurePlan, world: WorldClient
) -> None:
    """Pulses 0 to 9 are those of the edge test; frame 14 of S is that of pulse 15, as pulse 13 gives none."""
    world.fault("ignore_trigger", camera="S", at=13)
    world.fault("repeat_frame", camera="S", at=14)
    world.fault("duplicate_trigger", camera="B", at=12)
    world.fault("lose_frame", camera="B", at=17)
    found = short_test(rig, plan)
    assert (found.verdict, found.paired) == ("bad", 10)
    assert {name: (of.ignored, of.missing_ids) for name, of in found.cameras.items()} == {
        "B": (1, 1),
        "S": (1, 0),
    }
    assert "10 of 12 pulses gave a pair; the first that did not: camera S: it ignored" in found.reasons[0]
    assert found.reasons[1] == "camera S: a frame was refused: it was delivered twice"
    assert found.reasons[2].startswith("camera B: 1 of its frames did not arrive; is computer or link")


def test_a_test_that_is_cancelled_ends_soon_with_the_rig_at_rest(
    rig: Rig, plan: ExposurePlan, world: WorldClient
) -> None:
    cancel = threading.Event()

    def stop_in_the_middle(part: str, done: int, total: int) -> None:
        if (part, done) == ("pairs", 3):
            cancel.set()

    found = sync_test(rig, 500, period_s=0.1, cancel=cancel, on_progress=stop_in_the_middle)
    assert (found.verdict, found.limit) == ("cancelled", None)
    assert found.paired < 10
    assert (rig.status().box, rig.status().capturing) == ("safe", False)
    assert short_test(rig, plan, 3).verdict == "good"


def test_a_period_that_is_too_short_for_the_plan_is_refused(rig: Rig, world: WorldClient) -> None:
    with pytest.raises(CaptureError, match="too short for this plan"):
        sync_test(rig, 5, period_s=0.01)


# ------------------------------------------------------------------------------------ edges


def frames(*starts: float) -> tuple[FrameStamp, ...]:
    return tuple(FrameStamp(number, round(start * PERIOD_NS)) for number, start in enumerate(starts))


@pytest.mark.parametrize(
    ("trace", "said"),
    [
        (Trace(frames(*range(10)), 0), "10 pulses, 10 frames"),
        (Trace(frames(*range(1, 10, 2)), 0), "10 pulses, 5 frames: 2 pulses a frame; the first arms"),
        (Trace(frames(*range(0, 10, 2)), 5), "2 pulses a frame; every other trigger comes too early"),
        (Trace(frames(*(n / 2 for n in range(20))), 0), "10 pulses, 20 frames: it takes both edges"),
        (Trace(frames(*range(10), 3.01), 0), "10 pulses, 11 frames: the line rings or bounces"),
        (Trace((), 0), "10 pulses, no frame: look at trigger line"),
        (Trace(frames(0, 1, 2, 4, 5, 6, 7, 8, 9), 1), "10 pulses, 9 frames, 1 triggers ignored"),
    ],
)
def test_what_a_camera_does_with_ten_edges_is_named(trace: Trace, said: str) -> None:
    report = edge_report(Burst(10, PERIOD_NS), trace)
    assert said in report.verdict
    assert report.good == (said == "10 pulses, 10 frames")


def test_a_histogram_counts_every_value_once() -> None:
    values = [-3.0, 0.0, 0.1, 2.0, 2.0, 9.5]
    bars = histogram(values)
    assert sum(bar.count for bar in bars) == len(values)
    assert (bars[0].low_us, bars[-1].high_us) == (-3.0, 9.5)
    assert sum(bar.count for bar in histogram([0.0] * 7)) == 7
    assert histogram([]) == []


# ------------------------------------------------------------------------------------ commands


def test_the_command_prints_a_verdict_and_a_histogram() -> None:
    done = CliRunner().invoke(cli, ["sync", "test", "--pulses", "5", "--no-search", "--place", "centre"])
    assert done.exit_code == 0, done.output
    assert "good  5 of 5 pulses gave a pair" in done.stdout
    assert "█" in done.stdout
    assert "S at the centre" in done.stdout


def test_the_proofs_of_a_session_are_shown_and_exported(
    rig: Rig, plan: ExposurePlan, session: Session, world: WorldClient, tmp_path: Path
) -> None:
    world.fault("ignore_trigger", camera="S", at=1)
    rig.capture(session, "s01", "static", 4, 0.05)
    session.close()
    target = tmp_path / "proofs.csv"
    run = CliRunner()
    listed = run.invoke(cli, ["sync", "show", str(session.root), "--json", "--csv", str(target)])
    rows = json.loads(listed.stdout)["shots"]
    assert [row["verdict"] for row in rows] == ["paired", "rejected", "paired", "paired"]
    assert "it ignored the trigger" in rows[1]["reason"]
    assert [row["frame_id_B"] for row in rows] == [0, 1, 2, 3]
    assert [row["frame_id_S"] for row in rows] == [0, None, 1, 2]
    assert {(row["placement"], row["clock"], row["ignored_S"]) for row in rows} == {("start", "common", 1)}
    lines = target.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("id,verdict,reason,trigger_index,frame_id_B,frame_id_S,timestamp_ns_B")
    assert len(lines) == 5
    one = run.invoke(cli, ["sync", "show", str(session.root), "s01/static/t01_0002"])
    assert "grid_residual_us_S" in one.stdout
    table = run.invoke(cli, ["sync", "show", str(session.root), "s01/static"])
    assert "3 of 4 shots are proven pairs" in table.stdout
    assert run.invoke(cli, ["sync", "show", str(session.root), "s09"]).exit_code != 0
