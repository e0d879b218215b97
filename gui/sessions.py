"""Which session the window works on; its folder is made at the first capture, not before."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from rig.profiles import RigProfile
from rig.session import Session

NAME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:_(\d{2}))?")


def default_root() -> Path:
    """Return the folder that holds the sessions of this user."""
    return Path.home() / "beamrig" / "sessions"


def today_folder(root: Path | None = None, today: str | None = None) -> Path:
    """Return today's newest session folder, or where today's first would be."""
    base = root or default_root()
    day = today or datetime.now().astimezone().strftime("%Y-%m-%d")
    existing = sorted(
        path for path in base.glob(f"{day}*") if _is_session(path) and NAME.fullmatch(path.name)
    )
    return existing[-1] if existing else base / day


def fresh_folder(root: Path | None = None, today: str | None = None) -> Path:
    """Return a folder for a new session of today that does not exist yet."""
    base = root or default_root()
    day = today or datetime.now().astimezone().strftime("%Y-%m-%d")
    candidate, number = base / day, 1
    while candidate.exists():
        number += 1
        candidate = base / f"{day}_{number:02d}"
    return candidate


def _is_session(path: Path) -> bool:
    return (path / "session.yaml").is_file()


class SessionKeeper:
    """Holds the session; safe for the threads that capture, review and process.

    Args:
        folder: Where the session is or will be.

    Attributes:
        on_change: Called after another session is opened or made, from the thread that did it.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = threading.RLock()
        self._folder = folder
        self._session: Session | None = None
        self.on_change: Callable[[], None] = lambda: None

    @property
    def folder(self) -> Path:
        """Where the session is or will be."""
        return self._folder

    @property
    def session(self) -> Session | None:
        """The open session; None before the first capture."""
        return self._session

    def open_existing(self) -> Session | None:
        """Open the session if its folder holds one already.

        Raises:
            SessionError: It is damaged or of another version.
        """
        with self._lock:
            if self._session is None and _is_session(self._folder):
                self._session = Session.open(self._folder)
                self.on_change()
            return self._session

    def ensure(self, rig: RigProfile) -> Session:
        """Open the session or make it; for the rig's thread, before a take.

        Raises:
            SessionError: The folder cannot be used.
        """
        with self._lock:
            session = self.open_existing()
            if session is None:
                self._session = session = Session.create(self._folder, rig)
                self.on_change()
            return session

    def switch(self, folder: Path) -> None:
        """Go over to another folder; opened or made when it is needed.

        Raises:
            SessionError: The folder holds a session that cannot be opened.
        """
        with self._lock:
            previous = self._session
            fresh = Session.open(folder) if _is_session(folder) else None
            self._session, self._folder = fresh, folder
            if previous is not None:
                previous.close()
            self.on_change()

    def close(self) -> None:
        """Close the session's journal."""
        with self._lock:
            if self._session is not None:
                self._session.close()
                self._session = None
