"""A person's decision about a pair: kept in the journal, the newest counts, nothing is deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from beamrig.cli import cli
from rig.errors import SessionError
from rig.raw_store import RawStore
from rig.review import review_pairs, reviews
from rig.session import Session
from tests.rig.recorded import RIG, record


@pytest.fixture
def session(tmp_path: Path) -> Path:
    with Session.create(tmp_path / "ses", RIG) as made:
        store = RawStore()
        made.add_scene("s01")
        take = made.start_take("s01", "action", 2, {})
        for index in range(2):
            record(made, store, take, index)
        made.end_take("s01", "action", take, "complete", {})
        return made.root


FIRST, SECOND = "s01/action/t01_0000", "s01/action/t01_0001"


def test_a_decision_outlives_the_program_and_can_be_taken_back(session: Path) -> None:
    with Session.open(session) as opened:
        review_pairs(opened, [FIRST, SECOND], "reject", "a bird\n flew through")
        review_pairs(opened, [SECOND], "accept", "it is far from the object")
    with Session.open(session) as opened:
        found = reviews(opened)
        assert found[FIRST].line() == "rejected by the reviewer: a bird flew through"
        assert found[SECOND].decision == "accept"
        assert found[FIRST].time[:2] == "20"
        before = (session / "journal.jsonl").read_bytes()
        review_pairs(opened, [FIRST], "withdraw")
        assert set(reviews(opened)) == {SECOND}
        assert (session / "journal.jsonl").read_bytes().startswith(before)
        assert [pair.id for pair in opened.pairs()] == [FIRST, SECOND]
        assert opened.problems() == []


def test_what_makes_no_sense_is_refused_before_anything_is_written(session: Path) -> None:
    with Session.open(session) as opened:
        before = (session / "journal.jsonl").read_bytes()
        with pytest.raises(SessionError, match="no pair 's01/action/t01_0009'"):
            review_pairs(opened, [FIRST, "s01/action/t01_0009"], "reject", "blurred")
        with pytest.raises(SessionError, match="no reason"):
            review_pairs(opened, [FIRST], "accept", " ")
        assert (session / "journal.jsonl").read_bytes() == before


def test_a_line_that_cannot_be_read_decides_nothing_and_is_told(session: Path) -> None:
    with Session.open(session) as opened:
        place = {"scene": "s01", "kind": "action", "take": 1, "index": 0}
        opened.journal.append({"event": "pair_reviewed", **place, "decision": "burn", "reason": "x"})
        assert reviews(opened) == {}
        assert any("review that cannot be read" in line for line in opened.problems())


def test_the_command_decides_and_lists(session: Path) -> None:
    run = CliRunner().invoke
    done = run(cli, ["review", str(session), FIRST, "--reject", "out of focus"])
    assert done.exit_code == 0, done.output
    assert f"{FIRST}: rejected by the reviewer: out of focus" in done.output
    listed = json.loads(run(cli, ["review", str(session), "--json"]).output)
    assert listed["reviews"][FIRST]["reason"] == "out of focus"
    assert "nothing was decided" in run(cli, ["review", str(session), FIRST, "--withdraw"]).output
    assert run(cli, ["review", str(session), FIRST]).exit_code == 2
    assert run(cli, ["review", str(session), "--reject", "all of them"]).exit_code == 2
