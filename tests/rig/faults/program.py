"""Another program on the rig: the recorder (`tests.rig.faults.recorder`), to be followed and killed."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.rig.faults.outside import ROOT, OutsideWorld

MARK = "BEAMRIG_TEST_MARK"
PATIENCE_S = 40.0


class Program:
    """A run of the recorder, followed line by line; it waits until it is let loose."""

    def __init__(
        self, world: OutsideWorld, root: Path, tmp: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.mark = uuid.uuid4().hex
        self.lines: list[str] = []
        self.noted = 0
        with (tmp / "recorder.err").open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.rig.faults.recorder", str(world.path), str(root)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                env={**os.environ, **world.env, **(env or {}), MARK: self.mark, "TMPDIR": str(tmp)},
                start_new_session=True,
            )
        self._come: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def loose(self) -> None:
        """Let it go at the rig, once it is ready."""
        self.until(lambda line: line == "ready")
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")
        self._process.stdin.flush()

    def until(self, wanted: Callable[[str], bool], patience_s: float = PATIENCE_S) -> str | None:
        """Take lines until a wanted one; None when the program ended before.

        Raises:
            AssertionError: None came in time.
        """
        give_up = time.monotonic() + patience_s
        while True:
            try:
                line = self._come.get(timeout=max(give_up - time.monotonic(), 0.01))
            except queue.Empty:
                raise AssertionError(f"the recorder is stuck after {self.lines[-5:]}") from None
            if line is None:
                self._come.put(None)
                return None
            self.lines.append(line)
            if wanted(line):
                return line

    def until_begun(self, word: str) -> None:
        """Wait until it has said a word, or has ended."""
        if word not in self.lines:
            self.until(lambda line: line == word)

    def last_word(self) -> str:
        """Return with what word the newest line begins that it has said."""
        while not self._come.empty():
            line = self._come.get()
            if line is None:
                self._come.put(None)
                break
            self.lines.append(line)
        return self.lines[-1].partition(" ")[0]

    def end(self, *, kill: bool) -> int:
        """Kill it, or wait for its own end; take its last lines and return its exit code."""
        if kill:
            self._process.kill()
        self.until(lambda line: False)
        code = self._process.wait(PATIENCE_S)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._thread.join(PATIENCE_S)
        self._process.stdout.close()
        return code

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def hosts(self) -> list[int]:
        """Return the processes of its cameras, the elder one first."""
        found = [pid for pid in marked(self.mark) if b"rig.camera.host" in _read(pid, "cmdline")]
        return sorted(found, key=lambda pid: int(_read(pid, "stat").rsplit(b")", 1)[1].split()[19]))

    def acknowledged(self) -> dict[str, tuple[str, str]]:
        """Return the SHA-256 of B's and S's file of each pair that it has shown as recorded."""
        words = [line.split() for line in self.lines if line.startswith("ack ")]
        return {shot: (b, s) for _, shot, b, s in words}

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith(b"\n"):
                self._come.put(line.decode().rstrip("\n"))
        self._come.put(None)


def _read(pid: int, what: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:
        return b""  # it ended while we looked


def marked(mark: str) -> list[int]:
    """Return the processes that were started by or under a program with this mark."""
    wanted = f"{MARK}={mark}".encode()
    pids = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if wanted in _read(pid, "environ").split(b"\0")]
