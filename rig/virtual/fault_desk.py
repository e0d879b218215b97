"""Takes the operator's orders of what is to go wrong, and does at once what is not to wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from rig.virtual import camera_faults, protocol
from rig.virtual.fault_book import FaultBook
from rig.virtual.faults import KINDS, FaultError, Order, read_text
from rig.virtual.links import CameraLinks

BOX = "box"
BoxFault = Callable[..., object]
"""Name of a fault of the trigger box, and its options."""


class FaultDesk:
    """The hand that breaks things.

    Args:
        book: Keeps the orders that count.
        links: The cameras.
        box: Breaks the trigger box; None where it cannot be broken.
    """

    def __init__(self, book: FaultBook, links: CameraLinks, box: BoxFault | None = None) -> None:
        self._book = book
        self._links = links
        self._box = box

    def order_text(self, text: str) -> dict[str, Any]:
        """Take an order as it is typed: ``lose_frame camera=S at=3``."""
        name, options = read_text(text)
        return self.order(name, options)

    def order(self, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """Take an order and return it as plain data.

        Raises:
            FaultError: There is no such fault, or not with these options.
        """
        word, _, rest = name.partition(" ")
        if word == BOX:
            if self._box is None:
                raise FaultError("this trigger box cannot be broken")
            self._box(rest, **options)
            return {"fault": name, "options": dict(options)}
        order = self._book.add(name, options)
        if order.first is None and order.kind.counts:
            self._do_now(order)
        return order.to_dict()

    def listing(self) -> dict[str, Any]:
        """Return all orders, what can be ordered, and which cameras are unplugged."""
        kinds = {kind.name: {"means": kind.means, "options": dict(kind.options)} for kind in KINDS.values()}
        return {"orders": self._book.listing(), "unplugged": self._links.unplugged(), "kinds": kinds}

    def clear(self, number: int | None = None) -> dict[str, Any]:
        """Forget orders; what is unplugged or has another clock by them is put right.

        Raises:
            FaultError: There is none of that number.
        """
        gone = self._book.clear(number)
        for order in gone:
            if order.kind.name == "unplug":
                self._links.replug(order.cameras)
            if order.kind.name == "clock":
                for camera in order.cameras:
                    self._links.set_clock(camera, protocol.Clock(0, 0, 0.0))
        if number is None and self._box is not None:
            self._box("clear")
        return {"cleared": len(gone)}

    def _do_now(self, order: Order) -> None:
        for camera in order.cameras:
            if order.kind.name == "clock":
                clock = camera_faults.clock_after(order, self._links.clock(camera), time.monotonic_ns())
                self._links.set_clock(camera, clock)
            elif (fault := camera_faults.message(order)) is not None:
                self._links.send(camera, fault)
        if order.kind.name == "unplug":
            self._links.unplug(order.cameras)
        elif order.kind.name == "replug":
            self._links.replug(order.cameras)
