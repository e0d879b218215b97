"""From a rig's profiles to what the camera layer works with."""

from __future__ import annotations

import dataclasses
import os
import re

from rig.camera.paths import absolute_cti
from rig.camera.types import CameraSpec, DeviceInfo, StepSpec, Verify
from rig.errors import DeviceError
from rig.profiles import CameraProfile, CameraSlot


def spec_of(slot: CameraSlot | CameraSpec, profile: CameraProfile | None) -> CameraSpec:
    """Return what a host process has to know about a camera of the rig."""
    if isinstance(slot, CameraSpec):
        return slot
    spec = bare_spec(slot.cti, slot.device_id or slot.serial_number)
    if profile is None:
        return spec
    return dataclasses.replace(
        spec,
        buffers=profile.buffers,
        aliases={
            name: [
                one if isinstance(one, str) else one.model_dump(exclude_none=True, exclude_defaults=True)
                for one in candidates
            ]
            for name, candidates in profile.nodes.items()
        },
        significant_bits=profile.pixel_format.significant_bits,
        msb_aligned=profile.pixel_format.msb_aligned,
    )


def context_of(slot: CameraSlot | CameraSpec) -> dict[str, float | str]:
    """Return the values that a profile's steps may take from the camera's place in the rig."""
    return {} if isinstance(slot, CameraSpec) else {"slot.trigger_line": slot.trigger_line}


def bare_spec(cti: str | os.PathLike[str], device: str) -> CameraSpec:
    """Return the specification of a camera without a profile."""
    return CameraSpec(cti=str(absolute_cti(os.fspath(cti))), device=device)


def steps_of(profile: CameraProfile, phase: str) -> list[StepSpec]:
    """Return a profile's steps of a phase: `common`, `triggered`, `width` or `live`.

    Raises:
        DeviceError: The profile has none for it.
    """
    steps = getattr(profile, f"steps_{phase}")
    if steps is None:
        raise DeviceError(f"the camera profile {profile.name} has no steps_{phase}")
    return [
        StepSpec(
            set=step.set,
            to=(step.to,) if isinstance(step.to, str) else tuple(step.to),
            optional=step.optional,
            for_each=step.for_each or "",
            verify=Verify(step.verify.abs, step.verify.rel),
        )
        for step in steps
    ]


def check_match(profile: CameraProfile, info: DeviceInfo) -> None:
    """Refuse a camera that its profile is not for.

    Raises:
        DeviceError: vendor or model do not fit the profile's patterns.
    """
    for what, pattern, is_now in (
        ("vendor", profile.match.vendor, info.vendor),
        ("model", profile.match.model, info.model),
    ):
        if pattern and not re.search(pattern, is_now):
            raise DeviceError(
                f"profile {profile.name} is not for this camera: its {what} is {is_now!r}, not {pattern!r}",
                hint="choose the camera's own profile in the rig's profile",
            )
