"""Adapts the weights to a session in a process of its own, so that the window keeps its processor time.

One JSON object a line comes back: ``{"done": …, "text": …}`` on the way, ``{"result": {…}}`` at the end, or
``{"error": {…}}``. The process ends itself when its standard input closes: a window that dies leaves nobody
behind who trains for hours.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from processing.errors import Cancelled
from rig.errors import BeamrigError

PATIENCE_S = 60.0
"""How long the process may take to stop before it is ended."""

Tell = Callable[[float, str], None]


class AdaptError(BeamrigError):
    """The weights could not be adapted."""


@dataclass(frozen=True)
class AdaptOrder:
    """What is to be done.

    Attributes:
        session: Folder of the session.
        weights: File to begin with.
        minutes: How long.
        out: Folder for the new weights and the report on them.
        nicer: By how much it gives way to others: cameras and window go first.
    """

    session: str
    weights: str
    minutes: float
    out: str
    nicer: int


@dataclass(frozen=True)
class Adapted:
    """What was gained.

    Attributes:
        weights: The new weights; None where they did not help.
        held_out: How many pairs it was measured on, that nothing was learnt from.
        blurred_db: PSNR of B inside the mask against S on these pairs, in dB.
        before_db: The same of what the weights before make of it.
        after_db: The same with the new ones.
        cancelled: Whether it was stopped; the best until then counts.
    """

    weights: str | None
    held_out: int
    blurred_db: float
    before_db: float
    after_db: float
    cancelled: bool

    def words(self) -> str:
        """Say it in a sentence or two."""
        pairs = f"{self.held_out} held-out pair{'' if self.held_out == 1 else 's'}"
        stopped = "Stopped. " if self.cancelled else ""
        if self.weights is None:
            return f"{stopped}No gain on {pairs} ({self.before_db:.2f} dB): the present weights stay."
        gain = self.after_db - self.before_db
        return (
            f"{stopped}Mover on {pairs}: {self.before_db:.2f} → {self.after_db:.2f} dB ({gain:+.2f} dB; "
            f"B itself {self.blurred_db:.2f}). Use the new weights?"
        )


class AdaptProcess:
    """One adaptation; `stop` may be called from any thread."""

    def __init__(self, order: AdaptOrder) -> None:
        self._order = order
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def run(self, tell: Tell) -> Adapted:
        """Adapt, and return what was gained.

        Args:
            tell: Told (done fraction, text).

        Raises:
            AdaptError: It could not be done.
            Cancelled: It was stopped before anything could be measured.
        """
        process = self._start()
        errors: list[str] = []
        listener = threading.Thread(target=lambda: errors.extend(process.stderr or ()), daemon=True)
        listener.start()
        answer: dict[str, Any] = {}
        with process:  # closes its ends and waits for it
            try:
                self._send(process)
                for line in process.stdout or ():
                    said = _parsed(line)
                    if "done" in said:
                        tell(float(said["done"]), str(said.get("text", "")))
                    elif said:
                        answer = said
            finally:
                self._end(process)
                listener.join(PATIENCE_S)
        return self._judged(answer, errors)

    def stop(self) -> None:
        """End the learning; the best until then counts."""
        with self._lock:
            self._stopped = True
            process = self._process
        if process is not None and process.poll() is None:
            self._close_input(process)
            timer = threading.Timer(PATIENCE_S, process.kill)
            timer.daemon = True
            timer.start()

    def kill(self) -> None:
        """End it without waiting: nothing is kept. For the end of the program."""
        with self._lock:
            self._stopped = True
            process = self._process
        if process is not None:
            process.kill()

    def _start(self) -> subprocess.Popen[str]:
        with self._lock:
            if self._stopped:
                raise Cancelled("adapting was stopped", hint="nothing was kept")
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gui.adapt_child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            return self._process

    def _send(self, process: subprocess.Popen[str]) -> None:
        # where it ended at once, or was stopped: what it said tells why
        with contextlib.suppress(OSError, ValueError):
            if process.stdin is not None:
                process.stdin.write(json.dumps(asdict(self._order)) + "\n")
                process.stdin.flush()

    def _close_input(self, process: subprocess.Popen[str]) -> None:
        with contextlib.suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()

    def _end(self, process: subprocess.Popen[str]) -> None:
        """See that the process is gone."""
        self._close_input(process)
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()

    def _judged(self, answer: dict[str, Any], errors: list[str]) -> Adapted:
        if "error" in answer:
            said = answer["error"]
            raise AdaptError(str(said.get("message", "")), hint=str(said.get("hint", "")))
        try:
            return Adapted(**answer["result"])
        except (KeyError, TypeError):
            if self._stopped:
                raise Cancelled("adapting was stopped", hint="nothing was kept") from None
            last = next((line.strip() for line in reversed(errors) if line.strip()), "nothing was said")
            raise AdaptError(
                f"the process that adapts the weights ended: {last}", hint="is there enough memory?"
            ) from None


def new_folder(session: Path, now: str) -> Path:
    """Return where weights adapted to a session at a time go."""
    return session / "derived" / "_adapted" / now


def adapted_weights(session: Path) -> tuple[Path, ...]:
    """Return the weights that were adapted to a session, newest first."""
    return tuple(sorted((session / "derived" / "_adapted").glob("*/weights.safetensors"), reverse=True))


def _parsed(line: str) -> dict[str, Any]:
    """Return what a line says; nothing where it is a stray print of a library."""
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
