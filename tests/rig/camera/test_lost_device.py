"""A camera that goes away while its process lives: the producer says so, and so must everybody above."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.camera.errors import DeviceBusy
from rig.camera.process import CameraProcess
from rig.errors import CameraTimeout, DeviceError, DeviceLost
from rig.profiles import CameraProfile, CameraSlot
from rig.virtual import protocol


class ShortWorld:
    """Welcomes every camera and renders nothing; hangs up when told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.status = protocol.STATUS_OK
        self.refused = 0
        self._patience = -1
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._server.bind(str(path))
        self._server.listen()
        self._peers: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._server.accept()
            except OSError:
                return
            _, fds, _, _ = socket.recv_fds(peer, protocol.MAX_MESSAGE_BYTES, 1)
            for fd in fds:
                os.close(fd)
            if self._patience == self.refused:
                self.status = protocol.STATUS_OK
            self.refused += self.status != protocol.STATUS_OK
            peer.send(protocol.Welcome(self.status, 30.0).pack())
            self._peers.append(peer)

    def free_after(self, refusals: int) -> None:
        self._patience = self.refused + refusals

    def hang_up(self) -> None:
        for peer in self._peers:
            peer.close()
        self._peers.clear()

    def close(self) -> None:
        self.hang_up()
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(5)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ShortWorld]:
    made = ShortWorld(tmp_path / "world.sock")
    yield made
    made.close()


@pytest.fixture
def camera(world: ShortWorld, slot: CameraSlot, profile: CameraProfile) -> Iterator[CameraProcess]:
    with CameraProcess(slot, profile, {"BEAMRIG_WORLD": str(world.path)}) as made:
        yield made


def wait_until_lost(camera: CameraProcess) -> None:
    give_up = time.monotonic() + 15
    while camera.state != "lost":
        assert time.monotonic() < give_up, "the loss was never noticed"
        time.sleep(0.01)


@pytest.mark.parametrize("mode", ["science", "live"])
def test_a_camera_that_is_unplugged_while_it_runs_is_lost_with_a_reason(
    camera: CameraProcess, world: ShortWorld, mode: str
) -> None:
    camera.start("science" if mode == "science" else "live")
    world.hang_up()
    if mode == "science":
        with pytest.raises(DeviceLost, match="VR-B-0001"):
            camera.next_record(15)
    wait_until_lost(camera)
    assert isinstance(camera.error, DeviceLost)
    assert "VR-B-0001" in camera.error.message
    assert "cable" in camera.error.hint


def test_a_camera_that_is_unplugged_while_it_idles_is_noticed_as_well(
    camera: CameraProcess, world: ShortWorld
) -> None:
    world.hang_up()
    wait_until_lost(camera)
    with pytest.raises(DeviceLost):
        camera.start("live")


def test_it_comes_back_when_it_is_plugged_in_again(camera: CameraProcess, world: ShortWorld) -> None:
    camera.start("live")
    world.hang_up()
    wait_until_lost(camera)
    camera.restart()
    assert camera.state == "live"


def test_a_restart_that_fails_leaves_it_lost_and_may_be_tried_again(
    camera: CameraProcess, world: ShortWorld
) -> None:
    camera.start("live")
    world.status = protocol.STATUS_UNKNOWN_SERIAL
    world.hang_up()
    wait_until_lost(camera)
    with pytest.raises(DeviceError, match="cannot be opened"):
        camera.restart()
    assert camera.state == "lost"
    world.status = protocol.STATUS_OK
    camera.restart()
    assert camera.state == "live"


def test_a_restart_waits_until_the_camera_is_free_of_its_dead_process(
    camera: CameraProcess, world: ShortWorld
) -> None:
    camera.start("live")
    world.status = protocol.STATUS_IN_USE
    camera.kill()
    wait_until_lost(camera)
    world.free_after(refusals=2)
    camera.restart()
    assert camera.state == "live"
    assert world.refused == 2


def test_a_camera_in_use_elsewhere_is_said_to_be(
    camera: CameraProcess, world: ShortWorld, slot: CameraSlot, profile: CameraProfile
) -> None:
    world.status = protocol.STATUS_IN_USE
    with pytest.raises(DeviceBusy, match="VR-B-0001 is in use"):
        CameraProcess(slot, profile, {"BEAMRIG_WORLD": str(world.path)}).open()


def test_a_camera_that_is_triggered_but_silent_is_a_timeout_and_not_a_loss(camera: CameraProcess) -> None:
    camera.start("science")
    with pytest.raises(CameraTimeout, match="VR-B-0001"):
        camera.next_record(0.5)
    assert camera.state == "science"


def test_starting_a_lost_camera_leaves_it_lost(camera: CameraProcess) -> None:
    camera.kill()
    wait_until_lost(camera)
    with pytest.raises(DeviceLost, match="ended by SIGKILL"):
        camera.start("science")
    assert camera.state == "lost"
    with pytest.raises(DeviceLost):
        camera.next_record(5)
