"""The window: the only package that imports Qt, and the one place that settles Qt's quarrels with others.

**cv2.** The opencv-python wheel for Linux brings its own Qt 5 and, while it is imported, points
``QT_QPA_PLATFORM_PLUGIN_PATH`` and ``QT_QPA_FONTDIR`` at it (read in ``cv2/config-3.py`` of 5.0.0.93).
PySide6 then finds a Qt 5 platform plugin and aborts the process. cv2 also appends an empty entry to
``LD_LIBRARY_PATH``, which makes every child search its working directory for libraries. A module is
imported only once, so importing cv2 here, first, and putting the three variables back means that no later
import can set them again.
"""

from __future__ import annotations

import os
from pathlib import Path

CV2_VARIABLES = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR", "LD_LIBRARY_PATH")
"""The variables that importing cv2 changes."""


def settle_cv2() -> None:
    """Import cv2 and put the environment back, also when somebody imported it before.

    A value that the user set himself survives; one that points into the cv2 package does not.
    """
    before = {name: os.environ.get(name) for name in CV2_VARIABLES}
    import cv2

    folder = Path(cv2.__file__).resolve().parent
    theirs = (folder, folder.parent.parent / "lib64")
    for name, old in before.items():
        kept = [part for part in (old or "").split(os.pathsep) if part and not _lies_in(part, theirs)]
        if kept:
            os.environ[name] = os.pathsep.join(kept)
        else:
            os.environ.pop(name, None)


def _lies_in(entry: str, folders: tuple[Path, ...]) -> bool:
    """Whether a path entry is one of the folders or lies below it, after `..` is taken out of it."""
    resolved = Path(entry).resolve()
    return any(resolved == folder or folder in resolved.parents for folder in folders)


settle_cv2()
