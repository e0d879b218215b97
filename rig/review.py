"""What a person decided about pairs: to leave one out, or to keep it in spite of the checks.

Each decision is a line of the journal with its time, so none is ever lost: the newest of a pair counts, and
withdrawing is a line too. The pair and its files stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from rig.errors import SessionError
from rig.records import PairRecord, check_kind, check_scene_name, shot_id

if TYPE_CHECKING:
    from rig.session import Session

Decision = Literal["reject", "accept", "withdraw"]
DECISIONS: Final[tuple[str, ...]] = get_args(Decision)
REVIEWED: Final = "pair_reviewed"
MOST_REASON: Final = 500
"""Characters of a reason that are kept: it stands in tables."""


@dataclass(frozen=True)
class Review:
    """A decision about a pair that holds.

    Attributes:
        pair: Id of the pair.
        decision: "reject" or "accept".
        reason: Why, in one line.
        time: When, ISO 8601.
    """

    pair: str
    decision: Decision
    reason: str
    time: str

    def line(self) -> str:
        """Return it in words."""
        verb = "rejected" if self.decision == "reject" else "accepted"
        return f"{verb} by the reviewer: {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"decision": self.decision, "reason": self.reason, "time": self.time}


def review_pairs(session: Session, pairs: Iterable[str], decision: Decision, reason: str = "") -> None:
    """Write a decision about pairs into the journal, all in one go.

    Args:
        session: The session.
        pairs: Ids such as ``s01/action/t02_0003``.
        decision: "reject", "accept", or "withdraw" to have none any more.
        reason: Why; only a withdrawal needs none.

    Raises:
        SessionError: A pair is not there, the reason is missing, or the journal cannot be written.
    """
    known = {record.id: record for record in session.shots()}
    words = " ".join(reason.split())[:MOST_REASON]
    if decision not in DECISIONS:
        raise SessionError(f"{decision!r} is no decision", hint=f"one of {', '.join(DECISIONS)}")
    if not words and decision != "withdraw":
        raise SessionError(f"no reason is given to {decision}", hint="say in a few words why")
    events = []
    for name in pairs:
        record = known.get(name)
        if record is None:
            raise SessionError(f"the session has no pair {name!r}", hint="names are as s01/action/t01_0003")
        if not isinstance(record, PairRecord):
            raise SessionError(f"{name} is no pair: {record.sync.reason}")
        place = {"scene": record.scene, "kind": record.kind, "take": record.take, "index": record.index}
        events.append({"event": REVIEWED, **place, "decision": decision, "reason": words})
    session.journal.append(*events)


def reviews(session: Session) -> dict[str, Review]:
    """Return the decisions that hold, by the id of their pair; a line that makes no sense decides nothing."""
    return session.ledger.reviews()


def review_of(event: Mapping[str, Any]) -> tuple[str, Review | None]:
    """Return the pair of a journal's event and what now holds for it; None after a withdrawal.

    Raises:
        SessionError: The event lacks something, or holds what no decision is.
    """
    try:
        scene, kind = check_scene_name(event["scene"]), check_kind(event["kind"])
        pair, decision = shot_id(scene, kind, int(event["take"]), int(event["index"])), event["decision"]
        if decision not in DECISIONS:
            raise ValueError(f"no decision: {decision!r}")
        made = Review(pair, decision, str(event["reason"]), str(event.get("time", "")))
    except (SessionError, KeyError, TypeError, ValueError) as error:
        raise SessionError(f"the journal has a review that cannot be read: {error!r}") from error
    return pair, None if made.decision == "withdraw" else made
