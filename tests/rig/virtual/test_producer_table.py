"""The feature table and what is made from it."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from rig.virtual import personalities
from rig.virtual.producer import generate
from rig.virtual.producer.features import CHUNKS, FEATURES
from rig.virtual.producer.personality import VIRTUAL, Personality, resolve

NAMESPACE = "{http://www.genicam.org/GenApi/Version_1_1}"


EVERYONE = {"virtual": VIRTUAL} | {name: personalities.load(name) for name in personalities.names()}


def description(personality: Personality) -> ET.Element:
    return ET.fromstring(generate.describe(resolve(personality), personality))  # noqa: S314  our own text


@pytest.fixture(scope="module")
def device() -> ET.Element:
    return description(VIRTUAL)


def test_registers_do_not_overlap_and_are_aligned() -> None:
    end = generate.FIRST_ADDRESS
    for item in generate.lay_out():
        assert item.address >= end
        assert item.address % 8 == 0
        end = item.address + item.length * item.count
    assert end < generate.XML_ADDRESS


def test_every_feature_has_one_name_and_a_tip() -> None:
    names = [feature.name for feature in FEATURES]
    assert len(set(names)) == len(names)
    assert all(feature.tip.endswith(".") for feature in FEATURES)


def test_selectors_count_from_zero() -> None:
    by_name = {feature.name: feature for feature in FEATURES}
    selectors = [by_name[feature.selector] for feature in FEATURES if feature.selector]
    assert selectors
    for selector in selectors:
        assert sorted(selector.entries.values()) == list(range(len(selector.entries)))


def test_defaults_lie_within_their_limits() -> None:
    for feature in FEATURES:
        if feature.kind == "enumeration":
            assert feature.default in feature.entries
        for limit, sign in ((feature.minimum, 1), (feature.maximum, -1)):
            if isinstance(limit, int | float):
                assert sign * float(feature.default) >= sign * limit, feature.name


@pytest.mark.parametrize("name", EVERYONE)
def test_every_node_that_is_pointed_to_exists(name: str) -> None:
    device = description(EVERYONE[name])
    names = [node.get("Name") for node in device]
    assert len(set(names)) == len(names)
    pointers = {
        (element.text or "")
        for element in device.iter()
        if re.fullmatch(r"p[A-Z]\w*", element.tag.removeprefix(NAMESPACE))
    }
    assert pointers - set(names) == set()


def test_every_feature_of_the_table_is_in_a_category(device: ET.Element) -> None:
    shown = {
        element.text
        for category in device.iter(f"{NAMESPACE}Category")
        for element in category.iter(f"{NAMESPACE}pFeature")
    }
    assert {feature.name for feature in FEATURES} | {chunk.name for chunk in CHUNKS} <= shown


def test_the_build_writes_the_same_sources_each_time(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        generate.main(folder)
    names = sorted(path.name for path in first.iterdir())
    assert names == sorted(
        ["features_generated.h", "personalities_generated.c", "xml_generated.c"]
        + [f"personality_{name}.c" for name in EVERYONE]
    )
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)


def test_a_source_of_an_older_table_does_not_stay(tmp_path: Path) -> None:
    generate.main(tmp_path)
    stale = (tmp_path / "xml_generated.c").rename(tmp_path / "personality_gone.c")
    own = tmp_path / "own.c"
    own.write_text("int own;")
    generate.main(tmp_path)
    assert own.exists()
    assert not stale.exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Personality("V", "M", "GEV", change={"Exposure": {}}), "Exposure is not known"),
        (Personality("V", "M", "GEV", drop=("Exposure",)), "Exposure is not known"),
        (Personality("V", "M", "GEV", quirks=("dreams",)), "dreams is not known"),
        (Personality("V", "M", "GEV", chunks={"ChunkMood": None}), "ChunkMood is not known"),
        (
            Personality("V", "M", "GEV", change={"TriggerSource": {"entries": {"Line1": "Line9"}}}),
            "Line1 means Line9",
        ),
        (Personality("V", "M", "GEV", change={"Gain": {"name": "Width"}}), "same name: Width"),
    ],
)
def test_a_personality_that_contradicts_the_table_is_refused(wrong: Personality, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        resolve(wrong)
