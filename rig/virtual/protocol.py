"""Wire protocol between the virtual cameras and the world: mirror of ``protocol.h``, which tells the rules.

Every message is one packet of an ``AF_UNIX`` ``SOCK_SEQPACKET`` connection, little endian.
"""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass
from enum import IntEnum
from typing import ClassVar, Final, Self

from rig.errors import BeamrigError

MAGIC = 0x31575242
"""The first four bytes of every message read as ``BRW1``."""

MAX_MESSAGE_BYTES = 256
"""No message is longer; a receive buffer of this size is enough."""

STATUS_OK = 0
STATUS_IN_USE = 1
STATUS_UNKNOWN_SERIAL = 2
STATUS_BAD_PROTOCOL = 3
STATUS_UNPLUGGED = 4

AT_ONCE: Final = 2**64 - 1
"""Instead of a frame id in `Fault`."""


class FaultCode(IntEnum):
    """What goes wrong in a camera; ``protocol.h`` says what each one means."""

    LOSE = 1
    LATE = 2
    REPEAT = 3
    SWAP = 4
    HANG_EVENT = 5
    HANG_PORT = 6
    HANG_STREAM = 7
    CRASH = 8
    UNPLUG = 9
    IGNORE = 10


_HEADER = struct.Struct("<II")


class WireError(BeamrigError):
    """A packet is not a message of this protocol."""


@dataclass(frozen=True)
class Message:
    """Base of all messages: fields in the order of the wire."""

    TYPE: ClassVar[int]
    LAYOUT: ClassVar[struct.Struct]

    def pack(self) -> bytes:
        """Return the message as the bytes of one packet, header included."""
        return _HEADER.pack(MAGIC, self.TYPE) + self.LAYOUT.pack(*self._to_wire())

    def _to_wire(self) -> tuple[object, ...]:
        return astuple(self)

    @classmethod
    def _from_wire(cls, values: tuple[object, ...]) -> Self:
        return cls(*values)


@dataclass(frozen=True)
class Hello(Message):
    """Producer to world, with the memfd of the staging frames: ``slots`` frames of ``slot_bytes`` each."""

    serial: str
    pid: int
    slots: int
    slot_bytes: int

    TYPE: ClassVar[int] = 1
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<32sIIQ")

    def _to_wire(self) -> tuple[object, ...]:
        return (self.serial.encode("ascii"), self.pid, self.slots, self.slot_bytes)

    @classmethod
    def _from_wire(cls, values: tuple[object, ...]) -> Self:
        raw, *rest = values
        if not isinstance(raw, bytes):
            raise WireError("a serial number must be bytes")
        try:
            serial = raw.split(b"\0", 1)[0].decode("ascii")
        except UnicodeDecodeError as error:
            raise WireError("a serial number must be ASCII") from error
        return cls(serial, *rest)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Welcome(Message):
    """World to producer: the answer to Hello: a ``STATUS_`` value, the sensor's temperature, its clock.

    ``pattern`` is 1 when the producer shall make the pictures itself.
    """

    status: int
    temperature_c: float = 38.0
    clock_zero_ns: int = 0
    clock_offset_ns: int = 0
    clock_drift_ppm: float = 0.0
    pattern: int = 0

    TYPE: ClassVar[int] = 2
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<IIdqqdQ")

    def _to_wire(self) -> tuple[object, ...]:
        status, *rest, pattern = astuple(self)
        return (status, pattern, *rest, 0)

    @classmethod
    def _from_wire(cls, values: tuple[object, ...]) -> Self:
        status, pattern, celsius, zero, offset, drift, _ = values
        return cls(status, celsius, zero, offset, drift, pattern)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Edge(Message):
    """World to producer: a line has changed to ``level`` at ``t_ns`` (CLOCK_MONOTONIC)."""

    line: int
    level: int
    t_ns: int

    TYPE: ClassVar[int] = 3
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<IIq")


@dataclass(frozen=True)
class Render(Message):
    """Producer to world: render this exposure into ``slot``, row by row, the region of interest only.

    Pixels are uint16 codes 0..4095 in the low ``bits`` bits. ``black_level_dn`` is in DN at 12 bit.
    ``timestamp_ns`` is the start on the camera's own clock.
    """

    frame_id: int
    slot: int
    bits: int
    t_start_ns: int
    exposure_ns: int
    gain_db: float
    black_level_dn: float
    width: int
    height: int
    offset_x: int
    offset_y: int
    triggered: int
    timestamp_ns: int

    TYPE: ClassVar[int] = 4
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<QIIqqdd6Iq")

    def _to_wire(self) -> tuple[object, ...]:
        *fields, timestamp_ns = astuple(self)
        return (*fields, 0, timestamp_ns)

    @classmethod
    def _from_wire(cls, values: tuple[object, ...]) -> Self:
        *fields, _, timestamp_ns = values
        return cls(*fields, timestamp_ns)  # type: ignore[arg-type, call-arg]


@dataclass(frozen=True)
class Rendered(Message):
    """World to producer: the slot is filled (``status`` 0) or could not be (anything else)."""

    frame_id: int
    slot: int
    status: int = 0

    TYPE: ClassVar[int] = 5
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<QII")


@dataclass(frozen=True)
class Temperature(Message):
    """World to producer: the sensor's temperature in degrees Celsius."""

    celsius: float

    TYPE: ClassVar[int] = 6
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<d")


@dataclass(frozen=True)
class Clock(Message):
    """World to producer: the camera's own clock from now on, against CLOCK_MONOTONIC."""

    zero_ns: int
    offset_ns: int
    drift_ppm: float

    TYPE: ClassVar[int] = 7
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<qqd")


@dataclass(frozen=True)
class Fault(Message):
    """World to producer: something goes wrong, with one frame or at once; ``seconds`` < 0 is for ever."""

    fault: int
    frame_id: int = AT_ONCE
    seconds: float = 0.0

    TYPE: ClassVar[int] = 8
    LAYOUT: ClassVar[struct.Struct] = struct.Struct("<IIQd")

    def _to_wire(self) -> tuple[object, ...]:
        return (self.fault, 0, self.frame_id, self.seconds)

    @classmethod
    def _from_wire(cls, values: tuple[object, ...]) -> Self:
        return cls(values[0], values[2], values[3])  # type: ignore[arg-type]


MESSAGES: dict[int, type[Message]] = {
    kind.TYPE: kind for kind in (Hello, Welcome, Edge, Render, Rendered, Temperature, Clock, Fault)
}
"""Every message class by its number on the wire."""


def unpack(packet: bytes) -> Message:
    """Return the message that ``packet`` holds.

    Raises:
        WireError: Wrong magic, unknown type, or not exactly the length of that type.
    """
    if len(packet) < _HEADER.size:
        raise WireError(f"a packet of {len(packet)} bytes is too short for a message")
    magic, number = _HEADER.unpack_from(packet)
    if magic != MAGIC:
        raise WireError(f"a packet starts with 0x{magic:08x} instead of 0x{MAGIC:08x}")
    kind = MESSAGES.get(number)
    if kind is None:
        raise WireError(f"message type {number} is unknown")
    if len(packet) != _HEADER.size + kind.LAYOUT.size:
        raise WireError(
            f"a {kind.__name__} message has {_HEADER.size + kind.LAYOUT.size} bytes, not {len(packet)}"
        )
    return kind._from_wire(kind.LAYOUT.unpack_from(packet, _HEADER.size))
