"""Sessions: what is recorded is found again, nothing leaves the folder or is overwritten, crashes show."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.capture.findings import Finding
from rig.dng import RawImage, write_dng
from rig.errors import SessionError
from rig.exposure import plan_exposure
from rig.profiles import load_rig
from rig.records import PairRecord, RejectedShot, SyncProof, check_scene_name, revoked_event
from rig.session import Session

RIG = load_rig("virtual")
PLAN = plan_exposure(RIG, speed_mps=1.4, distance_m=5.0, blur_s_px=4.0)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with Session.create(tmp_path / "ses", RIG, operator="Ada") as made:
        made.add_scene("s01", PLAN)
        yield made


DARK = Finding("warn", "camera B is too dark", "add light", 0.04)


def proof(index: int, verdict: str = "paired", reason: str = "") -> SyncProof:
    numbers = {"B": index, "S": index}
    return SyncProof(
        index, numbers, numbers, 0.5, 0.1, 2, {"B": 0, "S": None}, verdict, reason, "common"  # type: ignore[arg-type]
    )  # fmt: skip


def record_pair(session: Session, take: int, index: int) -> PairRecord:
    paths = [session.shot_path("s01", "action", take, index, camera) for camera in "BS"]
    for path, camera in zip(paths, "BS", strict=True):
        pixels = np.full((24, 24), 100 + index, np.uint16)
        write_dng(path, RawImage(pixels, "RGGB", 64, 4095, 12, 1e3, 0, "x", camera, index, index, index))
    record = PairRecord("s01", "action", take, index, *paths, proof(index), {"exposure_us": 1e3}, {}, (DARK,))  # type: ignore[misc]
    session.record_shots([record])
    return record


def test_a_session_that_is_opened_again_knows_all_it_knew(session: Session) -> None:
    take = session.start_take("s01", "action", 2, {"period_s": 0.2})
    pair = record_pair(session, take, 0)
    shot = RejectedShot("s01", "action", take, 1, proof(1, "rejected", "camera S: it ignored the trigger"))
    session.record_shots([shot])
    session.end_take("s01", "action", take, "complete", {"paired": 1})
    with Session.open(session.root) as again:
        assert again.pairs() == [pair]
        assert again.rejected("s01", "action") == [shot]
        assert again.pairs(kind="static") == []
        assert again.scene("s01").plan == PLAN
        assert (again.id, again.operator) == (session.id, "Ada")
        assert [(t.take, t.asked, t.state, t.details) for t in again.takes()] == [
            (1, 2, "complete", {"period_s": 0.2})
        ]
        assert again.problems() == []
        assert pair.id == "s01/action/t01_0000"
        assert int(again.pairs()[0].load().s.pixels[0, 0]) == 100


def test_what_a_check_found_keeps_level_hint_and_figure_and_old_journals_are_read(session: Session) -> None:
    take = session.start_take("s01", "action", 2, {})
    record_pair(session, take, 0)
    event = next(one for one in session.journal.events() if one["event"] == "shot")
    old = {k: v for k, v in event.items() if k != "findings"} | {"index": 1, "warnings": ["B is black"]}
    session.journal.append(old)
    with Session.open(session.root) as again:
        new, earlier = (shot for shot in again.shots() if isinstance(shot, PairRecord))
    assert new.findings == (DARK,)
    assert new.warnings == ("camera B is too dark (add light)",)
    assert earlier.findings == (Finding("warn", "B is black"),)


def test_the_profiles_as_used_stay_with_the_session_and_still_make_a_plan(session: Session) -> None:
    profile = Session.open(session.root).rig_profile
    assert profile.optics == RIG.optics
    assert plan_exposure(profile, speed_mps=1.4, distance_m=5.0, blur_s_px=4.0).applied_us == PLAN.applied_us


def test_a_changed_profile_is_noticed(session: Session) -> None:
    copy = session.root / "profiles" / "rig.yaml"
    copy.write_text(copy.read_text() + "# changed\n")
    assert session.problems() == ["profiles/rig.yaml was changed or removed after the session was made"]


def test_take_numbers_rise_over_crashes_and_programs(session: Session) -> None:
    assert session.start_take("s01", "action", 1, {}) == 1
    with Session.open(session.root) as other:
        assert other.start_take("s01", "action", 1, {}) == 2
        assert other.start_take("s01", "static", 1, {}) == 1
    assert session.start_take("s01", "action", 1, {}) == 3
    assert session.problems() == []  # for they are being recorded
    session.close()
    with Session.open(session.root) as after:
        assert "s01/action: take 1 was never finished" in after.problems()


def test_files_that_the_journal_does_not_know_are_reported_and_never_overwritten(session: Session) -> None:
    take = session.start_take("s01", "action", 1, {})
    stray = session.shot_path("s01", "action", 7, 0, "B")
    stray.touch()
    session.shot_path("s01", "action", take, 0, "B").with_suffix(".dng.part").touch()
    assert session.start_take("s01", "action", 1, {}) == 8
    session.close()
    with Session.open(session.root) as again:
        problems = again.problems()
    assert "scenes/s01/action/t07_0000_B.dng is in no pair of the journal" in problems
    assert "scenes/s01/action/t01_0000_B.dng.part was never finished" in problems


def test_a_pair_whose_file_is_gone_is_reported_and_left_out(session: Session) -> None:
    pair = record_pair(session, session.start_take("s01", "action", 1, {}), 0)
    pair.path_s.unlink()
    assert session.pairs() == []
    assert "s01/action/t01_0000: t01_0000_S.dng is missing" in session.problems()


def test_a_torn_journal_is_reported_and_the_session_goes_on(session: Session) -> None:
    record_pair(session, session.start_take("s01", "action", 1, {}), 0)
    journal = session.root / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    with Session.open(session.root) as again:
        assert again.pairs() == []
        assert any(problem.startswith("journal: line") for problem in again.problems())
        assert again.start_take("s01", "action", 1, {}) == 2


def test_a_session_can_be_moved(session: Session, tmp_path: Path) -> None:
    record_pair(session, session.start_take("s01", "action", 1, {}), 0)
    moved = shutil.copytree(session.root, tmp_path / "elsewhere")
    shutil.rmtree(session.root)
    with Session.open(moved) as again:
        assert again.pairs()[0].path_b.is_relative_to(moved)
        assert again.scene("s01").plan == PLAN


def test_a_plan_can_be_replaced(session: Session) -> None:
    other = plan_exposure(RIG, speed_mps=2.0, distance_m=5.0, blur_s_px=4.0)
    assert session.set_plan("s01", other).plan == other
    assert Session.open(session.root).scene("s01").plan == other


@given(st.text(max_size=12))
def test_no_scene_name_leads_out_of_the_session(name: str) -> None:
    try:
        assert Path("/s", check_scene_name(name)).parent == Path("/s")
    except SessionError:
        return


@pytest.mark.parametrize(
    "name", ["..", ".", "", "a/b", "a\0", "-x", "Sharp1", "my-blur", "DATASET", "x" * 33, "é"]
)
def test_names_that_would_mislead_are_refused(session: Session, name: str) -> None:
    with pytest.raises(SessionError):
        session.add_scene(name)


def test_a_scene_name_is_taken_once_also_on_disks_that_ignore_case(session: Session) -> None:
    with pytest.raises(SessionError, match="already"):
        session.add_scene("S01")


def test_a_journal_that_points_out_of_the_session_is_not_followed(session: Session) -> None:
    event = {"event": "shot", "scene": "../../x", "kind": "action", "take": 1, "index": 0, "sync": {}}
    session.journal.append(event)
    assert session.pairs() == []
    assert any("'../../x' is no name for a scene" in problem for problem in session.problems())


def test_unknown_scenes_and_kinds_are_named(session: Session) -> None:
    with pytest.raises(SessionError, match="no scene 's02'"):
        session.start_take("s02", "action", 1, {})
    with pytest.raises(SessionError, match="no kind of take"):
        session.start_take("s01", "party", 1, {})


def test_a_session_needs_a_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with pytest.raises(SessionError, match="not empty"):
        Session.create(tmp_path, RIG)
    with pytest.raises(SessionError, match="is no session"):
        Session.open(tmp_path)


@pytest.mark.parametrize("card", ["", "[1]", "schema: 9\nid: x\ncreated: y\nprofiles: {}", "a: [", "\xff"])
def test_a_damaged_card_is_refused(session: Session, card: str) -> None:
    (session.root / "session.yaml").write_text(card, encoding="latin-1")
    with pytest.raises(SessionError):
        Session.open(session.root)


def test_a_proof_comes_back_from_the_journal_as_it_was() -> None:
    one = proof(3, "rejected", "late")
    assert SyncProof.from_dict(one.to_dict()) == one
    assert replace(one, reason="") != one


def test_a_line_that_makes_no_sense_costs_its_own_shot_only(session: Session) -> None:
    take = session.start_take("s01", "static", 1, {})
    session.journal.append(
        {"event": "shot", "scene": "../../etc", "kind": "static", "take": 1, "index": 0, "sync": {}},
        {"event": "take_started", "scene": "s01"},
        {"event": "take_ended", "scene": "s01", "kind": "party", "take": 1},
    )
    session.end_take("s01", "static", take, "complete", {"fired": 0})
    assert session.shots() == []
    assert [record.state for record in session.takes()] == ["complete"]
    assert sum("cannot be read" in problem for problem in session.problems()) == 3


def test_a_scene_whose_making_was_cut_off_can_be_made_again(session: Session) -> None:
    (session.root / "scenes" / "s07").mkdir()
    assert session.add_scene("s07").name == "s07"
    with pytest.raises(SessionError, match="already"):
        session.add_scene("s07")


def test_what_cannot_be_read_is_warned_of_when_the_session_is_opened(
    session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    session.journal.append({"event": "shot", "scene": "s01"})
    Session.open(session.root).close()
    assert "a shot that cannot be read" in caplog.text


def test_a_pair_that_was_revoked_is_a_rejected_shot_and_its_files_stay(session: Session) -> None:
    take = session.start_take("s01", "action", 2, {})
    kept, wrong = record_pair(session, take, 0), record_pair(session, take, 1)
    session.journal.append(revoked_event("s01", "action", take, 1, "the box fired once too often"))
    with Session.open(session.root) as again:
        assert again.pairs() == [kept]
        (shot,) = again.rejected()
        assert (shot.id, shot.sync.verdict, shot.sync.reason) == (
            wrong.id, "rejected", "the box fired once too often",
        )  # fmt: skip
        assert wrong.path_b.is_file()
