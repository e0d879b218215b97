"""Is there a screen? Asked before Qt is, which would abort the process with a page of text."""

from __future__ import annotations

import ctypes
import os

from rig.errors import BeamrigError

_HINT = "start it in a desktop session, or under xvfb-run -a; 'beamrig demo' needs no screen"


class NoDisplay(BeamrigError):
    """No screen can be reached to open a window on."""


def require_display() -> None:
    """Check that a window can be opened.

    Raises:
        NoDisplay: There is none; Wayland is trusted by its name, an X server is asked.
    """
    chosen = os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0]
    if chosen not in ("", "xcb") or (not chosen and os.environ.get("WAYLAND_DISPLAY")):
        return
    name = os.environ.get("DISPLAY", "")
    if not name:
        raise NoDisplay("there is no screen to open a window on: DISPLAY is not set", hint=_HINT)
    if not _x_server_answers():
        raise NoDisplay(f"the X server {name!r} does not answer", hint=_HINT)


def _x_server_answers() -> bool:
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True  # Qt will say itself which library it misses
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    answers = bool(xcb.xcb_connection_has_error(connection) == 0)
    xcb.xcb_disconnect(connection)
    return answers
