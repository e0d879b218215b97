"""``beamrig virtual``: run the virtual world and set its stage. Loads nothing heavy before it must."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from rig.cli.params import PathName
from rig.errors import BeamrigError
from rig.virtual.client import WorldClient
from rig.virtual.faults import KINDS, read_text
from rig.virtual.options import background_option, seed_option

STAGES = ("action", "static", "whiteboard", "lightbox", "dark", "colorchecker")
SETTINGS = (
    "speed_mps", "distance_m", "illumination", "path_angle_deg", "board_level", "background",
    "knock_b_x_px", "knock_b_y_px", "knock_s_x_px", "knock_s_y_px",
)  # fmt: skip

run_dir_option = click.option(
    "--run-dir",
    envvar="BEAMRIG_RUN_DIR",
    required=True,
    type=PathName(),
    help="Run directory of the world [env BEAMRIG_RUN_DIR].",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print data as JSON.")


_EXAMPLES = """\b
Examples:
  beamrig virtual world --run-dir /tmp/world                (in one terminal)
  beamrig virtual world --run-dir /tmp/world --seed 7 --background garden
  export BEAMRIG_RUN_DIR=/tmp/world                         (in another)
  beamrig virtual stage static
  beamrig virtual set speed_mps=2.5 distance_m=6
  beamrig virtual truth --json
  beamrig virtual fault lose_frame camera=S at=3
"""

_FAULTS = "\b\nFaults of cameras and wires:\n" + "\n".join(
    f"  {kind.name:18s}{kind.means}" for kind in KINDS.values()
)
_FAULTS += """

\b
Faults of the trigger box, after=N commands or at=fire (others: times=N, command=TEXT):
  box silent        it does not answer; deaf=true: it does not obey either
  box slow          each answer is seconds=S late
  box garbage       its answers are bytes without sense
  box wrong_baud    it talks at baudrate=N
  box error         it refuses with code=N
  box unplug        the port is gone; power=true: the box runs on
  box replug        the port is there again

\b
Examples:
  beamrig virtual fault lose_frame camera=S at=3
  beamrig virtual fault box unplug at=fire
"""


@click.group(name="virtual", epilog=_EXAMPLES)
def virtual() -> None:
    """The virtual rig: run its world, set the stage, ask for the truth."""


def _print(data: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(data, indent=2))
        return
    for key, value in data.items():
        if isinstance(value, dict):
            for inner, item in value.items():
                click.echo(f"{key}.{inner}: {item}")
        else:
            click.echo(f"{key}: {value}")


@virtual.command()
@run_dir_option
@click.option("--rig", default="virtual", show_default=True, help="Rig profile: a name or a file.")
@seed_option
@background_option
@click.option("--objects", default=1, show_default=True, type=click.IntRange(1, 3), help="Moving objects.")
@click.option("--fault", "orders", multiple=True, help='An order such as "lose_frame camera=S at=3".')
def world(run_dir: Path, rig: str, seed: int, background: str, objects: int, orders: tuple[str, ...]) -> None:
    """Run the world in the foreground until stdin closes (Ctrl-D) or Ctrl-C."""
    from rig.virtual.world import run_world

    run_world(run_dir, rig, seed, objects=objects, background=background, faults=orders)


@virtual.command()
@click.argument("kind", type=click.Choice(STAGES))
@run_dir_option
@json_option
def stage(kind: str, run_dir: Path, as_json: bool) -> None:
    """Put something in front of the cameras."""
    state = WorldClient(run_dir).stage(kind)
    if as_json:
        _print(state, as_json)


@virtual.command(name="set")
@click.argument("settings", nargs=-1, required=True, metavar="NAME=VALUE...")
@run_dir_option
@json_option
def set_values(settings: tuple[str, ...], run_dir: Path, as_json: bool) -> None:
    """Change the scene, for example: set speed_mps=2.5 distance_m=6 background=garden."""
    values: dict[str, float | str] = {}
    for item in settings:
        name, separator, text = item.partition("=")
        if not separator or name not in SETTINGS:
            raise click.BadParameter(f"{item!r} is not NAME=VALUE with a name of {', '.join(SETTINGS)}")
        if name == "background":
            values[name] = text
            continue
        try:
            values[name] = float(text)
        except ValueError:
            raise click.BadParameter(f"{text!r} is not a number") from None
    state = WorldClient(run_dir).set(**values)
    if as_json:
        _print(state, as_json)


@virtual.command(epilog=_FAULTS)
@click.argument("words", nargs=-1, required=True, metavar="NAME [KEY=VALUE]...")
@run_dir_option
@json_option
def fault(words: tuple[str, ...], run_dir: Path, as_json: bool) -> None:
    """Order something to go wrong, for example: fault lose_frame camera=S at=3.

    at=N and after=N count triggered frames (or pulses) of the camera from the order on, from 0; count=N
    makes it N in a row. Faults of the trigger box: fault box NAME [KEY=VALUE]...
    """
    name, options = read_text(" ".join(words))
    order = WorldClient(run_dir).fault(name, **options)
    if as_json:
        _print(order, as_json)


@virtual.command()
@click.option("--clear", is_flag=True, help="Forget all orders first.")
@run_dir_option
@json_option
def faults(clear: bool, run_dir: Path, as_json: bool) -> None:
    """List the orders for cameras and wires, how often each has struck; --clear puts the box right, too."""
    client = WorldClient(run_dir)
    if clear:
        client.clear_faults()
    orders = client.faults()
    if as_json:
        _print({"orders": orders}, as_json)
        return
    for order in orders:
        options = "".join(f" {key}={value}" for key, value in order["options"].items() if value is not None)
        at = "" if order["at"] is None else f" at={order['at']} count={order['count']}"
        state = "open" if order["open"] else "done"
        click.echo(
            f"{order['number']}: {order['fault']} camera={'+'.join(order['cameras'])}{at}{options}"
            f" ({state}, struck {order['hits']} times)"
        )


@virtual.command()
@run_dir_option
@json_option
def truth(run_dir: Path, as_json: bool) -> None:
    """Print the hidden numbers of the world."""
    _print(WorldClient(run_dir).ask("truth"), as_json)


@virtual.command()
@run_dir_option
@json_option
def state(run_dir: Path, as_json: bool) -> None:
    """Print stage, settings and who has opened the cameras."""
    _print(WorldClient(run_dir).state(), as_json)


def main() -> None:
    """Run as ``python -m rig.virtual.cli``, with the root command's manner of errors."""
    try:
        virtual(standalone_mode=False)
    except BeamrigError as error:
        click.echo(f"error: {error.one_line()}", err=True)
        sys.exit(2)
    except click.ClickException as error:
        click.echo(f"error: {error.format_message()}", err=True)
        sys.exit(2)
    except click.Abort:
        sys.exit(130)


if __name__ == "__main__":
    main()
