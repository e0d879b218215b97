"""A laboratory's session, small: lightbox, whiteboard, colour chart and static take of known rigs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from processing.colour_map import CHART_SRGB
from processing.isp import decode_srgb
from rig.profiles import load_rig
from rig.session import Session
from tests.processing.scenes import TrueRig, filled, kodak, linear

Float = np.ndarray


def chart_light(shape: tuple[int, int] = (512, 640)) -> Float:
    """Return (H, W, 3) linear light of a colour chart, upright, on a grey wall."""
    light = np.full((*shape, 3), 0.18, np.float32)
    light[60:452, 26:614] = 0.03
    for index, colour in enumerate(decode_srgb(CHART_SRGB / np.float32(255))):
        row, column = divmod(index, 6)
        light[74 + 94 * row : 154 + 94 * row, 42 + 95 * column : 122 + 95 * column] = colour
    return light


def record_laboratory(folder: Path, rig: TrueRig | None = None, *, seed: int = 5) -> Session:
    """Record a session with everything that the calibrations of the laboratory need."""
    rig = rig or TrueRig(seed=seed)
    session = Session.create(folder, load_rig("virtual"))
    session.add_scene("lab", None)
    even, board = np.full((*rig.shape, 3), 0.8, np.float32), np.full((*rig.shape, 3), 0.7, np.float32)
    still = linear(filled(kodak("13"), *rig.shape))
    chart = chart_light(rig.shape)
    for kind, light, count in (
        ("lightbox", even, 4),
        ("whiteboard", board, 1),
        ("colorchecker", chart, 1),
        ("static", still, 1),
    ):
        rig.record(session, kind, [(light, light)] * count, scene="lab")
    return session
