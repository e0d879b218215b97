"""All checks of a pair while a take runs: for itself, and against the scene's static take."""

from __future__ import annotations

from collections.abc import Sequence

from processing.checks.brightness import tile_ratios
from processing.checks.live_verdict import SceneWatch
from processing.checks.pair import PairCheck
from rig.capture.findings import Finding
from rig.errors import BeamrigError
from rig.plan import ExposurePlan
from rig.records import PairRecord, RawPair


class LiveCheck:
    """Checks the pairs of one take, one after the other; give it to `Rig.capture(check=...)`.

    Args:
        kind: Kind of the take; pairs of an action take are compared with the static take, too.
        plan: The plan in force, or None.
        static: Static pairs of the scene; without them there are fewer checks, which is said once.
    """

    def __init__(self, kind: str, plan: ExposurePlan | None, static: Sequence[PairRecord]) -> None:
        self._kind = kind
        self._alone = PairCheck(kind, plan)
        self._watch: SceneWatch | None = None
        self._once: list[Finding] = []
        if kind == "action":
            try:
                self._watch = SceneWatch.of(static, plan)
            except BeamrigError as error:
                text = f"bump, light and moment of the pairs are not checked: {error.message}"
                self._once.append(Finding("note", text, error.hint))

    def __call__(self, pair: RawPair) -> list[Finding]:
        """Return what is wrong with a pair; empty when nothing is."""
        once, self._once = self._once, []
        tiles = None if self._kind == "dark" else tile_ratios(pair)
        found = [*once, *self._alone(pair, tiles)]
        if self._watch is None or any(one.level == "stop" for one in found):
            return found
        # That something could not be told is no news for the operator, and not worth a line of the journal.
        return found + [one for one in self._watch.judge(pair, tiles).findings if one.level != "note"]
