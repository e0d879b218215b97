"""A sheet to look at: blurred, sharp and mask of some pairs side by side, with their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from models.images import read_picture, write_png
from models.synth.folder import PARTS, PairFolder

__all__ = ["draw_sheet", "write_sheet"]

U8 = npt.NDArray[np.uint8]
_CELL_PX: Final = 320
_LINE_PX: Final = 18
_GAP_PX: Final = 4
_BACK: Final = 32


def draw_sheet(rows: list[tuple[str, list[npt.NDArray[Any] | None]]]) -> U8:
    """Draw a sheet.

    Args:
        rows: Name of each pair and its pictures, (H, W, 3) or (H, W), uint8 or uint16; None where one is
            missing. All of one kind.

    Returns:
        (H, W, 3) uint8: a column a part, a row a pair. Large pictures are made smaller,
        small ones larger by a whole number, pixel for pixel.
    """
    lines = [
        np.hstack([_padded(np.full((_LINE_PX, _CELL_PX, 3), _BACK, np.uint8), title) for title in PARTS])
    ]
    for name, pictures in rows:
        cells = [_cell(picture) for picture in pictures]
        height = max(cell.shape[0] for cell in cells)
        line = np.full((height + _LINE_PX, len(cells) * _CELL_PX, 3), _BACK, np.uint8)
        for column, cell in enumerate(cells):
            line[_LINE_PX : _LINE_PX + cell.shape[0], column * _CELL_PX :][:, : cell.shape[1]] = cell
        lines.append(_padded(line, name))
    return np.ascontiguousarray(np.vstack(lines))


def write_sheet(folder: PairFolder, path: Path, count: int = 12) -> int:
    """Write a sheet of pairs spread evenly over a folder; return how many it shows.

    Raises:
        ImageError: A picture cannot be read, or the disk refuses.
    """
    names = folder.names()
    if not names:
        return 0
    chosen = [names[i] for i in np.unique(np.linspace(0, len(names) - 1, min(count, len(names))).astype(int))]
    rows = []
    for name in chosen:
        files = [folder.path(part, name) for part in PARTS]
        rows.append((name, [read_picture(file).rgb if file.is_file() else None for file in files]))
    write_png(path, draw_sheet(rows), overwrite=True)
    return len(chosen)


def _cell(picture: npt.NDArray[Any] | None) -> U8:
    if picture is None:
        return np.full((_CELL_PX // 4, _CELL_PX - _GAP_PX, 3), _BACK, np.uint8)
    if picture.dtype == np.uint16:
        picture = (picture >> 8).astype(np.uint8)
    if picture.ndim == 2:
        picture = np.repeat(picture[:, :, None], 3, axis=2)
    scale = (_CELL_PX - _GAP_PX) / max(picture.shape[:2])
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    else:
        picture = picture.repeat(int(scale), axis=0).repeat(int(scale), axis=1)
    return np.asarray(picture, np.uint8)


def _padded(line: U8, text: str) -> U8:
    cv2.putText(
        line, text, (4, _LINE_PX - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (230, 230, 230), 1, cv2.LINE_AA
    )
    return line
