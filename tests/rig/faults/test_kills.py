"""Any process may be killed at any moment: what was acknowledged is there, and what is there is true."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.rig.faults.killing import Gallows, Kill, random_kills

SEED = int(os.environ.get("BEAMRIG_KILL_SEED", "69"))
KILLS = int(os.environ.get("BEAMRIG_KILLS", "20"))


@pytest.mark.timeout(60 + 20 * KILLS)
def test_processes_killed_at_random_moments_lose_nothing_acknowledged_and_pair_nothing_wrongly(
    tmp_path: Path,
) -> None:
    """A failure prints the kills that led to it; BEAMRIG_KILL_LIST repeats them, or a part of them."""
    listed = os.environ.get("BEAMRIG_KILL_LIST", "").split()
    kills = [Kill.parse(text) for text in listed] or random_kills(SEED, KILLS)
    done: list[Kill] = []
    with Gallows(tmp_path) as gallows:
        try:
            for kill in kills:
                done.append(kill)
                gallows.strike(kill)
            gallows.finish()
        except BaseException:
            print(f"seed {SEED}: BEAMRIG_KILL_LIST='{' '.join(map(str, done))}'")  # noqa: T201
            raise
        print(gallows.toll)  # noqa: T201
        for line, number in gallows.toll.lines.most_common():
            print(f"{number:4d}  {line}")  # noqa: T201
        assert gallows.toll.acknowledged >= len(kills)
