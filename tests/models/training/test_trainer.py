"""Single steps: what the loop is fed, where it starts from, and what it does with a gradient that is none."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.checkpoints import save_safetensors
from models.networks.mimo_unet import MIMOUNet
from models.training.batches import Batch, Mixture, batches, collate
from models.training.data import open_data, spread
from models.training.distributed import Crew
from models.training.errors import RecipeError, TrainingError
from models.training.networks import build, initialise
from models.training.pairs import TrainingPair
from models.training.recipe import Network, Recipe
from models.training.trainer import MOST_SKIPPED, Trainer
from rig.errors import BeamrigError
from tests.models.training.training_world import photos, tiny_recipe

ALONE = Crew(0, 1, torch.device("cpu"))


def batch(count: int = 2, known: bool = True, seed: int = 0) -> Batch:
    dice = torch.Generator().manual_seed(seed)
    sharp = torch.rand(count, 3, 48, 48, generator=dice)
    mask = torch.zeros(count, 1, 48, 48)
    mask[..., 10:30, 10:30] = 1
    return Batch(sharp * 0.9, sharp, mask, torch.full((count,), known))


def trainer(recipe: Recipe) -> Trainer:
    return Trainer(recipe, build(recipe.network, recipe.seed), ALONE)


class Named:
    """A maker whose patches say where they come from."""

    def __init__(self, value: int, *, fails: bool = False) -> None:
        self.value, self.fails = value, fails

    def sample(self, rng: np.random.Generator) -> TrainingPair:
        if self.fails:
            raise BeamrigError("the disk is gone", hint="look for it")
        picture = np.full((8, 8, 3), self.value, np.uint8)
        return TrainingPair("x", picture, picture + rng.integers(0, 50, dtype=np.uint8), None)


def test_samples_depend_on_seed_step_and_place_alone() -> None:
    mixture = Mixture([Named(10), Named(100)], [1, 3], 5)
    whole = list(batches(mixture, 0, 6, range(4), 0))
    late = list(batches(mixture, 4, 6, range(2, 4), 0))
    for one, two in zip(whole[4:], late, strict=True):
        assert torch.equal(one.sharp[2:], two.sharp)
    assert not torch.equal(whole[0].sharp, whole[1].sharp)
    other = next(batches(Mixture([Named(10), Named(100)], [1, 3], 6), 0, 1, range(4), 0))
    assert not torch.equal(whole[0].sharp, other.sharp)


def test_sources_are_drawn_by_their_weights() -> None:
    mixture = Mixture([Named(10), Named(100)], [1, 3], 5)
    drawn = [mixture[step, 0] for step in range(800)]
    share = np.mean([isinstance(item, TrainingPair) and item.blurred[0, 0, 0] == 100 for item in drawn])
    assert share == pytest.approx(0.75, abs=4 * math.sqrt(0.75 * 0.25 / 800))


def test_a_pair_that_cannot_be_made_ends_the_training_in_one_line() -> None:
    with pytest.raises(TrainingError, match=r"cannot be made: the disk is gone \(look for it\)"):
        next(batches(Mixture([Named(1, fails=True)], [1], 0), 0, 1, range(2), 0))


def test_depths_may_meet_in_one_batch() -> None:
    picture = np.full((8, 8, 3), 255, np.uint8)
    mask = np.full((8, 8), 255, np.uint8)
    deep = TrainingPair("deep", picture.astype(np.uint16) * 257, picture.astype(np.uint16) * 0, mask)
    collated = collate([TrainingPair("flat", picture, picture, None), deep])
    assert not isinstance(collated, str)
    pixels, known = collated
    assert known.tolist() == [False, True]
    torch.testing.assert_close(pixels[0, ..., :3], pixels[1, ..., :3])
    assert float(pixels[1, ..., 3:6].max()) == 0
    assert float(pixels[1, ..., 6].min()) == 1


def test_the_loss_falls_on_a_batch_seen_again_and_again() -> None:
    one = trainer(tiny_recipe(steps=60))
    losses = [one.train_step(batch())["total"] for _ in range(40)]
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.1


def test_a_gradient_that_is_not_finite_moves_nothing_and_ends_it_when_it_stays() -> None:
    one = trainer(tiny_recipe(steps=100))
    one.train_step(batch())
    before = {name: value.clone() for name, value in one.network.state_dict().items()}
    bad = replace(batch(), blurred=torch.full((2, 3, 48, 48), math.nan))
    one.train_step(bad)
    assert one.step == 2
    assert all(torch.equal(value, before[name]) for name, value in one.network.state_dict().items())
    one.train_step(batch())  # a good one between: the count begins again
    for _ in range(MOST_SKIPPED - 1):
        one.train_step(bad)
    with pytest.raises(TrainingError, match=f"not finite at step {3 + MOST_SKIPPED}"):
        one.train_step(bad)


def test_masks_that_nobody_knows_have_no_mask_loss() -> None:
    one = trainer(tiny_recipe())
    _, parts = one.loss(batch(known=False), one.network)
    assert "mask" not in parts
    half = replace(batch(4), known=torch.tensor([True, True, False, False]))
    one.network.eval()
    _, of_half = one.loss(half, one.network)
    _, of_known = one.loss(
        Batch(half.blurred[:2], half.sharp[:2], half.mask[:2], half.known[:2]), one.network
    )
    assert float(of_half["mask"]) == pytest.approx(float(of_known["mask"]) / 2, rel=1e-5)


def test_zero_heads_start_as_the_identity_and_mimo_unet_trains_without_masks() -> None:
    spec = Network(base=4, num_res=1, zero_heads=True)
    image = batch().blurred
    with torch.no_grad():
        for scale in build(spec, 0).eval()(image):
            assert torch.equal(
                scale.sharp, image[..., :: 48 // scale.sharp.shape[2], :: 48 // scale.sharp.shape[3]]
            )
    plain = trainer(tiny_recipe(network={"name": "mimo-unet", "base": 4, "num_res": 1, "drop": 0}))
    assert "mask" not in plain.train_step(batch())


def test_the_same_seed_builds_the_same_network_and_leaves_torchs_dice_alone() -> None:
    spec = Network(base=4, num_res=1)
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    one, two, other = build(spec, 7), build(spec, 7), build(spec, 8)
    assert torch.equal(torch.rand(3), expected)
    name = "feat_extract.0.main.0.weight"
    assert torch.equal(one.get_parameter(name), two.get_parameter(name))
    assert not torch.equal(one.get_parameter(name), other.get_parameter(name))


def test_lbag_plus_starts_from_mimo_unets_backbone(tmp_path: Path) -> None:
    mimo = MIMOUNet(4, 1)
    own = tmp_path / "mimo.safetensors"
    save_safetensors(own, mimo, trained=True, recipe={})
    torch.save({"model": mimo.state_dict()}, tmp_path / "mimo.pkl")
    for path in (own, tmp_path / "mimo.pkl"):
        network = build(Network(base=4, num_res=1), 0)
        head = network.get_parameter("feat_extract.5.main.0.weight").clone()
        assert "MIMO-UNet" in initialise(network, path)
        name = "Decoder.0.layers.0.main.0.main.0.weight"
        assert torch.equal(network.get_parameter(name), mimo.get_parameter(name))
        assert torch.equal(network.get_parameter("feat_extract.5.main.0.weight"), head)
    with pytest.raises(RecipeError, match="no weights at"):
        initialise(build(Network(base=4, num_res=1), 0), tmp_path / "none.pkl")
    wide = tmp_path / "wide.safetensors"
    save_safetensors(wide, build(Network(base=6, num_res=1), 0), trained=True, recipe={})
    with pytest.raises(RecipeError, match="the recipe's network is another"):
        initialise(build(Network(base=4, num_res=1), 0), wide)


def test_auto_precision_measures_both_and_leaves_the_weights_alone() -> None:
    one = trainer(tiny_recipe(precision="auto"))
    before = {name: value.clone() for name, value in one.network.state_dict().items()}
    said = one.choose_precision(batch())
    assert said.startswith(one.precision)
    assert "fp32 takes" in said
    assert all(torch.equal(value, before[name]) for name, value in one.network.state_dict().items())
    assert all(value.grad is None for value in one.network.parameters())


def test_data_is_found_by_key_and_what_is_missing_is_named(tmp_path: Path) -> None:
    pictures = photos(tmp_path / "somewhere")
    opened = open_data(tiny_recipe(), {"photos": pictures})
    assert opened.sizes == {"data[0]": 50}
    assert len(opened.held_out) == 2
    with pytest.raises(RecipeError, match="data 'photos' is no folder") as caught:
        open_data(tiny_recipe(), {})
    assert "add --data photos=FOLDER" in caught.value.one_line()
    with pytest.raises(RecipeError, match="has no such data"):
        open_data(tiny_recipe(), {"photoz": pictures})


def test_held_out_pairs_are_spread_evenly() -> None:
    assert spread(10, 4) == [0, 2, 5, 7]
    assert spread(3, 8) == [0, 1, 2]
