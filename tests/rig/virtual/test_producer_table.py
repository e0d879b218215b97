"""The feature table and what is made from it."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from rig.virtual.producer import generate, xml
from rig.virtual.producer.features import CHUNKS, FEATURES

NAMESPACE = "{http://www.genicam.org/GenApi/Version_1_1}"


@pytest.fixture(scope="module")
def device() -> ET.Element:
    registers = generate.lay_out()
    addresses = {item.feature.name: item.address for item in registers}
    return ET.fromstring(  # noqa: S314  our own text
        xml.device_description(FEATURES, CHUNKS, addresses, generate.LENGTHS)
    )


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


def test_every_node_that_is_pointed_to_exists(device: ET.Element) -> None:
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
    assert names == ["beamrig_device.xml", "features_generated.c", "features_generated.h", "xml_generated.c"]
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)
