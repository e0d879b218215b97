"""The property browser, through the camera's process and on a node map of thousands of features."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from genicam import genapi

from rig.camera.browse import PAGE, NodeBrowser
from rig.camera.browser import Category, FeatureBrowser, FeatureNode, FeatureState
from rig.camera.process import CameraProcess
from rig.errors import FeatureMissing, FeatureRejected


@pytest.fixture(scope="module")
def camera(virtual_cti: Path) -> Iterator[CameraProcess]:
    with CameraProcess.bare(virtual_cti, "VR-B-0001") as opened:
        yield opened


@pytest.fixture
def browser(camera: CameraProcess) -> FeatureBrowser:
    return FeatureBrowser(camera)


def state(browser: FeatureBrowser, name: str) -> FeatureState:
    return browser.states([name])[name]


def names(category: Category) -> list[str]:
    return [one.name for one in category.features]


def test_the_tree_has_the_categories_of_the_camera_in_its_order(browser: FeatureBrowser) -> None:
    tree = {one.node.name: one for one in browser.tree()}
    assert list(tree)[:3] == ["DeviceControl", "ImageFormatControl", "AcquisitionControl"]
    assert names(tree["AnalogControl"]) == ["Gain", "GainAuto", "BlackLevel"]
    assert all(node.category == "AnalogControl" for node in tree["AnalogControl"].features)


def test_a_beginner_does_not_see_what_is_meant_for_a_guru(browser: FeatureBrowser) -> None:
    assert browser.node("TLParamsLocked").visibility == "guru"
    everything = {one.name for one in browser.features()}
    assert everything - {one.name for one in browser.features("expert")} == {
        "SensorReadoutMode",
        "TLParamsLocked",
    }
    assert "TransportLayerControl" not in [one.node.name for one in browser.tree("beginner")]


def test_search_puts_names_before_texts_and_wants_every_word(browser: FeatureBrowser) -> None:
    assert browser.search("gain")[0].name == "Gain"
    assert browser.search("trigger mode")[0].name == "TriggerMode"
    by_word = [one.name for one in browser.search("exposure")]
    assert by_word.index("ExposureTime") < by_word.index("ChunkExposureTime") < by_word.index("TriggerDelay")
    assert browser.search("gain nonsense") == []
    assert len(browser.search("")) == len(browser.features())


def test_a_feature_tells_its_selectors_and_what_it_selects(browser: FeatureBrowser) -> None:
    assert browser.node("TriggerMode").selectors == ("TriggerSelector",)
    assert "TriggerSource" in browser.node("TriggerSelector").selects
    assert browser.node("Gain").selectors == browser.node("Gain").selects == ()


def test_a_state_has_value_unit_limits_and_the_entries_of_now(browser: FeatureBrowser) -> None:
    width, exposure = state(browser, "Width"), state(browser, "ExposureTime")
    assert (width.value, width.minimum, width.maximum, width.increment) == (2448, 64, 2448, 8)
    assert (exposure.unit, exposure.writable, exposure.why) == ("us", True, "")
    assert state(browser, "TriggerSource").entries == ("Software", "Line0")


def test_what_cannot_be_written_says_why(browser: FeatureBrowser, camera: CameraProcess) -> None:
    assert state(browser, "SensorWidth").why == "the camera only tells it"
    assert state(browser, "UserSetSave").why == "not available while UserSetSelector is Default"
    camera.write("ExposureAuto", "Continuous")
    locked = state(browser, "ExposureTime")
    assert (locked.locked, locked.why) == (True, "locked while ExposureAuto is Continuous")
    camera.write("ExposureAuto", "Off")
    assert state(browser, "ExposureTime").writable
    camera.start("live")
    assert state(browser, "PixelFormat").why == "locked while the camera acquires"
    assert state(browser, "Gain").writable
    camera.stop()
    assert state(browser, "PixelFormat").writable


def test_setting_reads_back_and_tells_what_else_it_changed(browser: FeatureBrowser) -> None:
    applied, states = browser.write("TriggerSelector", "AcquisitionStart")
    assert applied.applied == "AcquisitionStart"
    assert set(states) == {"TriggerSelector", *browser.node("TriggerSelector").selects}
    browser.write("TriggerSelector", "FrameStart")
    applied, states = browser.write("ExposureTime", 1234.4, rel_tol=0.01)
    assert (applied.applied, states["ExposureTime"].value) == (1234.0, 1234.0)
    with pytest.raises(FeatureRejected):
        browser.write("Gain", 99)


def test_an_unknown_feature_is_one_clear_error(browser: FeatureBrowser) -> None:
    for ask in (lambda: browser.states(["Nobody"]), lambda: browser.node("Nobody")):
        with pytest.raises(FeatureMissing, match="Nobody"):
            ask()


def test_somebody_elses_camera_is_browsed_as_well(viky: Path) -> None:
    with CameraProcess.bare(viky, "0") as camera:
        browser = FeatureBrowser(camera)
        states = browser.states(one.name for one in browser.features())
        assert states["Width"].value == 400
        assert {"Width", "Height"} <= {one.name for one in browser.search("size")} | set(states)
        assert browser.tree()


# ---- thousands of features, on genicam's own node map without a camera behind it

FEATURES = 3000


@pytest.fixture(scope="module")
def large() -> genapi.NodeMap:
    head = (
        '<?xml version="1.0"?><RegisterDescription ModelName="M" VendorName="V" StandardNameSpace="None" '
        'SchemaMajorVersion="1" SchemaMinorVersion="1" SchemaSubMinorVersion="0" MajorVersion="1" '
        'MinorVersion="0" SubMinorVersion="0" ProductGuid="1" VersionGuid="2" '
        'xmlns="http://www.genicam.org/GenApi/Version_1_1">'
    )
    outer = "".join(f"<pFeature>C{i}</pFeature>" for i in range(3))
    inner = "".join(f"<pFeature>F{i}</pFeature>" for i in range(FEATURES))
    nodes = (
        '<IntReg Name="LiveReg"><Address>0</Address><Length>4</Length><AccessMode>RO</AccessMode>'
        "<pPort>Device</pPort><PollingTime>500</PollingTime><Sign>Unsigned</Sign>"
        '<Endianess>LittleEndian</Endianess></IntReg><Port Name="Device"/>'
        '<Integer Name="Live"><pValue>LiveReg</pValue></Integer>'
        f'<Category Name="Root">{outer}</Category><Category Name="C0"><pFeature>Sub</pFeature></Category>'
        f'<Category Name="Sub">{inner}</Category>'
        '<Category Name="C1"><pFeature>F0</pFeature><pFeature>Live</pFeature></Category>'
        '<Category Name="C2"><pFeature>Hidden</pFeature></Category>'
        '<Integer Name="Hidden"><Visibility>Invisible</Visibility><Value>1</Value></Integer>'
    )
    numbers = "".join(
        f'<Integer Name="F{i}"><DisplayName>Number {i}</DisplayName><Value>{i}</Value><Min>0</Min>'
        "<Max>9999</Max></Integer>"
        for i in range(FEATURES)
    )
    node_map = genapi.NodeMap()
    node_map.load_xml_from_string(f"{head}{nodes}{numbers}</RegisterDescription>")
    return node_map


class Direct:
    """A camera without a process: counts the calls that the browser makes."""

    def __init__(self, node_map: genapi.NodeMap) -> None:
        self._browser = NodeBrowser(node_map)
        self.calls: list[int] = []

    def catalogue(self, start: int, count: int) -> tuple[int, list[FeatureNode]]:
        page = self._browser.page(start, count)
        self.calls.append(len(page["nodes"]))
        return page["total"], [FeatureNode.from_dict(one) for one in page["nodes"]]

    def feature_states(self, names: list[str]) -> list[FeatureState]:
        return [FeatureState.from_dict(one) for one in self._browser.states(names)]

    def write(self, name: str, value: object, **options: object) -> None:
        raise AssertionError("nothing is written here")


def test_thousands_of_features_come_in_pages_and_only_once(large: genapi.NodeMap) -> None:
    camera = Direct(large)
    browser = FeatureBrowser(camera)  # type: ignore[arg-type]
    assert [one.name for one in browser.features()] == [*(f"F{i}" for i in range(FEATURES)), "Live"]
    assert browser.search("number 2999")[0].name == "F2999"
    assert max(camera.calls) <= PAGE
    assert len(camera.calls) == -(-(FEATURES + 5) // PAGE)  # with the categories


def test_a_category_within_another_and_empty_ones(large: genapi.NodeMap) -> None:
    top, live = FeatureBrowser(Direct(large)).tree()  # type: ignore[arg-type]
    assert (top.node.name, top.features, len(top.categories[0].features)) == ("C0", [], FEATURES)
    assert top.categories[0].features[0].category == "C0/Sub"
    assert names(live) == ["Live"]  # F0 is there already


def test_the_hint_how_often_to_read_again_comes_from_the_register_behind(large: genapi.NodeMap) -> None:
    browser = FeatureBrowser(Direct(large))  # type: ignore[arg-type]
    assert (browser.node("Live").polling_ms, browser.node("F0").polling_ms) == (500, None)


def test_a_call_for_states_ends_in_time_and_the_rest_is_asked_again(
    large: genapi.NodeMap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rig.camera.browse.STATES_S", 0.0)
    camera = Direct(large)
    assert [one.name for one in camera.feature_states(["F5", "F6", "F7"])] == ["F5"]
    states = FeatureBrowser(camera).states(["F5", "F6", "F7", "F5"])  # type: ignore[arg-type]
    assert {name: one.value for name, one in states.items()} == {"F5": 5, "F6": 6, "F7": 7}
