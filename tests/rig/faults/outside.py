"""A small virtual rig that belongs to no program, as a real one does: it outlives whoever is killed.

The world runs by itself and writes down what is true; the rig's profile names no companion.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from rig.profiles import RigProfile, load_rig
from tests.rig.small_rig import write_small_rig

ROOT = Path(__file__).parents[3]


def write_outside_rig(folder: Path, run_dir: Path) -> Path:
    """Write the small rig's profiles without a companion; the box's port lies in ``run_dir``."""
    path = write_small_rig(folder)
    head, _, rest = path.read_text().partition("companion:")
    path.write_text((head + rest[rest.index("cameras:") :]).replace("${run_dir}", str(run_dir)))
    return path


@dataclass
class Truth:
    """What the world has written down.

    Attributes:
        pulses: Rise of each pulse in ns, in order, by output.
        caused: Rise of the pulse that made a frame, by (camera, time stamp); None where none did.
    """

    pulses: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    caused: dict[tuple[str, int], int | None] = field(default_factory=dict)
    _read: int = 0

    def read_on(self, path: Path) -> None:
        """Read what was written since the last look.

        A torn last line is left for the next look; a torn line that others follow was a killed world's last,
        written before anybody else could know of it.
        """
        with path.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                if not line.endswith(b"}\n"):
                    continue
                fact = json.loads(line)
                if "pulse" in fact:
                    self.pulses[fact["pulse"]].append(fact["rise_ns"])
                else:
                    self.caused[fact["camera"], fact["timestamp_ns"]] = fact["pulse_ns"]


class OutsideWorld:
    """The world of a rig without a companion; it can be killed and started anew in the same place.

    Args:
        folder: Gets the profiles, the run directory and the log.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.run_dir = folder / "world"
        self.path = write_outside_rig(folder, self.run_dir)
        self.profile: RigProfile = load_rig(str(self.path))
        self.env = {"BEAMRIG_WORLD": str(self.run_dir / "world.sock"), "PYTHONPATH": str(ROOT)}
        self._log = folder / "truth.jsonl"
        self._truth = Truth()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def pid(self) -> int:
        """The world's process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the world; a killed one is succeeded by this."""
        words = ["--run-dir", str(self.run_dir), "--rig", str(self.path)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.rig.faults.logged_world", str(self._log), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, **self.env},
            start_new_session=True,
        )
        assert self._process.stdout is not None
        assert json.loads(self._process.stdout.readline())["ready"] is True

    def truth(self) -> Truth:
        """Return all that is true so far."""
        self._truth.read_on(self._log)
        return self._truth

    def kill(self) -> None:
        """End it by SIGKILL: cameras and box lose their power at once."""
        assert self._process is not None
        self._process.kill()
        self._end()

    def close(self) -> None:
        """End it as it should end."""
        assert self._process is not None
        assert self._process.stdin is not None
        if self._process.poll() is None:
            self._process.stdin.close()
        self._end()

    def _end(self) -> None:
        assert self._process is not None
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None and not stream.closed:
                stream.close()
        self._process.wait(20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
