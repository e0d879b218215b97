"""The start of a training: signals that keep their size through the depth of the network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.networks.lbag import LBAG
from models.training.networks import build
from models.training.recipe import Network
from models.training.start import he_start_


def detail_at_the_head(network: LBAG) -> float:
    """Standard deviation over the picture of what reaches the last convolution, mean over channels."""
    seen: list[Tensor] = []
    handle = network.feat_extract[5].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        network.eval()(torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(4)))
    handle.remove()
    return float(seen[0].std(dim=(2, 3)).mean())


def test_hes_start_keeps_the_size_of_the_signal_where_torchs_loses_it() -> None:
    lost = detail_at_the_head(build(Network(base=8, num_res=4), seed=0))  # type: ignore[arg-type]
    kept = detail_at_the_head(build(Network(base=8, num_res=4, start="he"), seed=0))  # type: ignore[arg-type]
    assert lost < 0.03
    assert 0.2 < kept < 5


def test_the_variance_is_two_over_the_inputs_of_a_value() -> None:
    torch.manual_seed(1)
    plain, upward = nn.Conv2d(32, 64, 3), nn.ConvTranspose2d(64, 32, 4, stride=2)
    he_start_(nn.Sequential(plain, upward))
    for weight, inputs in ((plain.weight, 32 * 9), (upward.weight, 64 * 4)):
        torch.testing.assert_close(weight.var(), torch.tensor(2 / inputs), rtol=0.05, atol=0)


def test_zero_heads_still_start_as_the_identity() -> None:
    network = build(Network(base=8, num_res=1, start="he", zero_heads=True), seed=0).eval()
    image = torch.rand(1, 3, 16, 16)
    torch.testing.assert_close(network(image)[2].sharp, image, rtol=0, atol=0)
