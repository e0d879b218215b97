"""Light, speed and transmittance from a few frames: the helps for the plan, in app and command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from processing.checks.stillness import change_between
from processing.errors import ProcessingError
from processing.survey.light import LightReport, read_light
from processing.survey.motion import Speed
from processing.survey.noise import NoiseModel, photon_transfer
from processing.survey.tau import Transmittance, measure_tau
from rig.errors import PlanError
from rig.exposure import plan_exposure
from rig.plan import ExposurePlan
from rig.profile_devices import SensorNoise
from rig.profiles import CAMERAS, RigProfile, load_profile
from rig.raw_image import RawImage
from rig.records import RawPair

Frames = Mapping[str, Sequence[RawImage]]
"""Frames of "B" and "S" in the order of time, two of each at least."""


@dataclass(frozen=True)
class Replanned:
    """A plan with the measured speed.

    Attributes:
        plan: The new plan; None where none is possible.
        trouble: Why there is none; empty otherwise.
    """

    plan: ExposurePlan | None
    trouble: str = ""


def sensor_noise(rig: RigProfile, camera: str) -> SensorNoise | None:
    """Return what the camera's profile says of its sensor's noise.

    Raises:
        ProfileError: The profile cannot be loaded.
    """
    slot = rig.cameras["B" if camera == "B" else "S"]
    return load_profile(slot.profile, "camera").sensor_noise


def noise_of(frames: Sequence[RawImage], known: SensorNoise | None = None) -> NoiseModel:
    """Return the noise of a camera: as its profile says, or measured on its first two frames.

    Raises:
        ProcessingError: There is neither a profile's word nor a second frame, or it cannot be measured.
    """
    if known is not None:
        gain = known.system_gain_dn_per_e * 10 ** (frames[0].gain_db / 20)
        return NoiseModel(gain, float(np.hypot(known.read_noise_e * gain, 12**-0.5)), "profile")
    if len(frames) < 2:
        raise ProcessingError(
            "the sensor's noise needs two frames of one scene", hint="record two static pairs at least"
        )
    return photon_transfer(frames[0], frames[1])


def measure_light(frames: Frames, tau: float, rig: RigProfile | None = None) -> LightReport:
    """Say at which exposures the cameras clip or drown; see `processing.survey.light`.

    Args:
        frames: Of both cameras.
        tau: Transmittance that the plan divides with.
        rig: Its camera profiles may tell the sensors' noise; measured in the frames otherwise.

    Raises:
        ProcessingError: Too dark, or the noise cannot be measured.
    """
    noise: dict[str, NoiseModel] = {
        name: noise_of(frames[name], None if rig is None else sensor_noise(rig, name)) for name in CAMERAS
    }
    return read_light({name: frames[name][-1] for name in CAMERAS}, noise, tau)


def check_tau(frames: Frames, label: float | None) -> Transmittance:
    """Measure the transmittance on frames of a scene; what moves meanwhile is left out.

    Args:
        frames: Of both cameras; B's and S's need not be of the same instant.
        label: What stands on the filter.

    Raises:
        ProcessingError: Too little of the frames is usable.
    """
    count = min(len(frames[name]) for name in CAMERAS)
    pairs = [RawPair(frames["B"][index], frames["S"][index]) for index in range(count)]
    return measure_tau(pairs, label, still=_still(frames))


def _still(frames: Frames) -> NDArray[np.bool_] | None:
    """Return the blocks where neither camera saw a change; None with one frame only."""
    still: NDArray[np.bool_] | None = None
    for name in CAMERAS:
        for first, second in pairwise(frames[name]):
            same = ~change_between(first, second).blocks
            still = same if still is None else still & same
    return still


def replan(rig: RigProfile, plan: ExposurePlan, speed: Speed) -> Replanned:
    """Plan anew with the measured speed: the same blur in S, distance, filter and placement."""
    try:
        made = plan_exposure(
            rig,
            speed_mps=speed.speed_mps,
            distance_m=plan.distance_m,
            blur_s_px=plan.blur_requested_s_px,
            filter_name=plan.filter_name,
            placement=plan.placement,
        )
    except PlanError as error:
        return Replanned(None, error.one_line())
    return Replanned(made)
