"""`beamrig review`: a person's own decision about pairs, kept in the journal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rig.cli.common import console, json_option, print_json
from rig.cli.params import PathName

if TYPE_CHECKING:
    from rig.review import Decision

_EXAMPLES = """\b
Examples:
  beamrig review my-session
  beamrig review my-session s01/action/t01_0003 --reject "a bird flew through"
  beamrig review my-session s01/action/t01_0004 --accept "the bump is in the sky only"
  beamrig review my-session s01/action/t01_0003 --withdraw

A rejected pair is not exported; an accepted one is, also where a check stops it. Nothing is deleted: each
decision is a line of the journal, and the newest one counts.
JSON: session, reviews {pair: {decision, reason, time}}
"""


@click.command(epilog=_EXAMPLES)
@click.argument("folder", metavar="SESSION", type=PathName(file_okay=False))
@click.argument("pairs", nargs=-1, metavar="[PAIR]...")
@click.option("--reject", metavar="REASON", help="Leave these pairs out.")
@click.option("--accept", metavar="REASON", help="Keep these pairs, whatever the checks say.")
@click.option("--withdraw", is_flag=True, help="Take back what was decided about these pairs.")
@json_option
def review(
    folder: Path,
    pairs: tuple[str, ...],
    reject: str | None,
    accept: str | None,
    withdraw: bool,
    as_json: bool,
) -> None:
    """Decide about PAIRs of SESSION; without one, list what was decided."""
    from rig.review import review_pairs, reviews
    from rig.session import Session

    chosen = [
        *([("reject", reject)] if reject is not None else []),
        *([("accept", accept)] if accept is not None else []),
        *([("withdraw", "")] if withdraw else []),
    ]
    if len(chosen) != bool(pairs):
        raise click.UsageError("give pairs, and one of --reject, --accept and --withdraw")
    with Session.open(folder) as session:
        for name, reason in chosen:
            decision: Decision = (
                "reject" if name == "reject" else "accept" if name == "accept" else "withdraw"
            )
            review_pairs(session, pairs, decision, reason)
        known = reviews(session)
    if as_json:
        print_json({"session": str(folder), "reviews": {pair: one.to_dict() for pair, one in known.items()}})
        return
    for pair, one in sorted(known.items()):
        console().print(f"{pair}: {one.line()} ({one.time[:16]})", markup=False, soft_wrap=True)
    if not known:
        console().print("nothing was decided about any pair")
