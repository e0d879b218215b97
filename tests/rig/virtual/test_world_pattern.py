"""A world that gives triggers only: the cameras make their pictures themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rig import Rig
from rig.dng import read_dng
from rig.profiles import load_rig
from rig.session import Session
from tests.rig.small_rig import HEIGHT_PX, WIDTH_PX, small_plan, write_small_rig


def test_a_triggered_take_shows_the_pattern_of_each_exposure(tmp_path: Path) -> None:
    path = write_small_rig(tmp_path)
    command = f'--rig, "{path}"]'
    text = path.read_text()
    assert text.count(command) == 1
    path.write_text(text.replace(command, command.replace("]", ", --picture, pattern]")))
    profile = load_rig(str(path))
    plan = small_plan(profile)
    with Rig.open(profile) as rig, Session.create(tmp_path / "session", profile) as session:
        session.add_scene("s01", plan)
        rig.apply_plan(plan)
        result = rig.capture(session, "s01", "static", pairs=3)
    assert result.paired == 3
    y, x = np.mgrid[:HEIGHT_PX, :WIDTH_PX]
    for pair in result.pairs:
        for camera, file in (("B", pair.path_b), ("S", pair.path_s)):
            image = read_dng(session.root / file)
            k = (x + 2 * y + 16 * pair.index) % 2048  # the formula in source_pattern.c
            light = k * round(result.applied.exposure_us[camera] * 1000) // 10_000_000
            assert np.array_equal(image.pixels, np.minimum(4095, 64 + light))
