"""The schema of a recipe: every number that changes what is learnt stands in it.

Recipes are files of YAML, see `models.training.recipe_file`. Empty text and 0 mean "without" where the field
says so.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from models.training.losses import LossWeights

__all__ = [
    "Data",
    "FolderData",
    "LbsData",
    "Network",
    "Optimiser",
    "PatchRecipe",
    "Recipe",
    "Validate",
]

Flip = Literal["horizontal", "vertical"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Network(_Part):
    """Which network is trained, and how it starts.

    Attributes:
        name: As in the registry: lbag, or mimo-unet (the same without gates: Table 3 of the paper).
        base: Channels at full scale; the paper has 32.
        num_res: Residual blocks a stage; the paper has 20.
        gate_min: Lower clamp of the gate; released 0.1, the paper has none (0). Nothing to MIMO-UNet.
        drop: Probability of dropping a channel of the skip connections; released 0.1.
        start: How random weights are drawn: torch's own way, or "he" (`models.training.start`), which learns
            several times faster in a short training.
        zero_heads: Start with output convolutions of zeros, so that the network begins as the identity.
    """

    name: Literal["lbag", "mimo-unet"] = "lbag"
    base: int = Field(default=32, ge=2, le=256)
    num_res: int = Field(default=20, ge=1, le=100)
    gate_min: float = Field(default=0.1, ge=0, lt=1)
    drop: float = Field(default=0.1, ge=0, lt=1)
    start: Literal["torch", "he"] = "torch"
    zero_heads: bool = False


class LbsData(_Part):
    """Pairs made on the fly from photographs (LODE's Local Blur Synthesis, `models.synth.local_blur`).

    Attributes:
        path: Folder of photographs, or a KEY that `--data KEY=PATH` gives.
        weight: Share of the samples that come from here, relative to the other entries.
        count: Different pairs; after so many they repeat.
        side_px: Side of a made pair; the patches are cut from it.
        blur_px: Shortest and longest blur of a mover.
        scale: Range of the photographs' size against the original.
        noise: Largest level of the blurred picture's sensor noise.
        still_share: Part of the pairs in which nothing moves.
        silhouette_share: Part of the objects with a made-up outline where labels are to be had.
        near_share: Part of the movers that are larger than the picture; never in the held-out pairs.
    """

    kind: Literal["lbs"]
    path: str = Field(min_length=1)
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    count: int = Field(default=1_000_000, ge=1)
    side_px: int = Field(default=160, ge=16, le=4096)
    blur_px: tuple[float, float] = (3.0, 16.0)
    scale: tuple[float, float] = (0.5, 1.0)
    noise: float = Field(default=0.005, ge=0, le=1)
    still_share: float = Field(default=0.1, ge=0, le=1)
    silhouette_share: float = Field(default=0.15, ge=0, le=1)
    near_share: float = Field(default=0.0, ge=0, le=1)


class FolderData(_Part):
    """Pairs in files: ReLoBlur's layout and our exports, GOPRO, REDS, blurred/sharp/mask, or a session.

    Attributes:
        path: The folder, or a KEY that `--data KEY=PATH` gives.
        weight: Share of the samples that come from here, relative to the other entries.
    """

    kind: Literal["folder"]
    path: str = Field(min_length=1)
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)


Data = Annotated[LbsData | FolderData, Field(discriminator="kind")]


class PatchRecipe(_Part):
    """Blur-aware patch cropping (Li et al., section 4.3); see `models.training.patches`."""

    side_px: int = Field(default=256, ge=16, le=2048, multiple_of=4)
    blurred_share: float = Field(default=0.5, ge=0, le=1)
    flips: tuple[Flip, ...] = ("horizontal", "vertical")
    reading: Literal["paper", "released"] = "paper"


class Optimiser(_Part):
    """Adam (AdamW where weights decay) with its schedule.

    Attributes:
        lr: Learning rate after the warm-up.
        betas: Decay of the two moments.
        weight_decay: Decoupled decay; 0 is plain Adam.
        schedule: halving (paper), or one cosine over all steps.
        halve_every: Steps after which `halving` halves.
        lr_end: Where the cosine ends.
        warmup_steps: Steps in which the rate rises linearly; 0 for none.
        clip_norm: Largest norm of the gradient; 0 for no limit.
    """

    lr: float = Field(default=1e-4, gt=0, lt=1)
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.999)
    weight_decay: float = Field(default=0.0, ge=0, lt=1)
    schedule: Literal["halving", "cosine"] = "halving"
    halve_every: int = Field(default=100_000, ge=1)
    lr_end: float = Field(default=0.0, ge=0, lt=1)
    warmup_steps: int = Field(default=0, ge=0)
    clip_norm: float = Field(default=0.0, ge=0, allow_inf_nan=False)

    def lr_at(self, step: int, steps: int) -> float:
        """Return the rate of a step (0 is the first) in a training of so many."""
        if self.schedule == "halving":
            rate = self.lr * 0.5 ** (step // self.halve_every)
        else:
            share = min(1.0, step / max(1, steps))
            rate = self.lr_end + (self.lr - self.lr_end) * 0.5 * (1 + math.cos(math.pi * share))
        if step < self.warmup_steps:
            rate *= (step + 1) / (self.warmup_steps + 1)
        return rate


class Validate(_Part):
    """What is looked at while training.

    Attributes:
        every_steps: Steps between two looks; 0 for only at the end.
        count: Pairs, spread evenly over the held-out part of every data entry.
        side_px: Side of the patch cut around the blur of each; 0 for whole pictures.
        pictures: How many of them are drawn on the sheet.
    """

    every_steps: int = Field(default=1000, ge=0)
    count: int = Field(default=16, ge=0, le=10_000)
    side_px: int = Field(default=0, ge=0, le=8192)
    pictures: int = Field(default=6, ge=0, le=64)


class Recipe(_Part):
    """A whole training; see the recipes in `models/recipes`.

    Attributes:
        name: Stands in the weights and on the board.
        seed: Of the network's start, of the patches and of the dropout.
        network: What is trained.
        init: File of weights to start from; empty for random ones.
        data: Where pairs come from.
        patches: How patches are cut.
        batch: Patches a step, over all processes.
        steps: Steps in all.
        optimiser: How the weights move.
        losses: What is lost.
        precision: fp32, bf16 (autocast), or auto: what two trial steps show to be faster.
        ema: Decay of the running mean of the weights, which is what is validated and saved; 0 for none.
        validate: What is looked at while training.
        checkpoint_every_s: Seconds between two checkpoints.
        log_every_steps: Steps between two lines of the curve; a line holds the means since the one before.
    """

    name: str = Field(min_length=1, max_length=80)
    seed: int = Field(default=0, ge=0, lt=2**32)
    network: Network = Network()
    init: str = ""
    data: tuple[Data, ...] = Field(min_length=1)
    patches: PatchRecipe = PatchRecipe()
    batch: int = Field(default=12, ge=1, le=4096)
    steps: int = Field(default=300_000, ge=1)
    optimiser: Optimiser = Optimiser()
    losses: LossWeights = LossWeights()
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    ema: float = Field(default=0.999, ge=0, lt=1)
    validation: Validate = Field(default=Validate(), alias="validate")
    checkpoint_every_s: float = Field(default=300.0, gt=0)
    log_every_steps: int = Field(default=10, ge=1)

    @field_validator("losses", mode="before")
    @classmethod
    def _whole_pixels(cls, given: Any) -> Any:
        # A choice between numbers does not take the text of a number.
        if isinstance(given, dict) and str(given.get("shift_px")) in ("0", "1"):
            return {**given, "shift_px": int(given["shift_px"])}
        return given

    @field_validator("name")
    @classmethod
    def _printable(cls, value: str) -> str:
        if not value.isprintable() or "/" in value:
            raise ValueError("a name is one line of text without '/'")
        return value

    def plain(self) -> dict[str, Any]:
        """Return what JSON can say of it, under the names of the file."""
        return self.model_dump(mode="json", by_alias=True)
