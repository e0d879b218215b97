"""Opening and closing a rig, whatever goes wrong on the way, and the command that makes a take."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import rig as rig_package
from beamrig.cli import cli
from rig import Rig
from rig.errors import BeamrigError, CompanionError, DeviceError, PlanError, ProfileError, TriggerError
from rig.exposure import plan_exposure
from rig.profiles import Companion, RigProfile, load_rig
from rig.session import Session

ROOT = Path(rig_package.__file__).parents[1]
PLAN = ("--speed", "1.4 m/s", "--distance", "5 m", "--blur-s", "4")


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of our own for the run folders, so that what is left behind can be seen."""
    with tempfile.TemporaryDirectory(prefix="runs-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def processes_with(word: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended while we looked
        found += [line] if word in line else []
    return found


def broken(part: str) -> RigProfile:
    rig = load_rig("virtual")
    slot, box, companion = rig.cameras["S"], rig.trigger_box, rig.companion
    if companion is None:
        raise ProfileError("the virtual rig has a companion")
    if part == "camera":
        cameras = {**rig.cameras, "S": slot.model_copy(update={"serial_number": "VR-X-9999"})}
        return rig.model_copy(update={"cameras": cameras})
    if part == "box":
        return rig.model_copy(update={"trigger_box": box.model_copy(update={"port": "${run_dir}/gone"})})
    if part == "companion":
        wrong = companion.model_copy(update={"command": [*companion.command[:-1], "no-such-rig"]})
        return rig.model_copy(update={"companion": wrong})
    return rig.model_copy(update={"companion": Companion(command=["${nonsense}"])})


@pytest.mark.parametrize(
    ("part", "error"),
    [("camera", DeviceError), ("box", TriggerError), ("companion", CompanionError), ("place", ProfileError)],
)
def test_a_rig_that_cannot_be_opened_leaves_nothing_behind(
    runs: Path, part: str, error: type[BeamrigError]
) -> None:
    with pytest.raises(error):
        Rig.open(broken(part))
    assert list(runs.iterdir()) == []
    assert processes_with(str(runs)) == []


def test_a_rig_takes_only_its_own_plans_and_is_gone_once_closed(runs: Path) -> None:
    events: list[tuple[str, str]] = []
    with Rig.open("virtual", on_event=lambda camera, kind, _: events.append((camera, kind))) as rig:
        pids = [rig.cameras[name].pid for name in ("B", "S")]
        assert processes_with(str(runs)) != []
        assert rig.plan is None
        foreign = plan_exposure(rig.source, speed_mps=1.4, distance_m=5.0, blur_s_px=4.0)
        with pytest.raises(PlanError, match="another-rig"):
            rig.apply_plan(dataclasses.replace(foreign, rig="another-rig"))
        with pytest.raises(BeamrigError, match="no exposure plan"):
            rig.capture(Session.create(runs / "s", rig.source), "s01", "static", 1)
    assert [path.name for path in runs.iterdir()] == ["s"]
    assert processes_with(str(runs)) == []
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert rig.status().box == "closed"
    assert {("B", "opened"), ("S", "closed")} <= set(events)
    with pytest.raises(DeviceError, match="the rig is closed"):
        rig.start_live()
    rig.close()


def invoke(*words: str, keys: str = "") -> Result:
    return CliRunner().invoke(cli, ["capture", *words], input=keys)


def test_the_command_makes_a_session_and_later_uses_the_scenes_plan(tmp_path: Path) -> None:
    folder = str(tmp_path / "ses")
    place = ("--session", folder, "--scene", "s01", "--json")
    first = invoke(
        *place, "--kind", "static", "--pairs", "2", *PLAN, "--period", "150 ms", "--operator", "Ada"
    )
    assert first.exit_code == 0, first.output
    data = json.loads(first.stdout)
    assert (data["scene"], data["kind"], data["take"]) == ("s01", "static", 1)
    assert (data["fired"], data["paired"], data["rejected"], data["reasons"]) == (2, 2, 0, [])
    assert data["exposure_us"]["B"]["applied"] == pytest.approx(data["exposure_us"]["B"]["planned"], abs=1)
    assert [pair["verdict"] for pair in data["pairs"]] == ["paired", "paired"]
    second = invoke(*place, "--kind", "static", "--pairs", "1")
    assert second.exit_code == 0, second.output
    assert json.loads(second.stdout)["take"] == 2
    assert json.loads(second.stdout)["exposure_us"] == data["exposure_us"]
    with Session.open(folder) as session:
        assert session.operator == "Ada"
        assert len(session.pairs("s01", "static")) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--scene", "s01", "--kind", "static"), "needs a plan"),
        (("--scene", "../x", "--kind", "static", *PLAN), "no name for a scene"),
        (("--scene", "s01", "--kind", "party", *PLAN), "party"),
        (("--scene", "s01", "--kind", "static", "--pairs", "0", *PLAN), "0"),
        (("--scene", "s01", "--kind", "static", "--speed", "fast"), "fast"),
        (("--scene", "s01", "--kind", "static", "--rig", "nope", *PLAN), "nope"),
    ],
)
def test_bad_input_is_refused_before_anything_is_made(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    folder = tmp_path / "ses"
    result = invoke("--session", str(folder), *words)
    assert result.exit_code != 0
    assert said in result.output + str(result.exception)
    assert not folder.exists()


def test_by_hand_each_return_fires_and_q_ends(tmp_path: Path) -> None:
    place = ("--session", str(tmp_path / "ses"), "--scene", "s01", "--kind", "static", "--json")
    done = invoke(*place, "--by-hand", "--warmup", "1", *PLAN, keys="\n\nq\n\n")
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    assert (data["state"], data["fired"], data["paired"]) == ("complete", 2, 2)


def test_ctrl_c_ends_an_open_take_after_the_present_shot(tmp_path: Path) -> None:
    folder = tmp_path / "ses"
    words = ["--session", str(folder), "--scene", "s01", "--kind", "static", "--json", "--until-stopped"]
    command = [sys.executable, "-m", "beamrig", "capture", *words, *PLAN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while len(list(folder.rglob("*.dng"))) < 6:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    data = json.loads(out)
    assert data["state"] == "complete"
    assert data["paired"] == data["fired"] >= 3
    with Session.open(folder) as session:
        assert session.problems() == []


@pytest.mark.parametrize(
    "words",
    [
        ("--by-hand", "--until-stopped"),
        ("--preroll", "1 s"),
        ("--until-stopped", "--pairs", "3"),
        ("--by-hand", "--period", "1 s"),
        ("--every", "3 s", "--period", "1 s"),
    ],
)
def test_schedules_that_exclude_each_other_are_refused(tmp_path: Path, words: tuple[str, ...]) -> None:
    place = ("--session", str(tmp_path / "ses"), "--scene", "s01", "--kind", "static")
    refused = invoke(*place, *words, *PLAN)
    assert refused.exit_code == 2
    assert not (tmp_path / "ses").exists()


def test_the_ten_lines_of_the_documentation_take_four_pairs(tmp_path: Path) -> None:
    _, _, rest = (rig_package.__doc__ or "").partition("::\n")
    script, _, _ = rest.partition("\n``rig.capture``")
    lines = [line for line in textwrap.dedent(script).splitlines() if line.strip()]
    assert len(lines) <= 10
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    *shots, last = done.stdout.splitlines()
    assert [line.split()[0] for line in shots] == [f"s01/action/t01_000{index}" for index in range(4)]
    assert last.startswith("complete 4 ['t01_0000_B.dng'")
