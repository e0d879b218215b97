"""Which session the window shows: new, open, listed; and the name of it in the title."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from gui.align_flow import AlignFlow
from gui.session_index import Listing, Problems, SessionIndex
from gui.sessions import SessionKeeper, default_root, fresh_folder
from gui.take_checker import TakeChecker
from gui.workers import Trouble

if TYPE_CHECKING:
    from gui.main_window import MainWindow


class SessionFlow(QObject):
    """Takes the window from one session to another and hands listings to its pages.

    Args:
        window: The window.
        keeper: The session.

    Attributes:
        listing: What the session holds, as last read.
        problems: What does not fit together in it, as last looked at.
    """

    def __init__(self, window: MainWindow, keeper: SessionKeeper) -> None:
        super().__init__(window)
        self._window = window
        self._keeper = keeper
        self.listing = Listing(keeper.folder)
        self.problems = Problems(keeper.folder)
        self.index = SessionIndex(keeper, self)
        self.checker = TakeChecker(keeper, self)
        self.align = AlignFlow(window, keeper)

    def new(self) -> None:
        """Go over to a fresh folder; it is made at the first capture."""
        self._window.service.switch_session(fresh_folder())

    def open(self) -> None:
        """Let the operator choose a session folder."""
        start = self._keeper.folder if self._keeper.folder.exists() else default_root()
        chosen = QFileDialog.getExistingDirectory(self._window, "Open a session folder", str(start))
        if chosen:
            self._window.service.switch_session(Path(chosen))

    def changed(self) -> None:
        """Show the name of another session and list it."""
        self._window.status_view.show_session()
        self._window.show_title()
        self.align.off()
        self.index.refresh()
        self.index.check()

    def listed(self, listing: Listing) -> None:
        """Hand a new listing to the pages."""
        self.listing = listing
        self._window.capture_page.show_listing(listing)
        self._window.review_page.show_listing(listing)
        self._window.deblur_page.show_listing(listing)
        self._window.calibrate_page.show_listing(listing)
        self.align.follow()

    def checked(self, found: Problems) -> None:
        """Tell what does not fit together in the session, once for each finding of it."""
        if found.folder != self._keeper.folder:
            return  # the session was changed meanwhile
        self._window.status_view.show_session(found)
        if found.lines and found != self.problems:
            details = "\n".join(found.lines) if len(found.lines) > 1 else ""
            self._window.banner.show_message(
                found.headline(), found.advice(), details=details, level="warning"
            )
        self.problems = found

    def failed(self, trouble: Trouble) -> None:
        """Tell why the session cannot be read."""
        self._window.review_page.show_unreadable(trouble)
        self._window.show_trouble(trouble)

    def end(self) -> None:
        """End the threads that read and check."""
        self.align.end()
        self.checker.end()
        self.index.end()
