"""True pairs of the virtual rig: its optics, filter, sensors and noise, developed as a session's are."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.errors import SynthesisError
from models.synth.made import Made
from models.synth.rig_world import RigWorld, WorldSettings
from models.training.pairs import TrainingPair
from processing.isp import to_8bit, to_16bit
from rig.virtual.backgrounds import find_background
from rig.virtual.kernel import WorldError
from rig.virtual.motion import Path as Way
from rig.virtual.state import ObjectSpec

__all__ = ["RigPairs"]

_DISTANCE_M: Final = (4.0, 7.0)
_STILL_BLUR_PX: Final = 0.5
"""Objects that move by less than this during B's exposure are as sharp in B as in S."""
_TRIES: Final = 60


@dataclass(frozen=True)
class RigPairs:
    """Which pairs to make.

    Pairs come in scenes of `per_scene`: a scene has one background (they take turns), hidden numbers and a
    calibration of its own, and one to three objects; from pair to pair distance, direction and speed change.
    S is exposed in the middle of B's exposure, so that it is the temporal middle of the blur.

    Attributes:
        seed: Scene k is the world of seed `seed + k`.
        count: Number of pairs.
        backgrounds: Names of `rig.virtual.backgrounds`.
        blur_px: Shortest and longest blur in B, px.
        per_scene: Pairs a scene.
        still_share: Part of the pairs whose objects stand still: nothing is blurred, the mask is empty.
        width_px: Of the sensors.
        height_px: Of the sensors.
        transmittance: Label of the filter before B; S is blurred by this part of B's blur.
        bits: 8 or 16.
    """

    seed: int
    count: int
    backgrounds: Sequence[str]
    blur_px: tuple[float, float] = (6.0, 24.0)
    per_scene: int = 10
    still_share: float = 0.05
    width_px: int = 816
    height_px: int = 680
    transmittance: float = 0.0625
    bits: int = 8

    def __post_init__(self) -> None:
        """Refuse what cannot be rendered before anything is.

        Raises:
            SynthesisError: A number is out of its range.
            UnknownBackground: There is no such background.
        """
        if self.seed < 0 or self.count < 1 or self.per_scene < 1 or not self.backgrounds:
            raise SynthesisError("rig pairs need a seed of 0 or more, one pair or more, and a background")
        for name in self.backgrounds:
            find_background(name)
        if not 1 <= self.blur_px[0] <= self.blur_px[1] <= 100:
            raise SynthesisError(
                f"blur from {self.blur_px[0]:g} to {self.blur_px[1]:g} px", hint="1 <= low <= high <= 100"
            )
        if not 0.01 <= self.transmittance <= 0.5:
            raise SynthesisError(f"transmittance {self.transmittance:g}", hint="0.01 to 0.5")
        if self.bits not in (8, 16):
            raise SynthesisError(f"pictures of {self.bits} bit cannot be made", hint="8 or 16")

    def settings(self) -> dict[str, Any]:
        """Return what was asked for, as plain JSON data."""
        return {**self.__dict__, "backgrounds": list(self.backgrounds), "blur_px": list(self.blur_px)}

    def name(self, index: int) -> str:
        """Return the name of a pair."""
        return f"rig-{self.seed}-{index:05d}"

    def make(self, skip: Callable[[str], bool] = lambda name: False) -> Iterator[Made | None]:
        """Yield all pairs in order; None for those whose name `skip` knows already.

        A pair is the same whether others are skipped or not: what is skipped is still exposed where later
        pairs of its scene are wanted, because the sensors' noise goes on from frame to frame.
        """
        for number, first in enumerate(range(0, self.count, self.per_scene)):
            indices = range(first, min(first + self.per_scene, self.count))
            known = [skip(self.name(index)) for index in indices]
            if all(known):
                yield from [None] * len(indices)
                continue
            with tempfile.TemporaryDirectory(prefix="beamrig-synth-") as folder:
                yield from self._scene(number, indices, known, Path(folder) / "session")

    def _scene(self, number: int, indices: range, known: list[bool], folder: Path) -> Iterator[Made | None]:
        settings = WorldSettings(
            seed=self.seed + number,
            background=self.backgrounds[number % len(self.backgrounds)],
            width_px=self.width_px,
            height_px=self.height_px,
            transmittance=self.transmittance,
        )
        rng = np.random.default_rng([settings.seed, 0xB1])
        world = RigWorld(settings, _draw_objects(rng), folder)
        for index, done in zip(indices, known, strict=True):
            made = self._shoot(world, np.random.default_rng([self.seed, index, 0xB2]), index)
            made.record["world"] = {**settings.to_dict(), "residual_px": world.residual_px}
            yield None if done else made

    def _shoot(self, world: RigWorld, rng: np.random.Generator, index: int) -> Made:
        blur = 0.0 if rng.random() < self.still_share else float(rng.uniform(*self.blur_px))
        start_ns, distance, angle = _arrange(world, rng, blur)
        developed, frame, footprint = world.shoot(start_ns)
        height, width = (side // 4 * 4 for side in footprint.shape)
        encode = to_8bit if self.bits == 8 else to_16bit
        cut = (slice(0, height), slice(0, width))
        mask: npt.NDArray[np.uint8] = np.zeros((height, width), np.uint8)
        if blur >= _STILL_BLUR_PX:
            mask[footprint[cut]] = 255
        pair = TrainingPair(self.name(index), encode(developed.b[cut]), encode(developed.s[cut]), mask)
        record: dict[str, Any] = {
            "name": pair.name,
            "index": index,
            "blur_b_px": blur,
            "blur_s_px": blur * world.exposure_ns["S"] / world.exposure_ns["B"],
            "distance_m": distance,
            "angle_deg": angle,
            "exposure_us": {name: value / 1e3 for name, value in world.exposure_ns.items()},
            "objects": [{"size_m": list(item.size_m), "tile": item.tile} for item in frame.objects],
            "covered": float((mask > 0).mean()),
        }
        return Made(pair, record)


def _draw_objects(rng: np.random.Generator) -> tuple[ObjectSpec, ...]:
    """Return one to three objects, each with a place and a picture of its own."""
    tiles = rng.permutation(4)
    objects = []
    for number in range(int(rng.choice((1, 2, 3), p=(0.4, 0.4, 0.2)))):
        width, height = rng.uniform(0.22, 0.75, 2)
        middle = rng.uniform(-1, 1, 2) * (0.75, 0.5)
        way = Way(half_length_m=0.5, centre_x_m=float(middle[0]), centre_y_m=float(middle[1]))
        objects.append(
            ObjectSpec(float(width), float(height), way, float(rng.uniform(0, 2)), int(tiles[number]))
        )
    return tuple(objects)


def _arrange(world: RigWorld, rng: np.random.Generator, blur_px: float) -> tuple[int, float, float]:
    """Set distance, direction and speed, and return them with a start at which no object turns round."""
    for _ in range(_TRIES):
        distance, angle = float(rng.uniform(*_DISTANCE_M)), float(rng.uniform(-180, 180))
        try:
            world.state.set_values(
                world.now_ns,
                distance_m=distance,
                path_angle_deg=angle,
                speed_mps=world.speed_for(blur_px, distance),
            )
        except WorldError:
            continue  # near, large, and to the side at once: the object would leave the frame
        start = world.now_ns + int(rng.uniform(1, 8) * 1e9)
        world.now_ns = start + 2 * world.exposure_ns["B"]
        if world.runs_straight(start):
            return start, distance, angle
    raise SynthesisError(
        f"no way of the objects is long enough for a blur of {blur_px:.0f} px", hint="ask for less blur"
    )
