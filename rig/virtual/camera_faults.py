"""What an order does to a camera: to a picture, to its clock, or, by a message, to its producer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rig.virtual.faults import Order
from rig.virtual.kernel import U16
from rig.virtual.protocol import AT_ONCE, Clock, Fault, FaultCode

_CODES: Final = {
    "lose_frame": FaultCode.LOSE,
    "late_frame": FaultCode.LATE,
    "repeat_frame": FaultCode.REPEAT,
    "swap_frames": FaultCode.SWAP,
    "crash": FaultCode.CRASH,
}
_HANGS: Final = {
    "event": FaultCode.HANG_EVENT,
    "port": FaultCode.HANG_PORT,
    "stream": FaultCode.HANG_STREAM,
}


def message(order: Order, frame_id: int = AT_ONCE) -> Fault | None:
    """Return what the producer is told, or None when the order is not for it."""
    code = _HANGS[str(order.options["call"])] if order.kind.name == "hang" else _CODES.get(order.kind.name)
    return None if code is None else Fault(code, frame_id, order.value("seconds"))


def change_picture(orders: Sequence[Order], pixels: U16, before: U16 | None, black_level_dn: float) -> None:
    """Make a picture black, or the same as the one ``before``, if there is one of its size."""
    names = {order.kind.name for order in orders}
    if "black_frame" in names:
        pixels[:] = round(black_level_dn)
    if "frozen_frame" in names and before is not None and before.shape == pixels.shape:
        pixels[:] = before


def clock_after(order: Order, clock: Clock, now_ns: int) -> Clock:
    """Return the clock that an order makes of one; what it does not say goes on without a jump."""
    offset_s, drift_ppm = order.options["offset_s"], order.options["drift_ppm"]
    offset_ns = clock.offset_ns + round((now_ns - clock.zero_ns) * clock.drift_ppm * 1e-6)
    return Clock(
        now_ns,
        offset_ns if offset_s is None else round(float(offset_s) * 1e9),
        clock.drift_ppm if drift_ppm is None else float(drift_ppm),
    )
