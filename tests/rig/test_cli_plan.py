"""`beamrig plan` and `beamrig profiles` from the shell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rig.profiles import profile_text

ROOT = Path(__file__).parents[2]


def beamrig(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "beamrig", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "100"},
    )


def test_a_plan_as_json_is_plain_numbers() -> None:
    done = beamrig(
        "plan", "--rig", "virtual", "--speed", "1.4 m/s", "--distance", "5 m", "--blur-s", "4", "--json"
    )
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert plan["exposure_us"]["S"] == {"planned": pytest.approx(3070.5, abs=0.01), "applied": 3070.0}
    assert plan["exposure_us"]["B"]["applied"] == 24564.0
    assert plan["blur_px"]["S"] == {"requested": 4.0, "predicted": pytest.approx(4.0, abs=0.01)}
    assert plan["blur_px"]["B"] == {"predicted": pytest.approx(32.0, abs=0.01)}
    assert plan["notes"] == []


def test_a_plan_for_people_is_a_table() -> None:
    done = beamrig("plan", "--speed", "5 km/h", "--blur-b", "80")
    assert done.returncode == 0, done.stderr
    assert "80.00 px" in done.stdout
    assert "note: blur in B is 80.0 px" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--speed", "1.4", "--blur-s", "4"], "no unit"),
        (["--speed", "1.4 m", "--blur-s", "4"], "is a length, but a speed is wanted"),
        (["--speed", "1400 m/s", "--blur-s", "4"], "at least 13.03 px of blur in S"),
        (["--speed", "1.4 m/s"], "blur and exposure are open"),
        (["--speed", "1.4 m/s", "--blur-s", "nan"], "greater than zero"),
        (["--speed", "0 m/s", "--blur-s", "4"], "greater than zero"),
        (["--rig", "virtul", "--blur-s", "4"], "did you mean virtual?"),
        (["--speed", "1.4 m/s", "--blur-s", "4", "--filter", "ND 5"], "at hand: ND 0.6, ND 0.9, ND 1.2"),
    ],
)
def test_a_bad_wish_is_one_line_and_exit_code_2(arguments: list[str], said: str) -> None:
    done = beamrig("plan", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr


def test_profiles_are_listed_and_shown() -> None:
    listed = beamrig("profiles", "list", "--json")
    assert {"name": "virtual", "kind": "rig"}.items() <= json.loads(listed.stdout)[0].items()
    assert "virtual_camera" in beamrig("profiles").stdout
    assert beamrig("profiles", "show", "virtual").stdout == profile_text("virtual")
    assert json.loads(beamrig("profiles", "show", "dg645", "--json").stdout)["serial"]["baudrate"] == 9600


def test_checking_a_good_profile_says_so(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(profile_text("virtual"), encoding="utf-8")
    done = beamrig("profiles", "check", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert "a good rig profile" in done.stdout


def test_checking_a_wrong_profile_lists_every_problem_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    wrong = profile_text("dg645").replace("baudrate: 9600", "baudrate: fast, parity: odd")
    file.write_text(wrong, encoding="utf-8")
    line = next(n for n, text in enumerate(wrong.split("\n"), 1) if "baudrate" in text)

    for_people = beamrig("profiles", "check", str(file))
    assert for_people.returncode == 2
    assert f"{file}:{line}: serial.parity: no such field" in for_people.stdout
    assert for_people.stderr == f"error: {file}: 2 problems\n"

    for_programs = beamrig("profiles", "check", str(file), "--json")
    assert for_programs.returncode == 2
    assert {problem["field"] for problem in json.loads(for_programs.stdout)["problems"]} == {
        "serial.baudrate",
        "serial.parity",
    }


def test_the_schema_is_printed_for_editors() -> None:
    schema = json.loads(beamrig("profiles", "schema").stdout)
    assert schema["discriminator"]["propertyName"] == "kind"
    assert {"RigProfile", "CameraProfile", "TriggerBoxProfile"} <= set(schema["$defs"])
