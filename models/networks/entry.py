"""What a registered network says of itself: an entry of `models.networks.registry`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from models.errors import ImageError

__all__ = ["InputRules", "NetworkEntry", "Predicted", "Shapes", "Size"]

COUNTED_SIDE_PX = 256

SIZE_WORDS = {
    "base": "base channels",
    "num_res": "residual blocks a stage",
    "blocks": "residual blocks a scale",
    "kernel": "px kernels",
    "width": "channels",
    "front": "blocks in front",
    "back": "blocks behind",
    "perception": "blur perception",
    "attention": "blur-guided attention",
    "variational": "variational codes",
}

Shapes = Mapping[str, tuple[int, ...]]
Size = dict[str, Any]
Predicted = tuple[Tensor, Tensor | None]


@dataclass(frozen=True)
class InputRules:
    """What the network itself takes; `NetworkEntry.predict` sees to all of it.

    Attributes:
        white: Value of white; black is 0.
        mean: What is subtracted from every value before the first layer, of the same scale as `white`.
        multiple: Height and width must be multiples of this.
        padding: How a picture is made larger, at its bottom and right: "reflect" or "replicate".
        pictures: Number of RGB pictures of one size that it takes.
    """

    white: float = 1.0
    mean: float = 0.0
    multiple: int = 1
    padding: str = "reflect"
    pictures: int = 1


@dataclass(frozen=True)
class NetworkEntry:
    """One network of the papers.

    Attributes:
        name: As in headers of our own files and on the command line.
        title: As in its paper.
        paper: Authors, venue and year.
        network: Its class; every keyword in `size` and `settings` is also an attribute of its instances.
        size: Keywords of the class that give the published size.
        size_of: Infers the keywords that shapes tell from names and shapes of a state dict; None where the
            state dict is another network's.
        settings: Keywords of the class that shapes do not tell but the result depends on; numbers.
        public_weights: Where the authors' weights are, or that there are none.
        licence: Of those weights.
        paper_title: Title of the paper.
        wrapped: Keys that lead to the state dict in the authors' files, from outside in.
        rules: What it takes.
        run: Sharp image and mask (or None) of padded RGB (N, 3, H, W) in 0..1; None where the network does
            not deblur by itself.
        bytes_per_pixel: What `run` needs at its peak on a processor for each pixel of the picture, in
            float32: measured on torch 2.13, rounded up; bfloat16 needs little less under autocast.
        call: Runs the network on RGB pictures (N, 3, H, W), to count what it costs.
    """

    name: str
    title: str
    paper: str
    network: Callable[..., nn.Module]
    size: Size
    size_of: Callable[[Shapes], Mapping[str, Any] | None]
    public_weights: str
    licence: str
    paper_title: str
    wrapped: tuple[str, ...] = ("model",)
    settings: tuple[str, ...] = ()
    rules: InputRules = field(default_factory=InputRules)
    run: Callable[[Any, Tensor], Predicted] | None = None
    bytes_per_pixel: Callable[[Any], int] = lambda model: 0
    call: Callable[..., Any] = lambda model, *pictures: model(*pictures)

    def build(self, **size: Any) -> nn.Module:
        """Return an untrained network of the published size, or with other keywords."""
        return self.network(**(self.size | size))

    def parameters(self, **size: Any) -> int:
        """Return the number of trained numbers."""
        with torch.device("meta"):
            return sum(value.numel() for value in self.build(**size).parameters())

    def multiply_adds(self, side_px: int = COUNTED_SIDE_PX, **size: Any) -> int:
        """Return the multiply-adds of convolutions and matrix products for one square picture.

        Counted while the network runs on tensors without content, so that what is counted is what is done.
        Publications often count more: a transposed convolution for instance at the size of its output.
        """
        with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
            model = self.build(**size).eval()
            pictures = (torch.empty(1, 3, side_px, side_px) for _ in range(self.rules.pictures))
            self.call(model, *pictures)
        return int(counter.get_total_flops()) // 2

    def predict(self, model: nn.Module, rgb: Tensor) -> Predicted:
        """Return the sharp picture, not clipped, and the blur mask where the network predicts one.

        Args:
            model: The network, in eval mode.
            rgb: Blurred pictures (N, 3, H, W) in 0..1, of any size.

        Returns:
            Sharp (N, 3, H, W) in 0..1 and the mask (N, 1, H, W) in 0..1, or None.

        Raises:
            ImageError: `rgb` has another shape, or the network does not deblur by itself.
        """
        if self.run is None:
            raise ImageError(f"{self.title} does not deblur by itself")
        if rgb.ndim != 4 or rgb.shape[1] != 3 or 0 in rgb.shape:
            raise ImageError(f"{self.title} takes pictures (N, 3, H, W), not {tuple(rgb.shape)}")
        height, width = rgb.shape[2:]
        down, right = -height % self.rules.multiple, -width % self.rules.multiple
        # A picture narrower than its padding has nothing to reflect.
        mode = self.rules.padding if down < height and right < width else "replicate"
        padded = F.pad(rgb, (0, right, 0, down), mode=mode) if down or right else rgb
        sharp, mask = self.run(model, padded)
        return sharp[..., :height, :width], None if mask is None else mask[..., :height, :width]

    def describe(self, size: Mapping[str, Any]) -> str:
        """Return the network with its size in words."""
        told = {SIZE_WORDS.get(key, key): value for key, value in size.items() if value is not False}
        words = (word if value is True else f"{value} {word}" for word, value in told.items())
        return f"{self.title} with " + " and ".join(words)
