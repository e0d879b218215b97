"""What driver and DG645 say to each other, as the tests expect it."""

from __future__ import annotations

from rig.profiles import TriggerBoxProfile, TriggerSlot, load_profile
from rig.trigger import Pulse, PulsePlan, TriggerBox, open_box
from tests.rig.scripted_box import Script, ScriptedBox

PROFILE = load_profile("dg645", "trigger_box")
IMPATIENT = PROFILE.model_copy(update={"serial": PROFILE.serial.model_copy(update={"timeout_s": 0.2})})

IDN = "Stanford Research Systems,DG645,s/n001234,ver1.16.116"


def sets(command: str, question: str, answer: str, error: str = "0") -> Script:
    """A set command has no answer: the driver asks for errors, then reads the value back."""
    return [(command, None), ("LERR?", error), *([(question, answer)] if error == "0" else [])]


RESET: Script = [("*RST", None), ("*CLS", None), ("LERR?", "0")]
SAFE: Script = [*sets("TSRC 5", "TSRC?", "5"), *sets("INHB 1", "INHB?", "1"), *sets("BURM 0", "BURM?", "0")]
FOUND: Script = [
    *[("TSRC?", "5"), ("INHB?", "0"), ("BURM?", "0"), ("BURC?", "5"), ("BURP?", "+0.000100000000")],
    *[("BURD?", "+0.000000000000"), ("HOLD?", "+0.000000000000")],
    *[(f"DLAY?{channel}", "0,+0.000000000000") for channel in range(2, 10)],
]
HELLO: Script = [("*IDN?", IDN), *FOUND, *RESET, *SAFE]
AB: Script = [
    *sets("LAMP 1,5", "LAMP?1", "+5.00"),
    *sets("LOFF 1,0", "LOFF?1", "+0.00"),
    *sets("LPOL 1,1", "LPOL?1", "1"),
    *sets("DLAY 2,0,0", "DLAY?2", "0,+0.000000000000"),
    *sets("DLAY 3,2,0.024564", "DLAY?3", "2,+0.024564000000"),
]
CD: Script = [
    *sets("LAMP 2,5", "LAMP?2", "+5.00"),
    *sets("LOFF 2,0", "LOFF?2", "+0.00"),
    *sets("LPOL 2,1", "LPOL?2", "1"),
    *sets("DLAY 4,0,0.001", "DLAY?4", "0,+0.001000000000"),
    *sets("DLAY 5,4,0.00307", "DLAY?5", "4,+0.003070000000"),
]
BURST: Script = [
    *sets("BURD 0", "BURD?", "+0.000000000000"),
    *sets("BURC 8", "BURC?", "8"),
    *sets("BURP 0.2", "BURP?", "+0.200000000000"),
]
CONFIGURE: Script = [*SAFE, *AB, *CD, *BURST]
ARM: Script = [*sets("BURM 1", "BURM?", "1"), *sets("INHB 0", "INHB?", "0"), ("INSR?", "0")]
FIRE: Script = [("*TRG", None), ("LERR?", "0")]

PLAN = PulsePlan(8, 0.2, {"AB": Pulse(0.0, 0.024564), "CD": Pulse(0.001, 0.00307)})


def open_on(box: ScriptedBox, profile: TriggerBoxProfile = PROFILE) -> TriggerBox:
    slot = TriggerSlot(profile="dg645", port=box.port, outputs={"B": "AB", "S": "CD"})
    return open_box(slot, profile)
