"""The fused network computes what the plain one does."""

from __future__ import annotations

import pytest
import torch

from models.backend import Backend, place
from models.fused import FusedBlock, can_fuse, fuse_
from models.networks.layers import ResBlock
from tests.models import reference_lbag as reference

needs_fusion = pytest.mark.skipif(not can_fuse(torch.float32), reason="torch has no fused operators here")


@needs_fusion
@pytest.mark.parametrize(("base", "num_res"), [(4, 1), (8, 3), (16, 2)])
def test_the_fused_network_equals_the_plain_one(base: int, num_res: int) -> None:
    model = reference.lively_network(base, num_res)
    fused = fuse_(place(model, Backend("cpu", "fp32", "")))
    image = torch.rand(2, 3, 36, 52, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        for ours, plain in zip(fused(image), model(image), strict=True):
            torch.testing.assert_close(ours.sharp, plain.sharp, rtol=1e-4, atol=1e-4)
            torch.testing.assert_close(ours.mask, plain.mask, rtol=1e-4, atol=1e-4)


@needs_fusion
@pytest.mark.parametrize("first", [True, False])
def test_only_the_first_block_of_a_stage_keeps_its_input(first: bool) -> None:
    block = ResBlock(4)
    x = torch.rand(1, 4, 6, 6, generator=torch.Generator().manual_seed(2)) - 0.5
    given = x.clone()
    with torch.inference_mode():
        expected = block(given)
        result = FusedBlock(block, first=first)(x)
    torch.testing.assert_close(result, expected)
    assert torch.equal(x, given) is first


@needs_fusion
def test_fusing_leaves_the_network_it_was_placed_from_alone() -> None:
    model = reference.lively_network(4, 1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fuse_(place(model, Backend("cpu", "bf16", "")))
    after = model.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_a_type_that_onednn_does_not_convolve_is_not_fused() -> None:
    assert can_fuse(torch.float64) is False
