"""Which cameras a producer shows, found out in a process of its own.

Listing again inside a process would close every camera that is open in it, and a producer may crash while it
is loaded; so nobody but a host process ever does it in its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rig.camera.link import HostLink
from rig.camera.paths import checked_path
from rig.camera.types import DeviceInfo
from rig.errors import DeviceLost

_SILENCE_S = 10.0


def discover(
    cti: str | Path, env: Mapping[str, str] | None = None, *, deadline_s: float = 30.0
) -> list[DeviceInfo]:
    """List the cameras of a GenTL producer.

    Args:
        cti: Path of the producer.
        env: Environment variables for the process that loads it, over the parent's own.
        deadline_s: Longest time the producer may take.

    Raises:
        ProducerError: no such file, no library, no producer, or it refuses to start.
        DeviceLost: it crashed or hung.
    """
    path = checked_path(cti)
    link = HostLink(path.name, env or {}, _Nobody(), _SILENCE_S)
    try:
        return [DeviceInfo(**one) for one in link.call("list", deadline_s, cti=str(path))]
    finally:
        link.close()


class _Nobody:
    """Listens to a link whose calls tell all there is to know."""

    def on_message(self, link: HostLink, message: dict[str, Any]) -> None:
        """Heartbeats need no ear."""

    def on_ring(self, link: HostLink, fd: int) -> None:
        """A listing has no frames."""

    def on_lost(self, link: HostLink, error: DeviceLost) -> None:
        """The call that is under way raises it."""
