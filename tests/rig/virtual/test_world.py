"""The world as a process: two producers, a serial port, an operator, over the real sockets."""

from __future__ import annotations

import contextlib
import fcntl
import json
import mmap
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import serial
from numpy.typing import NDArray

from rig.virtual import protocol
from rig.virtual.client import WorldClient, WorldUnreachable

ROOT = Path(__file__).parents[3]
SLOT_BYTES = (2448 * 2048 * 2 + 4095) // 4096 * 4096


class FakeProducer:
    """What the .cti does on its side door, in a few lines of Python."""

    def __init__(self, run_dir: Path, number: str, *, slots: int = 2, sealed: bool = True) -> None:
        handle = os.memfd_create("frames", os.MFD_ALLOW_SEALING)
        os.ftruncate(handle, SLOT_BYTES * slots)
        if sealed:
            fcntl.fcntl(handle, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        self.memory = mmap.mmap(handle, SLOT_BYTES * slots)
        self.channel = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel.settimeout(10)
        self.channel.connect(str(run_dir / "world.sock"))
        hello = protocol.Hello(number, os.getpid(), slots, SLOT_BYTES)
        socket.send_fds(self.channel, [hello.pack()], [handle])
        os.close(handle)
        welcome = protocol.unpack(self.channel.recv(256))
        assert isinstance(welcome, protocol.Welcome)
        self.status = welcome.status
        self.temperatures_c = [welcome.temperature_c]
        self.edges: list[protocol.Edge] = []

    def __enter__(self) -> FakeProducer:
        return self

    def __exit__(self, *_: object) -> None:
        self.channel.close()

    def receive(self) -> protocol.Message:
        while isinstance(message := protocol.unpack(self.channel.recv(256)), protocol.Temperature):
            self.temperatures_c.append(message.celsius)
        return message

    def next_temperature(self) -> float:
        message = protocol.unpack(self.channel.recv(256))
        assert isinstance(message, protocol.Temperature)
        return message.celsius

    def ask(self, exposure_us: int, t_start_ns: int, slot: int = 0, **changes: int) -> int:
        fields: dict[str, int] = {"width": 2448, "height": 2048, "offset_x": 0, "offset_y": 0, "bits": 12}
        fields.update(changes)
        request = protocol.Render(
            frame_id=5,
            slot=slot,
            t_start_ns=t_start_ns,
            exposure_ns=exposure_us * 1000,
            gain_db=0.0,
            black_level_dn=64.0,
            triggered=1,
            timestamp_ns=t_start_ns,
            **fields,
        )
        self.channel.send(request.pack())
        while not isinstance(answer := self.receive(), protocol.Rendered):
            assert isinstance(answer, protocol.Edge)
            self.edges.append(answer)
        assert (answer.frame_id, answer.slot) == (5, slot)
        return answer.status

    def pixels(self, slot: int = 0) -> NDArray[np.uint16]:
        return (
            np.frombuffer(self.memory, np.uint16, 2448 * 2048, slot * SLOT_BYTES).reshape(2048, 2448).copy()
        )

    def next_edges(self, count: int) -> list[protocol.Edge]:
        while len(self.edges) < count:
            message = self.receive()
            assert isinstance(message, protocol.Edge)
            self.edges.append(message)
        return self.edges[:count]


@contextlib.contextmanager
def world(run_dir: Path, *extra: str) -> Iterator[subprocess.Popen[str]]:
    command = [
        sys.executable,
        "-m",
        "rig.virtual.world",
        "--run-dir",
        str(run_dir),
        "--rig",
        "virtual",
        *extra,
    ]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            ready = json.loads(process.stdout.readline())
            assert ready["ready"] is True
            yield process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("world")
    folder.chmod(0o700)
    with world(folder):
        yield folder


@pytest.fixture
def client(run_dir: Path) -> Iterator[WorldClient]:
    client = WorldClient(run_dir)
    yield client
    client.stage("action")
    client.set(illumination=1, speed_mps=1.4, distance_m=5, path_angle_deg=0)


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def test_both_cameras_see_one_world(run_dir: Path, client: WorldClient) -> None:
    with FakeProducer(run_dir, "VR-B-0001") as b, FakeProducer(run_dir, "VR-S-0002") as s:
        assert (b.status, s.status) == (0, 0)
        start = time.monotonic_ns()
        assert b.ask(24_560, start) == 0
        assert s.ask(3_070, start, slot=1) == 0
        blurred, sharp = b.pixels().astype(float), s.pixels(1).astype(float)
    green_b, green_s = (f[0::2, 1::2] - 64 for f in (blurred, sharp))
    assert np.corrcoef(green_b.ravel(), green_s.ravel())[0, 1] > 0.94  # misregistered by up to 3.3 px
    assert green_b.mean() / green_s.mean() == pytest.approx(1, abs=0.08)
    truth = client.truth()
    frames = {frame.camera: frame for frame in client.frames()[-2:]}
    assert frames["B"] == client.find_frame("B", start)
    if len(frames["B"].objects[0].pieces) == 1:  # it did not turn round just now
        assert truth.blur_of(frames["B"]) == pytest.approx(truth.blur_px("B", 24_560))
        assert truth.blur_of(frames["S"]) == pytest.approx(truth.blur_px("S", 3_070))
    assert truth.blur_px("S", 3_070) == pytest.approx(4, abs=0.01)
    footprint = truth.footprint(frames["B"], frames["S"])
    assert footprint.shape == (2048, 2448)
    size = 0.5 * 0.35 * truth.pixels_per_metre**2
    assert 0.95 * size < footprint.sum() < 1.4 * size


def test_the_sensor_warms_up_towards_its_own_temperature(run_dir: Path, client: WorldClient) -> None:
    final_c = client.truth().camera("B").temperature_c
    with FakeProducer(run_dir, "VR-B-0001") as camera:
        told = [*camera.temperatures_c, camera.next_temperature(), camera.next_temperature()]
    assert told == sorted(told)
    assert told[0] < told[-1] < final_c
    assert told[0] > final_c - 15


def test_a_camera_has_one_owner_and_is_free_again_when_that_dies(run_dir: Path, client: WorldClient) -> None:
    with FakeProducer(run_dir, "VR-B-0001") as first:
        assert first.status == protocol.STATUS_OK
        assert client.state()["cameras"] == {"B": os.getpid(), "S": None}
        with FakeProducer(run_dir, "VR-B-0001") as second:
            assert second.status == protocol.STATUS_IN_USE
        assert first.ask(1000, time.monotonic_ns()) == 0
    assert eventually(lambda: client.state()["cameras"]["B"] is None)
    with FakeProducer(run_dir, "VR-B-0001") as third:
        assert third.status == protocol.STATUS_OK


def test_strangers_and_loose_memory_are_turned_away(run_dir: Path) -> None:
    with FakeProducer(run_dir, "VR-X-0009") as unknown:
        assert unknown.status == protocol.STATUS_UNKNOWN_SERIAL
    with FakeProducer(run_dir, "VR-S-0002", sealed=False) as loose:
        assert loose.status == protocol.STATUS_BAD_PROTOCOL


@pytest.mark.parametrize(
    "wrong", [{"slot": 7}, {"offset_x": 100}, {"bits": 16}, {"width": 0}, {"exposure_us": 0}]
)
def test_an_impossible_request_is_answered_and_the_next_one_works(
    run_dir: Path, wrong: dict[str, int]
) -> None:
    with FakeProducer(run_dir, "VR-S-0002") as s:
        assert s.ask(**{"exposure_us": 1000, "t_start_ns": time.monotonic_ns(), **wrong}) != 0
        assert s.ask(1000, time.monotonic_ns()) == 0


def test_the_boxs_outputs_are_wired_to_the_cameras_lines(run_dir: Path, client: WorldClient) -> None:
    with (
        FakeProducer(run_dir, "VR-B-0001") as b,
        FakeProducer(run_dir, "VR-S-0002") as s,
        serial.Serial(str(run_dir / "dg645"), 9600, rtscts=True, timeout=2) as box,
    ):
        setup = "*RST;*CLS;TSRC 5;LAMP 1,5;LAMP 2,5;DLAY 3,2,0.002;DLAY 4,0,0.001;DLAY 5,4,0.003"
        setup += ";BURM 1;BURC 4;BURP 0.05"
        box.write(setup.encode() + b"\nLERR?\n")
        assert box.readline() == b"0\r\n"
        box.write(b"*TRG\n")
        on_b, on_s = b.next_edges(8), s.next_edges(8)
        heard = time.monotonic_ns()
        assert [(e.line, e.level) for e in on_b] == [(0, 1), (0, 0)] * 4
        zero = on_b[0].t_ns
        assert [e.t_ns - zero for e in on_b[0::2]] == [0, 50_000_000, 100_000_000, 150_000_000]
        assert [e.t_ns - zero for e in on_s[0:2]] == [1_000_000, 4_000_000]
        assert heard >= on_s[-1].t_ns - 1_000_000
        assert eventually(lambda: client.state()["box_busy"] is False)
    pulses = [p for p in client.pulses() if p["rise_ns"] >= zero]
    assert sorted({(p["output"], p["index"] - pulses[0]["index"]) for p in pulses}) == [
        (output, index) for output in ("AB", "CD") for index in range(4)
    ]


def test_the_operator_gets_a_reason_for_nonsense(client: WorldClient) -> None:
    for line in (b"hello\n", b"[1]\n", b'{"cmd": "explode"}\n', b'{"cmd": "set", "speed_mps": "x"}\n'):
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(5)
            channel.connect(str(client.run_dir / "control.sock"))
            channel.sendall(line)
            answer = json.loads(channel.makefile().readline())
        assert answer["ok"] is False
        assert answer["error"]
    with pytest.raises(WorldUnreachable, match="unknown stage"):
        client.stage("moon")


def test_a_new_distance_and_speed_change_the_blur_as_equation_2_says(client: WorldClient) -> None:
    near = client.truth().blur_px("B", 10_000)
    client.set(distance_m=10, speed_mps=2.8)
    far = client.truth().blur_px("B", 10_000)
    image = {d: 1 / (1 / 0.016 - 1 / d) for d in (5, 10)}
    assert far / near == pytest.approx(2 * (image[10] / 10) / (image[5] / 5))


def test_sockets_and_run_directory_are_private(run_dir: Path) -> None:
    for name in ("world.sock", "control.sock"):
        assert stat.S_IMODE((run_dir / name).stat().st_mode) == 0o600


def test_a_run_directory_open_to_others_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    command = [sys.executable, "-m", "rig.virtual.world", "--run-dir", str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2
    assert "other users have rights" in done.stderr
    assert list(tmp_path.iterdir()) == []


def end_by_stdin(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.close()


def end_by_signal(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("end", [end_by_stdin, end_by_signal])
def test_the_world_ends_with_its_parent_and_leaves_nothing(
    tmp_path: Path, end: Callable[[subprocess.Popen[str]], None]
) -> None:
    run_dir = tmp_path / "run"
    with world(run_dir, "--seed", "4", "--objects", "2") as process:
        assert stat.S_IMODE(run_dir.stat().st_mode) == 0o700
        with FakeProducer(run_dir, "VR-B-0001") as b:
            assert WorldClient(run_dir).state()["seed"] == 4
            assert len(WorldClient(run_dir).truth().state["objects"]) == 2
            end(process)
            assert process.wait(timeout=10) == 0
            assert b.channel.recv(256) == b""  # the camera sees that its world is gone
        assert list(run_dir.iterdir()) == []
        assert process.stderr
        assert process.stderr.read() == ""
