"""Hardware profiles: what loads, what is refused and how it says so."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

import rig
from rig.errors import ProfileError
from rig.profile_schema import MODELS
from rig.profile_yaml import read_document
from rig.profiles import (
    CAMERAS,
    ProfileInvalid,
    dump_profile,
    expand,
    list_profiles,
    load_profile,
    load_rig,
    profile_text,
)

NAMES = [entry.name for entry in list_profiles()]


# ---------------------------------------------------------------------------------- what ships


@pytest.mark.parametrize("name", NAMES)
def test_every_profile_that_ships_loads_and_survives_being_written_down(name: str, tmp_path: Path) -> None:
    profile = load_profile(name)
    copy = tmp_path / "copy.yaml"
    copy.write_text(dump_profile(profile), encoding="utf-8")
    assert load_profile(copy) == profile


def test_the_virtual_rig_is_whole() -> None:
    virtual = load_rig("virtual")
    assert [virtual.cameras[camera].serial_number for camera in CAMERAS] == ["VR-B-0001", "VR-S-0002"]
    assert virtual.trigger_box.outputs == {"B": "AB", "S": "CD"}
    assert virtual.filter_named(virtual.filter_in_use).transmittance == 0.125  # type: ignore[union-attr]
    assert load_profile(virtual.cameras["B"].profile, "camera").pixel_format.name == "BayerRG12"
    assert load_profile(virtual.trigger_box.profile, "trigger_box").serial.rtscts


def test_off_and_on_stay_words() -> None:
    """YAML 1.1 would make booleans of them, and a camera has no entry named False."""
    steps = load_profile("virtual_camera", "camera").steps_triggered
    assert steps[0].to == "Off"
    assert next(step.to for step in steps if step.set == "TriggerMode" and not step.for_each) == "On"


def test_every_field_of_the_schema_is_described() -> None:
    bare, todo, seen = [], list(MODELS.values()), set()
    while todo:
        model = todo.pop()
        seen.add(model)
        for name, info in model.model_fields.items():
            if not info.description:
                bare.append(f"{model.__name__}.{name}")
            todo += [m for m in _models_in(info.annotation) if m not in seen]
    assert bare == []


def test_a_profile_cannot_be_changed_after_loading() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_rig("virtual").name = "other"  # type: ignore[misc]


# ------------------------------------------------------------------------------ what is refused


def test_an_output_that_the_box_does_not_have_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(profile_text("virtual").replace("{B: AB, S: CD}", "{B: AB, S: C}"))
    with pytest.raises(ProfileError, match=r"outputs\.S: .*DG645.* has no output 'C'") as error:
        load_rig(file)
    assert error.value.hint == "it has AB, CD, EF, GH"


@pytest.mark.parametrize(
    ("pattern", "replacement", "field", "said"),
    [
        ("focal_length_mm", "focal_lenth_mm", "optics.focal_lenth_mm", "did you mean focal_length_mm?"),
        ("B: AB", "B: AX", "trigger_box.outputs.B", "'AB', 'CD', 'EF', 'GH', 'A', 'B'"),
        ("S: CD", "S: AB", "trigger_box", "different outputs"),
        (", S: CD", "", "trigger_box", "an output for B and one for S"),
        ("VR-S-0002", "VR-B-0001", "", "same serial_number VR-B-0001"),
        ("transmittance: 0.25", "transmittance: 0", "filters[0].transmittance", "greater than 0"),
        ("transmittance: 0.25", "transmittance: 1.25", "filters[0].transmittance", "less than or equal to 1"),
        ("transmittance: 0.25", "transmittance: .nan", "filters[0].transmittance", "a valid number"),
        ("transmittance: 0.25", "transmittance: nan", "filters[0].transmittance", "a finite number"),
        ("focal_length_mm: 16", "focal_length_mm: sixteen", "optics.focal_length_mm", "not 'sixteen'"),
        ("filter_in_use: ND 0.9", "filter_in_use: ND 9", "", "one of the filters: ND 0.6, ND 0.9, ND 1.2"),
        ("name: ND 1.2", "name: ND 0.6", "", "different names"),
        ("object_distance_m: 5", "object_distance_m: 0.01", "optics", "greater than the focal length"),
        ("schema: 1", "schema: 7", "schema", "this program reads schema 1"),
        ("  whiteboard:", "  witeboard:", "take_hooks.witeboard", "did you mean whiteboard?"),
        ("title: Virtual", "titel: Virtual", "title", "is missing"),
        ("live_rate_hz: 10", "live_rate_hz:", "live_rate_hz", "a valid number"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_field(
    tmp_path: Path, pattern: str, replacement: str, field: str, said: str
) -> None:
    file = tmp_path / "wrong.yaml"
    text = profile_text("virtual").replace(pattern, replacement, 1)
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileInvalid) as refusal:
        load_profile(file)
    problem = next(problem for problem in refusal.value.problems if problem.field == field)
    assert said in f"{problem.message} {problem.allowed}"
    assert problem.source == str(file)
    if problem.field and problem.message != "is missing":  # what is missing has no line of its own
        assert re.split(r"[.\[]", field)[-1] in text.split("\n")[problem.line - 1]


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ("{feature: GainRaw, scael: 0.1}", "nodes.gain_db[0].scael", "did you mean scale?"),
        ("{scale: 0.1}", "nodes.gain_db[0].feature", "is missing"),
        ("{feature: GainRaw, scale: 0}", "nodes.gain_db[0].scale", "greater than 0"),
        ("{feature: GainRaw, decibels_of: 32, offset: 1}", "nodes.gain_db[0]", "exclude each other"),
        ("[GainRaw]", "nodes.gain_db[0]", "must be text"),
    ],
)
def test_a_wrong_conversion_of_units_is_one_mistake(
    tmp_path: Path, wrong: str, field: str, said: str
) -> None:
    file = tmp_path / "wrong.yaml"
    text = profile_text("basler_ace")
    right = "{feature: GainRaw, scale: 0.1}"
    assert text.count(right) == 1
    file.write_text(text.replace(right, wrong), encoding="utf-8")
    with pytest.raises(ProfileInvalid) as refusal:
        load_profile(file)
    (problem,) = refusal.value.problems
    assert problem.field == field
    assert said in f"{problem.message} {problem.allowed}"


def test_all_mistakes_are_found_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    text = profile_text("virtual").replace("focal_length_mm", "focal_lenth_mm").replace("B: AB", "B: AX")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileInvalid) as refusal:
        load_profile(file)
    lines = [problem.line for problem in refusal.value.problems]
    assert len(lines) == 3
    assert lines == sorted(lines)
    assert "and 2 more" in refusal.value.one_line()


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("{set: $exposur_us, to: 1}", "$exposur_us is no alias"),
        ("{set: ExposureTime, to: $plan.exposure_ms}", "$plan.exposure_ms is no variable"),
        ("{set: ExposureTime}", "steps_live[0].to: is missing"),
        ("{set: ExposureTime, to: 1, verify: {tol: 3}}", "allowed: abs, rel"),
    ],
)
def test_a_wrong_step_of_a_camera_is_found_before_a_camera_is_opened(
    tmp_path: Path, step: str, said: str
) -> None:
    file = tmp_path / "camera.yaml"
    text = profile_text("virtual_camera")
    file.write_text(text[: text.index("steps_live:")] + f"steps_live:\n  - {step}\n", encoding="utf-8")
    with pytest.raises(ProfileInvalid) as refusal:
        load_profile(file)
    assert said in refusal.value.one_line()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a profile is a mapping"),
        ("- 1", "a profile is a mapping"),
        ("kind: rig\n  name: x", ":2: not valid YAML"),
        ("kind: rig\nkind: rig", ":2: kind: stands twice"),
        ("kind: camra", "did you mean camera?"),
        ("name: x", "the field 'kind' is missing"),
        ("kind: [rig]", "one of rig, camera, trigger_box"),
        ("kind: !!python/object:os.system {}", "not allowed"),
        ("kind: !!int 3", "the type tag"),
        ("kind: &a rig\nname: *a", "anchors and aliases are not allowed"),
        ("kind: rig\n? [a]\n: b", "must be plain text"),
    ],
)
def test_what_is_no_profile_at_all(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "odd.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError) as refusal:
        load_profile(file)
    assert said in refusal.value.one_line()
    assert str(file) in refusal.value.one_line()


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_one_way(text: str) -> None:
    try:
        document = read_document(text, "any.yaml")
    except ProfileError:
        return
    assert all(isinstance(key, str) for key in document.data)


def test_a_file_of_another_kind_is_refused() -> None:
    with pytest.raises(ProfileError, match="is a camera profile, a rig profile is wanted"):
        load_rig("virtual_camera")


@pytest.mark.parametrize("name", ["virtul", "../virtual", "virtual.yaml", "__init__", ""])
def test_names_do_not_leave_the_folder(name: str) -> None:
    with pytest.raises(ProfileError, match="no profile"):
        load_rig(name)


def test_a_mistyped_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ProfileError) as refusal:
        load_rig("virtul")
    assert "did you mean virtual?" in refusal.value.hint


# --------------------------------------------------------------------------- a user's own files


def test_a_rig_finds_the_camera_file_beside_it_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").write_text(
        profile_text("virtual_camera").replace("buffers: 16", "buffers: 64"), encoding="utf-8"
    )
    rig_file = tmp_path / "rig.yaml"
    rig_file.write_text(
        profile_text("virtual").replace("profile: virtual_camera", "profile: mine"), encoding="utf-8"
    )
    monkeypatch.chdir("/")
    mine = load_rig(rig_file)
    assert load_profile(mine.cameras["B"].profile, "camera").buffers == 64
    assert mine.trigger_box.profile == "dg645"  # not beside it, so the one that ships


def test_two_cameras_must_deliver_the_same_kind_of_picture(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(
        profile_text("virtual_camera").replace("cfa: RGGB", "cfa: BGGR"), encoding="utf-8"
    )
    rig_file = tmp_path / "rig.yaml"
    rig_file.write_text(
        profile_text("virtual").replace("profile: virtual_camera", "profile: other", 1), encoding="utf-8"
    )
    with pytest.raises(ProfileError, match="different pixel formats"):
        load_rig(rig_file)


# ------------------------------------------------------------------------------- places filled in


def test_places_of_this_machine_are_filled_in(tmp_path: Path) -> None:
    virtual = expand(load_rig("virtual"), tmp_path)
    package = Path(next(iter(rig.__path__))).resolve().parent
    assert virtual.cameras["B"].cti == str(package / "rig/virtual/beamrig_virtual.cti")
    assert virtual.trigger_box.port == str(tmp_path / "dg645")
    assert virtual.companion is not None
    assert virtual.companion.command[0] == sys.executable
    assert virtual.companion.env["BEAMRIG_WORLD"] == str(tmp_path / "world.sock")
    assert "${" not in dump_profile(virtual)


def test_filling_in_twice_changes_nothing(tmp_path: Path) -> None:
    once = expand(load_rig("virtual"), tmp_path)
    assert expand(once, tmp_path / "elsewhere") == once


@pytest.mark.parametrize("wrong", ["${rundir}/dg645", "${run_dir/dg645", "${}"])
def test_an_unknown_place_is_an_error(wrong: str, tmp_path: Path) -> None:
    virtual = load_rig("virtual")
    box = virtual.trigger_box.model_copy(update={"port": wrong})
    with pytest.raises(ProfileError, match="unknown placeholder") as refusal:
        expand(virtual.model_copy(update={"trigger_box": box}), tmp_path)
    assert "${run_dir}" in refusal.value.hint


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models_in(part)]
