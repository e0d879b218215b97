"""What the operator is told: by the command line in this process, and by the table in ``docs/faults.md``."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from unittest import mock

import beamrig.cli

TABLE = Path(__file__).parents[3] / "docs" / "faults.md"
PLAN = ("--speed", "1.4 m/s", "--blur-s", "0.5")


def beamrig_says(*words: object) -> tuple[int, str, str]:
    """Run the root command; return its exit code, what it prints and what it complains of."""
    out, err = StringIO(), StringIO()
    argv = ["beamrig", *map(str, words)]
    with mock.patch.object(sys, "argv", argv), redirect_stdout(out), redirect_stderr(err):
        try:
            beamrig.cli.main()
        except SystemExit as end:
            return int(end.code or 0), out.getvalue(), err.getvalue()
    raise AssertionError("the command did not end with a code")


def capture(rig: Path, session: Path, pairs: int = 2, plan: Sequence[str] = PLAN) -> tuple[int, str]:
    """Make a take by the command; return its exit code and its last line of complaint."""
    words = ["--rig", rig, "--session", session, "--scene", "s01", "--kind", "action", "--pairs", pairs]
    code, _, complaints = beamrig_says("capture", *words, *plan)
    return code, (complaints.strip().splitlines() or [""])[-1]


def form_of(line: str) -> str:
    """Return a line without what differs from time to time: numbers, places, names of devices."""
    line = re.sub(r"b'[^']*'|b\"[^\"]*\"", "BYTES", line)
    line = re.sub(r"(?<![\w<])/[^\s:,;()'`]+", "PATH", line)
    line = re.sub(r"[*A-Z]{3,5}\?", "QUESTION", line)
    line = re.sub(r"\bVR-[BS]-\d+|\b[BS]\b", "X", line)
    return " ".join(re.sub(r"\d+(\.\d+)?", "N", line).split())


@cache
def _documented() -> str:
    return form_of(TABLE.read_text("utf-8").replace("`", "").replace("\\|", "|"))


def is_documented(line: str) -> bool:
    """Whether the table of faults holds a line as it was printed, but for numbers, places and names."""
    return form_of(line.removeprefix("error: ").replace("`", "")) in _documented()
