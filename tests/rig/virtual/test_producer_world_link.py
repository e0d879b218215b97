"""Producer and world speak one protocol: the C header against its Python mirror, both on a real socket."""

from __future__ import annotations

import json
import mmap
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rig.virtual
from rig.virtual import protocol

VIRTUAL = Path(rig.virtual.__file__).parent
PROBE = Path(__file__).with_name("producer_probe.py")

u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**64 - 1)
i64 = st.integers(-(2**63), 2**63 - 1)
real = st.floats(allow_nan=False)
messages = st.one_of(
    st.builds(protocol.Hello, st.from_regex(r"[ -~]{0,31}", fullmatch=True), u32, u32, u64),
    st.builds(protocol.Welcome, u32, real, i64, i64, real, u32),
    st.builds(protocol.Edge, u32, u32, i64),
    st.builds(protocol.Render, u64, u32, u32, i64, i64, real, real, u32, u32, u32, u32, u32, i64),
    st.builds(protocol.Rendered, u64, u32, u32),
    st.builds(protocol.Temperature, real),
    st.builds(protocol.Clock, i64, i64, real),
    st.builds(protocol.Fault, u32, u64, real),
)


@given(messages)
def test_every_message_comes_back_as_it_was(message: protocol.Message) -> None:
    assert protocol.unpack(message.pack()) == message


@given(st.binary(max_size=100))
def test_garbage_is_refused_and_never_crashes(packet: bytes) -> None:
    with pytest.raises(protocol.WireError):
        protocol.unpack(packet)


def test_a_message_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(protocol.WireError, match="Edge message has 24 bytes, not 25"):
        protocol.unpack(protocol.Edge(0, 1, 2).pack() + b"\0")


def test_messages_written_by_c_read_the_same_in_python(tmp_path: Path) -> None:
    """Every field of the header gets a number of its own, and comes out under the mirror's name for it."""
    source = tmp_path / "messages.c"
    source.write_text(
        """
        #include <stdio.h>
        #include "protocol.h"
        #define HEAD(kind) .header = {BRW_MAGIC, BRW_##kind}
        #define SEND(...) do { __VA_ARGS__; printf("\\n"); } while (0)
        #define DUMP(x) for (unsigned i = 0; i < sizeof x; i++) printf("%02x", ((unsigned char *)&x)[i])
        int main(void) {
            SEND(BrwHello m = {HEAD(HELLO), .serial = "VR-B-0001", .pid = 1, .slots = 2,
                               .slot_bytes = 3}; DUMP(m));
            SEND(BrwWelcome m = {HEAD(WELCOME), .status = 1, .temperature_c = 2.5, .clock_zero_ns = 3,
                                 .clock_offset_ns = -4, .clock_drift_ppm = 5.5, .pattern = 6}; DUMP(m));
            SEND(BrwEdge m = {HEAD(EDGE), .line = 1, .level = 2, .t_ns = -3}; DUMP(m));
            SEND(BrwRender m = {HEAD(RENDER), .frame_id = 1, .slot = 2, .bits = 3, .t_start_ns = 4,
                                .exposure_ns = 5, .gain_db = 6.5, .black_level_dn = 7.5, .width = 8,
                                .height = 9, .offset_x = 10, .offset_y = 11, .triggered = 12,
                                .timestamp_ns = 13}; DUMP(m));
            SEND(BrwRendered m = {HEAD(RENDERED), .frame_id = 1, .slot = 2, .status = 3}; DUMP(m));
            SEND(BrwTemperature m = {HEAD(TEMPERATURE), .celsius = 1.5}; DUMP(m));
            SEND(BrwClock m = {HEAD(CLOCK), .zero_ns = 1, .offset_ns = -2, .drift_ppm = 3.5}; DUMP(m));
            SEND(BrwFault m = {HEAD(FAULT), .fault = BRW_IGNORE, .frame_id = BRW_AT_ONCE, .seconds = 2.5};
                 DUMP(m));
        }
        """
    )
    program = tmp_path / "messages"
    subprocess.run([os.environ.get("CC", "gcc"), f"-I{VIRTUAL}", str(source), "-o", str(program)], check=True)
    output = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout
    assert [protocol.unpack(bytes.fromhex(line)) for line in output.splitlines()] == [
        protocol.Hello("VR-B-0001", pid=1, slots=2, slot_bytes=3),
        protocol.Welcome(1, 2.5, clock_zero_ns=3, clock_offset_ns=-4, clock_drift_ppm=5.5, pattern=6),
        protocol.Edge(line=1, level=2, t_ns=-3),
        protocol.Render(
            frame_id=1,
            slot=2,
            bits=3,
            t_start_ns=4,
            exposure_ns=5,
            gain_db=6.5,
            black_level_dn=7.5,
            width=8,
            height=9,
            offset_x=10,
            offset_y=11,
            triggered=12,
            timestamp_ns=13,
        ),
        protocol.Rendered(frame_id=1, slot=2, status=3),
        protocol.Temperature(celsius=1.5),
        protocol.Clock(zero_ns=1, offset_ns=-2, drift_ppm=3.5),
        protocol.Fault(protocol.FaultCode.IGNORE, protocol.AT_ONCE, 2.5),
    ]


