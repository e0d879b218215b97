"""Every network of the papers, one entry each: what it is, how it is built, what it takes and what it costs.

To add a network, write its file and append an entry here; loading, `beamrig models` and the tests of the
registry follow from that. The order matters in one place: a file of weights belongs to the first entry whose
`size_of` knows its names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from models.errors import CheckpointError
from models.networks.blade_net import BladeNet, blade_size
from models.networks.deep_deblur import (
    DeepDeblur,
    DeepDeblurDiscriminator,
    deep_deblur_size,
    discriminator_size,
    gaussian_pyramid,
)
from models.networks.entry import InputRules, NetworkEntry, Predicted, Shapes, Size
from models.networks.kernel_space import KernelSpace, kernel_space_size
from models.networks.lbag import LBAG
from models.networks.mimo_unet import MIMOUNet, mimo_size

__all__ = ["NETWORKS", "entry_of", "entry_of_state"]

NO_WEIGHTS = "none"
NONE_STATED = "none stated"


def _run_lbag(model: LBAG, rgb: Tensor) -> Predicted:
    scale = model(rgb)[-1]
    return scale.sharp, scale.mask


def _run_mimo(model: MIMOUNet, rgb: Tensor) -> Predicted:
    return model(rgb)[-1], None


def _run_deep_deblur(model: DeepDeblur, rgb: Tensor) -> Predicted:
    pyramid = gaussian_pyramid(rgb * model.white, model.scales)
    return model(pyramid)[0] / model.white, None


def _run_blade(model: BladeNet, rgb: Tensor) -> Predicted:
    output = model(rgb)
    return output.sharp, output.mask


def _mimo_plus_size(shapes: Shapes) -> Mapping[str, Any] | None:
    size = mimo_size(shapes, 3)
    return size if size is not None and size["num_res"] == 20 else None


_MIMO = "Rethinking Coarse-to-Fine Approach in Single Image Deblurring"
_NAH = "Deep Multi-scale Convolutional Neural Network for Dynamic Scene Deblurring"

_ENTRIES = (
    NetworkEntry(
        name="lbag",
        title="LBAG",
        paper="Li et al., AAAI 2023",
        paper_title="Real-World Deep Local Motion Deblurring",
        network=LBAG,
        size={"base": 32, "num_res": 20},
        size_of=lambda shapes: mimo_size(shapes, outputs=4),
        settings=("gate_min",),
        public_weights="github.com/LeiaLi/ReLoBlur",
        licence="none stated; their data: academic use",
        wrapped=("state_dict", "model"),
        rules=InputRules(multiple=4),
        run=_run_lbag,
        bytes_per_pixel=lambda model: 36 * model.base,
    ),
    NetworkEntry(
        name="mimo-unet-plus",
        title="MIMO-UNet+",
        paper="Cho et al., ICCV 2021",
        paper_title=_MIMO,
        network=MIMOUNet,
        size={"base": 32, "num_res": 20, "drop": 0.1},
        size_of=_mimo_plus_size,
        public_weights="github.com/chosj95/MIMO-UNet",
        licence=NONE_STATED,
        rules=InputRules(multiple=4),
        run=_run_mimo,
        bytes_per_pixel=lambda model: 36 * model.base,
    ),
    NetworkEntry(
        name="mimo-unet",
        title="MIMO-UNet",
        paper="Cho et al., ICCV 2021",
        paper_title=_MIMO,
        network=MIMOUNet,
        size={"base": 32, "num_res": 8},
        size_of=lambda shapes: mimo_size(shapes, outputs=3),
        public_weights="github.com/chosj95/MIMO-UNet",
        licence=NONE_STATED,
        rules=InputRules(multiple=4),
        run=_run_mimo,
        bytes_per_pixel=lambda model: 36 * model.base,
    ),
    NetworkEntry(
        name="deep-deblur",
        title="DeepDeblur",
        paper="Nah et al., CVPR 2017",
        paper_title=_NAH,
        network=DeepDeblur,
        size={"scales": 3, "channels": 64, "blocks": 19, "kernel": 5},
        size_of=deep_deblur_size,
        settings=("white",),
        public_weights="github.com/SeungjunNah/DeepDeblur-PyTorch",
        licence="MIT",
        wrapped=("G",),
        rules=InputRules(white=255, mean=127.5, multiple=4, padding="replicate"),
        run=_run_deep_deblur,
        bytes_per_pixel=lambda model: 18 * model.channels,
        call=lambda model, picture: model(gaussian_pyramid(picture, model.scales)),
    ),
    NetworkEntry(
        name="deep-deblur-discriminator",
        title="DeepDeblur's discriminator",
        paper="Nah et al., CVPR 2017",
        paper_title=_NAH,
        network=DeepDeblurDiscriminator,
        size={"channels": 64, "layout": "paper"},
        size_of=discriminator_size,
        public_weights=NO_WEIGHTS,
        licence="",
        wrapped=("D",),
        rules=InputRules(white=255, multiple=256),
    ),
    NetworkEntry(
        name="blade-net",
        title="BladeNet",
        paper="Wang et al., 2021",
        paper_title="LODE: Deep Local Deblurring and A New Benchmark",
        network=BladeNet,
        size={"base": 64, "perception": True, "attention": True},
        size_of=blade_size,
        settings=("residual",),
        public_weights=NO_WEIGHTS,
        licence="",
        rules=InputRules(multiple=16),
        run=_run_blade,
        bytes_per_pixel=lambda model: 60 * model.base,
    ),
    NetworkEntry(
        name="kernel-space",
        title="Blur kernel space",
        paper="Tran et al., CVPR 2021",
        paper_title="Explore Image Deblurring via Encoded Blur Kernel Space",
        network=KernelSpace,
        size={"width": 64, "front": 10, "back": 20, "variational": False},
        size_of=kernel_space_size,
        public_weights="github.com/VinAIResearch/blur-kernel-space-exploring",
        licence="BSD-3-Clause, of the code beside them",
        wrapped=(),
        rules=InputRules(multiple=128, pictures=2),
        call=lambda model, sharp, blurred: model.blur(sharp, model(sharp, blurred).mean),
    ),
)

NETWORKS: dict[str, NetworkEntry] = {entry.name: entry for entry in _ENTRIES}


def entry_of_state(shapes: Shapes) -> tuple[NetworkEntry, Size] | None:
    """Return the network that names and shapes of a state dict belong to, with its size; None if none."""
    for entry in NETWORKS.values():
        size = entry.size_of(shapes)
        if size is not None:
            return entry, dict(size)
    return None


def entry_of(model: nn.Module) -> tuple[NetworkEntry, Size]:
    """Return the entry of a network with all keywords that build it again, sizes and settings.

    Raises:
        CheckpointError: The network is not a registered one.
    """
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    found = entry_of_state(shapes)
    if found is None:
        raise CheckpointError(f"{type(model).__name__} is no registered network")
    entry, size = found
    return entry, size | {key: getattr(model, key) for key in entry.settings}
