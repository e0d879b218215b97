"""The companion of a rig: a process that its profile wants running before the devices are opened.

It may be anything (a lamp controller, a licence server, a rig made of software): the profile names the
command, beamrig starts it in a private folder, waits for its one line of readiness, and stops it at the end.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any, Final

from rig.errors import CompanionError

_PREFIX: Final = "beamrig-run-"
_STALE_S: Final = 60.0
"""A folder younger than this may belong to a run that has not locked it yet."""

_LOG: Final = "companion.log"
_OUTPUT: Final = "companion.out"
_STOP_TIMEOUT_S: Final = 3.0
_POLL_S: Final = 0.02
_LOG_LINES: Final = 5


def make_run_dir() -> RunDir:
    """Make the private folder (mode 0700) of one run of a rig, and remove those of runs that were killed."""
    _sweep(Path(tempfile.gettempdir()))
    return RunDir(Path(tempfile.mkdtemp(prefix=_PREFIX)))


class RunDir:
    """The private folder of one run: sockets, links and logs live there.

    It is locked as long as this process lives, however it ends; so the next run knows what is left over.

    Args:
        path: The folder, just made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _sweep(parent: Path) -> None:
    """Remove this user's run folders that no living process has locked."""
    for path in parent.glob(f"{_PREFIX}*"):
        try:
            folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue  # no folder, not ours to look into, or gone by now
        try:
            status = os.fstat(folder)
            if status.st_uid == os.getuid() and time.time() - status.st_mtime > _STALE_S:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            continue  # a run that lives
        finally:
            os.close(folder)


class Companion:
    """A started companion process; use as a context manager, or call :meth:`stop`.

    Args:
        command: Program and arguments; never a shell string.
        env: Environment variables on top of our own.
        run_dir: Private folder of this run; the process's stderr goes to ``companion.log`` in it.
        ready_timeout_s: How long the line of readiness may take.

    Attributes:
        ready: What the process said in its line of readiness.

    Raises:
        CompanionError: It cannot be started, ended early, said something else, or stayed silent.
    """

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], run_dir: Path, ready_timeout_s: float
    ) -> None:
        self._name = shorten(" ".join([Path(command[0]).name, *command[1:]]), 60) if command else ""
        self._log = run_dir / _LOG
        self._output = run_dir / _OUTPUT
        if not command:
            raise CompanionError("the rig's companion has an empty command", hint="look at the rig's profile")
        try:
            with self._log.open("ab") as log, self._output.open("wb") as output:
                self._process = subprocess.Popen(
                    list(command),
                    env={**os.environ, **env},
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            raise CompanionError(
                f"the companion {command[0]!r} cannot be started: {error.strerror}"
            ) from error
        try:
            self.ready = self._wait_ready(ready_timeout_s)
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def check(self) -> None:
        """Make sure that the process still runs.

        Raises:
            CompanionError: It ended; the message holds the last lines of its log.
        """
        if not self.alive:
            raise self._error(f"ended early with code {self._process.returncode}")

    def stop(self) -> None:
        """Stop the process: close its stdin, then ask, then force it. Safe to call again."""
        process = self._process
        if process.stdin is not None:
            process.stdin.close()
        for act in (None, process.terminate, process.kill):
            if act is not None:
                act()
            try:
                process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                continue
            return
        raise self._error("cannot be stopped")

    def __enter__(self) -> Companion:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_ready(self, timeout_s: float) -> dict[str, Any]:
        # Its output goes to a file, not to a pipe: what it may say later can then never block it.
        deadline = time.monotonic() + timeout_s
        line = b""
        while b"\n" not in line:
            ended = not self.alive
            line = self._output.read_bytes()
            if b"\n" in line:
                break
            if ended:
                raise self._error(f"ended with code {self._process.returncode} before it was ready")
            if time.monotonic() > deadline:
                raise self._error(f"was not ready within {timeout_s:g} s")
            time.sleep(_POLL_S)
        try:
            message = json.loads(line.split(b"\n", 1)[0])
        except ValueError:
            message = None
        if not isinstance(message, dict) or message.get("ready") is not True:
            raise self._error(f"said {line[:80]!r} instead of its line of readiness")
        return message

    def _error(self, what: str) -> CompanionError:
        try:
            tail = self._log.read_text("utf-8", "replace").strip().splitlines()[-_LOG_LINES:]
        except OSError:
            tail = []
        return CompanionError(f"the companion {self._name} {what}", hint=" | ".join(tail))
