"""From measured brightness to exposures: when a camera clips, when the picture drowns in noise, what is left.

Light is linear in the exposure. S clips at the exposure where the 99.9th percentile of a colour reaches the
white level; it drowns where the mid-tone (median) of green falls to a signal-to-noise ratio of 10, below
which ISO 12232 calls a picture not acceptable. B follows with t_L = t_S / tau.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from processing.checks.blocks import COLOURS, levels
from processing.errors import ProcessingError
from processing.survey.noise import NoiseModel
from rig.raw_image import RawImage
from rig.units import format_quantity

SNR_ACCEPTABLE: Final = 10.0
"""ISO 12232's criterion of the first acceptable picture (40 is its first excellent one)."""

HEADROOM: Final = 0.9
"""Part of the clipping exposure that is recommended at most: a moving highlight may be brighter."""


@dataclass(frozen=True)
class CameraLight:
    """Brightness of one camera's frame, and what follows.

    Attributes:
        camera: "B" or "S".
        exposure_us: Exposure of the frame.
        high: 99.9th percentile of R, G and B over the range from black to white.
        middle: Median alike.
        clipped: Colours whose 99.9th percentile is at the white level: their real brightness is unknown.
        clips_us: Exposure at which each colour clips; an upper bound where it does already.
        drowns_us: Exposure below which green mid-tones drown.
        snr: Signal-to-noise ratio of green mid-tones in the frame.
        noise: What the noise is from.
    """

    camera: str
    exposure_us: float
    high: dict[str, float]
    middle: dict[str, float]
    clipped: tuple[str, ...]
    clips_us: dict[str, float]
    drowns_us: float
    snr: float
    noise: NoiseModel

    @property
    def first_clip_us(self) -> float:
        """Exposure at which the first colour clips."""
        return min(self.clips_us.values())

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "exposure_us": self.exposure_us,
            "high": self.high,
            "middle": self.middle,
            "clipped": list(self.clipped),
            "clips_us": self.clips_us,
            "drowns_us": self.drowns_us,
            "snr_middle": self.snr,
            "noise": self.noise.to_dict(),
        }


@dataclass(frozen=True)
class LightReport:
    """What the light of the scene allows.

    Attributes:
        cameras: Each camera by itself.
        tau: Transmittance that B's exposures were divided with.
        least_s_us: Shortest t_S at which neither camera drowns.
        most_s_us: Longest t_S at which neither clips, with headroom.
        exposure_s_us: t_S now.
    """

    cameras: dict[str, CameraLight]
    tau: float
    least_s_us: float
    most_s_us: float
    exposure_s_us: float

    @property
    def possible(self) -> bool:
        """Whether there is an exposure at which neither camera drowns or clips."""
        return self.least_s_us <= self.most_s_us

    def lines(self) -> list[str]:
        """Return what an operator should know, a line each."""
        said = []
        for name, one in self.cameras.items():
            colour = min(one.clips_us, key=lambda key: one.clips_us[key])
            at = _time(one.first_clip_us)
            clips = (
                f"clips already in {', '.join(one.clipped)}" if one.clipped else f"clips at {at} ({colour})"
            )
            said.append(
                f"{name} at {_time(one.exposure_us)}: {clips}, drowns below {_time(one.drowns_us)}; "
                f"mid-tones have a signal-to-noise ratio of {one.snr:.0f}"
            )
        said.append(self.advice())
        return said

    def advice(self) -> str:
        """Return the recommended range of t_S, or why there is none."""
        least, most, now = self.least_s_us, self.most_s_us, self.exposure_s_us
        if any(one.clipped for one in self.cameras.values()):
            return f"too bright to measure: shorten t_S below {_time(most)} and measure again"
        if not self.possible:
            return (
                f"no exposure fits: highlights clip above {_time(most)}, mid-tones drown below "
                f"{_time(least)}; even out the light"
            )
        range_ = f"t_S may be {_time(least)} to {_time(most)}"
        if now > most:
            return f"{range_}; {_time(now)} is too long: shorten it or dim the light"
        if now < least:
            return f"{range_}; {_time(now)} is too short: lengthen it or add light"
        return f"{range_}; {_time(now)} is fine"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "cameras": {name: one.to_dict() for name, one in self.cameras.items()},
            "tau": self.tau,
            "exposure_s_us": {"now": self.exposure_s_us, "least": self.least_s_us, "most": self.most_s_us},
            "possible": self.possible,
            "text": self.lines(),
        }


def camera_light(raw: RawImage, noise: NoiseModel) -> CameraLight:
    """Measure one frame.

    Raises:
        ProcessingError: It is too dark to measure.
    """
    found = levels(raw, step=2)
    span = raw.white_level - raw.black_level
    high = {name: max(found.high_dn[phase] for phase in _phases(name)) for name in COLOURS}
    middle = {name: found.colour(found.median_dn, name) for name in COLOURS}
    if min(high.values()) <= 3 * noise.read_dn or middle["G"] <= 0:
        raise ProcessingError(
            f"camera {raw.camera} sees too little light to measure it",
            hint="is the cap off and the light on? choose a longer exposure",
        )
    clipped = tuple(name for name in COLOURS if high[name] >= span)
    return CameraLight(
        camera=raw.camera,
        exposure_us=raw.exposure_us,
        high={name: high[name] / span for name in COLOURS},
        middle={name: middle[name] / span for name in COLOURS},
        clipped=clipped,
        clips_us={name: raw.exposure_us * span / high[name] for name in COLOURS},
        drowns_us=raw.exposure_us * noise.signal_for(SNR_ACCEPTABLE) / middle["G"],
        snr=noise.snr(middle["G"]),
        noise=noise,
    )


def read_light(frames: Mapping[str, RawImage], noise: Mapping[str, NoiseModel], tau: float) -> LightReport:
    """Say what the light of the scene allows.

    Args:
        frames: A frame of "B" and one of "S", each with the exposure it was taken with.
        noise: Noise of each camera's sensor.
        tau: Transmittance that the plan divides t_S by: the filter's label, or as measured.

    Raises:
        ProcessingError: A frame is too dark to measure.
    """
    cameras = {name: camera_light(frames[name], noise[name]) for name in ("B", "S")}
    b, s = cameras["B"], cameras["S"]
    return LightReport(
        cameras=cameras,
        tau=tau,
        least_s_us=max(s.drowns_us, tau * b.drowns_us),
        most_s_us=HEADROOM * min(s.first_clip_us, tau * b.first_clip_us),
        exposure_s_us=s.exposure_us,
    )


def _phases(name: str) -> tuple[str, ...]:
    return ("Gr", "Gb") if name == "G" else (name,)


def _time(us: float) -> str:
    return format_quantity(us * 1e-6, "time")
