"""DeepDeblur and its discriminator have the published names, and compute what Fig. 4 and Table 1 say."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import pyramid_gaussian

from models.checkpoints import load_network, save_safetensors
from models.errors import CheckpointError, ImageError
from models.networks.deep_deblur import DeepDeblur, DeepDeblurDiscriminator, gaussian_pyramid
from models.networks.registry import NETWORKS
from tests.models.reference_lbag import State, random_state

Shapes = dict[str, tuple[int, ...]]


def published_shapes(scales: int = 3, channels: int = 64, blocks: int = 19, kernel: int = 5) -> Shapes:
    """Names and shapes of the public checkpoints' generator, as a rule; scale 0 is the finest."""
    shapes: Shapes = {}

    def conv(name: str, c_out: int, c_in: int) -> None:
        shapes[f"{name}.weight"] = (c_out, c_in, kernel, kernel)
        shapes[f"{name}.bias"] = (c_out,)

    for scale in range(scales):
        body = f"body_models.{scale}.body"
        conv(f"{body}.0", channels, 3 if scale == scales - 1 else 6)
        for block in range(1, blocks + 1):
            conv(f"{body}.{block}.body.0", channels, channels)
            conv(f"{body}.{block}.body.2", channels, channels)
        conv(f"{body}.{blocks + 1}", 3, channels)
        if scale:
            conv(f"conv_end_models.{scale}.uppath.0", 12, 3)
    return shapes


RELEASED_DISCRIMINATOR: Shapes = {
    "conv_layers.0.weight": (32, 3, 5, 5),
    "conv_layers.1.weight": (32, 32, 5, 5),
    "conv_layers.2.weight": (64, 32, 5, 5),
    "conv_layers.3.weight": (64, 64, 5, 5),
    "conv_layers.4.weight": (128, 64, 5, 5),
    "conv_layers.5.weight": (128, 128, 5, 5),
    "conv_layers.6.weight": (256, 128, 5, 5),
    "conv_layers.7.weight": (256, 256, 5, 5),
    "conv_layers.8.weight": (512, 256, 5, 5),
    "conv_layers.9.weight": (512, 512, 4, 4),
    "dense.weight": (1, 512, 1, 1),
}

# Weight dimension and stride of the paper's Table 1, with the names of the public code.
TABLE_1 = [
    ((32, 3, 5, 5), 2),
    ((64, 32, 5, 5), 1),
    ((64, 64, 5, 5), 2),
    ((128, 64, 5, 5), 1),
    ((128, 128, 5, 5), 2),
    ((256, 128, 5, 5), 1),
    ((256, 256, 5, 5), 4),
    ((512, 256, 5, 5), 1),
    ((512, 512, 5, 5), 4),
    ((1024, 512, 5, 5), 2),
]


def conv5(state: State, name: str, x: torch.Tensor) -> torch.Tensor:
    return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], padding=2)


def reference_deep_deblur(
    state: State, blurred: list[torch.Tensor], blocks: int, mean: float
) -> list[torch.Tensor]:
    """Section 3.1: every scale joins its blurred picture with the up-convolved result of the coarser one."""
    scales = len(blurred)
    results: dict[int, torch.Tensor] = {}
    for scale in range(scales - 1, -1, -1):
        x = blurred[scale] - mean
        if scale + 1 in results:
            wide = conv5(state, f"conv_end_models.{scale + 1}.uppath.0", results[scale + 1])
            count, _, h, w = wide.shape
            # Twelve channels: for each of three colours, the four places of a block of 2x2.
            up = wide.reshape(count, 3, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3).reshape(count, 3, 2 * h, 2 * w)
            x = torch.cat([x, up], dim=1)
        x = conv5(state, f"body_models.{scale}.body.0", x)
        for block in range(1, blocks + 1):
            inner = F.relu(conv5(state, f"body_models.{scale}.body.{block}.body.0", x))
            x = x + conv5(state, f"body_models.{scale}.body.{block}.body.2", inner)
        results[scale] = conv5(state, f"body_models.{scale}.body.{blocks + 1}", x)
    return [results[scale] + mean for scale in range(scales)]


