"""Opening a camera through harvesters, and the few places where its own conventions must be met."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any

from genicam import gentl
from harvesters.core import Callback, ParameterKey, ParameterSet

from rig.camera import producers
from rig.camera.errors import DeviceBusy
from rig.camera.nodes import GENICAM_ERRORS, reason_of
from rig.camera.types import CameraSpec
from rig.errors import DeviceError

_BUSY = (gentl.ResourceInUseException, gentl.AccessDeniedException)


class Count(Callback):  # type: ignore[misc]  # harvesters has no types
    """Counts the buffers that harvesters discards as incomplete."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, context: object | None = None) -> None:
        """Called by harvesters for each one."""
        self.count += 1


def create(entry: Any, spec: CameraSpec) -> Any:
    """Open a camera exclusively; give the interrupt handler back that harvesters takes on the main thread."""
    config = ParameterSet(
        {
            ParameterKey.NUM_BUFFERS_FOR_FETCH_CALL: spec.buffers,
            ParameterKey.TIMEOUT_PERIOD_ON_UPDATE_EVENT_DATA_CALL: 0,
            ParameterKey.ENABLE_AUTO_CHUNK_DATA_UPDATE: True,
        }
    )
    on_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT) if on_main else None
    try:
        return producers.open_producer(spec.cti).create(entry, config=config)
    except _BUSY as exc:
        raise DeviceBusy(
            f"camera {spec.device or 'of ' + spec.cti} is in use: {reason_of(exc)}",
            hint="close the program that uses it",
        ) from exc
    except GENICAM_ERRORS as exc:
        raise DeviceError(
            f"camera {spec.device or 'of ' + spec.cti} cannot be opened: {reason_of(exc)}",
            hint="is it connected and powered, and its companion running?",
        ) from exc
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)


def known_or(buffer: Any, name: str, fallback: Callable[[], Any]) -> Any:
    """Return what the transport knows of a buffer, else the fallback's answer."""
    try:
        return getattr(buffer, name)
    except gentl.GenericException:
        return fallback()
