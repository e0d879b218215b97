"""Local Blur Synthesis (LODE, paper 002, section 4.1): pairs without end from still photographs.

Objects are cut from photographs, move along short trajectories before a piece of another photograph, and are
averaged in linear light; the temporal middle is the sharp picture. Still objects are pasted beside them so
that a network learns what is blurred, not what was pasted.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.errors import SynthesisError
from models.synth.compositing import Mover, Still, expose, paste
from models.synth.light import add_sensor_noise, from_light, to_light
from models.synth.made import Made
from models.synth.objects import Cutout, cut_piece, cut_region, cut_silhouette
from models.synth.photos import Photo, Split, list_photos, load_photo
from models.synth.trajectories import draw_trajectory, samples_needed
from models.training.pairs import TrainingPair

__all__ = ["LocalBlurSource"]

F32 = npt.NDArray[np.float32]
_TRIES = 12


class LocalBlurSource:
    """Pairs by index; a pair depends on the seed, its index, the settings and the photographs alone.

    Picklable and small: photographs are decoded when first needed and kept per process.

    Args:
        photos: Folder of photographs, also in folders below it; where `NAME_labels.png` stands beside
            `NAME.jpg`, objects are cut along its regions.
        seed: Of all draws.
        count: Length of the source.
        side_px: Pairs are squares of this side.
        blur_px: Shortest and longest blur of a mover, px; drawn evenly between.
        split: Which photographs may be used, for backgrounds and objects alike; see `photos.split_of`.
        scale: Range of the size of the photographs against the original: detail of several sizes is seen.
        noise: Largest level of the blurred picture's sensor noise, see `light.add_sensor_noise`; each pair
            draws its own from 0 on. The sharp picture has none.
        still_share: Part of the pairs in which nothing moves.
        silhouette_share: Part of the objects with a made-up outline where labels are to be had.
        near_share: Part of the movers that are larger than the picture, as most patches of a full frame see
            them: blur from edge to edge teaches a deblurring more than a thin rim does.
        bits: 8 or 16.

    Raises:
        SynthesisError: No photographs, or settings that make no sense.
    """

    def __init__(
        self,
        photos: Path,
        *,
        seed: int,
        count: int,
        side_px: int,
        blur_px: tuple[float, float] = (3.0, 16.0),
        split: Split = "train",
        scale: tuple[float, float] = (0.5, 1.0),
        noise: float = 0.005,
        still_share: float = 0.1,
        silhouette_share: float = 0.15,
        near_share: float = 0.0,
        bits: int = 8,
    ) -> None:
        if seed < 0 or count < 1:
            raise SynthesisError("a source needs a seed of 0 or more and a count of 1 or more")
        if not 16 <= side_px <= 4096:
            raise SynthesisError(f"pairs of {side_px} px cannot be made", hint="16 to 4096 px")
        if not 1 <= blur_px[0] <= blur_px[1] <= side_px:
            raise SynthesisError(
                f"blur from {blur_px[0]:g} to {blur_px[1]:g} px", hint="1 <= low <= high <= side"
            )
        if not 0 < scale[0] <= scale[1] <= 1:
            raise SynthesisError(f"scale from {scale[0]:g} to {scale[1]:g}", hint="0 < low <= high <= 1")
        if not (
            0 <= noise <= 1 and 0 <= still_share <= 1 and 0 <= silhouette_share <= 1 and 0 <= near_share <= 1
        ):
            raise SynthesisError("noise and shares lie between 0 and 1")
        if bits not in (8, 16):
            raise SynthesisError(f"pictures of {bits} bit cannot be made", hint="8 or 16")
        self.folder = photos
        self.photos = list_photos(photos, split)
        self.seed, self.count, self.side_px = seed, count, side_px
        self.blur_px = (float(blur_px[0]), float(blur_px[1]))
        self.scale = (float(scale[0]), float(scale[1]))
        self.noise, self.still_share, self.silhouette_share = noise, still_share, silhouette_share
        self.near_share = near_share
        self.split, self.bits = split, bits

    def __len__(self) -> int:
        """Return the number of pairs asked for."""
        return self.count

    def __getitem__(self, index: int) -> TrainingPair:
        """Make a pair."""
        return self.make(index).pair

    def name(self, index: int) -> str:
        """Return the name of a pair."""
        return f"lbs-{self.seed}-{index:06d}"

    def settings(self) -> dict[str, Any]:
        """Return what the source was asked for, as plain JSON data."""
        photo_names = [path.name for path in self.photos]
        names = ("seed", "count", "side_px", "noise", "still_share", "silhouette_share", "near_share")
        return {
            **{name: getattr(self, name) for name in names},
            "split": self.split,
            "bits": self.bits,
            "blur_px": list(self.blur_px),
            "scale": list(self.scale),
            "photos": len(self.photos),
            "photos_sha256": hashlib.sha256("\n".join(photo_names).encode()).hexdigest(),
        }

    def make(self, index: int) -> Made:
        """Make a pair together with its record.

        Raises:
            IndexError: The index is beyond the end.
            SynthesisError: A photograph cannot be read.
        """
        if not 0 <= index < self.count:
            raise IndexError(index)
        rng = np.random.default_rng([self.seed, index])
        record: dict[str, Any] = {"seed": self.seed, "index": index}
        light, path = self._background(rng, record)
        still = rng.random() < self.still_share
        objects = [] if still else [self._mover(rng, path, record) for _ in range(1 + (rng.random() < 0.3))]
        for _ in range(int(rng.choice(4, p=(0.35, 0.35, 0.2, 0.1)))):
            paste(light, self._placed(self._object(rng, path), rng, record, "behind"))
        occluders = []
        if not still and rng.random() < 0.15:
            occluders.append(self._placed(self._object(rng, path), rng, record, "before"))
        samples = max((needed for _, needed in objects), default=1)
        exposed = expose(light, [mover for mover, _ in objects], samples, occluders)
        level = self.noise * float(rng.random())
        record.update(samples=samples, noise=level, covered=float((exposed.mask > 0).mean()))
        noisy = add_sensor_noise(exposed.blurred, level, rng)
        name = self.name(index)
        pair = TrainingPair(
            name, from_light(noisy, self.bits), from_light(exposed.sharp, self.bits), exposed.mask
        )
        return Made(pair, {"name": name, **record})

    def _background(self, rng: np.random.Generator, record: dict[str, Any]) -> tuple[F32, Path]:
        """Return (side, side, 3) linear light of a piece of a photograph, and which."""
        path, photo = self._photo(rng)
        height, width = photo.rgb.shape[:2]
        # A larger piece is made smaller; never the other way, unless the photograph is too small.
        wanted = self.side_px / rng.uniform(*self.scale)
        side = int(min(round(wanted), height, width))
        x, y = int(rng.integers(width - side + 1)), int(rng.integers(height - side + 1))
        light = to_light(photo.rgb[y : y + side, x : x + side])
        if side != self.side_px:
            way = cv2.INTER_AREA if side > self.side_px else cv2.INTER_CUBIC
            light = np.clip(cv2.resize(light, (self.side_px, self.side_px), interpolation=way), 0, 1)
        if rng.random() < 0.5:
            light = light[:, ::-1].copy()
        record["background"] = {"photo": path.name, "x": x, "y": y, "side_px": side}
        return np.ascontiguousarray(light, np.float32), path

    def _photo(self, rng: np.random.Generator) -> tuple[Path, Photo]:
        path = self.photos[int(rng.integers(len(self.photos)))]
        return path, load_photo(path)

    def _object(self, rng: np.random.Generator, background: Path) -> tuple[Cutout, str]:
        """Cut an object from another photograph than the background's, where there is another."""
        longest = self.side_px * float(rng.uniform(0.2, 0.8))
        flip = bool(rng.random() < 0.5)
        labelled = rng.random() >= self.silhouette_share
        path, photo = self._photo(rng)
        for _ in range(_TRIES):
            if (path != background or len(self.photos) == 1) and (photo.regions or not labelled):
                break
            path, photo = self._photo(rng)
        if labelled and photo.regions:
            # Of two, the one with more to see in it: a plain object teaches only what its outline teaches.
            pick = rng.integers(len(photo.regions), size=2)
            region = max((photo.regions[int(i)] for i in pick), key=lambda one: one.detail)
            return cut_region(photo, region, longest_px=longest, flip=flip), path.name
        return cut_silhouette(photo, rng, longest_px=longest, flip=flip), path.name

    def _mover(self, rng: np.random.Generator, background: Path, record: dict[str, Any]) -> tuple[Mover, int]:
        """Return a mover and the samples that its blur needs."""
        if self.near_share and rng.random() < self.near_share:
            path, whole = self._photo(rng)
            longest, flip = self.side_px * float(rng.uniform(1.1, 2.0)), bool(rng.random() < 0.5)
            cutout, photo = cut_piece(whole, rng, longest_px=longest, flip=flip), path.name
        else:
            cutout, photo = self._object(rng, background)
        width, height = cutout.size_px
        blur = float(rng.uniform(*self.blur_px))
        trajectory = draw_trajectory(blur, (width / 2, height / 2), rng)
        still = self._placed((cutout, photo), rng, record, "moves")
        record["objects"][-1].update(blur_px=blur, trajectory=np.round(trajectory.keys, 5).tolist())
        mover = Mover(still.rgba, still.left_px, still.top_px, trajectory)
        return mover, samples_needed(blur, len(trajectory.keys))

    def _placed(
        self, cut: tuple[Cutout, str], rng: np.random.Generator, record: dict[str, Any], role: str
    ) -> Still:
        """Put an object somewhere into the picture, its middle well inside, in slightly other light."""
        cutout, photo = cut
        width, height = cutout.size_px
        x, y = rng.uniform(0.15, 0.85, 2) * self.side_px
        left, top = round(x - width / 2), round(y - height / 2)
        gain = float(rng.uniform(0.75, 1.0))
        rgba = cutout.rgba * np.array([gain, gain, gain, 1], np.float32)
        record.setdefault("objects", []).append(
            {"role": role, "photo": photo, "kind": cutout.kind, "left_px": left, "top_px": top,
             "width_px": width, "height_px": height, "gain": gain}
        )  # fmt: skip
        return Still(rgba, left, top)
