"""The virtual rig's trigger box behind its port: the one the rig's profile asks for, with faults to order."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path

from rig.profiles import TriggerBoxProfile
from rig.virtual.box_faults import FAULTS, UNPLUG, WRONG_BAUD, Fault, FaultyLine, fault_of
from rig.virtual.dg645 import DG645
from rig.virtual.dg645_pulses import PulseEngine
from rig.virtual.dg645_settings import PAIRS, Settings
from rig.virtual.highland import T560
from rig.virtual.kernel import WorldError
from rig.virtual.line_box import pairs_of
from rig.virtual.prawnblaster import PINS, PrawnBlaster
from rig.virtual.pty import Instrument, SerialPort
from rig.virtual.qc9520 import BNC_IDENTITY, CHANNELS, IDENTITY, QC9524

REPLUG, CLEAR = "replug", "clear"


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


class VirtualBox:
    """A trigger box that can be plugged in, unplugged and broken. Thread-safe.

    Args:
        path: Where its port is linked; the same after it was plugged in anew.
        profile: Which box it is, and the baud rate that it is set to.
        engine: Makes its pulses.

    Attributes:
        pairs: Output pair of the engine of each of the box's outputs.
    """

    def __init__(self, path: Path, profile: TriggerBoxProfile, engine: PulseEngine) -> None:
        self.path = path
        self._profile = profile
        self._engine = engine
        self._on_usb = profile.driver == "prawnblaster"  # no UART in between, and its power comes that way
        self._lock = threading.RLock()
        simulated = simulated_box(profile, engine)
        self.pairs = simulated.pairs
        self._line = FaultyLine(
            simulated.instrument,
            engine.busy,
            lambda: self._port.speed,
            None if self._on_usb else profile.serial.baudrate,
            self._on_pull,
        )
        self._plugged = True
        self._powered = True
        self._port = SerialPort(path, self._line)

    @property
    def instrument(self) -> Instrument:
        """The box's state machine."""
        return self._line.instrument

    def start(self) -> None:
        """Begin to answer."""
        self._port.start()

    def close(self) -> None:
        """Take the port away."""
        self._line.clear()
        self._port.close()

    def fault(self, name: str, **options: object) -> None:
        """Let something go wrong, or right again.

        Faults: silent [deaf], slow seconds=S, garbage, wrong_baud [baudrate=B], error code=N, unplug [power].
        The first three and error may be limited by command=BEGINNING and times=N; each may begin later, by
        after=N commands, at=fire (with the start of a burst), or both. `replug` plugs the box in again at the
        same path; `clear` ends every other fault. Where `unplug` has power=false the box goes out and forgets
        its settings; that is so by itself for one that is powered through the cable.

        Raises:
            WorldError: No such fault or option.
        """
        if name in (REPLUG, CLEAR):
            if options:
                raise WorldError(f"{name} has no options")
            if name == CLEAR:
                self._line.clear()
            else:
                self._replug()
            return
        if name not in FAULTS:
            known = ", ".join((*FAULTS, REPLUG, CLEAR))
            raise WorldError(f"a trigger box has no fault '{name}'", hint=f"one of {known}")
        if name == WRONG_BAUD and self._on_usb:
            raise WorldError("this trigger box is on USB: it has no baud rate")
        fault = fault_of(name, options)
        if fault.name == UNPLUG and not fault.after and not fault.at_fire:
            with self._lock:
                self._on_pull(fault)
                self._line.release()
                self._port.close()
        else:
            self._line.add(fault)

    def _on_pull(self, fault: Fault) -> None:
        self._plugged = False
        self._powered = (not self._on_usb) if fault.power is None else fault.power
        if not self._powered:
            self._engine.configure(Settings(), abort=True)

    def _replug(self) -> None:
        with self._lock:
            if self._plugged:
                raise WorldError("the trigger box is plugged in already")
            self._port.close()
            if not self._powered:
                self._line.instrument = simulated_box(self._profile, self._engine).instrument
            self._plugged = self._powered = True
            self._port = SerialPort(self.path, self._line)
            self._port.start()
