"""The table of faults in the documentation names a test for every row, and that test is there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.rig.faults.told import TABLE

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


def rows() -> list[list[str]]:
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells if row[0] != "fault"]


def test_every_row_says_what_is_seen_what_is_left_how_to_go_on_and_names_a_test_that_is_there() -> None:
    last_file = ""
    assert len(rows()) > 30
    for row in rows():
        assert len(row) == 5, row
        assert all(row), row
        if row[4] == "the same":
            continue
        for name in re.findall(r"`([^`]+)`", row[4]):
            if name.endswith(".py"):
                file = ROOT / name if "/" in name else HERE / name
                assert file.is_file(), name
                last_file = file.read_text("utf-8")
            else:
                assert f"def {name}(" in last_file, f"{row[0]}: {name}"
