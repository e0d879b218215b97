from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from gui.session_index import Listing
from gui.sessions import SessionKeeper, fresh_folder, today_folder
from gui.widgets.facts import proof_rows
from gui.widgets.shot_list import ShotList
from rig.errors import SessionError
from rig.profiles import load_rig
from rig.records import PairRecord, RejectedShot, SyncProof
from rig.session import Session

RIG = load_rig("virtual")


def proof(index: int, reason: str = "") -> SyncProof:
    both = {"B": index, "S": index}
    return SyncProof(
        trigger_index=index,
        frame_id=dict(both),
        timestamp_ns=dict(both),
        skew_us=0.25,
        residual_us=0.01,
        fired=3,
        ignored={"B": 0, "S": None},
        verdict="rejected" if reason else "paired",
        reason=reason,
        clock="common",
    )


def pair(index: int, kind: str = "action") -> PairRecord:
    return PairRecord("s01", kind, 1, index, Path("b.dng"), Path("s.dng"), proof(index), {}, {})


SHOTS = (
    pair(0, "static"),
    pair(0),
    RejectedShot("s01", "action", 1, 1, proof(1, "S ignored the trigger")),
    pair(2),
)
LISTING = Listing(Path("/nowhere"), True, ("s01",), SHOTS)


def test_no_folder_is_made_before_the_first_capture(tmp_path: Path) -> None:
    keeper = SessionKeeper(tmp_path / "session")
    assert keeper.open_existing() is None
    assert not keeper.folder.exists()


def test_the_first_capture_makes_the_session_and_tells(tmp_path: Path) -> None:
    keeper, told = SessionKeeper(tmp_path / "session"), []
    keeper.on_change = lambda: told.append(keeper.session)
    session = keeper.ensure(RIG)
    assert keeper.ensure(RIG) is session
    assert told == [session]
    keeper.close()
    with Session.open(tmp_path / "session") as again:
        assert again.id == session.id


def test_a_session_on_disk_is_gone_on_with(tmp_path: Path) -> None:
    made = Session.create(tmp_path / "session", RIG)
    made.close()
    keeper = SessionKeeper(tmp_path / "session")
    assert keeper.ensure(RIG).id == made.id
    keeper.close()


def test_a_damaged_session_leaves_the_one_before_in_place(tmp_path: Path) -> None:
    keeper = SessionKeeper(tmp_path / "good")
    session = keeper.ensure(RIG)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "session.yaml").write_text("schema: 99\n")
    with pytest.raises(SessionError):
        keeper.switch(broken)
    assert keeper.session is session
    assert keeper.folder == tmp_path / "good"
    keeper.close()


def test_todays_newest_session_is_the_default_and_a_new_one_never_takes_its_place(tmp_path: Path) -> None:
    day = "2026-07-01"
    assert today_folder(tmp_path, day) == tmp_path / day
    assert fresh_folder(tmp_path, day) == tmp_path / day
    for number in (1, 2, 3):
        folder = fresh_folder(tmp_path, day)
        assert folder.name == (day if number == 1 else f"{day}_{number:02d}")
        Session.create(folder, RIG).close()
        assert today_folder(tmp_path, day) == folder
    assert today_folder(tmp_path, "2026-07-02") == tmp_path / "2026-07-02"


def test_a_listing_counts_pairs_and_rejected_shots_by_kind() -> None:
    assert LISTING.counts("s01", "paired") == {"static": 1, "action": 2}
    assert LISTING.counts("s01", "rejected") == {"action": 1}
    assert LISTING.counts("s02", "paired") == {}


@pytest.fixture
def shots(qtbot: QtBot) -> ShotList:
    widget = ShotList()
    qtbot.addWidget(widget)
    widget.show_listing(LISTING)
    return widget


def test_the_list_starts_at_the_first_action_pair(shots: ShotList) -> None:
    assert shots.current_id() == "s01/action/t01_0000"


def test_rejected_shots_are_in_the_list_with_their_reason(shots: ShotList) -> None:
    shots.step(1)
    shot = shots.current_shot()
    assert isinstance(shot, RejectedShot)
    item = shots.currentItem()
    assert item is not None
    assert item.text(1) == "–  rejected"
    assert item.toolTip(1) == "S ignored the trigger"


def test_walking_the_list_stops_at_its_ends(shots: ShotList) -> None:
    for _ in range(10):
        shots.step(1)
    assert shots.current_id() == "s01/action/t01_0002"
    for _ in range(10):
        shots.step(-1)
    assert shots.current_id() == "s01/static/t01_0000"


def test_what_was_chosen_by_hand_survives_a_new_listing(shots: ShotList, qtbot: QtBot) -> None:
    shots.step(1)
    with qtbot.assertNotEmitted(shots.chosen):
        shots.show_listing(Listing(LISTING.folder, True, ("s01",), (*SHOTS, pair(3))))
    assert shots.current_id() == "s01/action/t01_0001"


def test_the_proof_says_what_is_not_known_instead_of_zero() -> None:
    rows = proof_rows(proof(1, "S ignored the trigger"))
    assert rows["Reason"] == "S ignored the trigger"
    assert rows["Trigger pulse"] == "2 of 3 fired"
    assert rows["Ignored by B"] == "0"
    assert rows["Ignored by S"] == "not counted"
    assert rows["Start skew S to B"] == "+0.250 µs"


def test_a_shot_that_stays_selected_is_not_told_again(qtbot: QtBot) -> None:
    widget, told = ShotList(), []
    qtbot.addWidget(widget)
    widget.chosen.connect(told.append)
    widget.show_listing(LISTING)
    widget.show_listing(LISTING)
    assert len(told) == 1
    widget.show_listing(replace(LISTING, folder=Path("/elsewhere")))
    assert len(told) == 2  # of another session: its pictures are others
