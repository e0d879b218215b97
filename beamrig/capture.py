"""`beamrig capture` with eyes: the rig's own command, joined with processing's checks of each pair."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rig.cli.capture import capture as blind

if TYPE_CHECKING:
    from rig.capture.findings import Check
    from rig.plan import ExposurePlan
    from rig.records import PairRecord


def make_check(kind: str, plan: ExposurePlan | None, static: Sequence[PairRecord]) -> Check:
    """Return what looks at each pair of a take; OpenCV is loaded only now."""
    from processing.checks.live import LiveCheck

    return LiveCheck(kind, plan, static)


capture = copy.copy(blind)
# The rig must not know processing: the command takes the maker of checks from click's context.
capture.context_settings = {**blind.context_settings, "obj": make_check}
