"""`beamrig capture` with eyes: the rig's own command, joined with processing's checks of each pair."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from rig.cli.capture import capture as blind

if TYPE_CHECKING:
    from rig.capture.findings import Check
    from rig.plan import ExposurePlan


def make_check(kind: str, plan: ExposurePlan | None) -> Check:
    """Return what looks at each pair of a take; OpenCV is loaded only now."""
    from processing.pair_checks import PairCheck

    return PairCheck(kind, plan)


capture = copy.copy(blind)
# The rig must not know processing: the command takes the maker of checks from click's context.
capture.context_settings = {**blind.context_settings, "obj": make_check}
