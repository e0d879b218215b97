"""The open orders of a virtual rig: they count pulses and frames, and say when something is to go wrong."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Literal

from rig.virtual.faults import FaultError, Order, make_order


class FaultBook:
    """All orders since the world began. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[Order] = []
        self._numbers = 0

    def add(self, name: str, options: Mapping[str, Any]) -> Order:
        """Take an order; raises `FaultError` when there is no such fault."""
        with self._lock:
            order = make_order(self._numbers + 1, name, options)
            self._numbers += 1
            if order.first is None and order.kind.counts:
                order.hits = 1  # at once
            self._orders.append(order)
            return order

    def strike(self, counts: Literal["pulse", "frame"], camera: str) -> list[Order]:
        """Count one pulse or frame of ``camera`` and return the orders that it is to go wrong by."""
        with self._lock:
            return [one for one in self._orders if one.kind.counts == counts and one.strikes(camera)]

    def lasting(self, name: str, camera: str) -> float:
        """Return the sum of what the orders ``name`` that hold until cleared say for ``camera``."""
        with self._lock:
            values = [
                one.value(f"{name}_us")
                for one in self._orders
                if one.kind.name == name and camera in one.cameras
            ]
        return sum(values)

    def awaits(self, name: str, camera: str) -> bool:
        """Return whether an order ``name`` for ``camera`` is open."""
        with self._lock:
            return any(one.kind.name == name and camera in one.cameras and one.open for one in self._orders)

    def listing(self) -> list[dict[str, Any]]:
        """Return all orders, done ones too, as plain data."""
        with self._lock:
            return [order.to_dict() for order in self._orders]

    def clear(self, number: int | None = None) -> list[Order]:
        """Forget one order or all of them, and return them.

        Raises:
            FaultError: There is none of that number.
        """
        with self._lock:
            gone = [order for order in self._orders if number in (None, order.number)]
            if number is not None and not gone:
                raise FaultError(f"there is no fault number {number}")
            self._orders = [order for order in self._orders if order not in gone]
            return gone
