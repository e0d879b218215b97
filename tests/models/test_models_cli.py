"""`beamrig models`: the registry as a table and as JSON, without torch before it runs."""

from __future__ import annotations

import json
import subprocess
import sys

from click.testing import CliRunner

from models.models_cli import models
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


def test_the_table_names_every_network_and_the_licence_of_its_weights() -> None:
    answer = CliRunner().invoke(models, [], env={"COLUMNS": "220"})
    assert answer.exit_code == 0
    assert all(name in answer.output for name in NETWORKS)
    assert "SeungjunNah/DeepDeblur-PyTorch (MIT)" in answer.output
