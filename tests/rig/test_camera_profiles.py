"""Camera profiles that ship: which cameras each is for, and that none contradicts itself."""

from __future__ import annotations

import re

import pytest

from rig.camera.profile_steps import check_match
from rig.camera.types import DeviceInfo
from rig.errors import DeviceError
from rig.profiles import CameraProfile, Step, list_profiles, load_profile
from rig.virtual import personalities

CAMERAS = [entry.name for entry in list_profiles() if entry.kind == "camera"]
FOR_ANY = "generic_sfnc"

# Vendor and model as the makers' producers give them (see the sources named in the profiles).
KNOWN = [
    ("Allied Vision", "1800 U-507c", "avt_alvium"),
    ("Allied Vision", "Alvium 1800 U-240c", "avt_alvium"),
    ("Allied Vision", "Alvium G1-507c", "avt_alvium"),
    ("Allied Vision", "Alvium G5-812c", "avt_alvium"),
    ("Allied Vision Technologies", "Mako G-507C (E0022706)", "avt_mako"),
    ("Allied Vision", "Mako G-234C", "avt_mako"),
    ("IDS Imaging Development Systems GmbH", "U3-3080CP-C-HQ", "ids_peak"),
    ("IDS Imaging Development Systems GmbH", "GV-5280FA-C-HQ Rev.1.2", "ids_peak"),
    ("Hikrobot", "MV-CS050-10GC", "hikrobot_mv"),
    ("Hikvision", "MV-CA050-20UC", "hikrobot_mv"),
    ("Lucid Vision Labs", "TRI050S-C", "lucid_triton"),
    ("Lucid Vision Labs", "PHX050S-CC", "lucid_triton"),
    ("Daheng Imaging", "MER2-503-23GC-P", "daheng_mer"),
    ("Daheng Imaging", "MER-502-79U3C", "daheng_mer"),
    ("Basler", "acA2440-20gc", "basler_ace"),
    ("Basler", "a2A2448-75ucBAS", "basler_ace2"),
    ("Basler", "a2A2448-23gcPRO", "basler_ace2"),
    ("FLIR", "Blackfly S BFS-U3-51S5C", "flir_bfs_u3"),
    ("Teledyne FLIR", "Blackfly S BFS-PGE-50S5C", "flir_bfs_gige"),
    ("beamrig", "VR-5M", "virtual_camera"),
]
NOT_FOR_THE_RIG = [
    ("Allied Vision", "1800 U-507m"),
    ("Allied Vision Technologies", "Mako G-507B (E0022705)"),
    ("Allied Vision Technologies", "Manta G-507C"),
    ("IDS Imaging Development Systems GmbH", "U3-3080CP-M-GL"),
    ("Hikrobot", "MV-CS050-10GM"),
    ("Basler", "acA2440-20gm"),
    ("Basler", "acA2440-75uc"),
    ("Basler", "a2A2600-20gmBAS"),
    ("FLIR", "Blackfly S BFS-U3-51S5M"),
    ("Point Grey Research", "Grasshopper3 GS3-U3-51S5C"),
    ("Lucid Vision Labs", "TRI050S-P"),
    ("Lucid Vision Labs", "HLT003S-001"),
    ("Daheng Imaging", "MER2-503-23GM-P"),
    ("Nobody", "SF-500C"),
]
"""Without a colour filter, with a polarizing one, or of another family."""


def _fits(vendor: str, model: str) -> list[str]:
    camera = DeviceInfo("/x.cti", "1", vendor, model, "1", "", "GEV", "readwrite")
    fitting = []
    for name in CAMERAS:
        if name == FOR_ANY:
            continue
        try:
            check_match(load_profile(name, "camera"), camera)
        except DeviceError:
            continue
        fitting.append(name)
    return fitting


def _groups(profile: CameraProfile) -> dict[str, list[Step]]:
    groups = {name: getattr(profile, f"steps_{name}") for name in ("common", "triggered", "width", "live")}
    return {name: steps for name, steps in groups.items() if steps}


