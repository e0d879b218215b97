"""Any faults at any time: no wrong pair, nothing lost that was shown, and work goes on after each.

What must hold is checked by the bench after every take; here is chosen what goes wrong.
"""

from __future__ import annotations

import os
import random
import threading
from collections import Counter

import pytest

from rig.errors import BeamrigError
from tests.rig.faults.bench import PAIRS, Bench

SEED = int(os.environ.get("BEAMRIG_FAULT_SEED", "8"))
ROUNDS = int(os.environ.get("BEAMRIG_FAULT_ROUNDS", "8"))

Order = str


def at(rng: random.Random) -> str:
    return f"at={rng.randrange(PAIRS)}"


def camera_fault(rng: random.Random) -> Order:
    """Return an order for a camera, its wires, its frames or its maker's library."""
    camera = rng.choice(("B", "S", "both"))
    when = f"camera={camera} {at(rng)}"
    return rng.choice(
        (
            f"lose_frame {when} count={rng.randrange(1, 4)}",
            f"incomplete_frame {when}",
            f"late_frame {when} seconds={rng.choice((0.2, 0.6, 3))}",
            f"repeat_frame {when}",
            f"swap_frames {when}",
            f"ignore_trigger {when} count={rng.randrange(1, 4)}",
            f"ignore_trigger {when} counted=no",
            f"duplicate_trigger {when} delay_us={rng.choice((50, 9000, 35000, 50000))}",
            f"jitter camera={camera} jitter_us={rng.choice((50, 1500))}",
            f"clock {when} offset_s={rng.uniform(-2, 2):.3f}",
            f"skew camera={camera} skew_us={rng.choice((100, 2500, 50000))}",
            f"unplug {when}",
            f"crash {when}",
            f"hang {when} call={rng.choice(('event', 'stream', 'port'))} seconds={rng.choice((0.4, -1))}",
        )
    )


def box_fault(rng: random.Random) -> Order:
    """Return an order for the trigger box, during its setting up or within a burst."""
    when = rng.choice((f"after={rng.randrange(30)}", f"at=fire after={rng.randrange(8)}"))
    return rng.choice(
        (
            f"box silent {when} times={rng.randrange(1, 4)}",
            f"box silent {when}",
            f"box slow {when} seconds={rng.choice((0.3, 2))} times=2",
            f"box garbage {when} times={rng.randrange(1, 4)}",
            f"box error {when} code=10 times=1",
            f"box wrong_baud {when}",
            f"box unplug {when}",
            f"box unplug {when} power=false",
        )
    )


def random_orders(rng: random.Random) -> list[Order]:
    """Return one to three things that go wrong in one take; "kill B" ends a camera's process."""
    makers = (
        camera_fault,
        camera_fault,
        box_fault,
        lambda rng: f"kill {rng.choice('BS')} {rng.uniform(0, 0.7):.2f}",
    )
    return [rng.choice(makers)(rng) for _ in range(rng.choice((1, 1, 2, 3)))]


@pytest.mark.timeout(60 + 15 * ROUNDS)
def test_any_faults_at_any_time_pair_nothing_wrongly_lose_nothing_shown_and_can_be_mended(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure prints its orders; BEAMRIG_FAULTS="order; order" repeats them, or a part of them."""
    monkeypatch.setattr("rig.camera.process._SCIENCE_SILENCE_S", 1.5)
    monkeypatch.setattr("rig.camera.remote_frames._COUNTERS_S", 2.0)
    rng = random.Random(SEED)
    asked = [text.strip() for text in os.environ.get("BEAMRIG_FAULTS", "").split(";") if text.strip()]
    rounds = [asked] if asked else [random_orders(rng) for _ in range(ROUNDS)]
    lines: Counter[str] = Counter()
    for orders in rounds:
        try:
            lines.update(one_round(bench, orders))
        except BaseException:
            print(f"seed {SEED}: BEAMRIG_FAULTS='{'; '.join(orders)}'")  # noqa: T201
            raise
    for line, number in lines.most_common():
        print(f"{number:4d}  {line}")  # noqa: T201


def one_round(bench: Bench, orders: list[Order]) -> list[str]:
    """Make a take in which all this goes wrong, put it right, make another one; return what was said."""
    killers = []
    for order in orders:
        if order.startswith("kill "):
            _, name, after_s = order.split()
            killers.append(threading.Timer(float(after_s), bench.rig.cameras[name].kill))
    for killer in killers:
        killer.start()
    try:
        outcome = bench.trial(*(order for order in orders if not order.startswith("kill ")))
    finally:
        for killer in killers:
            killer.join()
    said = [outcome.one_line()] if isinstance(outcome, BeamrigError) else outcome.lines
    if not isinstance(outcome, BeamrigError):
        said += [f"(taken back: {len(outcome.revoked)} pairs)"] * bool(outcome.revoked)
    bench.mend()
    after = bench.take(pairs=2)
    assert (after.failure, after.paired, after.lines) == (None, [0, 1], []), orders
    return said
