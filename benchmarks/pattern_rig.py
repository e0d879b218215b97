"""The virtual rig for benchmarks of capture: full frames from the producer's own pattern, no rendering.

Triggers come the usual way: the DG645 on its serial line, its outputs wired to both cameras by the world. The
cameras read out in no time (`SensorReadoutMode` `Instant`), so that only the disk bounds the rate, and the
pattern (formula in ``rig/virtual/producer/source_pattern.c``) tells which exposure a picture is of.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from rig import Rig
from rig.exposure import ExposurePlan, plan_exposure
from rig.profiles import load_rig, profile_text
from rig.session import Session

WIDTH_PX, HEIGHT_PX = 2448, 2048
FRAME_BYTES = 2 * WIDTH_PX * HEIGHT_PX + 4096
"""Of one DNG, as on the disk."""

BLACK_DN = 64
_PERIOD_PX = 2048
SCENE = "bench"


def _changed(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        if text.count(old) != 1:
            raise ValueError(f"the profile has not one {old!r}")
        text = text.replace(old, new)
    return text


def write_profiles(folder: Path) -> Path:
    """Write camera and rig profile; return the rig's."""
    camera, rig = folder / "pattern_camera.yaml", folder / "pattern.yaml"
    camera.write_text(
        _changed(
            profile_text("virtual_camera"),
            ("name: virtual_camera", "name: pattern_camera"),
            ("readout_us: 13000", "readout_us: 0"),
            (
                "  - {set: ChunkModeActive, to: true}",
                "  - {set: SensorReadoutMode, to: Instant}\n  - {set: ChunkModeActive, to: true}",
            ),
        )
    )
    text = _changed(
        profile_text("virtual"),
        ("name: virtual\n", "name: pattern\n"),
        ("--rig, virtual]", f'--rig, "{rig}", --picture, pattern]'),
    ).replace("profile: virtual_camera", f'profile: "{camera}"')
    rig.write_text(text.partition("# On a real rig: switch the lightbox on")[0])
    return rig


@contextmanager
def pattern_rig(folder: Path | None, exposure_s: float) -> Iterator[tuple[Rig, Session]]:
    """Open the rig with a plan in force, and a session with a scene in a temporary folder.

    Args:
        folder: Where that folder is made; the system's place for such when None.
        exposure_s: Of S, in s; B exposes 8 times as long.
    """
    with TemporaryDirectory(prefix="beamrig-bench-", dir=folder) as name:
        profile = load_rig(str(write_profiles(Path(name))))
        plan = plan_exposure(profile, speed_mps=1.4, distance_m=5.0, exposure_s=exposure_s)
        with Rig.open(profile) as rig, Session.create(Path(name) / "session", profile) as session:
            session.add_scene(SCENE, plan)
            rig.apply_plan(plan)
            yield rig, session


def plan_of(rig: Rig) -> ExposurePlan:
    """Return the plan in force."""
    if rig.plan is None:
        raise ValueError("no plan is in force")
    return rig.plan.plan


def expected_row(plan: ExposurePlan, camera: str, number: int) -> np.ndarray:
    """Return the codes of the first row (width,) of the picture of exposure ``number``."""
    k = (np.arange(WIDTH_PX) + 16 * number) % _PERIOD_PX
    light = k * round(plan.applied_us[camera] * 1000) // 10_000_000
    return np.minimum(4095, BLACK_DN + light).astype(np.uint16)


def hosts(rig: Rig) -> dict[str, int]:
    """Return the processes of the app and of both cameras."""
    found = {"app": os.getpid()}
    for name, camera in rig.cameras.items():
        if camera.pid is not None:
            found[f"host {name}"] = camera.pid
    return found
