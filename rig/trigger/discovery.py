"""Finding trigger boxes on the serial ports: what is there, which profile fits, and what is wrong with it.

Nobody knows what else is connected, so a stranger must not be made to act. A port that another program has
open is left alone, and taken exclusively otherwise. Only questions are sent: first `*IDN?`, which by IEEE
488.2 asks any instrument for its name and nothing else, at the speeds of all boxes that know it; then the
two short words that the remaining boxes know, `ID` and `version`, which set nothing in any of them. No line
end alone is sent to clear a half command (some consoles repeat their last command for it); each question is
asked twice instead. No echo is switched off. The search ends with the first answer that is a box's.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from errno import EACCES, ENOENT, EPERM
from typing import Any, Literal

import serial
from serial.tools import list_ports

from rig.profiles import TriggerBoxProfile, list_profiles, load_profile
from rig.trigger.base import BoxInfo
from rig.trigger.boxes import DRIVERS
from rig.trigger.driver import BoxDriver
from rig.trigger.link import why_not_opened
from rig.trigger.port_line import PortLine, PortTaken

PATIENCE_S = 0.4
_MOST_PORTS_AT_ONCE = 16

PortState = Literal[
    "box", "silent", "garbled", "unknown", "unsupported", "busy", "denied", "missing", "failed"
]


@dataclass(frozen=True)
class PortReport:
    """What was found at one serial port.

    Attributes:
        port: As named, or as the system calls it.
        adapter: What the system says of the hardware behind it; may be empty.
        state: What it comes to. `box`: a supported box. `silent`: no answer at all. `garbled`: answers, but
            no text at any speed. `unknown`: another device. `unsupported`: a maker that is known, a model
            that is not. `busy`: open in another program. `denied`: this user may not open it. `missing`: no
            such port. `failed`: any other reason.
        answer: What the device said of itself.
        box: Who it is; None where it is no supported box.
        profiles: Profiles that fit, by name or path.
        problem: What is wrong; empty where nothing is.
        hint: What to do about it.
    """

    port: str
    adapter: str
    state: PortState
    answer: str = ""
    box: BoxInfo | None = None
    profiles: tuple[str, ...] = ()
    problem: str = ""
    hint: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class _Way:
    """A question as the boxes of some profiles understand it."""

    question: str
    baudrate: int
    rtscts: bool
    ends: tuple[bytes, bytes]


_Candidates = dict[_Way, list[tuple[str, TriggerBoxProfile, type[BoxDriver]]]]


def find_boxes(
    ports: Sequence[str] = (),
    *,
    search: bool = True,
    more: Sequence[tuple[str, TriggerBoxProfile]] = (),
    leave: Sequence[str] = (),
    patience_s: float = PATIENCE_S,
) -> list[PortReport]:
    """Look at serial ports, all at the same time.

    Args:
        ports: Ports to look at whatever the system lists, such as pseudo-terminals.
        search: Look at all ports that the system lists, too; those without hardware are left out.
        more: Name and profile of boxes to look for besides the built-in ones.
        leave: Ports not to touch, by any of their names: those that this program has open itself.
        patience_s: Wait for each answer, in s. A silent port takes about ten times as long.

    Returns:
        A report for each port: those named first, in their order, then those found.
    """
    named = dict.fromkeys(ports)
    listed = {found.device: _adapter(found) for found in list_ports.comports()} if search else {}
    ours = {os.path.realpath(port) for port in leave}
    together = {**dict.fromkeys(named, ""), **listed}
    adapters = {port: said for port, said in together.items() if os.path.realpath(port) not in ours}
    if not adapters:
        return []
    ways = _ways(more)

    def look(port: str) -> PortReport:
        return _look(port, adapters[port], ways, patience_s)

    with ThreadPoolExecutor(min(len(adapters), _MOST_PORTS_AT_ONCE), "ports") as pool:
        reports = list(pool.map(look, adapters))
    return [
        report for report in reports if report.port in named or report.state != "failed" or report.adapter
    ]


def _adapter(found: Any) -> str:
    said = "" if found.description in (None, "n/a") else str(found.description)
    return f"{said} ({found.vid:04x}:{found.pid:04x})" if found.vid is not None else said


def _ways(more: Sequence[tuple[str, TriggerBoxProfile]]) -> _Candidates:
    known = [entry.name for entry in list_profiles() if entry.kind == "trigger_box"]
    profiles = [*more, *((name, load_profile(name, "trigger_box")) for name in known)]
    ways: _Candidates = {}
    for name, profile in profiles:
        terminators, driver = DRIVERS[profile.driver]
        way = _Way(driver.QUESTION, profile.serial.baudrate, profile.serial.rtscts, terminators)
        ways.setdefault(way, []).append((name, profile, driver))
    return dict(sorted(ways.items(), key=_order))


def _order(item: tuple[_Way, list[tuple[str, TriggerBoxProfile, type[BoxDriver]]]]) -> tuple[bool, bool, int]:
    """Sort `*IDN?` first, and boxes that keep errors before others: a question at a wrong speed is one."""
    way, candidates = item
    return not way.question.startswith("*"), not candidates[0][2].ERROR_QUESTION, way.baudrate


def _look(port: str, adapter: str, ways: _Candidates, patience_s: float) -> PortReport:
    try:
        with PortLine(port, patience_s) as line:
            line.rest()
            return _interview(port, adapter, line, ways)
    except PortTaken as error:
        return PortReport(
            port, adapter, "busy", problem=f"it is open in {error}", hint="close it there, then look again"
        )
    except (serial.SerialException, OSError) as error:
        reason, hint = why_not_opened(error)
        states: dict[int | None, PortState] = {ENOENT: "missing", EACCES: "denied", EPERM: "denied"}
        state = states.get(error.errno, "failed")
        return PortReport(port, adapter, state, problem=f"it cannot be opened: {reason}", hint=hint)


def _interview(port: str, adapter: str, line: PortLine, ways: _Candidates) -> PortReport:
    said, garbled = set[str](), False
    for way, candidates in ways.items():
        for _ in range(2):  # the first may have met half a command of an earlier program, or of a wrong speed
            heard = line.ask(way.question, way.baudrate, way.rtscts, way.ends)
            text = _text(heard, way.ends[1])
            fits = [
                (name, driver, info)
                for name, profile, driver in candidates
                if (info := driver.recognise(text, profile)) is not None
            ]
            if fits:
                return _box(port, adapter, line, way, text, fits)
            garbled = garbled or bool(heard and not text)
            said |= {text} - {""}
    return _no_box(port, adapter, said, [way.baudrate for way in ways] if garbled else [])


def _no_box(port: str, adapter: str, said: set[str], garbled_at: list[int]) -> PortReport:
    known = [text for text in said if any(driver.made(text) for _, driver in DRIVERS.values())]
    if known:
        return PortReport(
            port,
            adapter,
            "unsupported",
            known[0],
            problem=f"it is '{known[0]}': the maker is known, the model is not",
            hint="no profile fits; one of your own may name its model if it speaks as its sisters do",
        )
    if said:
        name = max(said, key=len)  # complaints about our questions are short
        return PortReport(
            port,
            adapter,
            "unknown",
            name,
            problem=f"another device: it said '{name}'",
            hint="no trigger box that is supported",
        )
    if garbled_at:
        return PortReport(
            port,
            adapter,
            "garbled",
            problem=f"it answers, but no text at {', '.join(map(str, sorted(set(garbled_at))))} baud",
            hint="is it set to another baud rate? look into its menu; then check the cable",
        )
    return PortReport(
        port,
        adapter,
        "silent",
        problem="no answer",
        hint="nothing is connected, or it is off, or set to another baud rate",
    )


def _box(
    port: str,
    adapter: str,
    line: PortLine,
    way: _Way,
    answer: str,
    fits: list[tuple[str, type[BoxDriver], BoxInfo]],
) -> PortReport:
    _, driver, info = fits[0]
    problem = ""
    if driver.ERROR_QUESTION:
        heard = line.ask(driver.ERROR_QUESTION, way.baudrate, way.rtscts, way.ends)
        problem = driver.complaint(_text(heard, way.ends[1]))
    return PortReport(
        port,
        adapter,
        "box",
        answer,
        info,
        tuple(name for name, _, _ in fits),
        problem and f"its error queue holds: {problem}",
        problem and "left by an earlier program; it is forgotten when the box is opened",
    )


def _text(heard: bytes, end: bytes) -> str:
    if not heard.endswith(end) or not heard.isascii():
        return ""
    text = heard.decode("ascii").strip()
    return text if text.isprintable() else ""
