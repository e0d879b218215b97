"""Frames of the live view as RAW images: what light, speed and filter are measured on before a take."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

import numpy as np

from rig.camera.types import Frame
from rig.errors import CameraTimeout, RawFileError
from rig.profiles import CAMERAS, CameraProfile
from rig.raw_image import RawImage

if TYPE_CHECKING:
    from rig.rig import Rig

STALE: Final = 2
"""Frames thrown away first: they may have begun before the exposures were set."""

_PATIENCE_S: Final = 5.0


def raw_of_live(frame: Frame, camera: str, profile: CameraProfile, serial_number: str = "") -> RawImage:
    """Return a live frame as a RAW image; the pixels are shared.

    Raises:
        RawFileError: The live view sends colour, or other bits than the profile says.
    """
    pixel_format = profile.pixel_format
    if frame.pixels.ndim != 2 or frame.significant_bits != pixel_format.significant_bits:
        raise RawFileError(
            f"the live view of camera {camera} sends {frame.pixel_format}, no RAW of "
            f"{pixel_format.significant_bits} bits",
            hint=f"set {pixel_format.name} in steps_live of its profile",
        )
    known = math.isfinite(frame.black_level_dn)
    return RawImage(
        pixels=frame.pixels.astype(np.uint16, copy=False),
        cfa=pixel_format.cfa,
        black_level=float(frame.black_level_dn if known else pixel_format.black_level_dn),
        white_level=float(pixel_format.white_level_dn),
        significant_bits=frame.significant_bits,
        exposure_us=frame.exposure_us,
        gain_db=frame.gain_db if math.isfinite(frame.gain_db) else 0.0,
        serial_number=serial_number,
        camera=camera,
        trigger_index=0,
        frame_id=frame.frame_id,
        timestamp_ns=frame.timestamp_ns,
    )


def live_frames(rig: Rig, count: int, cameras: tuple[str, ...] = CAMERAS) -> dict[str, list[RawImage]]:
    """Return the next ``count`` live frames of each camera; the live view is started where it was off.

    Raises:
        CameraTimeout: A camera does not deliver.
        DeviceError: A camera cannot be started, or is lost.
        RawFileError: See `raw_of_live`.
    """
    was_live = rig.status().live
    rig.start_live()
    try:
        rate_hz = rig.profile.live_rate_hz
        last = time.monotonic()
        seen = dict.fromkeys(cameras, 0)
        found: dict[str, list[RawImage]] = {name: [] for name in cameras}
        while any(len(frames) < count + STALE for frames in found.values()):
            for name, frames in found.items():
                newest = rig.latest(name, seen[name]) if len(frames) < count + STALE else None
                if newest is not None:
                    seen[name], last = newest[0], time.monotonic()
                    serial = rig.cameras[name].info.serial_number
                    frames.append(raw_of_live(newest[1], name, rig.camera_profiles[name], serial))
            if time.monotonic() > last + _PATIENCE_S + 1 / rate_hz:
                late = min(found, key=lambda name: len(found[name]))
                raise CameraTimeout(
                    f"the live view of camera {late} gave {len(found[late])} of {count + STALE} frames",
                    hint="is the camera connected and its exposure shorter than the live view's period?",
                )
            time.sleep(0.25 / rate_hz / 4)
        return {name: frames[STALE:] for name, frames in found.items()}
    finally:
        if not was_live:
            rig.stop_live()
