"""GenTL producers (`.cti` files): loading them so that a bad one is an error, and listing their cameras.

harvesters only logs a producer that cannot be loaded and then shows no cameras; a second Harvester on the
same file in one process sees none either, and `Harvester.reset()` works only once. So each process opens a
producer once and keeps it until it ends; listing for anybody else happens in a child process
(`rig.camera.discovery`).
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genicam import gentl
from harvesters.core import Harvester

from rig.camera.errors import DeviceNotFound, ProducerError
from rig.camera.paths import absolute_cti, checked_path
from rig.camera.types import DeviceInfo

_ACCESS = {1: "readwrite", 2: "readonly", 3: "noaccess", 4: "busy", 5: "open", 6: "open"}
_opened: dict[Path, Harvester] = {}


def open_producer(cti: str | Path) -> Harvester:
    """Load a producer, or return the one this process has loaded already.

    Raises:
        ProducerError: no such file, no library, or it refuses to start; the message says which.
    """
    path = checked_path(cti)
    if path in _opened:
        return _opened[path]
    try:
        handle = ctypes.CDLL(str(path))
    except OSError as exc:
        raise ProducerError(
            f"{path} cannot be loaded: {exc}",
            hint="is it a GenTL producer for this machine, and all it needs installed?",
        ) from exc
    if not hasattr(handle, "GCInitLib"):
        raise ProducerError(f"{path} is a library but no GenTL producer", hint="it has no GCInitLib")
    harvester = Harvester()
    harvester.add_file(str(path))
    with _complaints() as complaints:
        harvester.update()
    # harvesters has no public word on what it opened; without a system there are no devices and no exception
    if not getattr(harvester, "_systems", None):
        said = complaints[-1] if complaints else "it gave no reason"
        raise ProducerError(f"{path} does not start: {said}", hint="is another program using it?")
    _opened[path] = harvester
    return harvester


def list_devices(cti: str | Path) -> list[DeviceInfo]:
    """List a producer's cameras inside this process, as they were when it was loaded.

    Raises:
        ProducerError: the producer cannot be loaded.
    """
    harvester = open_producer(cti)
    return [_info(absolute_cti(cti), entry) for entry in harvester.device_info_list]


def find_device(cti: str | Path, wanted: str) -> tuple[Any, DeviceInfo]:
    """Find a camera by device id, else by serial number, else by user name.

    Returns:
        harvesters' device entry to create an acquirer from, and its description.

    Raises:
        ProducerError: the producer cannot be loaded.
        DeviceNotFound: none or several fit; the hint lists what is there.
    """
    entries = open_producer(cti).device_info_list
    infos = [_info(absolute_cti(cti), entry) for entry in entries]
    fits = list(range(len(infos)))
    if wanted:
        for field in ("id", "serial_number", "user_name"):
            fits = [index for index, info in enumerate(infos) if getattr(info, field) == wanted]
            if fits:
                break
    if len(fits) == 1:
        return entries[fits[0]], infos[fits[0]]
    there = (
        ", ".join(f"{info.id} (serial {info.serial_number or '-'})" for info in infos) or "no camera at all"
    )
    name = absolute_cti(cti).name
    if infos and not wanted:
        raise DeviceNotFound(f"{name} shows {len(infos)} cameras: say which", hint=f"it shows: {there}")
    what = f"a camera {wanted}" if wanted else "a camera"
    raise DeviceNotFound(f"{name} does not show {what}", hint=f"it shows: {there}")


def _info(path: Path, entry: Any) -> DeviceInfo:
    def text(name: str) -> str:
        try:
            return str(getattr(entry.module, name))
        except gentl.GenericException:
            return ""  # the producer does not know this field, which GenTL allows

    status = text("access_status")
    return DeviceInfo(
        cti=str(path),
        id=text("id_"),
        vendor=text("vendor"),
        model=text("model"),
        serial_number=text("serial_number"),
        user_name=text("user_defined_name"),
        tl_type=text("tl_type"),
        access_status=_ACCESS.get(int(status) if status.isdigit() else 0, "unknown"),
    )


@contextlib.contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what harvesters logs as a warning, which is the only way it tells why a producer failed."""
    said: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage().split("\n")[0])

    logger = logging.getLogger("harvesters.core")
    collector, level = Collector(logging.WARNING), logger.level
    logger.addHandler(collector)
    logger.setLevel(logging.WARNING)
    try:
        yield said
    finally:
        logger.setLevel(level)
        logger.removeHandler(collector)
