"""The command `beamrig models`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rig.cli.common import console, json_option, print_json

if TYPE_CHECKING:
    from models.networks.entry import NetworkEntry

__all__ = ["models"]

_EXAMPLES = """\b
Examples:
  beamrig models
  beamrig models --json

JSON: [{name, title, paper, paper_title, size, parameters, multiply_adds_256, public_weights, licence,
input {white, mean, multiple, padding, pictures}, deblurs}]
"""


@click.command(epilog=_EXAMPLES)
@json_option
def models(as_json: bool) -> None:
    """List the networks of the papers: parameters, cost for a picture of 256x256, public weights, input.

    The weights themselves are the authors' and are fetched by hand; every listed network loads them.
    """
    from models.networks.registry import NETWORKS

    rows = [_row(entry) for entry in NETWORKS.values()]
    if as_json:
        print_json(rows)
        return

    from rich.table import Table

    table = Table()
    table.add_column("name", no_wrap=True)
    table.add_column("paper", no_wrap=True)
    table.add_column("parameters", justify="right", no_wrap=True)
    table.add_column("GMAC", justify="right", no_wrap=True)
    table.add_column("RGB input")
    table.add_column("multiple", justify="right", no_wrap=True)
    table.add_column("authors' weights", overflow="fold")
    for row in rows:
        where = row["public_weights"].removeprefix("github.com/")
        table.add_row(
            row["name"],
            row["paper"],
            f"{row['parameters'] / 1e6:.2f} M",
            f"{row['multiply_adds_256'] / 1e9:.1f}",
            _input(row["input"]),
            f"{row['input']['multiple']} px",
            f"{where} ({row['licence']})" if row["licence"] else where,
        )
    console().print(table)


def _row(entry: NetworkEntry) -> dict[str, Any]:
    rules = entry.rules
    return {
        "name": entry.name,
        "title": entry.title,
        "paper": entry.paper,
        "paper_title": entry.paper_title,
        "size": entry.size,
        "parameters": entry.parameters(),
        "multiply_adds_256": entry.multiply_adds(),
        "public_weights": entry.public_weights,
        "licence": entry.licence or None,
        "input": {
            "white": rules.white,
            "mean": rules.mean,
            "multiple": rules.multiple,
            "padding": rules.padding,
            "pictures": rules.pictures,
        },
        "deblurs": entry.run is not None,
    }


def _input(rules: dict[str, Any]) -> str:
    count = f"{rules['pictures']} of " if rules["pictures"] > 1 else ""
    mean = f" less {rules['mean']:g}" if rules["mean"] else ""
    return f"{count}0..{rules['white']:g}{mean}"