@pytest.mark.parametrize("scales", [1, 2, 3])
def test_a_checkpoint_with_the_published_names_and_shapes_loads_strictly(tmp_path: Path, scales: int) -> None:
    state = random_state(published_shapes(scales))
    path = tmp_path / "model-1000.pt"
    torch.save({"G": state}, path)
    model, checkpoint = load_network(path)
    assert isinstance(model, DeepDeblur)
    assert (model.scales, model.channels, model.blocks, model.white) == (scales, 64, 19, 255)
    assert (checkpoint.source, checkpoint.trained, model.training) == ("deep-deblur", True, False)
    loaded = model.state_dict()
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[key], value) for key, value in state.items())


def test_the_released_network_has_40_convolutions_a_scale() -> None:
    shapes = published_shapes()
    in_bodies = [name for name in shapes if name.startswith("body") and name.endswith("weight")]
    assert len(in_bodies) == 120


def test_a_file_with_both_networks_gives_the_one_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "model-5.pt"
    generator = random_state(published_shapes(2, 4, 1))
    torch.save({"G": generator, "D": random_state(RELEASED_DISCRIMINATOR)}, path)
    assert isinstance(load_network(path)[0], DeepDeblur)
    model, checkpoint = load_network(path, "deep-deblur-discriminator")
    assert isinstance(model, DeepDeblurDiscriminator)
    assert (model.channels, model.layout) == (64, "released")
    assert checkpoint.architecture.name == "deep-deblur-discriminator"
    with pytest.raises(CheckpointError, match="no checkpoint of LBAG"):
        load_network(path, "lbag")


@settings(max_examples=10, deadline=None)
@given(
    scales=st.integers(1, 3),
    blocks=st.integers(1, 3),
    height=st.integers(1, 6),
    width=st.integers(1, 6),
    seed=st.integers(0, 99),
)
def test_every_scale_equals_the_network_drawn_in_the_paper(
    scales: int, blocks: int, height: int, width: int, seed: int
) -> None:
    state = random_state(published_shapes(scales, 6, blocks), seed)
    model = DeepDeblur(scales, 6, blocks).eval()
    model.load_state_dict(state)
    dice = torch.Generator().manual_seed(seed)
    sides = [(height * 4 >> scale, width * 4 >> scale) for scale in range(scales)]
    blurred = [255 * torch.rand(2, 3, *side, generator=dice) for side in sides]
    with torch.inference_mode():
        sharp = model(blurred)
        expected = reference_deep_deblur(state, blurred, blocks, 127.5)
    assert len(sharp) == scales
    for ours, theirs in zip(sharp, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-2)


@settings(max_examples=20, deadline=None)
@given(height=st.integers(1, 12), width=st.integers(1, 12), seed=st.integers(0, 99))
def test_the_pyramid_is_the_one_of_scikit_image(height: int, width: int, seed: int) -> None:
    picture = np.random.default_rng(seed).random((4 * height, 4 * width, 3))
    ours = gaussian_pyramid(torch.from_numpy(picture).permute(2, 0, 1)[None], 3)
    theirs = pyramid_gaussian(picture, max_layer=2, channel_axis=-1)
    for own, other in zip(ours, theirs, strict=False):
        np.testing.assert_allclose(own[0].permute(1, 2, 0).numpy(), other, atol=1e-9)


