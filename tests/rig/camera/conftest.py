"""Producers to test against: the project's own virtual one, and viky, which somebody else wrote."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import rig
from rig.camera.process import CameraProcess
from rig.profiles import CameraProfile, CameraSlot, load_profile

PACKAGES = Path(rig.__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def viky() -> Path:
    spec = importlib.util.find_spec("genicam")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "viky.cti"


@pytest.fixture(scope="session")
def virtual_cti() -> Path:
    path = PACKAGES / "rig" / "virtual" / "beamrig_virtual.cti"
    assert path.is_file(), "the virtual producer is not built: run `make build`"
    return path


@pytest.fixture
def profile() -> CameraProfile:
    return load_profile("virtual_camera", "camera")


@pytest.fixture
def slot(virtual_cti: Path) -> CameraSlot:
    return CameraSlot(profile="virtual_camera", cti=str(virtual_cti), serial_number="VR-B-0001")


@pytest.fixture
def opened() -> Iterator[Callable[..., CameraProcess]]:
    """Opens cameras and closes every one of them after the test, whatever happened to it."""
    cameras: list[CameraProcess] = []

    def start(camera: CameraProcess) -> CameraProcess:
        cameras.append(camera)
        camera.open()
        return camera

    yield start
    for camera in cameras:
        camera.close()
