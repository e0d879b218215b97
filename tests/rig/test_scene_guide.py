"""The guide through a scene on the small virtual rig: order, refusals, force, and where a scene stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from rig import Rig
from rig.capture.findings import Finding
from rig.errors import CaptureError, SessionError
from rig.plan import ExposurePlan
from rig.records import RawPair
from rig.scene_guide import SceneGuide, Step, StepRefused, scene_steps
from rig.session import Session
from rig.take_check import Checked, record_check, session_checks
from tests.rig.small_rig import small_plan, small_rig

STEPS = scene_steps(1, 5, 2)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    profile = small_rig(tmp_path_factory.mktemp("rig"))
    with Rig.open(profile) as opened:
        opened.apply_plan(small_plan(profile))
        yield opened


@pytest.fixture
def session(rig: Rig, tmp_path: Path) -> Iterator[Session]:
    with Session.create(tmp_path / "session", rig.source) as made:
        made.add_scene("s01", small_plan(rig.source))
        yield made


class Judge:
    """Checks a take by counting its pairs; refuses the kinds named."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.seen: list[tuple[str, int]] = []

    def __call__(self, kind: str, pairs: Iterable[RawPair], plan: ExposurePlan | None) -> Checked:
        assert plan is not None
        count = len(list(pairs))
        self.seen.append((kind, count))
        found = (Finding("stop", f"the {kind} is bad", "make it again"),) if kind in self.refused else ()
        return Checked((*found, Finding("note", "seen", figure=1.5)), {"pairs": float(count)})


def _states(guide: SceneGuide) -> list[str]:
    return [one.state for one in guide.progress()]


def test_a_scene_goes_from_whiteboard_to_action_and_each_take_is_checked(rig: Rig, session: Session) -> None:
    judge = Judge()
    guide = SceneGuide(session, "s01", judge, steps=STEPS)
    while (here := guide.next()) is not None:
        guide.take(rig, here.step.kind)
    assert judge.seen == [("whiteboard", 1), ("static", 5), ("action", 2)]
    assert _states(guide) == ["done"] * 3
    checks = session_checks(session, "s01")
    assert [(one.kind, one.take, one.level) for one in checks] == [
        ("whiteboard", 1, "note"), ("static", 1, "note"), ("action", 1, "note")
    ]  # fmt: skip
    assert checks[1].figures == {"pairs": 5.0}
    assert checks[1].findings == (Finding("note", "seen", figure=1.5),)


def test_a_refused_take_holds_the_next_step_until_it_is_forced_or_made_again(
    rig: Rig, session: Session
) -> None:
    guide = SceneGuide(session, "s01", Judge("whiteboard"), steps=STEPS)
    _, after = guide.take(rig, "whiteboard")
    assert (after.state, after.note) == ("refused", "the whiteboard is bad (make it again)")
    with pytest.raises(StepRefused, match="static must wait for whiteboard: the whiteboard is bad"):
        guide.take(rig, "static")
    assert session.pairs("s01", "static") == []
    good = SceneGuide(session, "s01", Judge(), steps=STEPS)
    good.take(rig, "whiteboard")  # the newest take counts
    assert _states(good) == ["done", "open", "open"]


def test_force_goes_on_and_is_recorded(rig: Rig, session: Session) -> None:
    guide = SceneGuide(session, "s01", Judge("whiteboard"), steps=STEPS)
    guide.take(rig, "whiteboard")
    _, after = guide.take(rig, "static", force=True)
    assert after.state == "done"
    (overruled,) = [one for one in session_checks(session) if one.overruled]
    assert (overruled.kind, overruled.level, overruled.refuses) == ("whiteboard", "stop", False)
    assert any(event["event"] == "check_overruled" for event in session.journal.events())


def test_force_does_not_make_up_for_a_missing_take(rig: Rig, session: Session) -> None:
    guide = SceneGuide(session, "s01", Judge(), steps=STEPS)
    with pytest.raises(StepRefused, match="action must wait for whiteboard: there is no whiteboard take"):
        guide.take(rig, "action", force=True)


def test_a_scene_goes_on_where_it_was_left(rig: Rig, session: Session) -> None:
    SceneGuide(session, "s01", Judge(), steps=STEPS).take(rig, "whiteboard")
    rig.capture(session, "s01", "static", 5)  # and the program died before the check
    with Session.open(session.root) as again:
        judge = Judge()
        guide = SceneGuide(again, "s01", judge, steps=STEPS)
        assert _states(guide) == ["done", "unchecked", "open"]
        guide.take(rig, "action")
        assert judge.seen == [("static", 5), ("action", 2)]
        assert _states(guide) == ["done"] * 3


def test_a_take_with_too_few_pairs_is_no_step(rig: Rig, session: Session) -> None:
    rig.capture(session, "s01", "whiteboard", 1)
    rig.capture(session, "s01", "static", 3)
    guide = SceneGuide(session, "s01", Judge(), steps=STEPS)
    here = guide.progress()[1]
    assert (here.state, here.note) == ("open", "take 1 is complete with 3 pairs")


def test_checks_of_each_pair_run_while_the_take_does(rig: Rig, session: Session) -> None:
    def make_check(kind: str, plan: ExposurePlan | None, static: object) -> object:
        return lambda pair: [Finding("warn", f"{kind} of {pair.s.camera} looks odd")]

    guide = SceneGuide(session, "s01", Judge(), make_check, STEPS)  # type: ignore[arg-type]
    result, _ = guide.take(rig, "whiteboard")
    assert result.pairs[0].warnings == ("whiteboard of S looks odd",)


def test_only_a_refused_step_can_be_overruled(session: Session) -> None:
    guide = SceneGuide(session, "s01", Judge(), steps=STEPS)
    with pytest.raises(StepRefused, match="not refused, it is open"):
        guide.overrule("whiteboard")
    with pytest.raises(StepRefused, match="no whiteboard take to check"):
        guide.check("whiteboard")
    with pytest.raises(StepRefused, match="no step of this scene"):
        guide.ready_for("dark")


def test_a_scene_must_exist_and_its_steps_make_sense(session: Session) -> None:
    with pytest.raises(SessionError):
        SceneGuide(session, "s02", Judge())
    with pytest.raises(CaptureError, match="cannot be used"):
        scene_steps(static=4)
    assert [Step("static", 7).least, Step("static", 3).least, Step("action", 20).least] == [5, 3, 1]


def test_a_check_that_cannot_be_read_counts_as_none(session: Session) -> None:
    session.journal.append(
        {"event": "take_checked", "scene": "s01", "kind": "static", "take": 1, "findings": [{"level": "x"}]}
    )
    assert session_checks(session) == []
    record_check(session.journal, "s01", "static", 1, Checked())
    assert [one.level for one in session_checks(session)] == ["note"]