def _place(steps: list[Step], feature: str, to: str | None = None) -> int:
    """Place of the write of a feature outside rounds over a selector; -1 when there is none."""
    found = [
        place
        for place, step in enumerate(steps)
        if step.set == feature and not step.for_each and (to is None or step.to == to)
    ]
    return found[0] if found else -1


@pytest.mark.parametrize(("vendor", "model", "name"), KNOWN)
def test_a_camera_is_known_by_the_profile_of_its_maker_alone(vendor: str, model: str, name: str) -> None:
    assert _fits(vendor, model) == [name]


@pytest.mark.parametrize("name", [name for name in personalities.names() if name != FOR_ANY])
def test_a_camera_of_the_virtual_producer_is_known_by_its_own_profile_alone(name: str) -> None:
    played = personalities.load(name)
    assert _fits(played.vendor, played.model) == [name]


@pytest.mark.parametrize(("vendor", "model"), NOT_FOR_THE_RIG)
def test_a_camera_that_would_give_no_bayer_pictures_is_known_by_none(vendor: str, model: str) -> None:
    assert _fits(vendor, model) == []


@pytest.mark.parametrize("name", CAMERAS)
def test_the_pixel_format_of_a_profile_agrees_with_what_it_sets(name: str) -> None:
    profile = load_profile(name, "camera")
    wanted = profile.pixel_format
    steps = profile.steps_common
    written = steps[_place(steps, "PixelFormat")].to
    assert (written if isinstance(written, str) else written[0]) == wanted.name
    match = re.fullmatch(r"Bayer(RG|GR|GB|BG)(8|10|12|14|16)(p|Packed)?", wanted.name)
    assert match is not None
    first, bits, packed = match[1], int(match[2]), bool(match[3])
    assert wanted.cfa == {"RG": "RGGB", "GR": "GRBG", "GB": "GBRG", "BG": "BGGR"}[first]
    assert wanted.significant_bits == bits or (bits == 16 and wanted.significant_bits < 16 and not packed)
    assert not (wanted.msb_aligned and wanted.significant_bits == bits), "there is nothing to shift"


@pytest.mark.parametrize("name", CAMERAS)
def test_all_triggers_go_off_before_the_wanted_one_is_chosen_set_and_turned_on(name: str) -> None:
    profile = load_profile(name, "camera")
    for group, steps in _groups(profile).items():
        off = [i for i, step in enumerate(steps) if step.set == "TriggerMode" and step.to == "Off"]
        chosen, source = _place(steps, "TriggerSelector"), _place(steps, "TriggerSource")
        turned_on = _place(steps, "TriggerMode", "On")
        if group in ("triggered", "width"):
            assert steps[off[0]].for_each == "TriggerSelector"
            assert off[0] < chosen < source
            assert chosen < turned_on
            assert steps[source].to == "$slot.trigger_line"
        else:
            assert turned_on == -1


@pytest.mark.parametrize("name", CAMERAS)
def test_a_take_sets_the_exposure_by_the_plan_or_leaves_it_to_the_pulse(name: str) -> None:
    groups = _groups(load_profile(name, "camera"))
    for group in ("triggered", "live"):
        assert groups[group][_place(groups[group], "$exposure_us")].to == "$plan.exposure_us"
        assert _place(groups[group], "ExposureMode", "TriggerWidth") == -1
    if "width" in groups:
        assert _place(groups["width"], "$exposure_us") == -1
        assert _place(groups["width"], "ExposureMode", "TriggerWidth") > -1


@pytest.mark.parametrize("name", CAMERAS)
def test_automatic_functions_go_off_before_what_they_lock_is_set(name: str) -> None:
    steps = load_profile(name, "camera").steps_common
    assert -1 < _place(steps, "GainAuto", "Off") < _place(steps, "$gain_db")
    assert _place(steps, "ExposureAuto", "Off") > -1
    offset, width = _place(steps, "OffsetX"), _place(steps, "Width")
    assert -1 < offset < width, "the largest width depends on the offset"
