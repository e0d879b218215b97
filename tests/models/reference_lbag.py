"""LBAG once more, straight from a state dict and the paper's figures, as the reference of the tests.

Nothing is shared with the shipped network but the names of the parameters: here features are resampled with
torch's own nearest interpolation and concatenated as the figures draw them.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from models.networks.lbag import LBAG

State = dict[str, Tensor]
NAMES_FILE = Path(__file__).parent / "data" / "lbag_released_names.txt"


def published_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the 532 tensors of the published network, in their order."""
    pairs = [line.split() for line in NAMES_FILE.read_text(encoding="utf-8").splitlines()]
    return {name: tuple(int(side) for side in shape.split("x")) for name, shape in pairs}


def random_state(shapes: dict[str, tuple[int, ...]], seed: int = 0) -> State:
    """Random tensors that keep the size of features about constant from layer to layer."""
    dice = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in shapes.items():
        values = torch.randn(shape, generator=dice)
        fan_in = values[0].numel()
        state[name] = values * (0.3 if name.endswith("bias") else 0.5 * (2 / fan_in) ** 0.5)
    return state


def lively_network(base: int, num_res: int, seed: int = 0) -> LBAG:
    """A small network whose gates and residuals really vary over the picture, in eval mode."""
    model = LBAG(base, num_res)
    state = random_state({name: tuple(value.shape) for name, value in model.state_dict().items()}, seed)
    for head in ("feat_extract.5", "ConvsOut.0", "ConvsOut.1"):
        state[f"{head}.main.0.weight"][0] *= 8  # gates from near 0 to near 1
    model.load_state_dict(state)
    model.eval()
    with torch.no_grad():
        image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(seed))
        state["feat_extract.5.main.0.bias"][0] -= model(image)[2].mask.logit().mean()
    model.load_state_dict(state)
    return model


def conv(state: State, name: str, x: Tensor, *, relu: bool, stride: int = 1) -> Tensor:
    weight, bias = state[f"{name}.main.0.weight"], state[f"{name}.main.0.bias"]
    y = F.conv2d(x, weight, bias, stride=stride, padding=weight.shape[-1] // 2)
    return F.relu(y) if relu else y


def deconv(state: State, name: str, x: Tensor) -> Tensor:
    weight, bias = state[f"{name}.main.0.weight"], state[f"{name}.main.0.bias"]
    return F.relu(F.conv_transpose2d(x, weight, bias, stride=2, padding=1))


def res_stage(state: State, name: str, x: Tensor) -> Tensor:
    index = 0
    while f"{name}.layers.{index}.main.0.main.0.weight" in state:
        block = f"{name}.layers.{index}.main"
        x = x + conv(state, f"{block}.1", conv(state, f"{block}.0", x, relu=True), relu=False)
        index += 1
    return x


def scm(state: State, name: str, image: Tensor) -> Tensor:
    y = image
    for index in range(4):
        y = conv(state, f"{name}.main.{index}", y, relu=True)
    return conv(state, f"{name}.conv", torch.cat([image, y], 1), relu=False)


def fam(state: State, name: str, features: Tensor, shallow: Tensor) -> Tensor:
    return features + conv(state, f"{name}.merge", features * shallow, relu=False)


def aff(state: State, name: str, full: Tensor, half: Tensor, quarter: Tensor) -> Tensor:
    y = conv(state, f"{name}.conv.0", torch.cat([full, half, quarter], 1), relu=True)
    return conv(state, f"{name}.conv.1", y, relu=False)


def resized(x: Tensor, factor: float) -> Tensor:
    return F.interpolate(x, scale_factor=factor, mode="nearest")


def gate_block(latent: Tensor, image: Tensor, gate_min: float) -> tuple[Tensor, Tensor]:
    gate = torch.maximum(1 / (1 + torch.exp(-latent[:, 0:1])), torch.tensor(gate_min))
    return latent[:, 1:4] * gate + image, gate


def reference_lbag(state: State, image: Tensor, gate_min: float = 0.1) -> list[tuple[Tensor, Tensor]]:
    """Sharp image and clamped gate at scales 1/4, 1/2 and 1."""
    return [gate_block(latent, small, gate_min) for latent, small in latents_and_images(state, image)]


def reference_mimo_unet(state: State, image: Tensor) -> list[Tensor]:
    """Sharp image at scales 1/4, 1/2 and 1 (MIMO-UNet's Fig. 3: every output is added to its input)."""
    return [latent + small for latent, small in latents_and_images(state, image)]


def latents_and_images(state: State, image: Tensor) -> list[tuple[Tensor, Tensor]]:
    """What the output convolutions give, and the image of the same scale."""
    image_2 = resized(image, 0.5)
    image_4 = resized(image_2, 0.5)
    e1 = res_stage(state, "Encoder.0", conv(state, "feat_extract.0", image, relu=True))
    e2 = conv(state, "feat_extract.1", e1, relu=True, stride=2)
    e2 = res_stage(state, "Encoder.1", fam(state, "FAM2", e2, scm(state, "SCM2", image_2)))
    e3 = conv(state, "feat_extract.2", e2, relu=True, stride=2)
    e3 = res_stage(state, "Encoder.2", fam(state, "FAM1", e3, scm(state, "SCM1", image_4)))
    skip_2 = aff(state, "AFFs.1", resized(e1, 0.5), e2, resized(e3, 2))
    skip_1 = aff(state, "AFFs.0", e1, resized(e2, 2), resized(e3, 4))
    d3 = res_stage(state, "Decoder.0", e3)
    joined = torch.cat([deconv(state, "feat_extract.3", d3), skip_2], 1)
    d2 = res_stage(state, "Decoder.1", conv(state, "Convs.0", joined, relu=True))
    joined = torch.cat([deconv(state, "feat_extract.4", d2), skip_1], 1)
    d1 = res_stage(state, "Decoder.2", conv(state, "Convs.1", joined, relu=True))
    latents = [
        conv(state, "ConvsOut.0", d3, relu=False),
        conv(state, "ConvsOut.1", d2, relu=False),
        conv(state, "feat_extract.5", d1, relu=False),
    ]
    return list(zip(latents, (image_4, image_2, image), strict=True))
