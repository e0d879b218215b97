"""`beamrig verdicts` lists each pair with what was found while it was taken and after development."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from beamrig.cli import cli
from processing.checks.verdict import PairVerdict
from processing.jobs.pair_record import SCHEMA, write_sealed
from processing.jobs.report import derived_path
from rig.capture.findings import Finding
from rig.review import review_pairs
from rig.session import Session
from tests.processing.scenes import record_session

BUMPED = Finding(
    "stop", "the rig was bumped: the background moved by 3.10 px", "take the static pairs again", 3.1
)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with record_session(tmp_path_factory.mktemp("verdicts") / "ses", pairs=2, kinds=("action",)) as made:
        first, second = made.pairs("s01", "action")
        folder = made.root / "derived" / "s01"
        for record, verdict in (
            (first, PairVerdict((BUMPED,), {"shift_S_mean_px": 3.1})),
            (second, PairVerdict()),
        ):
            path = derived_path(folder, record, "", ".json")
            path.parent.mkdir(parents=True, exist_ok=True)
            write_sealed(path, {"schema": SCHEMA, "verdict": verdict.to_dict()})
        return made.root


def test_the_list_names_the_worst_level_and_the_reason_of_each_pair(session: Path) -> None:
    done = CliRunner().invoke(cli, ["verdicts", str(session)], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    assert "stop" in done.output
    assert "the rig was bumped" in done.output
    assert "2 pairs: 1 stop, 1 good" in done.output


def test_json_holds_findings_and_figures_and_a_level_may_be_asked_for(session: Path) -> None:
    done = CliRunner().invoke(cli, ["verdicts", str(session), "--level", "stop", "--json"])
    data = json.loads(done.output)
    (pair,) = data["pairs"]
    assert pair["pair"] == "s01/action/t01_0000"
    assert pair["developed"]["findings"] == [BUMPED.to_dict()]
    assert pair["developed"]["figures"] == {"shift_S_mean_px": 3.1}
    assert data["counts"]["good"] == 1


def test_the_reviewers_word_stands_beside_the_verdict(session: Path) -> None:
    with Session.open(session) as opened:
        review_pairs(opened, ["s01/action/t01_0001"], "reject", "a bird flew through")
    done = CliRunner().invoke(cli, ["verdicts", str(session)], env={"COLUMNS": "200"})
    assert "rejected by the reviewer: a bird flew through" in done.output
    assert "1 rejected" in done.output
    data = json.loads(CliRunner().invoke(cli, ["verdicts", str(session), "--json"]).output)
    assert [one["review"] and one["review"]["decision"] for one in data["pairs"]] == [None, "reject"]


def test_a_scene_that_is_not_there_is_one_line(session: Path) -> None:
    done = CliRunner().invoke(cli, ["verdicts", str(session), "--scene", "s09"])
    assert done.exit_code != 0
    assert "no scene" in str(done.exception)
    with Session.open(session) as opened:
        assert len(opened.pairs()) == 2
