"""`beamrig scene` and the checks of `beamrig capture` on a small virtual rig whose hooks set the stage."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rig.profiles import profile_text
from rig.session import Session
from rig.take_check import session_checks
from tests.rig.small_rig import write_small_rig

PLAN = ("--speed", "1.4 m/s", "--blur-s", "0.5")


def _hooked(folder: Path, **hooks: str) -> Path:
    """Return a small rig whose takes change the stage; ``hooks`` names another stage for a kind."""
    text = write_small_rig(folder).read_text().replace("name: small\n", "name: hooked\n")
    lines = profile_text("virtual").partition("take_hooks:")[2]
    for kind, stage in hooks.items():
        lines = lines.replace(f"stage, {kind},", f"stage, {stage},")
    rig = folder / "hooked.yaml"
    rig.write_text(f"{text.replace('small.yaml', 'hooked.yaml')}\ntake_hooks:{lines}")
    return rig


def _scene(
    session: Path, rig: Path, *words: str, answers: str | None = None
) -> subprocess.CompletedProcess[str]:
    fixed = ["scene", str(session), "s01", "--rig", str(rig), "--action", "3"]
    return subprocess.run(
        [sys.executable, "-m", "beamrig", *fixed, *words],
        capture_output=True, text=True, timeout=100, check=False, input=answers,
    )  # fmt: skip


def _report(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_good_scene_is_taken_in_one_go_and_not_taken_again(tmp_path: Path) -> None:
    rig, session = _hooked(tmp_path), tmp_path / "session"
    done = _scene(session, rig, *PLAN, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    report = _report(done)
    assert report["complete"] is True
    assert [(step["kind"], step["pairs"], step["state"]) for step in report["steps"]] == [
        ("whiteboard", 2, "done"), ("static", 5, "done"), ("action", 3, "done")
    ]  # fmt: skip
    assert report["steps"][1]["check"]["figures"]["moving_share"] == 0
    assert report["steps"][1]["check"]["figures"]["sharpness_ratio"] == pytest.approx(1, abs=0.2)
    with Session.open(session) as opened:
        assert [pair.findings for pair in opened.pairs(kind="action")] == [()] * 3
    again = _report(_scene(session, rig, "--yes", "--json"))
    assert [step["take"] for step in again["steps"]] == [1, 1, 1]


def test_an_object_in_the_static_take_refuses_action_until_forced(tmp_path: Path) -> None:
    rig, session = _hooked(tmp_path, static="action"), tmp_path / "session"
    done = _scene(session, rig, *PLAN, "--yes", "--json")
    assert done.returncode == 1
    report = _report(done)
    assert "something moves in the static take" in report["refused"]
    assert [step["state"] for step in report["steps"]] == ["done", "refused", "open"]
    forced = _scene(session, rig, "--yes", "--force", "--json")
    assert forced.returncode == 0, forced.stderr
    with Session.open(session) as opened:
        assert [one.kind for one in session_checks(opened) if one.overruled] == ["static"]


def test_light_that_changes_after_the_static_take_is_told_while_the_action_take_runs(tmp_path: Path) -> None:
    rig, session = _hooked(tmp_path), tmp_path / "session"
    rig.write_text(rig.read_text().replace("stage, action,", "set, illumination=0.85,"))
    done = _scene(session, rig, *PLAN, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    with Session.open(session) as opened:
        found = [one for pair in opened.pairs(kind="action") for one in pair.findings]
    light = [one for one in found if "the light changed by" in one.text]
    assert len(light) == 3
    assert all(one.figure == pytest.approx(-0.15, abs=0.02) and one.hint for one in light)


def test_the_operator_is_asked_before_each_step_and_may_stop(tmp_path: Path) -> None:
    rig, session = _hooked(tmp_path, whiteboard="static"), tmp_path / "session"
    done = _scene(session, rig, *PLAN, answers="\ns\n")
    assert done.returncode == 1
    assert "white board" in done.stderr
    assert "the whiteboard is uneven" in done.stderr
    assert "what now?" in done.stderr
    with Session.open(session) as opened:
        assert len(opened.takes("s01")) == 1


def test_capture_looks_at_each_pair_unless_told_not_to(tmp_path: Path) -> None:
    rig, session = _hooked(tmp_path, static="dark"), tmp_path / "session"
    words = ["capture", "--session", str(session), "--scene", "s01", "--rig", str(rig), "--json"]

    def take(pairs: int, *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "beamrig", *words, "--kind", "static", "--pairs", str(pairs), *more],
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip

    stopped = take(200, *PLAN)
    assert stopped.returncode == 2
    assert "black frames" in stopped.stderr
    report = json.loads(stopped.stdout)
    assert report["state"] == "stopped"
    assert report["fired"] < 100
    blind = take(2, "--no-check")
    assert blind.returncode == 0
    assert json.loads(blind.stdout)["warnings"] == []


def test_a_new_session_needs_a_plan(tmp_path: Path) -> None:
    done = _scene(tmp_path / "session", _hooked(tmp_path), "--yes")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "needs a plan" in done.stderr
