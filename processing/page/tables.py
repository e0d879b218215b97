"""Cells and tables of a session's report; every text is escaped here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from html import escape
from typing import Final

_STYLES: Final = {"good": "good", "note": "good", "warn": "warn", "stop": "bad", "unchecked": "muted"}


def cell(text: str, style: str = "") -> str:
    """Return a table cell with a text from anywhere."""
    return f'<td class="{style}">{escape(text)}</td>' if style else f"<td>{escape(text)}</td>"


def number(value: float | None, digits: int, unit: str = "") -> str:
    """Return a number in words, or a dash for one that is not known."""
    return "–" if value is None else f"{value:.{digits}f}{unit}"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]], words: Collection[int] = ()) -> str:
    """Return a table of ready cells.

    Args:
        titles: of the columns.
        rows: cells made by `cell`.
        words: indices of columns that hold text.
    """
    head = "".join(
        f'<th class="words">{escape(title)}</th>' if index in words else f"<th>{escape(title)}</th>"
        for index, title in enumerate(titles)
    )
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f'<div class="table"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def pill(level: str) -> str:
    """Return a verdict as a small coloured label."""
    style = _STYLES.get(level, "bad")
    return f'<span class="pill {style}">{escape(level)}</span>'
