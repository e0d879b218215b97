"""Files that are in the way, are no files, or bear odd names: nothing is lost, hangs or dies."""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from processing.dataset.pixels import put
from processing.errors import ProcessingError
from processing.image_files import read_image
from processing.jobs.crew import ProcessCrew
from processing.outputs import read_json, write_image, write_json
from processing.quality.metrics_files import read_8bit
from processing.raw.cli import develop
from rig.session import Session

REPOSITORY = Path(__file__).parents[2]
NO_UTF8 = os.fsdecode(b"caf\xe9")


def huge(path: Path) -> None:
    """Write a PNG of a few bytes that says it has 3.6 gigapixels."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    parts = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def test_what_is_no_image_is_none_and_no_pipe_is_waited_for(tmp_path: Path) -> None:
    huge(tmp_path / "huge.png")
    (tmp_path / "empty.png").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    for name in ("huge", "empty", "pipe", "loop", "missing"):
        assert read_image(tmp_path / f"{name}.png") is None
        with pytest.raises(ProcessingError):
            read_8bit(tmp_path / f"{name}.png")


def test_names_that_are_no_utf8_are_read_and_kept(tmp_path: Path) -> None:
    picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    path = tmp_path / f"{NO_UTF8}.png"
    write_image(path, picture)
    found = read_image(path)
    assert found is not None
    np.testing.assert_array_equal(found[..., ::-1], picture)
    write_json(tmp_path / "a.json", {"path": str(path)})
    assert (tmp_path / "a.json").read_bytes().decode("utf-8")
    assert read_json(tmp_path / "a.json") == {"path": str(path)}


def test_a_session_in_such_a_folder_is_processed_exported_and_reported(
    recorded: Session, tmp_path: Path
) -> None:
    folder, out = tmp_path / NO_UTF8, tmp_path / "set"
    shutil.copytree(recorded.root, folder)
    for command in (["process", folder], ["report", folder], ["export", folder, "--out", out]):
        done = subprocess.run(
            [sys.executable, "-m", "beamrig", *map(str, command)],
            cwd=REPOSITORY,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
    assert "caf\\udce9" in (folder / "report.html").read_text("utf-8")
    facts = json.loads((out / "dataset_description.json").read_text("utf-8"))
    assert facts["Name"] == NO_UTF8


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_nothing_is_written_through_what_bears_the_name_of_a_part(tmp_path: Path, kind: str) -> None:
    victim = tmp_path / "victim"
    for number, write in enumerate((lambda path: write_json(path, {"a": 1}), lambda path: put(path, b"{}"))):
        path = tmp_path / f"{number}.json"
        part = path.with_name(path.name + ".part")
        if kind == "link":
            part.symlink_to(victim)
        else:
            os.mkfifo(part)
        write(path)
        assert read_json(path) is not None
    assert not victim.exists()


def test_developing_replaces_no_file_of_the_same_name_unless_told_to(
    recorded: Session, tmp_path: Path
) -> None:
    (record, *_) = recorded.pairs("s01", "static")
    shutil.copy(record.path_b, tmp_path / "a.dng")
    (tmp_path / "a.json").write_text("years of work")
    order = [str(tmp_path / "a.dng"), "--out", str(tmp_path), "--half"]
    refused = CliRunner().invoke(develop, order)
    assert isinstance(refused.exception, ProcessingError)
    assert (tmp_path / "a.json").read_text() == "years of work"
    assert not (tmp_path / "a.png").exists()
    assert CliRunner().invoke(develop, [*order, "--overwrite"]).exit_code == 0
    assert read_json(tmp_path / "a.json")


def test_a_worker_that_died_while_idle_costs_nothing() -> None:
    crew = ProcessCrew(1)
    try:
        first = crew.result(crew.submit(_own_process, None))
        os.kill(first, signal.SIGKILL)
        for _ in range(200):
            if not Path(f"/proc/{first}").exists():
                break
            time.sleep(0.01)
        time.sleep(0.2)  # until the pool has noticed
        assert crew.result(crew.submit(_own_process, None)) != first
    finally:
        crew.close()


def _own_process(_: None) -> int:
    return os.getpid()
