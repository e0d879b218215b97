"""Checks of content for the guided scene: of each pair of a take, and of the take before the next step."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from rig.capture.findings import Check
from rig.capture.result import TakeResult
from rig.plan import ExposurePlan
from rig.records import PairRecord
from rig.session import Session
from rig.take_check import TakeCheck, record_check

logger = logging.getLogger(__name__)

MOST_PAIRS = 6
"""A take is judged on its first so many pairs: the operator waits for the verdict."""

STEPS = ("whiteboard", "lightbox", "static", "action")


def make_pair_check(kind: str, plan: ExposurePlan | None, static: Sequence[PairRecord]) -> Check:
    """Return what looks at each pair of a take; OpenCV is loaded only now."""
    from processing.checks.live import LiveCheck

    return LiveCheck(kind, plan, static)


def check_and_record(session: Session, result: TakeResult) -> TakeCheck | None:
    """Check a take from its files and write what was found into the journal; None for a take without pairs.

    Args:
        session: Has the take.
        result: The take.

    Raises:
        RawFileError: A file cannot be read.
        SessionError: The journal cannot be written.
    """
    from processing.checks.take import check_take

    records = [one for one in session.pairs(result.scene, result.kind) if one.take == result.take]
    if not records:
        return None
    pairs = (record.load() for record in records[:MOST_PAIRS])
    checked = check_take(result.kind, pairs, result.applied.plan)
    return record_check(session.journal, result.scene, result.kind, result.take, checked)


def newest_checks(checks: Iterable[TakeCheck], scene: str) -> dict[str, TakeCheck]:
    """Return, for each kind of take of a scene, the check of its newest checked take."""
    found: dict[str, TakeCheck] = {}
    for one in checks:
        if one.scene == scene and (one.kind not in found or one.take > found[one.kind].take):
            found[one.kind] = one
    return found


def comes_before(kind: str, other: str) -> bool:
    """Whether a kind of take is a step before another one."""
    return kind in STEPS and other in STEPS and STEPS.index(kind) < STEPS.index(other)


def in_the_way(checks: dict[str, TakeCheck], kind: str) -> TakeCheck | None:
    """Return the check that refuses to go on to a step: a step before it must be made again, or overruled."""
    found = (checks[step] for step in STEPS if step in checks and comes_before(step, kind))
    return next((check for check in found if check.refuses), None)


def finding_line(check: TakeCheck) -> str:
    """Return the worst finding in one line, and how many more there are."""
    if not check.findings:
        return "Checked: nothing found"
    more = f" (+{len(check.findings) - 1})" if len(check.findings) > 1 else ""
    return check.findings[0].text[:1].upper() + check.findings[0].text[1:] + more


def check_details(check: TakeCheck) -> str:
    """Return all findings with their hints, and every figure that was measured."""
    said = " (overruled: the operator went on)" if check.overruled else ""
    lines = [f"Take {check.take}{said}"]
    lines += [f"{one.level}: {one.one_line()}" for one in check.findings] or ["nothing found"]
    figures = [f"{name} {value:.4g}" for name, value in check.figures.items() if value is not None]
    rows = [", ".join(figures[at : at + 3]) for at in range(0, len(figures), 3)]
    return "\n".join([*lines, "", *rows])
