"""The virtual rig with small pictures: the same field of view on 304x256 pixels, so that a take is quick."""

from __future__ import annotations

from pathlib import Path

from rig.exposure import ExposurePlan, plan_exposure
from rig.profiles import RigProfile, load_rig, profile_text

WIDTH_PX, HEIGHT_PX = 304, 256
BLUR_S_PX = 0.5
"""As long an exposure as 4 px of the full picture."""


def _changed(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def write_small_rig(folder: Path, *faults: str) -> Path:
    """Write the profiles of the small rig into a folder and return the rig's.

    Args:
        folder: Where they go.
        faults: Orders that the world gets from its start, such as ``lose_frame camera=S at=3``.
    """
    camera, box, rig = (folder / name for name in ("small_camera.yaml", "small_box.yaml", "small.yaml"))
    box.write_text(
        _changed(
            profile_text("dg645"), ("name: dg645\n", "name: small_box\n"), ("timeout_s: 3", "timeout_s: 1")
        )
    )
    camera.write_text(
        _changed(
            profile_text("virtual_camera"),
            ("name: virtual_camera", "name: small_camera"),
            ("{set: Width, to: 2448}", f"{{set: Width, to: {WIDTH_PX}}}"),
            ("{set: Height, to: 2048}", f"{{set: Height, to: {HEIGHT_PX}}}"),
            ("readout_us: 13000", "readout_us: 1700"),
        )
    )
    orders = "".join(f', --fault, "{fault}"' for fault in faults)
    text = _changed(
        profile_text("virtual"),
        ("name: virtual\n", "name: small\n"),
        ("--rig, virtual]", f'--rig, "{rig}"{orders}]'),
        ("pixel_pitch_um: 3.45", "pixel_pitch_um: 27.6"),
        ("width_px: 2448", f"width_px: {WIDTH_PX}"),
        ("height_px: 2048", f"height_px: {HEIGHT_PX}"),
        ("period_s: 0.2", "period_s: 0.05"),
        ("profile: dg645", f'profile: "{box}"'),
    ).replace("profile: virtual_camera", f'profile: "{camera}"')
    rig.write_text(text.partition("# On a real rig: switch the lightbox on")[0])
    return rig


def small_rig(folder: Path, *faults: str) -> RigProfile:
    """Return the small rig's profile, written into a folder."""
    return load_rig(str(write_small_rig(folder, *faults)))


def small_plan(rig: RigProfile) -> ExposurePlan:
    """Return a plan for the small rig: B exposes for 24.6 ms, S for 3.1 ms."""
    return plan_exposure(rig, speed_mps=1.4, distance_m=5.0, blur_s_px=BLUR_S_PX)
