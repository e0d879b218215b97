"""A program that records take after take until it is killed: ``python -m tests.rig.faults.recorder RIG DIR``.

What a careful operator does by hand it does at once: after a failed take it opens anew what is lost, and goes
on in the same session; what it cannot put right ends it with one line. It waits for a line on stdin before it
touches the rig, so that loading the libraries costs the tests nothing. On stdout, a line each: ``ready``,
``open``, ``take``, ``ack ID SHA256_OF_B SHA256_OF_S`` for an acknowledged pair, ``no ID REASON``,
``end STATE``, ``trouble LINE``, ``error LINE``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rig import Rig
from rig.capture.result import Shot
from rig.errors import BeamrigError
from rig.profiles import load_rig
from rig.session import Session
from tests.rig.small_rig import small_plan

PAIRS = (2, 9, 1, 5)
"""Pairs of one take after the other."""


def say(*words: object) -> None:
    """Write a line in one go: a killed program must not leave half of one."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def tell(shot: Shot) -> None:
    """Acknowledge a shot, as the command line and the app do by showing it."""
    if shot.pair is None:
        say("no", shot.id, shot.reason)
    else:
        say("ack", shot.id, shot.pair.meta_b["sha256"], shot.pair.meta_s["sha256"])


def mend(rig: Rig) -> None:
    """Open anew what is lost."""
    for name, camera in rig.cameras.items():
        if camera.state == "lost":
            rig.restart_camera(name)
    if rig.status().box in ("lost", "fault"):
        rig.restart_box(patience_s=5)


def record(path: str, root: Path) -> None:
    """Record until the end of days."""
    profile = load_rig(path)
    plan = small_plan(profile)
    with Session.open(root) as session, Rig.open(profile) as rig:
        say("open")
        rig.apply_plan(plan)
        number = 0
        while True:
            say("take")
            try:
                result = rig.capture(session, "s01", "action", PAIRS[number % len(PAIRS)], on_shot=tell)
                say("end", result.state)
            except BeamrigError as error:
                say("trouble", error.one_line())
                mend(rig)
            number += 1


if __name__ == "__main__":
    say("ready")
    if sys.stdin.readline():
        try:
            record(sys.argv[1], Path(sys.argv[2]))
        except BeamrigError as error:
            say("error", error.one_line())
            sys.exit(2)
