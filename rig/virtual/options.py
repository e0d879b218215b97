"""Options that say which virtual world it shall be, the same wherever a command line asks for one."""

from __future__ import annotations

import click

from rig.virtual.backgrounds import BACKGROUND_VARIABLE, BACKGROUNDS, DEFAULT_BACKGROUND, SEED_VARIABLE

BACKGROUND = click.Choice(list(BACKGROUNDS))

seed_option = click.option(
    "--seed",
    default=0,
    show_default=True,
    envvar=SEED_VARIABLE,
    type=click.IntRange(0),
    help=f"Of hidden numbers and noise [env {SEED_VARIABLE}].",
)
background_option = click.option(
    "--background",
    default=DEFAULT_BACKGROUND,
    show_default=True,
    envvar=BACKGROUND_VARIABLE,
    type=BACKGROUND,
    help=f"What stands behind the moving object [env {BACKGROUND_VARIABLE}].",
)
