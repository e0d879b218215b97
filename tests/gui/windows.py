"""Opens the window, or a page of it, for a file of tests, and closes it whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from gui.frames import FramePreparer
from gui.main_window import MainWindow
from gui.pages.deblur import DeblurPage
from gui.sessions import SessionKeeper
from gui.settings import Settings


@contextmanager
def opened_window(
    folder: Path,
    settings: Settings,
    *,
    rig: str = "virtual",
    session: Path | None = None,
    open_rig: bool = True,
) -> Iterator[MainWindow]:
    """Show a window with settings of its own.

    Args:
        folder: Holds its settings file, and its session where none is named.
        settings: What it remembers.
        rig: Rig profile, a name or a file.
        session: Folder of the session.
        open_rig: Also begin to open the rig.
    """
    assert QApplication.instance() is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEAMRIG_SETTINGS", str(folder / "gui.json"))
        made = MainWindow(settings, rig_name=rig, session_dir=session or folder / "session")
        made.resize(1280, 800)
        made.show()
        try:
            if open_rig:
                assert made.service.rig is None  # the window does not wait for the rig
                made.open_rig()
            yield made
        finally:
            made.close()
            made.deleteLater()


def made_deblur_page(session: Path, preparer: FramePreparer | None = None) -> DeblurPage:
    """Make a Deblur page without a window and without a rig."""
    return DeblurPage(Settings(), SessionKeeper(session), preparer or FramePreparer(), lambda: "s01")
