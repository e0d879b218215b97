"""MIMO-UNet and MIMO-UNet+ have the published names, and compute what the paper's figures draw."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.checkpoints import initialise_from_mimo_unet, load_network, save_safetensors
from models.errors import CheckpointError, ImageError
from models.networks.lbag import LBAG
from models.networks.mimo_unet import MIMOUNet
from models.networks.registry import NETWORKS
from tests.models import reference_lbag as reference

Shapes = dict[str, tuple[int, ...]]


def published_shapes(num_res: int, base: int = 32) -> Shapes:
    """Names and shapes of the public checkpoints, as a rule."""
    shapes: Shapes = {}

    def conv(name: str, c_out: int, c_in: int, kernel: int, *, upward: bool = False) -> None:
        channels = (c_in, c_out) if upward else (c_out, c_in)
        shapes[f"{name}.main.0.weight"] = (*channels, kernel, kernel)
        shapes[f"{name}.main.0.bias"] = (c_out,)

    def stage(name: str, c: int) -> None:
        for block in range(num_res):
            for half in range(2):
                conv(f"{name}.layers.{block}.main.{half}", c, c, 3)

    c1, c2, c4 = base, 2 * base, 4 * base
    for index, c in enumerate((c1, c2, c4)):
        stage(f"Encoder.{index}", c)
        stage(f"Decoder.{2 - index}", c)
    conv("feat_extract.0", c1, 3, 3)
    conv("feat_extract.1", c2, c1, 3)
    conv("feat_extract.2", c4, c2, 3)
    conv("feat_extract.3", c2, c4, 4, upward=True)
    conv("feat_extract.4", c1, c2, 4, upward=True)
    conv("feat_extract.5", 3, c1, 3)
    conv("Convs.0", c2, c4, 1)
    conv("Convs.1", c1, c2, 1)
    conv("ConvsOut.0", 3, c4, 3)
    conv("ConvsOut.1", 3, c2, 3)
    for index, c in enumerate((c1, c2)):
        conv(f"AFFs.{index}.conv.0", c, 7 * base, 1)
        conv(f"AFFs.{index}.conv.1", c, c, 3)
    for index, c in (("1", c4), ("2", c2)):
        conv(f"FAM{index}.merge", c, c, 3)
        conv(f"SCM{index}.main.0", c // 4, 3, 3)
        conv(f"SCM{index}.main.1", c // 2, c // 4, 1)
        conv(f"SCM{index}.main.2", c // 2, c // 2, 3)
        conv(f"SCM{index}.main.3", c - 3, c // 2, 1)
        conv(f"SCM{index}.conv", c, c, 1)
    return shapes


@pytest.mark.parametrize(("name", "num_res"), [("mimo-unet", 8), ("mimo-unet-plus", 20)])
def test_a_checkpoint_with_the_published_names_and_shapes_loads_strictly(
    tmp_path: Path, name: str, num_res: int
) -> None:
    state = reference.random_state(published_shapes(num_res))
    path = tmp_path / "MIMO-UNet.pkl"
    torch.save({"model": state}, path)
    model, checkpoint = load_network(path)
    assert isinstance(model, MIMOUNet)
    assert (model.base, model.num_res, checkpoint.architecture.name) == (32, num_res, name)
    assert not model.training
    loaded = model.state_dict()
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[key], value) for key, value in state.items())


def lively_network(base: int, num_res: int, seed: int) -> MIMOUNet:
    model = MIMOUNet(base, num_res).eval()
    model.load_state_dict(reference.random_state(published_shapes(num_res, base), seed))
    return model


@settings(max_examples=10, deadline=None)
@given(
    base=st.sampled_from([4, 6, 8]),
    num_res=st.integers(1, 3),
    height=st.integers(1, 8),
    width=st.integers(1, 8),
    seed=st.integers(0, 99),
)
def test_all_three_scales_equal_the_network_drawn_in_the_paper(
    base: int, num_res: int, height: int, width: int, seed: int
) -> None:
    model = lively_network(base, num_res, seed)
    image = torch.rand(2, 3, 4 * height, 4 * width, generator=torch.Generator().manual_seed(seed))
    with torch.inference_mode():
        sharp = model(image)
        expected = reference.reference_mimo_unet(model.state_dict(), image)
    for ours, theirs in zip(sharp, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_prediction_is_the_finest_scale_of_the_reflected_picture_without_a_mask() -> None:
    model = lively_network(4, 1, 5)
    rgb = torch.rand(1, 3, 13, 18, generator=torch.Generator().manual_seed(2))
    padded = torch.cat([rgb, rgb[:, :, [11, 10, 9]]], dim=2)
    padded = torch.cat([padded, padded[:, :, :, [16, 15]]], dim=3)
    with torch.inference_mode():
        sharp, mask = NETWORKS["mimo-unet"].predict(model, rgb)
        expected = reference.reference_mimo_unet(model.state_dict(), padded)[2][:, :, :13, :18]
    torch.testing.assert_close(sharp, expected, rtol=1e-4, atol=1e-4)
    assert mask is None


def test_mimo_unet_in_our_own_format_comes_back_and_starts_lbag(tmp_path: Path) -> None:
    path = tmp_path / "mimo.safetensors"
    model = lively_network(4, 2, 1)
    save_safetensors(path, model, trained=True, recipe={"steps": 5})
    loaded, checkpoint = load_network(path)
    assert checkpoint.architecture.name == "mimo-unet"
    image = torch.rand(1, 3, 16, 16)
    assert torch.equal(loaded(image)[2], model(image)[2])
    lbag = LBAG(4, 2)
    assert len(initialise_from_mimo_unet(lbag, path)) == 6
    assert torch.equal(
        lbag.state_dict()["FAM1.merge.main.0.weight"], model.FAM1.state_dict()["merge.main.0.weight"]
    )


def test_mimo_unet_in_the_wrapping_of_lbag_is_named_and_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.ckpt"
    torch.save({"state_dict": {"model": reference.random_state(published_shapes(1, 4))}}, path)
    with pytest.raises(CheckpointError, match=r"x\.ckpt holds MIMO-UNet wrapped as LBAG"):
        load_network(path)


@pytest.mark.parametrize("drop", [0.0, 0.5])
def test_only_training_with_dropout_varies(drop: float) -> None:
    torch.manual_seed(1)
    model = MIMOUNet(8, 1, drop=drop).train()
    image = torch.rand(1, 3, 16, 16)
    assert torch.equal(model(image)[2], model(image)[2]) is (drop == 0)


def test_a_wrong_shape_is_named() -> None:
    with pytest.raises(ImageError, match="multiples of 4"):
        MIMOUNet(4, 1)(torch.zeros(1, 3, 10, 8))
