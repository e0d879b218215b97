"""What the Devices page says of each device: plain words from what the rig and a search found out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gui.planning import sentence
from gui.status_view import STATE_WORDS
from rig.camera.types import CameraCounters, DeviceInfo
from rig.rig import Rig
from rig.status import CameraStatus, RigStatus
from rig.survey import CameraReport, ProducerReport, RigPart
from rig.trigger.discovery import PortReport

BOX_STATES = {
    "safe": ("ready", "ready, outputs off"),
    "configured": ("ready", "set up"),
    "armed": ("working", "armed"),
    "running": ("working", "firing"),
    "done": ("ready", "burst done"),
    "fault": ("failed", "does not obey"),
    "lost": ("failed", "lost"),
    "closed": ("off", "closed"),
}
BOX_HINTS = {
    "fault": "It does not answer or obey: its outputs may be on. Look at it, then reconnect.",
    "lost": "Its port is gone. Check cable and power, then reconnect.",
}
PORT_WORDS = {
    "box": "trigger box",
    "silent": "no answer",
    "garbled": "unreadable answer",
    "unknown": "another device",
    "unsupported": "box without a profile",
    "busy": "in use",
    "denied": "not allowed",
    "missing": "no such port",
    "failed": "cannot be opened",
}


@dataclass(frozen=True)
class DeviceFacts:
    """What is shown of one device.

    Attributes:
        name: What the operator calls it.
        state: A key of `gui.widgets.readiness.COLOURS`.
        words: The state in words.
        what: What it is: maker, model, serial number.
        problem: What is wrong with it and what to do; empty when nothing is.
        lines: More about it, a line each.
    """

    name: str
    state: str
    words: str
    what: str = ""
    problem: str = ""
    lines: tuple[str, ...] = ()


# ---- the open rig


def open_rig_facts(rig: Rig, status: RigStatus) -> dict[str, DeviceFacts]:
    """Return what there is to say of both cameras and the box of an open rig, without asking them."""
    found = {}
    for name, camera in status.cameras.items():
        slot = rig.profile.cameras["B" if name == "B" else "S"]
        found[name] = _open_camera(name, slot.profile, rig.cameras[name].info, camera)
    return {**found, "Box": _open_box(rig, status)}


def _open_camera(name: str, profile: str, info: DeviceInfo, status: CameraStatus) -> DeviceFacts:
    state, words = STATE_WORDS.get(status.state, ("off", status.state))
    numbers = [f"profile {profile}"]
    if status.exposure_us is not None:
        numbers.append(f"{status.exposure_us / 1e3:.3f} ms")
    if status.temperature_c is not None:
        numbers.append(f"{status.temperature_c:.1f} °C")
    process = f"pid {status.pid}" if status.pid is not None else "no process"
    lines = (joined(numbers), *counted(status.counters, process))
    return DeviceFacts(f"Camera {name}", state, words, titled(info), sentence(status.message), lines)


def _open_box(rig: Rig, status: RigStatus) -> DeviceFacts:
    state, words = BOX_STATES.get(status.box, ("off", status.box))
    info, slot = rig.box.info, rig.profile.trigger_box
    what = f"{info.vendor} {info.model} · {info.serial_number}"
    outputs = ", ".join(f"{camera} on {output}" for camera, output in slot.outputs.items())
    firmware = f"firmware {info.firmware}" if info.firmware else ""
    lines = (joined([f"profile {slot.profile}", firmware]), joined([outputs, short_port(slot.port)]))
    return DeviceFacts("Trigger box", state, words, what, BOX_HINTS.get(status.box, ""), lines)


def counted(counters: CameraCounters, process: str) -> tuple[str, str]:
    """Write the counters of a camera; what it does not count is left out."""
    numbers = [f"{counters.delivered} frames", f"{counters.live_dropped} not shown"]
    rest = [f"{counters.underruns} without buffer"]
    if counters.ignored_triggers is not None:
        rest.append(f"{counters.ignored_triggers} triggers ignored")
    return joined([*numbers, f"{counters.incomplete} damaged"]), joined([*rest, process])


# ---- a rig that is not open


def expected_facts(parts: Iterable[RigPart]) -> dict[str, DeviceFacts]:
    """Return what a search found of the devices that the rig expects."""
    names = {"camera B": "B", "camera S": "S", "trigger box": "Box"}
    return {
        names[part.part]: DeviceFacts(
            sentence(part.part),
            "failed" if part.problem and not part.found else "waiting" if part.problem else "ready",
            "missing" if not part.found else "found, see below" if part.problem else "found, not open",
            part.found,
            sentence(part.problem),
            (f"expected: {part.expected}",),
        )
        for part in parts
    }


# ---- what else is connected


def camera_facts(report: CameraReport) -> DeviceFacts:
    """Return what a search found of one camera."""
    info = report.info
    name = f"{info.vendor} {info.model}" + (f" '{info.user_name}'" if info.user_name else "")
    serial = info.serial_number and f"serial {info.serial_number}"
    lines = (joined([serial, info.tl_type, fits(report.profiles)]),)
    problem = sentence("; ".join(report.problems))
    return DeviceFacts(name, "waiting" if problem else "ready", "camera", info.id, problem, lines)


def producer_facts(report: ProducerReport) -> DeviceFacts | None:
    """Return what is wrong with a producer; None when it shows cameras."""
    name = report.cti.rpartition("/")[2]
    if report.error is not None:
        return DeviceFacts(name, "failed", "cannot be used", report.cti, sentence(report.error.one_line()))
    return None if report.cameras else DeviceFacts(name, "off", "shows no camera", report.cti)


def port_facts(report: PortReport) -> DeviceFacts:
    """Return what a search found at one serial port."""
    states = {"box": "ready", "silent": "off", "busy": "off"}
    box = report.box
    what = f"{box.vendor} {box.model} {box.serial_number}".strip() if box else report.adapter or report.answer
    problem = sentence(f"{report.problem}; {report.hint}" if report.hint else report.problem)
    quiet = report.state == "silent"
    lines = (fits(report.profiles),) if box else (problem,) if quiet else ()
    state, words = states.get(report.state, "waiting"), PORT_WORDS[report.state]
    return DeviceFacts(report.port, state, words, what, "" if quiet else problem, tuple(filter(None, lines)))


def titled(info: DeviceInfo) -> str:
    """Write what a camera is."""
    return joined([f"{info.vendor} {info.model}", info.serial_number or info.id, info.tl_type])


def fits(profiles: tuple[str, ...]) -> str:
    """Write which profile is for a device."""
    return f"profile {profiles[0]}" if profiles else "no profile fits"


def short_port(port: str) -> str:
    """Write a port without the folders above it, where these are long."""
    return port if len(port) < 24 else f"…/{port.rpartition('/')[2]}"


def joined(parts: Iterable[str]) -> str:
    """Put facts on one line, which breaks only between them."""
    return " · ".join(part.replace(" ", "\u00a0") for part in parts if part)
