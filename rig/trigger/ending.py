"""Boxes that are still open when the program ends, by an error or forgotten: they are made safe."""

from __future__ import annotations

import atexit
import logging
import os
import weakref

from rig.errors import TriggerError
from rig.trigger.base import TriggerBox

_LOG = logging.getLogger(__name__)
_owner = os.getpid()
_open: weakref.WeakSet[TriggerBox] = weakref.WeakSet()


def remember(box: TriggerBox) -> None:
    """Close the box at the end of the program, if nobody did before."""
    _open.add(box)


def forget(box: TriggerBox) -> None:
    """Take note that the box was closed."""
    _open.discard(box)


def _close_all() -> None:
    if os.getpid() != _owner:
        return  # a forked child must not speak on its parent's line
    for box in list(_open):
        try:
            box.close()
        except TriggerError as error:
            _LOG.warning("closing the trigger box at the end: %s", error.one_line())


atexit.register(_close_all)
