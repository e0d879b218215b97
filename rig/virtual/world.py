"""The world process: ``python -m rig.virtual.world --run-dir DIR --rig NAME [OPTION]...``.

Holds the scene, both sensors and the trigger box. In the run directory (mode 0700): ``world.sock`` for the
producers, ``control.sock`` for the operator, and the trigger box's serial port under the name that the rig's
profile gives it. Prints one JSON line when all of them can be opened, and ends when its stdin closes or on
SIGTERM.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TextIO

import click

from rig.errors import BeamrigError
from rig.profiles import RigProfile, expand, load_profile, load_rig
from rig.virtual.backgrounds import DEFAULT_BACKGROUND
from rig.virtual.boxes import VirtualBox
from rig.virtual.control import ControlServer
from rig.virtual.dg645_pulses import PulseEngine
from rig.virtual.edges import EdgeScheduler
from rig.virtual.fault_book import FaultBook
from rig.virtual.fault_desk import FaultDesk
from rig.virtual.frames import RenderedFrame
from rig.virtual.kernel import WorldError
from rig.virtual.links import CameraLinks
from rig.virtual.options import background_option, seed_option
from rig.virtual.parameters import parameters_of
from rig.virtual.render import CameraRenderer
from rig.virtual.state import OBJECTS, SceneState
from rig.virtual.wires import Wires

TEMPERATURE_EVERY_S = 2.0


def private_folder(path: Path) -> Path:
    """Return ``path`` as a folder of this user that nobody else can enter, made if it is missing.

    Raises:
        WorldError: It is not a folder, belongs to another user, or others have rights in it.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.lstat()
    except OSError as error:
        raise WorldError(f"{path} cannot be the run directory: {error.strerror}") from error
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise WorldError(f"{path} is not a folder of this user")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise WorldError(
            f"other users have rights in the run directory {path}", hint="name a folder that is yours alone"
        )
    return path


class World:
    """All parts of the virtual rig, joined.

    Args:
        run_dir: Private folder for sockets and serial port.
        profile: The rig to be.
        seed: Of the hidden numbers and of the noise.
        objects: How many objects move (1 to 3).
        background: What stands behind the objects, see `backgrounds`.
        pattern: The cameras show the producer's own pattern, not the scene: for benchmarks of all but the
            rendering. Triggers and clocks are the world's all the same.
    """

    def __init__(
        self,
        run_dir: Path,
        profile: RigProfile,
        seed: int = 0,
        objects: int = 1,
        *,
        background: str = DEFAULT_BACKGROUND,
        pattern: bool = False,
    ) -> None:
        self.run_dir = private_folder(run_dir)
        self.parameters = parameters_of(profile, seed)
        self.state = SceneState(
            self.parameters, OBJECTS[:objects], start_ns=time.monotonic_ns(), background=background
        )
        self.renderers = {name: CameraRenderer(self.parameters, self.state, name) for name in ("B", "S")}
        self._preparing = [
            threading.Thread(target=renderer.prepare, name=f"world-prepare-{name}", daemon=True)
            for name, renderer in self.renderers.items()
            if not pattern
        ]
        book = FaultBook()
        self.links = CameraLinks(run_dir / "world.sock", self.renderers, book, pattern=pattern)
        self.edges = EdgeScheduler(self.links.send)
        self.wires = Wires(self.edges, book, seed)
        self.engine = PulseEngine(self.wires.on_output)
        port = Path(expand(profile, run_dir).trigger_box.port)
        self.box = VirtualBox(
            port if port.parent == run_dir else run_dir / "trigger_box",
            load_profile(profile.trigger_box.profile, "trigger_box"),
            self.engine,
        )
        self.faults = FaultDesk(book, self.links, self.box.fault)
        for camera, output in profile.trigger_box.outputs.items():
            # The virtual camera has one input, whatever the camera that it plays calls it.
            self.wires.connect(self.box.pairs[output], camera, 0)
        self.control = ControlServer(
            run_dir / "control.sock",
            {
                "stage": self._stage,
                "set": self._set,
                "truth": self._truth,
                "frames": self._frames,
                "pulses": self._pulses,
                "state": self._state,
                "fault": self._fault,
                "faults": lambda _: self.faults.listing(),
                "clear_faults": lambda request: self.faults.clear(request.get("number")),
            },
        )

    def start(self) -> None:
        """Let it run; the first pictures are prepared in the background."""
        for part in (self.links, self.edges, self.engine, self.box, self.control):
            part.start()
        for thread in self._preparing:
            thread.start()

    def close(self) -> None:
        """Stop everything and remove sockets and serial port."""
        for part in (self.control, self.box, self.engine, self.edges, self.links):
            part.close()
        for thread in self._preparing:  # an interpreter that ends under a thread inside OpenCV aborts
            if thread.is_alive():
                thread.join(timeout=5)
        for name in ("world.sock", "control.sock"):
            (self.run_dir / name).unlink(missing_ok=True)

    def _stage(self, request: dict[str, Any]) -> dict[str, Any]:
        self.state.set_stage(str(request.get("kind", "")))
        return {"state": self.state.to_dict()}

    def _set(self, request: dict[str, Any]) -> dict[str, Any]:
        background = request.pop("background", None)
        self.state.set_values(time.monotonic_ns(), **{name: float(value) for name, value in request.items()})
        if background is not None:
            self.state.set_background(str(background))
            for renderer in self.renderers.values():  # it is there when we answer: no late frame
                renderer.prepare()
        return {"state": self.state.to_dict()}

    def _truth(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"parameters": self.parameters.to_dict(), "state": self.state.to_dict()}

    def _frames(self, request: dict[str, Any]) -> dict[str, Any]:
        everything = bool(request.get("untriggered", False))
        index = {(pulse.output, pulse.rise_ns): pulse.index for pulse in self.engine.recent()}
        return {
            "frames": [
                self._caused(frame, index).to_dict()
                for frame in self.links.recent()
                if frame.triggered or everything
            ]
        }

    def _caused(self, frame: RenderedFrame, index: dict[tuple[str, int], int]) -> RenderedFrame:
        """Say which pulse made a frame."""
        output, rise_ns = self.wires.cause(frame.camera, frame.t_start_ns) or ("", None)
        if rise_ns is None:
            return frame
        return replace(frame, pulse=index.get((output, rise_ns)), pulse_ns=rise_ns)

    def _fault(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"order": self.faults.order(str(request.get("name", "")), dict(request.get("options") or {}))}

    def _pulses(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"pulses": [asdict(pulse) for pulse in self.engine.recent()]}

    def _state(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "rig": self.parameters.rig,
            "seed": self.parameters.seed,
            "cameras": self.links.owners(),
            "lost_edges": self.links.lost_edges,
            "box_busy": self.engine.busy(),
            "state": self.state.to_dict(),
        }


