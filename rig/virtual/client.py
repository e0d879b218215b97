"""Talks to a running world over its control socket. Loads nothing heavy."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rig.errors import BeamrigError

if TYPE_CHECKING:
    from rig.virtual.frames import RenderedFrame
    from rig.virtual.pair_truth import PairTruth
    from rig.virtual.truth import Truth

ANSWER_TIMEOUT_S = 20.0


class WorldUnreachable(BeamrigError):
    """No world answers in this run directory, or it refused."""


class WorldClient:
    """One question, one answer, one connection each time.

    Args:
        run_dir: The run directory of the world.
    """

    def __init__(self, run_dir: Path | str) -> None:
        self.run_dir = Path(run_dir)

    def ask(self, cmd: str, **fields: Any) -> dict[str, Any]:
        """Send a command and return the answer.

        Raises:
            WorldUnreachable: No world there, no answer in time, or refused (the reason is the message).
        """
        path = self.run_dir / "control.sock"
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
                channel.settimeout(ANSWER_TIMEOUT_S)
                channel.connect(str(path))
                with channel.makefile("rwb") as stream:
                    stream.write(json.dumps({"cmd": cmd, **fields}).encode() + b"\n")
                    stream.flush()
                    line = stream.readline()
        except OSError as error:
            raise WorldUnreachable(
                f"no world answers at {path}: {error.strerror or error}",
                hint="start one with `beamrig virtual world --run-dir DIR`",
            ) from error
        try:
            answer = json.loads(line)
        except ValueError as error:
            raise WorldUnreachable(f"the world at {path} answered no JSON") from error
        if not isinstance(answer, dict) or answer.pop("ok", None) is not True:
            raise WorldUnreachable(str(answer.get("error", "refused")), hint=str(answer.get("hint", "")))
        return answer

    def stage(self, kind: str) -> dict[str, Any]:
        """Change the stage: action, static, whiteboard, lightbox, dark or colorchecker. Returns the state."""
        return dict(self.ask("stage", kind=kind)["state"])

    def set(self, **values: float | str) -> dict[str, Any]:
        """Change a setting of the scene, see `cli.SETTINGS`; the background goes by its name.

        Returns:
            The state.
        """
        return dict(self.ask("set", **values)["state"])

    def state(self) -> dict[str, Any]:
        """Return what is going on: stage, settings, who has opened the cameras."""
        return self.ask("state")

    def truth(self) -> Truth:
        """Return the hidden numbers."""
        from rig.virtual.truth import Truth

        return Truth.from_dict(self.ask("truth"))

    def frames(self, *, untriggered: bool = False) -> list[RenderedFrame]:
        """Return records of the newest rendered frames (triggered ones, or all), oldest first."""
        from rig.virtual.frames import RenderedFrame

        return [
            RenderedFrame.from_dict(item) for item in self.ask("frames", untriggered=untriggered)["frames"]
        ]

    def find_frame(self, camera: str, timestamp_ns: int) -> RenderedFrame | None:
        """Return the frame of ``camera`` with this time stamp of its own clock, if still known."""
        for frame in reversed(self.frames(untriggered=True)):
            if frame.camera == camera and frame.timestamp_ns == timestamp_ns:
                return frame
        return None

    def pair_truth(self, timestamp_b_ns: int, timestamp_s_ns: int) -> PairTruth | None:
        """Return what is true of a pair, by its time stamps; None when a frame is not known any more."""
        from rig.virtual.pair_truth import PairTruth

        known = {(frame.camera, frame.timestamp_ns): frame for frame in self.frames()}
        b, s = known.get(("B", timestamp_b_ns)), known.get(("S", timestamp_s_ns))
        return None if b is None or s is None else PairTruth(self.truth().parameters, b, s)

    def fault(self, name: str, **options: float | str) -> dict[str, Any]:
        """Order something to go wrong (see `rig.virtual.faults`; ``box NAME`` for the trigger box).

        Returns:
            The order, with the ``number`` to clear it by.
        """
        return dict(self.ask("fault", name=name, options=options)["order"])

    def faults(self) -> list[dict[str, Any]]:
        """Return all orders so far and what came of them."""
        return list(self.ask("faults")["orders"])

    def clear_faults(self, number: int | None = None) -> None:
        """Forget one order, or all of them; what they unplugged is plugged in again."""
        self.ask("clear_faults", number=number)

    def pulses(self) -> list[dict[str, Any]]:
        """Return the newest pulses of the trigger box: output, index, rise_ns, fall_ns."""
        return list(self.ask("pulses")["pulses"])
