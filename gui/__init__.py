"""The window: the only package that imports Qt, and the one place that settles cv2 against PySide6.

The opencv-python wheel for Linux brings its own Qt 5 and, while it is imported, points
``QT_QPA_PLATFORM_PLUGIN_PATH`` and ``QT_QPA_FONTDIR`` at it (read in ``cv2/config.py`` of 5.0.0.93).
PySide6 then loads a Qt 5 platform plugin and aborts the process. It also appends an empty entry to
``LD_LIBRARY_PATH``, which makes every child process search its working directory for libraries.
A module is imported only once, so importing cv2 here, first, and putting the three variables back means
that no later import can set them again.
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

    folder = str(Path(cv2.__file__).resolve().parent)
    site = str(Path(folder).parent.parent / "lib64")
    for name, old in before.items():
        ours = [
            part for part in (old or "").split(os.pathsep) if part and not _points_into(part, folder, site)
        ]
        if ours:
            os.environ[name] = os.pathsep.join(ours)
        else:
            os.environ.pop(name, None)


def _points_into(entry: str, *folders: str) -> bool:
    """Whether a path entry lies in one of the folders, after `..` is taken out of it."""
    resolved = str(Path(entry).resolve())
    return any(
        resolved == str(Path(folder).resolve()) or resolved.startswith(folder + os.sep) for folder in folders
    )


settle_cv2()
