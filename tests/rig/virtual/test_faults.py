"""Orders of what is to go wrong: how they are read, counted, listed and cleared, from shell and Python."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from beamrig.cli import cli
from rig.virtual.box_faults import FAULTS
from rig.virtual.boxes import REPLUG
from rig.virtual.client import WorldClient, WorldUnreachable
from rig.virtual.fault_book import FaultBook
from rig.virtual.faults import KINDS, FaultError, make_order, read_text
from tests.rig.small_rig import write_small_rig

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", KINDS)
def test_every_fault_can_be_ordered_with_nothing_but_a_camera(name: str) -> None:
    order = make_order(1, name, {"camera": "both"})
    assert order.cameras == ("B", "S")
    assert order.open is not (KINDS[name].at_once)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("explode camera=S", "no fault 'explode'"),
        ("lose_frame", "camera=B, S or both"),
        ("lose_frame camera=X", "'X'"),
        ("lose_frame camera=S at=-1", "at=-1"),
        ("lose_frame camera=S at=soon", "at=soon"),
        ("lose_frame camera=S count=0", "count=0"),
        ("lose_frame camera=S colour=red", "no option 'colour'"),
        ("late_frame camera=S seconds=x", "seconds of late_frame is a number"),
        ("hang camera=S call=home", "one of event, port, stream"),
        ("ignore_trigger camera=S counted=maybe", "yes or no"),
        ("skew camera=S at=2", "no option 'at'"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_in_one_line(text: str, words: str) -> None:
    with pytest.raises(FaultError) as refused:
        make_order(1, *read_text(text))
    assert words in refused.value.message


@pytest.mark.parametrize("text", ["", "camera=S", "camera=S lose_frame"])
def test_an_order_begins_with_its_name(text: str) -> None:
    with pytest.raises(FaultError, match="is no fault"):
        read_text(text)


@given(st.integers(0, 20), st.integers(1, 5), st.integers(0, 40))
def test_an_order_strikes_as_often_as_it_says_and_where(at: int, count: int, frames: int) -> None:
    book = FaultBook()
    order = book.add("lose_frame", {"camera": "S", "at": at, "count": count})
    struck = [number for number in range(frames) if book.strike("frame", "S")]
    assert book.strike("frame", "B") == book.strike("pulse", "S") == []
    assert struck == [number for number in range(at, at + count) if number < frames]
    assert order.hits == len(struck)
    assert order.open is (frames < at + count)


def test_what_holds_until_cleared_adds_up_and_ends_when_cleared() -> None:
    book = FaultBook()
    first = book.add("skew", {"skew_us": "100"})
    book.add("skew", {"skew_us": 20, "camera": "both"})
    assert (book.lasting("skew", "S"), book.lasting("skew", "B")) == (120.0, 20.0)
    book.clear(first.number)
    assert book.lasting("skew", "S") == 20.0
    with pytest.raises(FaultError, match="no fault number 1"):
        book.clear(first.number)


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("faults")
    run = folder / "run"
    command = [sys.executable, "-m", "rig.virtual.world", "--run-dir", str(run)]
    command += ["--rig", str(write_small_rig(folder)), "--fault", "lose_frame camera=S at=3"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        assert json.loads(process.stdout.readline())["ready"] is True
        yield run
        process.stdin.close()
        assert process.wait(timeout=10) == 0


def shell(run_dir: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rig.virtual.cli", *words, "--run-dir", str(run_dir)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_faults_are_ordered_at_the_start_and_from_the_shell_and_listed(run_dir: Path) -> None:
    assert shell(run_dir, "fault", "unplug", "camera=both").returncode == 0
    assert shell(run_dir, "fault", "box", "slow", "seconds=0.5").returncode == 0
    assert shell(run_dir, "faults").stdout.splitlines() == [
        "1: lose_frame camera=S at=3 count=1 (open, struck 0 times)",
        "2: unplug camera=B+S (done, struck 1 times)",
    ]
    assert WorldClient(run_dir).ask("faults")["unplugged"] == ["B", "S"]
    cleared = shell(run_dir, "faults", "--clear")
    assert (cleared.returncode, cleared.stdout) == (0, "")
    assert WorldClient(run_dir).ask("faults")["unplugged"] == []


def test_the_help_of_the_command_names_every_fault_of_cameras_and_box() -> None:
    text = CliRunner().invoke(cli, ["virtual", "fault", "--help"]).stdout
    assert {name for name in KINDS if f"  {name} " not in text} == set()
    assert {name for name in (*FAULTS, REPLUG) if f"  box {name} " not in text} == set()


def test_a_wrong_order_is_one_line_in_the_shell(run_dir: Path) -> None:
    done = shell(run_dir, "fault", "explode", "camera=S")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "there is no fault 'explode'" in done.stderr


def test_a_wrong_order_is_an_error_in_python(run_dir: Path) -> None:
    with pytest.raises(WorldUnreachable, match="no option 'size'"):
        WorldClient(run_dir).fault("lose_frame", camera="S", size=3)


def test_a_world_does_not_start_with_a_wrong_order(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "rig.virtual.world",
        "--run-dir",
        str(tmp_path / "run"),
        "--fault",
        "what",
    ]
    done = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
