"""A progress bar on stderr for work that tells its done fraction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rig.cli.common import console


@contextmanager
def progress_bar(*, quiet: bool, time_left: bool = True) -> Iterator[Callable[[float, str], None] | None]:
    """Show a bar; give None when nobody looks at it or the output is for a machine.

    Args:
        quiet: The output is for a machine.
        time_left: Guess the time left from the fraction; without, the work says it in its texts.
    """
    screen = console(stderr=True)
    if quiet or not screen.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = [BarColumn(), TextColumn("{task.percentage:3.0f} %"), TimeElapsedColumn()]
    if time_left:
        columns.append(TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.description}", markup=False), console=screen) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda done, text: bar.update(task, completed=done, description=text)
