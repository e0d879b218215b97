"""What driver and Quantum Composers say to each other, as the tests expect it."""

from __future__ import annotations

from rig.profiles import TriggerBoxProfile, TriggerSlot, load_profile
from rig.trigger import Pulse, PulsePlan, TriggerBox, open_box
from tests.rig.scripted_box import Script, ScriptedBox

QC = load_profile("qc9520", "trigger_box")
BNC = load_profile("bnc575", "trigger_box")
END = b"\r\n"
ECHO = ":SYST:COMM:SER:ECHO OFF"


def impatient(profile: TriggerBoxProfile) -> TriggerBoxProfile:
    serial = profile.serial.model_copy(update={"timeout_s": 0.2, "settle_s": 0.0})
    return profile.model_copy(update={"serial": serial})


def open_on(line: ScriptedBox, profile: TriggerBoxProfile = QC) -> TriggerBox:
    return open_box(TriggerSlot(profile="qc9520", port=line.port, outputs={"B": "A", "S": "B"}), profile)


def sets(keyword: str, value: str, answer: str | None = None) -> Script:
    return [(f"{keyword} {value}", "ok"), (f"{keyword}?", value if answer is None else answer)]


def switched(number: int, *, on: bool) -> Script:
    return sets(f":PULSE{number}:STATE", "ON" if on else "OFF", str(int(on)))


WHO: Script = [(ECHO, "ok"), ("*IDN?", "QC,9522,02311,1.2.2-1.2.0"), (":INST:CAT?", "T0, CHA, CHB")]
SAFE: Script = [*switched(0, on=False), *switched(1, on=False), *switched(2, on=False)]
FOUND: Script = [
    *[(":PULSE0:STATE?", "0"), (":PULSE0:MODE?", "NORM"), (":PULSE0:TRIG:MODE?", "DIS")],
    *[(":PULSE0:BCO?", "10"), (":PULSE0:PER?", "0.001000000")],
    *[(":PULSE1:STATE?", "0"), (":PULSE1:DEL?", "0.000000000"), (":PULSE1:WIDT?", "0.000010000")],
    *[(":PULSE2:STATE?", "0"), (":PULSE2:DEL?", "0.000000000"), (":PULSE2:WIDT?", "0.000010000")],
]
HELLO: Script = [*WHO, *FOUND, *SAFE]
SYSTEM: Script = [
    *sets(":PULSE0:TRIG:MODE", "DIS"),
    *sets(":PULSE0:MODE", "BURS"),
    *sets(":PULSE0:BCO", "3"),
    *sets(":PULSE0:PER", "0.020000000"),
]


def channel(number: int, delay: str, width: str) -> Script:
    keyword = f":PULSE{number}"
    return [
        *sets(f"{keyword}:CMODE", "NORM"),
        *sets(f"{keyword}:SYNC", "T0"),
        *sets(f"{keyword}:POL", "NORM"),
        *sets(f"{keyword}:OUTP:MODE", "TTL"),
        *sets(f"{keyword}:DEL", delay),
        *sets(f"{keyword}:WIDT", width),
    ]


CHANNELS: Script = [*channel(1, "0.000000000", "0.010000000"), *channel(2, "0.000500000", "0.001250000")]
CONFIGURE: Script = [*SAFE, *SYSTEM, *CHANNELS]
ARM: Script = [*switched(0, on=False), *switched(1, on=True), *switched(2, on=True)]
FIRE: Script = [(":PULSE0:STATE ON", "ok")]
PLAN = PulsePlan(3, 0.02, {"A": Pulse(0.0, 0.01), "B": Pulse(0.0005, 0.00125)})
SLOW_PLAN = PulsePlan(3, 100.0, PLAN.outputs)
SLOW: Script = [*SAFE, *SYSTEM[:-2], *sets(":PULSE0:PER", "100.000000000"), *CHANNELS]