def run_world(
    run_dir: Path,
    rig: str,
    seed: int = 0,
    *,
    objects: int = 1,
    background: str = DEFAULT_BACKGROUND,
    pattern: bool = False,
    faults: Sequence[str] = (),
    stdin: TextIO | None = None,
) -> None:
    """Be the world, with these faults ordered, until ``stdin`` closes or SIGTERM or SIGINT comes."""
    import cv2

    cv2.setNumThreads(1)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    world = World(run_dir, load_rig(rig), seed, objects, background=background, pattern=pattern)
    for order in faults:
        world.faults.order_text(order)
    world.start()
    source = (stdin or sys.stdin).fileno()

    def watch_parent() -> None:
        while os.read(source, 4096):
            pass
        ended.set()

    threading.Thread(target=watch_parent, name="world-parent", daemon=True).start()
    ready = {
        "ready": True,
        "pid": os.getpid(),
        "run_dir": str(run_dir),
        "rig": world.parameters.rig,
        "seed": seed,
        "background": background,
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    while not ended.wait(TEMPERATURE_EVERY_S):
        world.links.send_temperatures()
    world.close()


@click.command()
@click.option(
    "--run-dir", type=click.Path(path_type=Path), required=True, help="Private folder for the sockets."
)
@click.option("--rig", default="virtual", show_default=True, help="Rig profile: a name or a file.")
@seed_option
@background_option
@click.option("--objects", default=1, show_default=True, type=click.IntRange(1, 3), help="Moving objects.")
@click.option(
    "--picture",
    type=click.Choice(["scene", "pattern"]),
    default="scene",
    show_default=True,
    help="Pattern: the cameras make their pictures themselves, with the frame's number in them.",
)
@click.option("--fault", "faults", multiple=True, help='An order such as "lose_frame camera=S at=3".')
def main(
    run_dir: Path, rig: str, seed: int, background: str, objects: int, picture: str, faults: tuple[str, ...]
) -> None:
    """Run the virtual world until stdin closes."""
    logging.basicConfig(level=logging.WARNING, format="world: %(message)s")
    try:
        run_world(
            run_dir,
            rig,
            seed,
            objects=objects,
            background=background,
            pattern=picture == "pattern",
            faults=faults,
        )
    except BeamrigError as error:
        click.echo(f"error: {error.one_line()}", err=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
