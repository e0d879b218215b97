"""Which simulated trigger box stands behind the serial port: the one that the rig's profile asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rig.profiles import TriggerBoxProfile
from rig.virtual.dg645 import DG645
from rig.virtual.dg645_pulses import PulseEngine
from rig.virtual.dg645_settings import PAIRS
from rig.virtual.highland import T560
from rig.virtual.line_box import pairs_of
from rig.virtual.prawnblaster import PINS, PrawnBlaster
from rig.virtual.pty import Instrument
from rig.virtual.qc9520 import BNC_IDENTITY, CHANNELS, IDENTITY, QC9524


@dataclass(frozen=True)
class SimulatedBox:
    """An instrument, and which output pair of the pulse engine each of its outputs is."""

    instrument: Instrument
    pairs: dict[str, str]


def simulated_box(profile: TriggerBoxProfile, engine: PulseEngine) -> SimulatedBox:
    """Return the box that the profile's driver speaks to, on ``engine``."""
    if profile.driver == "qc9520":
        is_bnc = re.search(profile.match.vendor or "", BNC_IDENTITY.partition(",")[0])
        box = QC9524(engine, BNC_IDENTITY if is_bnc else IDENTITY)
        return SimulatedBox(box, pairs_of(list(CHANNELS)))
    if profile.driver == "highland":
        return SimulatedBox(T560(engine), pairs_of(list(T560.CHANNELS)))
    if profile.driver == "prawnblaster":
        return SimulatedBox(PrawnBlaster(engine), pairs_of([f"GPIO{pin}" for pin in PINS]))
    return SimulatedBox(DG645(engine), pairs_of(list(PAIRS[1:])))
