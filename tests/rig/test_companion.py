"""The companion process: started, awaited, stopped; every way it can fail has a message."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
import time
from pathlib import Path

import pytest

from rig.companion import Companion, make_run_dir
from rig.errors import CompanionError

READY = 'print(\'{"ready": true, "answer": 42}\', flush=True)\n'


def start(tmp_path: Path, code: str, timeout_s: float = 10.0, **env: str) -> Companion:
    return Companion([sys.executable, "-c", code], env, tmp_path, timeout_s)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_companion_runs_until_its_input_closes_and_may_clean_up(tmp_path: Path) -> None:
    code = READY + "import sys, pathlib\nsys.stdin.read()\n"
    code += f"pathlib.Path({str(tmp_path / 'bye')!r}).touch()\n"
    with start(tmp_path, code) as companion:
        assert companion.ready["answer"] == 42
        assert companion.alive
        companion.check()
    assert (tmp_path / "bye").exists()
    assert gone(companion.pid)
    companion.stop()


def test_the_profile_can_give_it_an_environment(tmp_path: Path) -> None:
    code = "import os, json; print(json.dumps({'ready': True, 'x': os.environ['X']}), flush=True); input()"
    with start(tmp_path, code, X="world") as companion:
        assert companion.ready["x"] == "world"


def test_its_last_words_are_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(CompanionError, match="ended with code 3 before it was ready") as caught:
        start(tmp_path, "import sys; print('no lamp found', file=sys.stderr); sys.exit(3)")
    assert "no lamp found" in caught.value.hint


@pytest.mark.parametrize("line", ["hello", "[1]", '{"ready": false}'])
def test_another_first_line_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(CompanionError, match="instead of its line of readiness"):
        start(tmp_path, f"print({line!r}, flush=True); input()")


def test_a_silent_companion_is_given_up_and_stopped(tmp_path: Path) -> None:
    code = (
        f"import os, pathlib; pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid())); input()"
    )
    begun = time.monotonic()
    with pytest.raises(CompanionError, match="not ready within 1 s"):
        start(tmp_path, code, timeout_s=1.0)
    assert time.monotonic() - begun < 60
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_stubborn_companion_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rig.companion._STOP_TIMEOUT_S", 0.2)
    code = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + READY + "time.sleep(60)\n"
    companion = start(tmp_path, code)
    companion.stop()
    assert gone(companion.pid)


def test_a_companion_that_dies_later_is_noticed(tmp_path: Path) -> None:
    companion = start(tmp_path, READY + "import sys; print('lamp burst', file=sys.stderr); sys.exit(1)")
    while companion.alive:
        time.sleep(0.01)
    with pytest.raises(CompanionError, match="ended early with code 1") as caught:
        companion.check()
    assert "lamp burst" in caught.value.hint
    companion.stop()


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(CompanionError, match="no-such-program"):
        Companion(["no-such-program"], {}, tmp_path, 1.0)


def test_the_run_folder_is_private_and_goes_away() -> None:
    folder = make_run_dir()
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    (folder.path / "x").touch()
    folder.remove()
    assert not folder.path.exists()


def test_what_a_killed_run_left_behind_is_removed_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    alive = make_run_dir()
    orphan, young, strange = (tmp_path / name for name in ("beamrig-run-a", "beamrig-run-b", "other"))
    for folder in (orphan, young, strange):
        folder.mkdir()
        (folder / "companion.log").touch()
    (tmp_path / "beamrig-run-link").symlink_to(strange)
    long_ago = time.time() - 3600
    for folder in (orphan, strange, alive.path):
        os.utime(folder, (long_ago, long_ago))
    make_run_dir().remove()
    assert not orphan.exists()
    assert all(folder.exists() for folder in (young, strange, alive.path))
    alive.remove()
