"""What devices there are: what each camera is, which profile fits, what is wrong, and what a rig misses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rig.camera.discovery import discover
from rig.camera.types import DeviceInfo
from rig.errors import BeamrigError
from rig.profile_match import fitting_profiles, is_generic
from rig.profiles import RigProfile, load_profile
from rig.trigger.discovery import PortReport

TL_TYPES = (
    "GEV", "CL", "IIDC", "UVC", "CXP", "CLHS", "U3V", "Ethernet", "PCI", "PCIe", "Mixed", "Custom",
)  # fmt: skip
"""Transports that GenTL names, apart from makers' own words for `Custom`."""

_ACCESS_PROBLEMS = {
    "readonly": "another program controls it: it can only be read",
    "noaccess": "access denied: check its network or USB driver, and its address",
    "busy": "another program has it open",
    "open": "another program has it open",
}


@dataclass(frozen=True)
class CameraReport:
    """One camera.

    Attributes:
        info: As its producer announces it.
        profiles: Built-in profiles that fit, the best first.
        problems: What is wrong, a line each; empty where nothing is.
    """

    info: DeviceInfo
    profiles: tuple[str, ...]
    problems: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data, the fields of `info` on the same level."""
        return {**self.info.to_dict(), "profiles": list(self.profiles), "problems": list(self.problems)}


@dataclass(frozen=True)
class ProducerReport:
    """One GenTL producer.

    Attributes:
        cti: Its absolute path.
        error: Why it cannot be used; None where it can.
        cameras: What it shows.
    """

    cti: str
    error: BeamrigError | None
    cameras: tuple[CameraReport, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data; the error as the line that an operator reads."""
        return {
            "cti": self.cti,
            "error": self.error and self.error.one_line(),
            "devices": [camera.to_dict() for camera in self.cameras],
        }


@dataclass(frozen=True)
class RigPart:
    """One device that a rig expects.

    Attributes:
        part: "camera B", "camera S" or "trigger box".
        expected: What the rig's profile names.
        found: What is there instead of nothing; empty where nothing is.
        problem: Why the rig cannot use it; empty where it can.
    """

    part: str
    expected: str
    found: str
    problem: str

    def to_dict(self) -> dict[str, str]:
        """Return the fields as plain data."""
        return asdict(self)


def survey_producers(producers: Sequence[Path], env: Mapping[str, str] | None = None) -> list[ProducerReport]:
    """List the cameras of GenTL producers with what fits them and what is wrong with them.

    Args:
        producers: Paths of the .cti files.
        env: Environment for the processes that load them, over this one's own.

    Returns:
        A report for each producer, in their order; one that cannot be loaded says so in its report.
    """
    found: list[tuple[Path, list[DeviceInfo], BeamrigError | None]] = []
    for path in producers:
        try:
            found.append((path, discover(path, env), None))
        except BeamrigError as error:
            found.append((path, [], error))
    infos = [info for _, listed, _ in found for info in listed]
    return [
        ProducerReport(str(path), error, tuple(report_camera(info, infos) for info in listed))
        for path, listed, error in found
    ]


def report_camera(info: DeviceInfo, infos: Sequence[DeviceInfo]) -> CameraReport:
    """Say which profiles fit a camera and what is wrong with it, among all cameras that there are."""
    profiles = tuple(fitting_profiles(info.vendor, info.model))
    problems = [_ACCESS_PROBLEMS.get(info.access_status, ""), _profile_problem(profiles)]
    problems += [_serial_problem(info, infos), _transport_problem(info)]
    return CameraReport(info, profiles, tuple(problem for problem in problems if problem))


def _profile_problem(profiles: Sequence[str]) -> str:
    if not profiles:
        return "no built-in profile fits; one of your own is needed"
    return "only the generic profile fits; check its limits before a take" if is_generic(profiles[0]) else ""


def _serial_problem(info: DeviceInfo, infos: Sequence[DeviceInfo]) -> str:
    if not info.serial_number:
        return "it has no serial number: name it by device_id in the rig's profile"
    same = [one for one in infos if (one.vendor, one.serial_number) == (info.vendor, info.serial_number)]
    there = Counter(one.cti for one in same)
    if there[info.cti] > 1:
        return "two cameras have this serial number: name them by device_id in the rig's profile"
    if len(there) > 1:
        return "two producers show it: use one of them only"
    return ""


def _transport_problem(info: DeviceInfo) -> str:
    if not info.tl_type:
        return "its producer does not say how it is connected (tl_type)"
    return "" if info.tl_type in TL_TYPES else f"its producer names an unknown transport '{info.tl_type}'"


def compare_with_rig(
    rig: RigProfile, producers: Sequence[ProducerReport], ports: Sequence[PortReport]
) -> list[RigPart]:
    """Say of each device that a rig expects whether it is there and can be used.

    Args:
        rig: Profile with its places filled in (`rig.profiles.expand`).
        producers: Reports of the rig's producers at least.
        ports: Report of the box's port, if it was looked at; a port that the rig's companion makes cannot be.
    """
    parts = []
    for name, slot in rig.cameras.items():
        title = load_profile(slot.profile, "camera").title
        expected = f"{title}, {slot.device_id or slot.serial_number}"
        parts.append(_camera_part(f"camera {name}", expected, slot, producers))
    return [*parts, _box_part(rig, {report.port: report for report in ports})]


def _camera_part(part: str, expected: str, slot: Any, producers: Sequence[ProducerReport]) -> RigPart:
    cti = str(Path(slot.cti).expanduser().absolute())
    producer = next((one for one in producers if one.cti == cti), None)
    if producer is None or producer.error is not None:
        error = producer and producer.error
        return RigPart(part, expected, "", error.one_line() if error else f"{cti} was not looked at")
    wanted = slot.device_id or slot.serial_number
    fits = [one for one in producer.cameras if wanted in (one.info.id, one.info.serial_number)]
    if not fits:
        there = ", ".join(one.info.serial_number or one.info.id for one in producer.cameras)
        return RigPart(part, expected, "", f"missing; its producer shows {there or 'no camera'}")
    report = fits[0]
    found = f"{report.info.vendor} {report.info.model}, {report.info.serial_number}"
    if len(fits) > 1:
        return RigPart(part, expected, found, "two cameras have this serial number: name it by device_id")
    problem = _ACCESS_PROBLEMS.get(report.info.access_status, "")
    known = {entry: load_profile(entry, "camera") for entry in report.profiles}
    if not problem and known and not any(is_generic(name) for name in known):
        title = load_profile(slot.profile, "camera").title
        if title not in {profile.title for profile in known.values()}:
            problem = f"the rig uses the profile of {title}; {', '.join(known)} fits it"
    return RigPart(part, expected, found, problem)


def _box_part(rig: RigProfile, reports: Mapping[str, PortReport]) -> RigPart:
    slot = rig.trigger_box
    profile = load_profile(slot.profile, "trigger_box")
    expected = f"{profile.title} on {slot.port}"
    report = reports.get(slot.port)
    if report is None and rig.companion is not None:
        return RigPart("trigger box", expected, "", "not there yet: the rig's companion may bring it")
    if report is None:
        return RigPart("trigger box", expected, "", "its port was not looked at")
    if report.box is None:
        return RigPart("trigger box", expected, report.answer, report.problem)
    found = f"{report.box.vendor} {report.box.model} {report.box.serial_number}".strip()
    fits = slot.profile in report.profiles
    wrong = "" if fits else f"another box than the rig's; {', '.join(report.profiles)} fits it"
    return RigPart("trigger box", expected, found, wrong)
