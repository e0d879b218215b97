"""Profiles edited to nonsense: whatever stands in them, the answer is a profile or one line, no crash."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rig.errors import BeamrigError, ProfileError
from rig.exposure import plan_exposure
from rig.profile_check import ProfileInvalid
from rig.profile_schema import RigProfile
from rig.profiles import expand, load_profile, load_rig, profile_text

NAMES = ("virtual", "virtual_camera", "dg645", "qc9520", "basler_ace")
TEXTS = {name: profile_text(name) for name in NAMES}
DATA = {name: yaml.load(text, Loader=yaml.BaseLoader) for name, text in TEXTS.items()}  # noqa: S506
Path_ = tuple[str | int, ...]

NUMBERS = st.one_of(
    st.integers(), st.floats(), st.sampled_from([0, -1, 10**400, 2**63, 1e308, 5e-324, -0.0, 1e-300])
).map(str)
WORDS = st.sampled_from(
    [
        "",
        " ",
        "~",
        "null",
        "On",
        "nan",
        ".inf",
        "1e999",
        "0x1F",
        "${nowhere}",
        "\x00",
        "\ud800",
        "~nobody/x",
        "x" * 300,
        "/" * 300 + "x" * 300,
    ]
)
SCALARS = st.one_of(NUMBERS, WORDS, st.text(max_size=30))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def many(examples: int) -> settings:
    """So many examples; a long run multiplies them."""
    times = int(os.environ.get("BEAMRIG_LONG", "1"))
    return settings(
        max_examples=examples * times, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )


def places(data: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Yield the path of everything in a document."""
    yield path
    children = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


@st.composite
def edited(draw: st.DrawFn, names: tuple[str, ...] = NAMES, *, numbers: bool = False) -> tuple[str, Any]:
    """Return the name of a profile, and its data with one to three things removed, replaced or added."""
    name = draw(st.sampled_from(names))
    data: Any = copy.deepcopy(DATA[name])
    for _ in range(draw(st.integers(1, 3))):
        *where, last = draw(st.sampled_from(list(places(data))[1:]))
        parent = data
        for key in where:
            parent = parent[key]
        deed = "replace" if numbers else draw(st.sampled_from(["replace", "remove", "add", "rename"]))
        if deed == "replace":
            parent[last] = draw(NUMBERS if numbers else VALUES)
        elif deed == "remove":
            del parent[last]
        elif isinstance(parent, dict):
            key = draw(st.text(max_size=10))
            parent[key] = parent.pop(last) if deed == "rename" else draw(VALUES)
        else:
            parent.insert(0, draw(VALUES))
        if not data or (not numbers and not list(places(data))[1:]):
            break
    return name, data


def read(path: Path) -> BeamrigError | None:
    """Load what may be a profile as a program does, and return its refusal; anything else it raises fails."""
    try:
        profile = load_profile(path)
        if isinstance(profile, RigProfile):
            expand(load_rig(path), Path("/nowhere"))
    except ProfileError as error:
        return error
    return None


def is_one_line(error: BeamrigError | None) -> bool:
    """Whether there is no refusal, or one that an operator can read in a terminal."""
    return error is None or (error.message != "" and error.one_line().isprintable())


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nonsense") / "edited.yaml"


@many(300)
@given(edited())
def test_a_profile_with_edits_that_make_no_sense_is_read_or_refused_in_one_line(
    file: Path, edit: tuple[str, Any]
) -> None:
    file.write_text(json.dumps(edit[1], indent=1), encoding="utf-8")  # which is YAML, too, and quicker
    assert is_one_line(read(file))


@many(150)
@given(
    st.sampled_from(NAMES),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), st.text(max_size=6)), min_size=1, max_size=4),
)
def test_a_profile_with_any_letters_changed_is_read_or_refused_in_one_line(
    file: Path, name: str, slips: list[tuple[float, int, str]]
) -> None:
    text = TEXTS[name]
    for where, length, instead in slips:
        at = int(where * len(text))
        text = text[:at] + instead + text[at + length :]
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert is_one_line(read(file))


BOMB = "kind: rig\na: &a [x, x]\n" + "".join(
    f"b{n}: &b{n} [*{'a' if n == 0 else f'b{n - 1}'}]\n" for n in range(60)
)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (BOMB.encode(), "anchors and aliases are not allowed"),
        (b"kind: rig\ncameras: " + b"[" * 5000, "not valid YAML"),
        (b"kind: rig\nx: " + b"{a: " * 900 + b"1" + b"}" * 900, ""),
        (b"kind: rig\n" + b"#" * 2_000_000, "larger than"),
        (b"kind: rig\nname: \xff\xfe", "not UTF-8"),
        (b"kind: rig\nname: a\x00b", "not valid YAML"),
        (b"\xff\xfek\x00i\x00n\x00d\x00", "not UTF-8"),
        (b"kind: rig\nperiod_s: " + b"9" * 6000, "period_s"),
        (b"kind: camera\nbuffers: " + b"9" * 6000, "buffers"),
        (b"kind: rig\n<<: {name: x}\n", "no such field"),
        (b"%YAML 9.9\n---\nkind: rig\n", "not valid YAML"),
        (b"kind: rig\n---\nkind: rig\n", "not valid YAML"),
    ],
)
def test_files_that_are_bombs_or_no_text_are_refused_in_one_line(
    file: Path, content: bytes, said: str
) -> None:
    file.write_bytes(content)
    error = read(file)
    assert isinstance(error, ProfileError)
    found = error.problems if isinstance(error, ProfileInvalid) else [error.one_line()]
    assert said in " ".join(map(str, found))
    assert is_one_line(error)


@many(300)
@given(edited(names=("virtual",), numbers=True))
def test_a_valid_profile_with_insane_numbers_makes_a_plan_or_is_refused_in_one_line(
    file: Path, edit: tuple[str, Any]
) -> None:
    data = edit[1]
    file.write_text(json.dumps(data, indent=1), encoding="utf-8")
    if read(file) is not None:
        return
    try:
        plan = plan_exposure(load_rig(file), speed_mps=1.4, distance_m=5.0, blur_s_px=4.0)
    except BeamrigError as refusal:
        error = refusal
    else:
        error = None
        assert all(0 < value < float("inf") for value in plan.applied_us.values())
    assert is_one_line(error)
