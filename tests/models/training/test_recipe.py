"""Recipes: what ships is valid and says what the paper says; what is wrong is one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training.errors import RecipeError
from models.training.recipe import Optimiser, Recipe
from models.training.recipe_file import load_recipe, recipe_names
from models.training.run_folder import recipe_changes
from tests.models.training.training_world import plain_recipe


def refused(folder: Path, text: str) -> str:
    file = folder / "mine.yaml"
    file.write_text(text)
    with pytest.raises(RecipeError) as caught:
        load_recipe(file)
    line = caught.value.one_line()
    assert "\n" not in line
    return line


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_that_ships_is_valid(name: str) -> None:
    assert load_recipe(name).steps > 0


def test_lbag_is_trained_as_the_paper_says() -> None:
    for name in ("lbag", "lbag_plus"):
        recipe = load_recipe(name)
        assert (recipe.network.base, recipe.network.num_res) == (32, 20)
        assert (recipe.batch, recipe.patches.side_px, recipe.steps) == (12, 256, 300_000)
        assert recipe.patches.blurred_share == 0.5
        assert recipe.optimiser.weight_decay == 0  # Adam
        rates = [recipe.optimiser.lr_at(step, recipe.steps) for step in (0, 99_999, 100_000, 299_999)]
        assert rates == [1e-4, 1e-4, 5e-5, 2.5e-5]
        losses = recipe.losses
        assert (losses.mask, losses.mae, losses.ssim, losses.msfr) == (0.01, 1, 1, 0.1)
    assert load_recipe("lbag").init == ""
    assert load_recipe("lbag_plus").init


def test_a_recipe_survives_its_own_plain_form() -> None:
    recipe = load_recipe("lbag_small")
    assert Recipe.model_validate(recipe.plain()) == recipe


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"batch": 0}, ["mine.yaml:", "batch", "greater than or equal to 1"]),
        ({"optimiser": {"learning_rate": 1}}, ["optimiser.learning_rate: no such key", "allowed: lr, betas"]),
        ({"network": {"name": "unet"}}, ["network.name", "'unet' is not allowed", "'lbag' or 'mimo-unet'"]),
        ({"data": [{"kind": "lbs", "path": "x", "blur": 3}]}, ["data[0].blur: no such key", "blur_px"]),
        ({"data": []}, ["data", "at least 1 item"]),
        ({"losses": {"mae": -1}}, ["losses.mae"]),
        ({"stepps": 3}, ["stepps: no such key", "did you mean 'steps'"]),
        ({"optimiser": {"lr": float("nan")}}, ["optimiser.lr"]),
    ],
)
def test_what_is_wrong_is_named_with_its_file_key_and_what_is_allowed(
    tmp_path: Path, change: dict[str, object], words: list[str]
) -> None:
    line = refused(tmp_path, yaml.safe_dump(plain_recipe(**change)))
    for word in words:
        assert word in line, line


@pytest.mark.parametrize(
    "text",
    ["- a\n- b\n", "name: [", "name: a\nname: b\n", "a: &x [1]\nb: *x\n", "x: !!python/name:os.system\n", ""],
)
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert "mine.yaml" in refused(tmp_path, text)


def test_an_unknown_name_is_answered_with_the_nearest_and_a_number_may_be_written_as_people_do(
    tmp_path: Path,
) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe("lbag_smal")
    assert "did you mean 'lbag_small'" in caught.value.one_line()
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(plain_recipe()) + "checkpoint_every_s: 1e3\n")
    assert load_recipe(file).checkpoint_every_s == 1000


@settings(deadline=None, max_examples=30)
@given(
    st.floats(1e-6, 0.5),
    st.integers(1, 3000),
    st.integers(0, 50),
)
def test_a_cosine_goes_the_way_of_torchs_own(lr: float, steps: int, step: int) -> None:
    spec = Optimiser(lr=lr, schedule="cosine", lr_end=lr / 10)
    step = min(step, steps)
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=lr / 10)
    for _ in range(step):
        optimiser.step()
        schedule.step()
    assert spec.lr_at(step, steps) == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-6)


def test_the_warm_up_rises_to_the_rate_and_ends() -> None:
    spec = Optimiser(lr=0.1, warmup_steps=4)
    assert [spec.lr_at(step, 100) for step in range(6)] == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1, 0.1])


def test_every_key_that_changes_the_curve_is_watched() -> None:
    before = plain_recipe()
    assert recipe_changes(before, plain_recipe(steps=9, log_every_steps=5, checkpoint_every_s=3.0)) == []
    changed = {**before["data"][0], "blur_px": [3, 9]}
    assert recipe_changes(before, plain_recipe(data=[changed])) == ["data[0].blur_px[1] was 8 and is 9"]
    assert recipe_changes(before, plain_recipe(data=[])) != []
