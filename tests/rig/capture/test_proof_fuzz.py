"""Takes of several volleys, single pulses too, with spikes, lost edges and frames, slow transport.

``BEAMRIG_FUZZ_TAKES`` makes it as large as wanted, ``BEAMRIG_FUZZ_SEED`` moves it elsewhere.
"""

from __future__ import annotations

import os
from collections import Counter

from tests.rig.capture.volley_world import FuzzedTake

TAKES = int(os.environ.get("BEAMRIG_FUZZ_TAKES", "3000"))
SEED = int(os.environ.get("BEAMRIG_FUZZ_SEED", "0"))


def fuzz(first: int, takes: int) -> tuple[Counter[str], dict[int, str]]:
    """Make so many takes; returns what was seen, and of each seed with a wrong pair how that came."""
    seen: Counter[str] = Counter()
    wrong: dict[int, str] = {}
    for seed in range(first, first + takes):
        take = FuzzedTake(seed)
        seen += take.seen
        seen["pairs"] += len(take.pairs)
        for one in take.pairs:
            if one.wrong:
                seen[f"wrong: {one.why} shared={take.shared}"] += 1
                wrong[seed] = one.why
    return seen, wrong


def test_bursts_and_single_pulses_with_a_witness_give_no_wrong_pair() -> None:
    """What no clock can tell is left out: see `COINCIDENT`, and single pulses on two free clocks."""
    seen, wrong = fuzz(SEED, TAKES)
    assert {seed: why for seed, why in wrong.items() if why.startswith("n=2")} == {}
    unwitnessed = sum(count for key, count in seen.items() if key.startswith("wrong"))
    assert unwitnessed <= 0.008 * seen["bursts"]
    assert seen["clean paired"] >= 0.97 * seen["clean"], "nothing is rejected for the sake of it"
    assert seen["pairs"] > TAKES