class FakeWorld:
    """The world's side of one camera: says hello, sees what is asked."""

    def __init__(self, listener: socket.socket, status: int) -> None:
        slots = 0
        while not slots:  # before it opens a camera, a host asks which are there
            self.socket, _ = listener.accept()
            packet, descriptors, _, _ = socket.recv_fds(self.socket, protocol.MAX_MESSAGE_BYTES, 1)
            hello = protocol.unpack(packet)
            assert isinstance(hello, protocol.Hello)
            slots = hello.slots
            if not slots:
                self.socket.send(protocol.Welcome(protocol.STATUS_OK).pack())
                self.socket.close()
        self.hello = hello
        self.memory = mmap.mmap(descriptors[0], hello.slots * hello.slot_bytes)
        os.close(descriptors[0])
        self.socket.send(protocol.Welcome(status, 33.25).pack())

    def hear(self) -> protocol.Render:
        message = protocol.unpack(self.socket.recv(protocol.MAX_MESSAGE_BYTES))
        assert isinstance(message, protocol.Render)
        return message

    def close(self) -> None:
        self.socket.close()
        self.memory.close()


@contextmanager
def probe_beside_a_world(name: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], socket.socket]]:
    path = folder / "world.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(20)
        environment = os.environ | {"PYTHONPATH": str(VIRTUAL.parents[1]), "BEAMRIG_WORLD": str(path)}
        with subprocess.Popen(
            [sys.executable, str(PROBE), name, str(folder)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            yield child, listener


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} did not come"
        time.sleep(0.005)


def test_a_frame_of_the_world_arrives_bit_by_bit_and_its_end_is_the_cameras_loss(tmp_path: Path) -> None:
    with probe_beside_a_world("world_frames", tmp_path) as (child, listener):
        world = FakeWorld(listener, protocol.STATUS_OK)
        wait_for(tmp_path / "started")
        t_ns = time.monotonic_ns()
        world.socket.send(protocol.Edge(0, 1, t_ns).pack())
        render = world.hear()
        codes = np.random.default_rng(1).integers(0, 4096, (64, 64), dtype=np.uint16)
        start = render.slot * world.hello.slot_bytes
        world.memory[start : start + codes.nbytes] = codes.tobytes()
        world.socket.send(protocol.Rendered(render.frame_id, render.slot).pack())
        wait_for(tmp_path / "fetched")
        world.close()
        output, _ = child.communicate(timeout=20)
    result = json.loads(output)
    assert (world.hello.serial, world.hello.pid) == ("VR-B-0001", child.pid)
    assert world.hello.slot_bytes >= 2448 * 2048 * 2
    assert render == protocol.Render(0, render.slot, 12, t_ns, 250_000, 1.5, 64.0, 64, 64, 12, 0, 1, t_ns)
    assert result["temperature_c"] == 33.25
    assert result["frame"]["timestamp_ns"] == t_ns
    np.testing.assert_array_equal(np.load(tmp_path / "frame.npy"), codes)
    assert result["after_the_end"] == "IoException"
    assert result["stop"] == "IoException"


def test_a_camera_that_another_process_has_opened_is_busy(tmp_path: Path) -> None:
    with probe_beside_a_world("opening", tmp_path) as (child, listener):
        FakeWorld(listener, protocol.STATUS_IN_USE).close()
        output, _ = child.communicate(timeout=20)
    result = json.loads(output)  # genicam drops the producer's text for this error
    assert (result["refused"], result["status"]) == ("ResourceInUseException", 4)
