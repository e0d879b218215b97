"""The terminal during a take: one line of counters, keys, and Ctrl+C that ends it cleanly."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task
from rich.text import Text

from rig.capture.schedule import ByHand, Schedule, TakeControl, UntilStopped
from rig.cli.common import console
from rig.cli.interrupt import on_ctrl_c

if TYPE_CHECKING:  # it loads numpy
    from rig.capture.flow import TakeCounters
    from rig.rig import Rig

_SLOW_HZ = 5


def counters_line(now: TakeCounters) -> str:
    """Return how a take stands, in one line."""
    asked = f" of {now.asked}" if now.asked else ""
    parts = [
        f"{now.kind} {now.phase}: fired {now.fired}{asked}",
        f"paired {now.paired}",
        f"rejected {now.rejected}",
        f"waiting {now.waiting}",
        f"disk left {now.pairs_left} pairs",
    ]
    return ", ".join(parts) + ("" if now.disk_level == "ok" else f" ({now.disk_level} limit)")


class _Counters(ProgressColumn):
    def __init__(self, rig: Rig) -> None:
        super().__init__()
        self._rig = rig

    def render(self, task: Task) -> Text:
        now = self._rig.status().take
        return Text("getting ready" if now is None else counters_line(now))


@contextlib.contextmanager
def live_line(rig: Rig, *, quiet: bool) -> Iterator[None]:
    """Show the counters of the take on stderr, so that stdout holds the result only."""
    screen = console(stderr=True)
    columns = (SpinnerColumn(), _Counters(rig))
    quiet = quiet or not screen.is_terminal
    with Progress(
        *columns, console=screen, transient=True, disable=quiet, refresh_per_second=_SLOW_HZ
    ) as progress:
        progress.add_task("take", total=None)
        yield


@contextlib.contextmanager
def steered_by_ctrl_c(control: TakeControl) -> Iterator[None]:
    """Let Ctrl+C end the take after the present shot, a second one at once, and a third one everything."""

    def interrupt() -> None:
        if control.aborting:
            raise KeyboardInterrupt
        if control.stopping:
            control.abort()
        else:
            control.stop()

    with on_ctrl_c(interrupt):
        yield


def follow_keys(schedule: Schedule, control: TakeControl) -> None:
    """Read the keyboard in a thread: Return fires or keeps, q ends after what was asked for before it.

    The end of the input counts as q, so that shots can be piped in.
    """
    by_hand = isinstance(schedule, ByHand)
    if not by_hand and not (isinstance(schedule, UntilStopped) and schedule.preroll_s):
        return
    keys = "Return fires, q ends" if by_hand else "Return keeps the last seconds and goes on, q ends"
    console(stderr=True).print(keys)
    lines = sys.stdin or ()  # a closed input is at its end; Python has None then

    def read() -> None:
        try:
            for line in lines:
                if line.strip().lower() == "q":
                    break
                if by_hand:
                    control.fire()
                else:
                    control.keep()
        except (OSError, ValueError) as error:  # a terminal that went away, or bytes that are no text
            console(stderr=True).print(f"the keyboard cannot be read: {error}", markup=False)
        finally:
            control.fire(last=True) if by_hand else control.stop()

    threading.Thread(target=read, name="keys", daemon=True).start()
