"""An instrument on a real pseudo-terminal that follows a script: these bytes must come, these go back."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import tty
from collections.abc import Iterator

Script = list[tuple[str, str | None]]
"""What must be sent, and what is answered (None: nothing), without ends of line, in order."""


class ScriptedBox:
    """The far end of a serial line. Records every byte; answers only what its script says, in its order."""

    def __init__(self, script: Script, answer_end: bytes = b"\r\n", command_end: bytes = b"\n") -> None:
        self._script = list(script)
        self._answer_end = answer_end
        self._command_end = command_end
        self.received = bytearray()
        self.unexpected: list[bytes] = []
        self._near, self._far = os.openpty()
        tty.setraw(self._far)
        self.port = os.ttyname(self._far)
        self._stop_read, self._stop_write = os.pipe()
        self._open = True
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def left(self) -> Script:
        """What the script still expects."""
        return self._script

    def say(self, data: bytes) -> None:
        """Send bytes that nobody asked for."""
        os.write(self._near, data)

    def unplug(self) -> None:
        """Take the line away."""
        if self._open:
            self._open = False
            os.write(self._stop_write, b"x")
            self._thread.join()
            for handle in (self._near, self._far, self._stop_read, self._stop_write):
                os.close(handle)

    def _serve(self) -> None:
        line = bytearray()
        while True:
            ready, _, _ = select.select([self._near, self._stop_read], [], [])
            if self._stop_read in ready:
                return
            data = os.read(self._near, 1024)
            self.received += data
            for byte in data:
                line.append(byte)
                if line.endswith(self._command_end):
                    self._answer(bytes(line))
                    line.clear()

    def _answer(self, line: bytes) -> None:
        if not self._script or line != self._script[0][0].encode() + self._command_end:
            self.unexpected.append(line)
            return
        _, answer = self._script.pop(0)
        if answer is not None:
            os.write(self._near, answer.encode("latin-1") + self._answer_end)


@contextlib.contextmanager
def scripted(
    script: Script, answer_end: bytes = b"\r\n", command_end: bytes = b"\n"
) -> Iterator[ScriptedBox]:
    """Give a box that follows `script`; at the end all of it must have happened, and nothing else."""
    box = ScriptedBox(script, answer_end, command_end)
    try:
        yield box
    finally:
        box.unplug()
    assert not box.unexpected, f"not in the script: {box.unexpected}; expected next: {box.left[:1]}"
    assert not box.left, f"never sent: {box.left}"
