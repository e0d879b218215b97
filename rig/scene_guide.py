"""A scene step by step: whiteboard, then static, then action, each take checked before the next begins.

What has been done is read from the session's journal, never from a flag: after a crash, a closed program or a
take made by other means the guide goes on where the scene stands. The checks look at pixels and come from an
upper floor as a callable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from rig.capture.findings import MakeCheck
from rig.capture.result import Shot, TakeResult
from rig.capture.schedule import TakeControl
from rig.errors import CaptureError
from rig.records import PairRecord, RawPair, TakeRecord
from rig.rig import Rig
from rig.session import Session
from rig.static_take import newest_static
from rig.take_check import CheckTake, TakeCheck, overrule, record_check, session_checks

StepState = Literal["open", "unchecked", "refused", "done"]

TELL: Final = {
    "whiteboard": "let an even white board fill the view of both cameras",
    "static": "clear the view: nothing may move",
    "action": "let the object move through the view",
}
"""What the operator has to do before each step."""

STATIC_LEAST: Final = 5
"""Background model and registration take the mean of so many static pairs."""


@dataclass(frozen=True)
class Step:
    """One step of a scene: kind of the take and how many pairs it should have."""

    kind: str
    pairs: int

    @property
    def least(self) -> int:
        """Pairs without which a complete take is not good enough."""
        return min(self.pairs, STATIC_LEAST) if self.kind == "static" else 1


@dataclass(frozen=True)
class Progress:
    """Where a step stands.

    Attributes:
        step: The step.
        state: "open": no take is good enough; "unchecked": its take was not looked at yet; "refused": the
            checks refuse it; "done": it is good, or the operator overruled the checks.
        take: Number of its newest good take; None when there is none.
        pairs: How many pairs that has.
        check: What was found; None when not checked.
        note: Why it is open or refused; empty otherwise.
    """

    step: Step
    state: StepState
    take: int | None = None
    pairs: int = 0
    check: TakeCheck | None = None
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "kind": self.step.kind,
            "asked": self.step.pairs,
            "state": self.state,
            "take": self.take,
            "pairs": self.pairs,
            "check": None if self.check is None else self.check.to_dict(),
            "note": self.note,
        }


class StepRefused(CaptureError):
    """The next step must wait: the take before it is missing, or its checks refuse it."""


def scene_steps(whiteboard: int = 2, static: int = STATIC_LEAST, action: int = 20) -> tuple[Step, ...]:
    """Return the steps of a scene.

    Raises:
        CaptureError: A number is not positive, or there are fewer static pairs than needed.
    """
    if min(whiteboard, action) < 1 or static < STATIC_LEAST:
        raise CaptureError(
            f"a scene of {whiteboard} whiteboard, {static} static and {action} action pairs cannot be used",
            hint=f"one pair of each at least, {STATIC_LEAST} of the static scene",
        )
    return Step("whiteboard", whiteboard), Step("static", static), Step("action", action)


class SceneGuide:
    """Leads through the steps of one scene.

    Args:
        session: Has the scene.
        scene: Its name.
        check_take: Looks at a whole take.
        check_pair: Makes, for kind, plan and the scene's static pairs, what looks at each pair while the take
            runs; None for nothing.
        steps: The steps in order.

    Raises:
        SessionError: No such scene.
    """

    def __init__(
        self,
        session: Session,
        scene: str,
        check_take: CheckTake,
        check_pair: MakeCheck | None = None,
        steps: Sequence[Step] | None = None,
    ) -> None:
        self.session = session
        self.scene = session.scene(scene).name
        self.steps = tuple(steps if steps is not None else scene_steps())
        self._check_take = check_take
        self._check_pair = check_pair

    def progress(self) -> list[Progress]:
        """Return where each step stands, from the journal."""
        checks = {(one.kind, one.take): one for one in session_checks(self.session, self.scene)}
        return [self._where(step, checks) for step in self.steps]

    def next(self) -> Progress | None:
        """Return the first step that is not done; None when all are."""
        return next((one for one in self.progress() if one.state != "done"), None)

    def check(self, kind: str) -> TakeCheck:
        """Check the newest take of a step from its files, and record what was found.

        Raises:
            StepRefused: There is no take to check.
            RawFileError: A file cannot be read.
        """
        here = self._progress_of(kind)
        if here.take is None:
            raise StepRefused(f"scene {self.scene} has no {kind} take to check", hint=here.note)
        plan = self.session.scene(self.scene).plan
        checked = self._check_take(kind, self._pairs(kind, here.take), plan)
        return record_check(self.session.journal, self.scene, kind, here.take, checked)

    def overrule(self, kind: str) -> None:
        """Go on in spite of what was found in a step's take; that is recorded.

        Raises:
            StepRefused: The step is not refused.
        """
        here = self._progress_of(kind)
        if here.state != "refused" or here.check is None:
            raise StepRefused(f"the {kind} take of scene {self.scene} is not refused, it is {here.state}")
        overrule(self.session.journal, here.check)

    def ready_for(self, kind: str, *, force: bool = False) -> None:
        """Make sure that every step before this one is done; takes not looked at yet are checked first.

        Args:
            kind: The step.
            force: Go on in spite of refused takes; that is recorded. A missing take is not forgiven.

        Raises:
            StepRefused: One is missing or refused.
        """
        for step in self.steps[: self._index(kind)]:
            here = self._progress_of(step.kind)
            if here.state == "unchecked":
                self.check(step.kind)
                here = self._progress_of(step.kind)
            if here.state == "refused" and force:
                self.overrule(step.kind)
            elif here.state != "done":
                again = "take it again, or go on with force" if here.state == "refused" else "take it first"
                raise StepRefused(f"{kind} must wait for {step.kind}: {here.note}", hint=again)

    def take(
        self,
        rig: Rig,
        kind: str,
        *,
        force: bool = False,
        on_shot: Callable[[Shot], None] | None = None,
        period_s: float | None = None,
        control: TakeControl | None = None,
    ) -> tuple[TakeResult, Progress]:
        """Make the take of a step with the plan in force, check it, and return both.

        Args:
            rig: The rig, with a plan in force.
            kind: The step.
            force: See `ready_for`.
            on_shot: As for `Rig.capture`.
            period_s: As for `Rig.capture`.
            control: As for `Rig.capture`.

        Raises:
            StepRefused: A step before it is missing or refused.
            CaptureError: And whatever else `Rig.capture` raises.
        """
        self.ready_for(kind, force=force)
        step = self.steps[self._index(kind)]
        plan = self.session.scene(self.scene).plan
        check = None
        if self._check_pair is not None:
            check = self._check_pair(kind, plan, newest_static(self.session, self.scene))
        result = rig.capture(
            self.session, self.scene, kind, step.pairs, period_s, on_shot, check, control=control
        )
        if self._progress_of(kind).state == "unchecked":
            self.check(kind)
        return result, self._progress_of(kind)

    def _index(self, kind: str) -> int:
        for index, step in enumerate(self.steps):
            if step.kind == kind:
                return index
        raise StepRefused(
            f"{kind} is no step of this scene", hint=", ".join(step.kind for step in self.steps)
        )

    def _progress_of(self, kind: str) -> Progress:
        return self.progress()[self._index(kind)]

    def _where(self, step: Step, checks: dict[tuple[str, int], TakeCheck]) -> Progress:
        note = ""
        records = self.session.pairs(self.scene, step.kind)
        for take in reversed(self.session.takes(self.scene, step.kind)):
            count = sum(record.take == take.take for record in records)
            if not _usable(take, count, step):
                note = note or _why_not(take, count)  # of the newest
                continue
            check = checks.get((step.kind, take.take))
            if check is None:
                return Progress(step, "unchecked", take.take, count, None, "it was not checked yet")
            state: StepState = "refused" if check.refuses else "done"
            return Progress(step, state, take.take, count, check, check.reason() if check.refuses else "")
        return Progress(step, "open", note=note or f"there is no {step.kind} take yet")

    def _pairs(self, kind: str, take: int) -> Iterator[RawPair]:
        records: list[PairRecord] = self.session.pairs(self.scene, kind)
        return (record.load() for record in records if record.take == take)


def _why_not(take: TakeRecord, pairs: int) -> str:
    reason = str(take.outcome.get("reason") or take.outcome.get("error") or "")
    return f"take {take.take} is {take.state} with {pairs} pairs" + (f": {reason}" if reason else "")


def _usable(take: TakeRecord, pairs: int, step: Step) -> bool:
    """Whether a take can serve as its step: all was asked for and enough came, or as many came anyway."""
    return pairs >= step.pairs or (take.state == "complete" and pairs >= max(step.least, 1))
