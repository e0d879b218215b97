"""Command `beamrig run`: opens the window; Qt is loaded only when it runs."""

from __future__ import annotations

from pathlib import Path

import click

PAGES = ("plan", "capture", "review", "deblur")


@click.command(name="run")
@click.option(
    "--rig", "rig_name", default="virtual", show_default=True, help="Rig profile: a name or a file."
)
@click.option(
    "--session",
    "session_dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Session folder to go on with, or to make at the first capture.",
)
@click.option("--page", type=click.Choice(PAGES), help="Page to show first.")
@click.option(
    "--screenshot",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save a picture of the window there, then quit (for the manual).",
)
@click.option(
    "--after",
    "after_s",
    type=click.FloatRange(0.0, 3600.0),
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
    from gui.launch import launch

    code = launch(
        rig_name, session_dir=session_dir, page=page, screenshot=screenshot, after_s=after_s, size=_size(size)
    )
    if code:
        raise SystemExit(code)


def _size(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise click.BadParameter("write it like 1280x800", param_hint="--size")
    return int(width), int(height)
