"""Small drawing kit for pictures that a person judges: panels of colour maps, titles, rows of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

PAPER: Final = (250, 250, 248)
INK: Final = (30, 30, 34)
GREY_INK: Final = (105, 105, 112)
MARGIN: Final = 16
LINE: Final = 22
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX


def blank(height: int, width: int) -> Picture:
    """Return an empty (height, width, 3) RGB picture."""
    return np.full((height, width, 3), PAPER, np.uint8)


def write(
    picture: Picture,
    text: str,
    at: tuple[int, int],
    *,
    size: float = 0.48,
    ink: tuple[int, int, int] = INK,
    bold: bool = False,
) -> None:
    """Write a line of ASCII text with its base line's left end at (x, y)."""
    cv2.putText(picture, text, at, _FONT, size, ink, 2 if bold else 1, cv2.LINE_AA)


def text_width(text: str, size: float = 0.48) -> int:
    """Return how wide `write` makes a text, in px."""
    return int(cv2.getTextSize(text, _FONT, size, 1)[0][0])


def signed_colours(values: NDArray[Any], limit: float) -> Picture:
    """Colour (h, w) values: blue below zero, white at zero, red above, full at +-limit; NaN grey."""
    part = np.clip(np.nan_to_num(values, nan=0.0) / max(limit, 1e-12), -1, 1)[..., None]
    red, blue, white = (np.array(c, np.float64) for c in ((178, 24, 43), (33, 102, 172), (247, 247, 247)))
    shown = white + np.abs(part) * (np.where(part > 0, red, blue) - white)
    shown[np.isnan(values)] = (200, 200, 200)
    return np.asarray(np.rint(shown), np.uint8)


def enlarged(picture: Picture, width: int, *, smooth: bool = False) -> Picture:
    """Return the picture in another width, squares staying squares unless `smooth`."""
    height = round(picture.shape[0] * width / picture.shape[1])
    how = cv2.INTER_AREA if smooth else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), np.uint8)


def panel(title: str, picture: Picture, notes: Sequence[str] = ()) -> Picture:
    """Return a picture with a title above, a frame around, and notes below."""
    width = max([picture.shape[1], *(text_width(note, 0.44) for note in notes), text_width(title)])
    height = LINE + 6 + picture.shape[0] + 6 + LINE * len(notes)
    out = blank(height, width + 2)
    write(out, title, (1, LINE - 6), bold=False)
    top = LINE + 4
    out[top : top + picture.shape[0], 1 : 1 + picture.shape[1]] = picture
    cv2.rectangle(out, (0, top - 1), (picture.shape[1] + 1, top + picture.shape[0]), GREY_INK, 1)
    for number, note in enumerate(notes):
        at = (1, top + picture.shape[0] + LINE * (number + 1) - 3)
        write(out, note, at, size=0.44, ink=GREY_INK)
    return out


def beside(*pictures: Picture) -> Picture:
    """Put pictures next to each other, tops in line."""
    height = max(p.shape[0] for p in pictures)
    out = blank(height, sum(p.shape[1] for p in pictures) + MARGIN * (len(pictures) - 1))
    x = 0
    for picture in pictures:
        out[: picture.shape[0], x : x + picture.shape[1]] = picture
        x += picture.shape[1] + MARGIN
    return out


def below(*pictures: Picture) -> Picture:
    """Put pictures under each other, left ends in line."""
    width = max(p.shape[1] for p in pictures)
    out = blank(sum(p.shape[0] for p in pictures) + MARGIN * (len(pictures) - 1), width)
    y = 0
    for picture in pictures:
        out[y : y + picture.shape[0], : picture.shape[1]] = picture
        y += picture.shape[0] + MARGIN
    return out


def sheet(heading: str, lines: Sequence[str], body: Picture) -> Picture:
    """Return a whole page: heading, lines of text, body, with a margin around."""
    width = max([body.shape[1], text_width(heading, 0.7) + 8, *(text_width(line) for line in lines)])
    head = blank(34 + LINE * len(lines), width)
    write(head, heading, (0, 22), size=0.7, bold=True)
    for number, line in enumerate(lines):
        write(head, line, (0, 34 + LINE * (number + 1) - 8), ink=GREY_INK)
    page = below(head, body)
    out = blank(page.shape[0] + 2 * MARGIN, page.shape[1] + 2 * MARGIN)
    out[MARGIN:-MARGIN, MARGIN:-MARGIN] = page
    return out


def colour_bar(width: int, limit: float, unit: str, *, signed: bool = True) -> Picture:
    """Return the scale of `signed_colours` with its ends named, or its upper half."""
    lowest = -limit if signed else 0.0
    out = blank(10 + LINE, width)
    out[:10] = signed_colours(np.linspace(lowest, limit, width)[None, :].repeat(10, axis=0), limit)
    left, right = (f"-{limit:.3g} {unit}" if signed else "0"), f"{limit:.3g} {unit}"
    write(out, left, (0, 10 + 16), size=0.42, ink=GREY_INK)
    if signed:
        write(out, "0", (width // 2 - 4, 10 + 16), size=0.42, ink=GREY_INK)
    write(out, right, (width - text_width(right, 0.42), 10 + 16), size=0.42, ink=GREY_INK)
    return out
