"""`beamrig models`: the registry as a table and as JSON, without torch before it runs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from models.models_cli import facts, models, print_table
from models.networks.registry import NETWORKS


def test_the_command_can_be_named_without_loading_torch() -> None:
    program = "import sys, models.models_cli; print('torch' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert answer.stdout.strip() == "False"


def test_json_tells_of_every_network_what_the_registry_counts() -> None:
    answer = CliRunner().invoke(models, ["--json"])
    assert answer.exit_code == 0
    rows = {row["name"]: row for row in json.loads(answer.output)}
    assert list(rows) == list(NETWORKS)
    plus = rows["mimo-unet-plus"]
    assert (plus["parameters"], plus["size"]["num_res"]) == (16_107_651, 20)
    assert plus["multiply_adds_256"] == NETWORKS["mimo-unet-plus"].multiply_adds()
    assert rows["deep-deblur"]["input"]["mean"] == 127.5
    assert not rows["deep-deblur-discriminator"]["deblurs"]


def test_the_table_has_a_whole_line_for_every_network_at_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    counted = {"parameters": 123_456_789, "multiply_adds_256": 1_234_567_890_123}
    # Counting all of them takes seconds and is tested above: the widest numbers stand for it.
    print_table([facts(entry) | counted for entry in NETWORKS.values()])
    output = capsys.readouterr().out
    lines = output.splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in output
    head = next(line.split() for line in lines if "parameters" in line)
    assert head == ["name", "paper", "parameters", "GMAC", "weights"]
    for name, entry in NETWORKS.items():
        assert [line for line in lines if line.split()[:1] == [name] and entry.paper in line]


def test_a_name_tells_all_of_one_network() -> None:
    answer = CliRunner().invoke(models, ["deep-deblur"], env={"COLUMNS": "80"})
    assert answer.exit_code == 0
    said = " ".join(answer.output.split())
    assert "github.com/SeungjunNah/DeepDeblur-PyTorch; licence: MIT" in said
    assert "RGB in 0..255 less 127.5; sides are multiples of 4 px" in said
    assert "lbag" not in said


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    answer = CliRunner().invoke(models, ["lbga"])
    assert answer.exit_code == 2
    assert "no network is called 'lbga'; known: lbag, " in answer.output
