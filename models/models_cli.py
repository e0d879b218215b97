"""The command `beamrig models`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rig.cli.common import console, json_option, print_json

if TYPE_CHECKING:
    from models.networks.entry import NetworkEntry

__all__ = ["counts", "facts", "models", "print_table"]

_EXAMPLES = """\b
Examples:
  beamrig models
  beamrig models lbag deep-deblur
  beamrig models --json

JSON: [{name, title, paper, paper_title, size, public_weights, licence, input {white, mean, multiple, padding,
pictures}, deblurs, parameters, multiply_adds_256}]; public_weights and licence are null where there
are none
"""


@click.command(epilog=_EXAMPLES)
@click.argument("names", nargs=-1, metavar="[NAME ...]")
@json_option
def models(names: tuple[str, ...], as_json: bool) -> None:
    """List the networks of the papers: parameters, cost for a picture of 256x256, whether weights are public.

    With a NAME everything about that network: its paper, size, input, and where its weights are. The weights
    themselves are the authors' and are fetched by hand; every listed network loads them.
    """
    from models.networks.registry import NETWORKS

    unknown = next((name for name in names if name not in NETWORKS), None)
    if unknown is not None:
        raise click.UsageError(f"no network is called {unknown!r}; known: {', '.join(NETWORKS)}")
    rows = [facts(NETWORKS[name]) | counts(NETWORKS[name]) for name in names or NETWORKS]
    if as_json:
        print_json(rows)
    elif names:
        _print_details(rows)
    else:
        print_table(rows)


def print_table(rows: list[dict[str, Any]]) -> None:
    """Print a line a network, which fits into 80 columns."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("name", no_wrap=True)
    table.add_column("paper", no_wrap=True)
    for head in ("parameters", "GMAC", "weights"):
        table.add_column(head, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row["name"],
            row["paper"],
            f"{row['parameters'] / 1e6:.2f} M",
            f"{row['multiply_adds_256'] / 1e9:.1f}",
            "public" if row["public_weights"] else "none",
        )
    out = console()
    out.print(table)
    out.print("GMAC: for 256x256 pixels. All about one of them: beamrig models NAME")


def _print_details(rows: list[dict[str, Any]]) -> None:
    """Print all that is known of networks, a line a fact."""
    from rich.markup import escape
    from rich.table import Table

    out = console()
    for row in rows:
        table = Table(
            title=f"[bold]{escape(row['title'])}[/bold]", title_justify="left", box=None, show_header=False
        )
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        where = row["public_weights"] or "none"
        told = {
            "name": row["name"],
            "paper": f"{row['paper_title']}, {row['paper']}",
            "size": ", ".join(f"{key} {value}" for key, value in row["size"].items()),
            "parameters": f"{row['parameters'] / 1e6:.2f} M",
            "cost": f"{row['multiply_adds_256'] / 1e9:.1f} GMAC for 256x256 pixels",
            "input": _input(row["input"]),
            "deblurs": "yes" if row["deblurs"] else "not by itself",
            "weights": f"{where}; licence: {row['licence']}" if row["licence"] else where,
        }
        for name, fact in told.items():
            table.add_row(name, escape(str(fact)))
        out.print(table)


def counts(entry: NetworkEntry) -> dict[str, int]:
    """Return what is counted of a network, in a second or less."""
    return {"parameters": entry.parameters(), "multiply_adds_256": entry.multiply_adds()}


def facts(entry: NetworkEntry) -> dict[str, Any]:
    """Return what the registry says of a network."""
    from models.networks.registry import NO_WEIGHTS

    rules = entry.rules
    return {
        "name": entry.name,
        "title": entry.title,
        "paper": entry.paper,
        "paper_title": entry.paper_title,
        "size": entry.size,
        "public_weights": None if entry.public_weights == NO_WEIGHTS else entry.public_weights,
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
    count = "two RGB pictures" if rules["pictures"] == 2 else "RGB"
    mean = f" less {rules['mean']:g}" if rules["mean"] else ""
    return (
        f"{count} in 0..{rules['white']:g}{mean}; sides are multiples of {rules['multiple']} px "
        f"(extended by padding: {rules['padding']})"
    )
