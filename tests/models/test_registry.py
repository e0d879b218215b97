"""The registry: what every entry promises, and the figures that can be computed by hand."""

from __future__ import annotations

import pytest
import torch

from models.errors import CheckpointError, ImageError
from models.networks.entry import NetworkEntry
from models.networks.registry import NETWORKS, entry_of, entry_of_state

every_network = pytest.mark.parametrize("entry", NETWORKS.values(), ids=NETWORKS.keys())
every_deblurring = pytest.mark.parametrize(
    "entry", [pytest.param(entry, id=name) for name, entry in NETWORKS.items() if entry.run is not None]
)

TINY = {
    "lbag": {"base": 4, "num_res": 1},
    "mimo-unet": {"base": 4, "num_res": 1},
    "mimo-unet-plus": {"base": 4},
    "deep-deblur": {"channels": 4, "blocks": 1, "scales": 2},
    "deep-deblur-discriminator": {"channels": 4},
    "blade-net": {"base": 4, "attention": False},
    "kernel-space": {"width": 4, "front": 1, "back": 2, "variational": True},
}
"""Sizes with which a network runs quickly; one that is not named is small enough as published."""


def tiny(entry: NetworkEntry) -> torch.nn.Module:
    torch.manual_seed(3)
    return entry.build(**TINY.get(entry.name, {})).eval()


def convolution(c_in: int, c_out: int, kernel: int, side_px: int) -> int:
    """Multiply-adds of a convolution that gives `side_px` squared values a channel."""
    return c_in * c_out * kernel * kernel * side_px * side_px


def mimo_multiply_adds(num_res: int, outputs: int, base: int = 32, side: int = 256) -> int:
    """Closed form of Fig. 3 of MIMO-UNet, with the fusion's 1x1 convolution done scale by scale."""
    half, quarter = side // 2, side // 4
    widths = ((base, side), (2 * base, half), (4 * base, quarter))
    total = sum(2 * 2 * num_res * convolution(c, c, 3, at) for c, at in widths)
    total += convolution(3, base, 3, side)
    total += convolution(base, 2 * base, 3, half) + convolution(2 * base, 4 * base, 3, quarter)
    # A transposed convolution spreads every value of its input over the kernel.
    total += convolution(4 * base, 2 * base, 4, quarter) + convolution(2 * base, base, 4, half)
    total += sum(convolution(c, outputs, 3, at) for c, at in widths)
    total += convolution(4 * base, 2 * base, 1, half) + convolution(2 * base, base, 1, side)
    for c, at in widths[1:]:  # SCM and FAM
        total += convolution(3, c // 4, 3, at) + convolution(c // 4, c // 2, 1, at)
        total += convolution(c // 2, c // 2, 3, at) + convolution(c // 2, c - 3, 1, at)
        total += convolution(c, c, 1, at) + convolution(c, c, 3, at)
    for level, (c, at) in enumerate(widths[:2]):  # AFF
        total += convolution(c, c, 3, at)
        total += sum(convolution(own, c, 1, min(at, where)) for own, where in widths[level:])
        total += convolution(base, c, 1, half) if level else 0
    return total


@pytest.mark.parametrize(
    ("name", "num_res", "outputs"), [("mimo-unet", 8, 3), ("mimo-unet-plus", 20, 3), ("lbag", 20, 4)]
)
def test_mimo_unets_cost_what_their_figure_adds_up_to(name: str, num_res: int, outputs: int) -> None:
    assert NETWORKS[name].multiply_adds() == mimo_multiply_adds(num_res, outputs)


def test_mimo_unet_plus_costs_154_gmac_as_published_where_upward_steps_count_at_their_output() -> None:
    upward = convolution(128, 64, 4, 64) + convolution(64, 32, 4, 128)
    fused_whole = convolution(7 * 32, 32, 1, 256) + convolution(7 * 32, 64, 1, 128)
    fused_by_scale = sum(convolution(c, 32, 1, side) for c, side in ((32, 256), (64, 128), (128, 64)))
    fused_by_scale += sum(convolution(c, 64, 1, side) for c, side in ((32, 128), (64, 128), (128, 64)))
    published = NETWORKS["mimo-unet-plus"].multiply_adds() + 3 * upward + fused_whole - fused_by_scale
    assert published / 1e9 == pytest.approx(154.41, rel=0.005)


@pytest.mark.parametrize(("name", "millions"), [("mimo-unet", 6.8), ("mimo-unet-plus", 16.1), ("lbag", 16.1)])
def test_mimo_unets_have_the_published_number_of_parameters(name: str, millions: float) -> None:
    assert NETWORKS[name].parameters() / 1e6 == pytest.approx(millions, abs=0.05)


@pytest.mark.parametrize("scales", [1, 2, 3])
def test_deep_deblur_costs_and_weighs_what_its_layers_add_up_to(scales: int) -> None:
    entry = NETWORKS["deep-deblur"]
    cost = weights = 0
    for scale in range(scales):
        entering, side = 3 if scale == scales - 1 else 6, 256 >> scale
        for c_in, c_out in [(entering, 64), *[(64, 64)] * 38, (64, 3), *[(3, 12)] * (scale > 0)]:
            cost += convolution(c_in, c_out, 5, side)
            weights += c_in * c_out * 25 + c_out
    assert entry.multiply_adds(scales=scales) == cost
    assert entry.parameters(scales=scales) == weights


def test_a_network_is_described_in_words_that_leave_out_what_it_lacks() -> None:
    entry = NETWORKS["blade-net"]
    size = {"base": 8, "perception": True, "attention": False}
    assert entry.describe(size) == "BladeNet with 8 base channels and blur perception"


@every_network
def test_an_entry_says_what_it_is(entry: NetworkEntry) -> None:
    assert NETWORKS[entry.name] is entry
    assert entry.title
    assert entry.paper
    assert entry.paper_title
    assert entry.public_weights
    assert entry.parameters() > 0
    assert entry.rules.padding in {"reflect", "replicate"}


@every_network
def test_a_network_costs_in_proportion_to_the_area(entry: NetworkEntry) -> None:
    assert entry.multiply_adds(512) == 4 * entry.multiply_adds(256) > 0


@every_network
def test_a_network_is_recognised_by_its_parameters_and_built_again_from_its_size(entry: NetworkEntry) -> None:
    model = tiny(entry)
    found, size = entry_of(model)
    assert found is entry
    again = entry.build(**size)
    again.load_state_dict(model.state_dict(), strict=True)
    assert entry_of(again) == (entry, size)


def test_a_foreign_network_is_not_recognised() -> None:
    assert entry_of_state({"layer.weight": (3, 3)}) is None
    with pytest.raises(CheckpointError, match="Linear is no registered network"):
        entry_of(torch.nn.Linear(2, 2))


@every_deblurring
@pytest.mark.parametrize("shape", [(1, 3, 33, 50), (2, 3, 32, 32), (1, 3, 1, 2)])
def test_a_network_takes_pictures_of_any_size(entry: NetworkEntry, shape: tuple[int, ...]) -> None:
    rgb = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        sharp, mask = entry.predict(tiny(entry), rgb)
    assert sharp.shape == rgb.shape
    assert mask is None or (mask.shape == (shape[0], 1, *shape[2:]) and 0 <= mask.min() <= mask.max() <= 1)


@every_network
def test_what_is_no_picture_and_what_cannot_deblur_is_refused(entry: NetworkEntry) -> None:
    with pytest.raises(ImageError, match=r"takes pictures|does not deblur"):
        entry.predict(tiny(entry), torch.zeros(1, 4, 32, 32))
