"""`beamrig verdicts`: what the checks say of each pair, while it was taken and after development."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rig.cli.common import console, json_option, print_json
from rig.cli.params import PathName
from rig.records import KINDS

if TYPE_CHECKING:
    from rig.records import PairRecord
    from rig.review import Review
    from rig.session import Session

_EXAMPLES = """\b
Examples:
  beamrig verdicts my-session
  beamrig verdicts my-session --scene s01 --kind action --level stop
  beamrig verdicts my-session --json

Exit code: 0, also when pairs are to be left out: that is no error.
JSON: session, counts {stop, warn, note, good, unchecked, rejected, accepted}, pairs [{pair, level, recorded
[finding], developed {level, findings [finding], figures} or null, review {decision, reason, time} or null}];
a finding is {level, text, hint, figure}. "rejected" and "accepted" count what 'beamrig review' decided.
"""

_COLOUR = {"stop": "red", "warn": "yellow", "note": "dim", "good": "green", "unchecked": "dim"}
_ORDER = ("note", "warn", "stop")


@click.command(epilog=_EXAMPLES)
@click.argument("folder", metavar="SESSION", type=PathName(file_okay=False))
@click.option("--scene", metavar="NAME", help="Only this scene.")
@click.option("--kind", type=click.Choice(KINDS), help="Only takes of this kind.")
@click.option("--level", type=click.Choice(_ORDER), help="Only pairs with a finding at least so grave.")
@json_option
def verdicts(folder: Path, scene: str | None, kind: str | None, level: str | None, as_json: bool) -> None:
    """List the pairs of SESSION with what speaks against them, and why."""
    from rig.review import reviews
    from rig.session import Session

    with Session.open(folder) as session:
        if scene is not None:
            session.scene(scene)
        decided = reviews(session)
        every = [_pair(session, record, decided.get(record.id)) for record in session.pairs(scene, kind)]
    counts = {name: sum(one["level"] == name for one in every) for name in _COLOUR}
    for name in ("reject", "accept"):
        counts[f"{name}ed"] = sum((one["review"] or {}).get("decision") == name for one in every)
    shown = [one for one in every if level is None or _grave(one["level"]) >= _grave(level)]
    if as_json:
        print_json({"session": str(folder), "counts": counts, "pairs": shown})
        return
    _show(shown)
    said = ", ".join(f"{number} {name}" for name, number in counts.items() if number)
    console().print(f"{len(every)} pairs: {said or 'none'}", markup=False)


def _grave(level: str) -> int:
    return _ORDER.index(level) if level in _ORDER else -1


def _pair(session: Session, record: PairRecord, review: Review | None) -> dict[str, Any]:
    """Return what is known of a pair, as plain values."""
    from processing.checks.verdict import PairVerdict
    from processing.errors import ProcessingError
    from processing.jobs.pair_record import has_a_record, read_record
    from rig.capture.findings import Finding

    folder = session.root / "derived" / record.scene
    stored = read_record(folder, record) or {}
    developed = None
    if not stored and has_a_record(folder, record):
        why = "its record of the development is damaged, was changed, or is of another beamrig"
        developed = PairVerdict((Finding("warn", why, "process the session again"),))
    if stored.get("verdict") is not None:
        try:
            developed = PairVerdict.from_dict(stored["verdict"])
        except ProcessingError as error:
            developed = PairVerdict((Finding("note", error.message, "process the session again"),))
    found = [*record.findings, *(developed.findings if developed is not None else ())]
    worst = max((one.level for one in found), key=_ORDER.index, default=None)
    return {
        "pair": record.id,
        "level": worst or ("unchecked" if developed is None else "good"),
        "recorded": [one.to_dict() for one in record.findings],
        "developed": None if developed is None else developed.to_dict(),
        "review": None if review is None else review.to_dict(),
    }


def _show(pairs: list[dict[str, Any]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from rig.capture.findings import Finding

    table = Table("pair", "verdict", "why")
    for one in pairs:
        developed = one["developed"] or {"findings": []}
        found = [Finding.from_dict(each) for each in [*one["recorded"], *developed["findings"]]]
        found.sort(key=lambda each: -_ORDER.index(each.level))
        review = one["review"]
        said = [f"{review['decision']}ed by the reviewer: {review['reason']}"] if review else []
        why = "\n".join([*said, *(each.one_line() for each in found)])
        table.add_row(one["pair"], f"[{_COLOUR[one['level']]}]{one['level']}[/]", escape(why))
    if pairs:
        console().print(table)
