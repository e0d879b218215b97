"""A session on a disk that cannot be written, as an archive is: what can be done there, and what is said."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from processing.errors import ProcessingError
from processing.jobs.batch import process_session
from processing.jobs.verify import verify_session
from rig.session import Session
from tests.processing.scenes import record_session
from tests.shell import assert_refused, beamrig


@pytest.fixture
def archived(tmp_path: Path) -> Iterator[Path]:
    """The folder of a developed session that nobody can write into."""
    kept, seen = tmp_path / "kept", tmp_path / "seen"
    with record_session(kept, pairs=1) as session:
        process_session(session, profile="paper", bits=8, blur=False)
    if os.geteuid() != 0:
        _run("chmod", "-R", "a-w", kept)
        yield kept
        _run("chmod", "-R", "u+w", kept)
        return
    seen.mkdir()
    if not _run("mount", "--bind", kept, seen):
        pytest.skip("root writes everywhere, and may not mount here")
    try:
        assert _run("mount", "-o", "remount,ro,bind", seen)
        yield seen
    finally:
        assert _run("umount", seen)


def _run(tool: str, *words: str | Path) -> bool:
    """Run a tool of the system; returns whether it is there and did it."""
    found = shutil.which(tool)
    return found is not None and subprocess.run([found, *map(str, words)], check=False).returncode == 0


def test_an_archive_is_verified_and_refuses_to_be_processed(archived: Path, tmp_path: Path) -> None:
    with Session.open(archived) as session:
        report = verify_session(session)
        assert (report.checked, report.differing) == (4, {})
        with pytest.raises(ProcessingError, match="cannot write"):
            process_session(session)
    assert_refused(beamrig("process", str(archived), folder=tmp_path), "cannot write", "copy it")
    page = beamrig("report", str(archived), "--out", "page.html", folder=tmp_path)
    assert (page.returncode, (tmp_path / "page.html").is_file()) == (0, True)