def test_prediction_pads_by_the_edge_and_keeps_the_range() -> None:
    entry = NETWORKS["deep-deblur"]
    state = random_state(published_shapes(3, 4, 1), 3)
    model = entry.build(channels=4, blocks=1).eval()
    model.load_state_dict(state)
    rgb = torch.rand(1, 3, 18, 23, generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        sharp, mask = entry.predict(model, rgb)
        padded = np.pad(rgb[0].permute(1, 2, 0).numpy() * 255.0, ((0, 2), (0, 1), (0, 0)), mode="edge")
        pyramid = pyramid_gaussian(padded, max_layer=2, channel_axis=-1)
        blurred = [torch.from_numpy(level).permute(2, 0, 1)[None].float() for level in pyramid]
        expected = reference_deep_deblur(state, blurred, 1, 127.5)[0][:, :, :18, :23] / 255
    torch.testing.assert_close(sharp, expected, rtol=1e-4, atol=1e-4)
    assert mask is None


def test_own_weights_keep_the_value_of_white(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    model = DeepDeblur(2, 4, 1, kernel=3, white=1.0).eval()
    save_safetensors(path, model, trained=True, recipe={})
    loaded, checkpoint = load_network(path)
    assert isinstance(loaded, DeepDeblur)
    assert (loaded.white, loaded.kernel, dict(checkpoint.settings)) == (1.0, 3, {"white": 1.0})
    pyramid = gaussian_pyramid(torch.rand(1, 3, 8, 8), 2)
    assert torch.equal(loaded(pyramid)[0], model(pyramid)[0])


def test_table_1_is_what_the_discriminator_computes() -> None:
    shapes = {f"conv_layers.{index}.weight": shape for index, (shape, _) in enumerate(TABLE_1)}
    state = random_state(shapes | {"dense.weight": (1, 1024, 1, 1)})
    model = DeepDeblurDiscriminator().eval()
    model.load_state_dict(state, strict=True)
    image = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(1))
    x = image
    for index, (_, stride) in enumerate(TABLE_1):
        x = F.conv2d(x, state[f"conv_layers.{index}.weight"], stride=stride, padding=2)
        x = torch.where(x > 0, x, 0.2 * x)
    assert x.shape == (1, 1024, 1, 1)
    expected = state["dense.weight"].flatten() @ x.flatten()
    with torch.inference_mode():
        torch.testing.assert_close(model(image).flatten()[0], expected)


@pytest.mark.parametrize("layout", ["paper", "released"])
def test_the_discriminator_says_one_thing_a_patch(layout: Literal["paper", "released"]) -> None:
    assert DeepDeblurDiscriminator(4, layout)(torch.rand(2, 3, 256, 512)).shape == (2, 1, 1, 2)
    with pytest.raises(ImageError, match="multiples of 256"):
        DeepDeblurDiscriminator(4, layout)(torch.rand(1, 3, 64, 64))


def test_gradients_reach_every_parameter() -> None:
    torch.manual_seed(2)
    model = DeepDeblur(3, 4, 1)
    pyramid = gaussian_pyramid(255 * torch.rand(1, 3, 16, 16), 3)
    # The coarse results help the finest only through the upward convolutions: its error alone must reach all.
    model(pyramid)[0].square().mean().backward()
    assert [name for name, value in model.named_parameters() if value.grad is None] == []


@pytest.mark.parametrize("sides", [[(8, 8), (4, 4)], [(8, 8), (4, 4), (4, 4)], [(6, 8), (3, 4), (1, 2)]])
def test_what_is_no_pyramid_is_refused(sides: list[tuple[int, int]]) -> None:
    with pytest.raises(ImageError, match="pyramid of 3"):
        DeepDeblur(3, 4, 1)([torch.zeros(1, 3, *side) for side in sides])


@pytest.mark.parametrize(
    "wrong", [{"scales": 0}, {"scales": 4}, {"kernel": 4}, {"blocks": 0}, {"white": 0.0}]
)
def test_sizes_that_cannot_be_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="not"):
        NETWORKS["deep-deblur"].build(**wrong)


def test_a_checkpoint_of_four_scales_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "model-1.pt"
    torch.save({"G": random_state(published_shapes(4, 4, 1))}, path)
    with pytest.raises(CheckpointError, match=r"model-1\.pt speaks of DeepDeblur as it cannot be"):
        load_network(path)
