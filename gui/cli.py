"""Command `beamrig run`: opens the window; Qt is loaded only when it runs."""

from __future__ import annotations

from pathlib import Path

import click

from rig.cli.common import rig_option
from rig.cli.params import FiniteRange, PathName

PAGES = ("plan", "capture", "review", "deblur", "calibrate", "devices")
_SIDE_MIN, _SIDE_MAX = 200, 16_384


_EXAMPLES = """\b
Examples:
  beamrig run
  beamrig run --rig my_rig.yaml --session my-session
  beamrig run --screenshot window.png --page capture --size 1600x1000
"""


@click.command(name="run", epilog=_EXAMPLES)
@rig_option
@click.option(
    "--session",
    "session_dir",
    type=PathName(file_okay=False),
    help="Session folder to go on with, or to make at the first capture.",
)
@click.option("--page", type=click.Choice(PAGES), help="Page to show first.")
@click.option(
    "--screenshot",
    type=PathName(dir_okay=False),
    help="Save a picture of the window there, then quit (for the manual).",
)
@click.option(
    "--after",
    "after_s",
    type=FiniteRange(0.0, 3600.0),
    default=8.0,
    show_default=True,
    help="Seconds before the screenshot.",
)
@click.option("--size", default="", help="Size of the window, for example 1280x800.")
def run(
    rig_name: str,
    session_dir: Path | None,
    page: str | None,
    screenshot: Path | None,
    after_s: float,
    size: str,
) -> None:
    """Open the app: the window shows at once, the rig opens behind it."""
    from rig.profiles import load_rig

    load_rig(rig_name)  # a wrong name is told in the terminal, not in a window
    chosen_size = _size(size)
    from gui.display import require_display

    require_display()
    from gui.launch import launch

    code = launch(
        rig_name, session_dir=session_dir, page=page, screenshot=screenshot, after_s=after_s, size=chosen_size
    )
    if code:
        raise SystemExit(code)


def _size(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and len(width) < 6 and len(height) < 6):
        raise click.BadParameter("write it like 1280x800", param_hint="--size")
    size = int(width), int(height)
    if not all(_SIDE_MIN <= side <= _SIDE_MAX for side in size):
        hint = f"a window has {_SIDE_MIN} to {_SIDE_MAX} pixels a side"
        raise click.BadParameter(hint, param_hint="--size")
    return size
