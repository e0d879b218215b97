"""The five lines of the paper's Table 3 as recipes: each leaves one thing out of LBAG+, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from models.evaluation.published import TABLE_3
from models.networks.registry import NETWORKS
from models.training.networks import build
from models.training.recipe_file import load_recipe

LINES = ("1_lbag_plus", "2_no_gate", "3_no_bapc", "4_no_ssim", "5_no_pretraining")
SWITCHES = {
    "network.name": "gate",
    "network.gate_min": "gate",
    "patches.blurred_share": "bapc",
    "losses.ssim": "ssim",
    "init": "pretrained",
}


def flat(value: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {path: value}
    return {k: v for key, one in value.items() for k, v in flat(one, f"{path}.{key}".strip(".")).items()}


def recipe(line: str) -> dict[str, Any]:
    return flat(load_recipe(f"table3_{line}").plain())


@pytest.mark.parametrize(
    ("line", "left_out"), list(zip(LINES, ("", "gate", "bapc", "ssim", "pretrained"), strict=True))
)
def test_a_line_differs_from_lbag_plus_in_one_thing(line: str, left_out: str) -> None:
    full, own = recipe(LINES[0]), recipe(line)
    differing = {key for key in full | own if full.get(key) != own.get(key)} - {"name"}
    assert {SWITCHES[key] for key in differing} == ({left_out} if left_out else set())
    row = TABLE_3[LINES.index(line)]
    told = (
        own["network.name"] == "lbag",
        own["patches.blurred_share"] > 0,
        own["losses.ssim"] != 0,
        bool(own["init"]),
    )
    assert row.switches == told


@pytest.mark.parametrize(("line", "same"), [("1_lbag_plus", "lbag_plus"), ("5_no_pretraining", "lbag")])
def test_the_lines_with_names_of_their_own_are_those_recipes(line: str, same: str) -> None:
    assert {**recipe(line), "name": ""} == {**flat(load_recipe(same).plain()), "name": ""}


def test_without_gates_the_network_is_mimo_unet() -> None:
    spec = load_recipe("table3_2_no_gate").network.model_copy(update={"base": 4, "num_res": 1})
    assert isinstance(build(spec, 0), NETWORKS["mimo-unet"].network)
