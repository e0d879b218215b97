"""Takes on a rig that is broken on order, judged by the world's own record of which pulse made which frame.

`Bench.take` makes a take and judges all that it recorded: whatever was ordered, what must never happen (a
wrong pair, a shot without a reason, a session with problems) is checked after every take.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rig import Rig
from rig.capture.result import Shot, TakeFailed, TakeResult
from rig.errors import BeamrigError
from rig.exposure import ExposurePlan
from rig.records import PairRecord, RejectedShot
from rig.session import Session
from rig.session_check import check_session
from rig.virtual.client import WorldClient
from rig.virtual.faults import read_text
from rig.virtual.frames import RenderedFrame
from tests.rig.small_rig import small_plan, small_rig

PAIRS = 8


@dataclass
class Outcome:
    """What came of a take: the result, the error that ended it, and what the operator reads.

    Attributes:
        result: Of the take.
        failure: What ended it early; None when nothing did.
        struck: How often the orders struck.
        records: What the session holds of the take, by trigger index.
        truth: What the world rendered for each pair, by trigger index, B and S.
        revoked: Pairs that were shown, and taken back when the end of the take spoke against them.
    """

    result: TakeResult
    failure: TakeFailed | None
    struck: int = 0
    records: dict[int, PairRecord | RejectedShot] = field(default_factory=dict)
    truth: dict[int, tuple[RenderedFrame, RenderedFrame]] = field(default_factory=dict)
    revoked: list[str] = field(default_factory=list)

    @property
    def paired(self) -> list[int]:
        return sorted(self.truth)

    @property
    def reasons(self) -> dict[int, str]:
        return {shot.record.index: shot.reason for shot in self.result.shots if not shot.paired}

    @property
    def came_late(self) -> bool:
        """Whether the computer was so busy that a burst with missing frames could not be proven."""
        return any("more than a period late" in reason for reason in self.reasons.values())

    @property
    def skews_us(self) -> list[float | None]:
        return [shot.skew_us for shot in self.result.shots if shot.paired]

    @property
    def lines(self) -> list[str]:
        """What the operator reads, each line once."""
        said = [self.failure.one_line()] if self.failure else []
        said += [*self.reasons.values(), *self.result.refused, *getattr(self.result, "warnings", ())]
        said += [warning for shot in self.result.shots for warning in shot.warnings]
        return list(dict.fromkeys(said))


class Bench:
    """The small virtual rig, its world, and a session for each take.

    Args:
        rig: Open, with a plan in force.
        plan: That plan.
        folder: Where sessions go.
    """

    def __init__(self, rig: Rig, plan: ExposurePlan, folder: Path) -> None:
        self.rig = rig
        self.plan = plan
        self.world = WorldClient(rig.run_dir)
        self._folder = folder
        self._takes = 0

    def order(self, text: str) -> int:
        """Order a fault as it is typed; return the order's number (0 for one of the box)."""
        name, options = read_text(text)
        return int(self.world.fault(name, **options).get("number", 0))

    def take(self, *orders: str, pairs: int = PAIRS, period_s: float | None = None) -> Outcome:
        """Order faults, make a take, and check what must hold whatever was ordered."""
        outcome = self.trial(*orders, pairs=pairs, period_s=period_s)
        if isinstance(outcome, BeamrigError):
            raise outcome
        return outcome

    def trial(
        self, *orders: str, pairs: int = PAIRS, period_s: float | None = None
    ) -> Outcome | BeamrigError:
        """Do as `take`; of a take that could not even begin return the error: nothing was recorded then."""
        self._takes += 1
        before = len(self.world.pulses())
        numbers = [self.order(text) for text in orders]
        root = self._folder / f"session{self._takes}"
        with Session.create(root, self.rig.source) as session:
            session.add_scene("s01", self.plan)
            shown: list[Shot] = []
            try:
                result = self.rig.capture(session, "s01", "action", pairs, period_s, shown.append)
                outcome = Outcome(result, None)
            except TakeFailed as failed:
                outcome = Outcome(failed.result, failed)
            except BeamrigError as refused:
                assert session.shots() == []
                assert shown == []
                return refused
            self._judge(session, outcome, before)
            outcome.revoked = self._acknowledged(session, shown)
        with Session.open(root) as again:
            assert check_session(again).findings == ()
        outcome.struck = sum(order["hits"] for order in self.world.faults() if order["number"] in numbers)
        return outcome

    def mend(self) -> None:
        """Put everything right: forget all orders, plug everything in, open anew what is lost."""
        self.world.clear_faults()
        for name, camera in self.rig.cameras.items():
            if camera.state == "lost":
                self.rig.restart_camera(name)
        if self.rig.status().box == "lost":
            self.order("box replug")
        if self.rig.status().box in ("lost", "fault"):
            self.rig.restart_box(patience_s=5)

    def _acknowledged(self, session: Session, shown: list[Shot]) -> list[str]:
        """Make sure that nothing shown as a pair is lost; return what its take took back, with its files."""
        there = {pair.id: pair.meta_b["sha256"] for pair in session.pairs()}
        back = {pair.id: pair.meta_b["sha256"] for pair in session.ledger.revoked()}
        pairs = [shot.pair for shot in shown if shot.pair is not None]
        for pair in pairs:
            assert {**back, **there}.get(pair.id) == pair.meta_b["sha256"], f"{pair.id} is lost"
            assert pair.path_b.is_file()
            assert pair.path_s.is_file()
        return [pair.id for pair in pairs if pair.id in back]

    def _judge(self, session: Session, outcome: Outcome, pulses_before: int) -> None:
        """Hold every recorded shot against the world's own record."""
        result = outcome.result
        output = self.rig.profile.trigger_box.outputs["B"]
        fired = [pulse for pulse in self.world.pulses()[pulses_before:] if pulse["output"] == output]
        frames = {(frame.camera, frame.timestamp_ns): frame for frame in self.world.frames()}
        for record in (*session.pairs(), *session.rejected()):
            outcome.records[record.index] = record
        for pair in session.pairs():
            b = frames["B", pair.meta_b["timestamp_ns"]]
            s = frames["S", pair.meta_s["timestamp_ns"]]
            outcome.truth[pair.index] = b, s
            assert b.pulse is not None, f"pair {pair.id} has a frame of B that no pulse made"
            assert b.pulse == s.pulse, f"pair {pair.id} is wrong: pulses {b.pulse} and {s.pulse}"
            assert b.pulse == fired[pair.index]["index"], f"pair {pair.id} has the wrong trigger index"
            one_clock = b.timestamp_ns - b.t_start_ns == s.timestamp_ns - s.t_start_ns
            if pair.sync.clock == "common" and one_clock:
                assert pair.sync.skew_us is not None
                assert pair.sync.skew_us * 1e3 == pytest.approx(s.t_start_ns - b.t_start_ns, abs=1)
            raw = pair.load()
            assert (raw.b.timestamp_ns, raw.s.timestamp_ns) == (b.timestamp_ns, s.timestamp_ns)
        assert len(session.pairs()) == result.paired
        assert sorted(outcome.records) == list(range(result.fired))
        assert result.paired + result.rejected == result.fired <= len(fired)
        assert all(outcome.reasons.values())
        assert "\n" not in "".join(outcome.lines)


@contextmanager
def opened_bench(folder: Path, *faults: str) -> Iterator[Bench]:
    """Open the small rig, its world with these faults from the start."""
    profile = small_rig(folder, *faults)
    plan = small_plan(profile)
    with Rig.open(profile) as rig:
        rig.apply_plan(plan)
        yield Bench(rig, plan, folder)


def error_of(bench: Bench, name: str) -> BeamrigError:
    """Return why a camera is lost."""
    error = bench.rig.cameras[name].error  # type: ignore[index]
    assert error is not None
    return error
