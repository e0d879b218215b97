"""The command `beamrig train`."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rig.cli.common import console, json_option, print_json
from rig.cli.params import FiniteRange, PathName

if TYPE_CHECKING:
    from models.training.adapt import AdaptReport
    from models.training.loop import Outcome
    from models.training.recipe import Recipe

__all__ = ["train"]

PLAIN_EVERY_S = 30.0

_EXAMPLES = """\b
Examples:
  beamrig train lbag_small --out runs/small --data photos=~/photos
  beamrig train lbag_small --out runs/small --data photos=~/photos --minutes 10   (a piece; again goes on)
  beamrig train lbag_plus --out runs/plus --data reloblur=/data/ReLoBlur --init MIMO-UNetPlus.pkl
  torchrun --nproc_per_node 4 -m beamrig train lbag --out runs/lbag --data reloblur=/data/ReLoBlur
  beamrig train --session my-session --init lbag.safetensors --minutes 10
  tensorboard --logdir runs

Ctrl+C saves and stops (exit code 130); the same command goes on from there.

JSON: ending, step, steps, weights, precision, figures {psnr_in, psnr_out, gain, background_in,
background_out, mask_iou}; with --session what models/training/adapt.py reports
"""


class _KeyPath(click.ParamType[Any]):
    name = "KEY=PATH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Split at the first '='."""
        key, equal, path = str(value).partition("=")
        if not key or not equal or not path:
            self.fail(f"{value!r} is not KEY=PATH", param, ctx)
        return key, Path(path).expanduser()


@click.command(epilog=_EXAMPLES)
@click.argument("recipe", required=False)
@click.option(
    "--out",
    type=PathName(file_okay=False),
    help="Run folder; the same one resumes. Adapting: SESSION/derived/_adapted.",
)
@click.option(
    "--data",
    multiple=True,
    type=_KeyPath(),
    metavar="KEY=PATH",
    help="Where data of the recipe lies; repeatable.",
)
@click.option("--init", type=PathName(), help="Weights to start from, instead of the recipe's.")
@click.option(
    "--minutes",
    type=FiniteRange(0, min_open=True),
    help="End this piece then, saved; the schedule goes by steps. Adapting: the whole of it [10].",
)
@click.option(
    "--threads", type=click.IntRange(1), metavar="N", help="Threads of the network; torch's choice."
)
@click.option(
    "--workers", type=click.IntRange(0), metavar="N", help="Processes that make batches; 0: none [a few]."
)
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True, help="Where."
)
@click.option("--session", type=PathName(), help="Adapt to the developed pairs of this session.")
@json_option
def train(
    recipe: str | None,
    out: Path | None,
    data: tuple[tuple[str, Path], ...],
    init: Path | None,
    minutes: float | None,
    threads: int | None,
    workers: int | None,
    device: str,
    session: Path | None,
    as_json: bool,
) -> None:
    """Train a network after RECIPE (a YAML file, or the name of one that ships), or adapt one to a session.

    --out gets the weights (weights.safetensors), the curve (curve.jsonl), TensorBoard events, pictures, and
    the state from which the same command goes on.
    """
    if (recipe is None) == (session is None):
        raise click.UsageError("name a RECIPE, or a session to adapt to with --session (not both)")
    # Tensors come and go in big blocks: huge pages save the kernel touching each small one anew.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    # Threads that wait by spinning take the core from those that they wait for, once anything else runs
    # beside the training, such as the makers of its batches: a step took two to five times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    began = time.monotonic()
    import cv2
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    cv2.setNumThreads(1)
    if session is not None:
        if data or workers:
            raise click.UsageError("--data and --workers do not go with --session")
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            raise click.UsageError("adapting takes one process; start it without torchrun")
        _adapt(session, out, init, minutes or 10.0, device, as_json)
        return

    if out is None:
        raise click.UsageError("name the run folder with --out DIR")

    from models.training.recipe_file import load_recipe

    loaded = load_recipe(recipe or "")
    if init is not None:
        loaded = loaded.model_copy(update={"init": str(init)})
    deadline_s = None if minutes is None else began + minutes * 60
    outcome = _train(loaded, out, dict(data), deadline_s, _workers(workers), device, as_json)
    if outcome is not None:
        _print(outcome, as_json)
        if outcome.ending == "stopped":
            sys.exit(130)


def _train(
    recipe: Recipe,
    out: Path,
    keys: dict[str, Path],
    deadline_s: float | None,
    workers: int,
    device: str,
    as_json: bool,
) -> Outcome | None:
    """Train; return None in the processes that do not lead."""
    from models.training.data import open_data
    from models.training.distributed import crew
    from models.training.loop import run_training
    from models.training.networks import build, initialise
    from rig.cli.interrupt import cancel_by_ctrl_c

    with cancel_by_ctrl_c() as cancel, _at_sigterm(cancel), crew(device) as present:
        with _shown(present.leads, as_json) as (say, progress):
            data = open_data(recipe, keys, held_out=present.leads)
            network = build(recipe.network, recipe.seed)
            if recipe.init and not (out / "state.pt").exists():
                path = keys.get(recipe.init, Path(recipe.init))
                say(initialise(network, path, zero_heads=recipe.network.zero_heads))
            outcome = run_training(
                recipe,
                network,
                data,
                out,
                present,
                deadline_s=deadline_s,
                workers=workers,
                cancel=cancel,
                say=say,
                progress=progress,
            )
        return outcome if present.leads else None


def _adapt(
    session: Path, out: Path | None, init: Path | None, minutes: float, device: str, as_json: bool
) -> None:
    from models.training.adapt import adapt
    from models.weights import default_weights
    from rig.cli.interrupt import cancel_by_ctrl_c

    start = init or default_weights()
    if start is None:
        raise click.UsageError("name the weights to start from with --init FILE")
    with cancel_by_ctrl_c() as cancel, _shown(True, as_json) as (_, progress):
        report = adapt(session, start, minutes, cancel, progress, out=out, device=device)
    if as_json:
        print_json(report.to_dict())
    else:
        _print_adapted(report)
    if report.cancelled:
        sys.exit(130)


def _print_adapted(report: AdaptReport) -> None:
    """Print the held-out pairs before and after as a table."""
    from rich.table import Table

    def said(value: float | None, form: str = "{:.2f}") -> str:
        return "-" if value is None else form.format(value)

    table = Table("held-out pair", "blurred, dB", "before, dB", "after, dB", "gain, dB")
    for pair in report.held_out:
        table.add_row(
            pair.name, said(pair.blurred), said(pair.before), said(pair.after), said(pair.gain, "{:+.2f}")
        )
    console().print(table)
    names = {"background_out": "background, dB", "mask_iou": "mask IoU"}
    for name, label in names.items():
        if name in report.before:
            click.echo(f"{label}: {report.before[name]:.2f} -> {report.after[name]:.2f}")
    click.echo(
        f"{report.steps} steps on {report.trained_pairs} pairs in {report.seconds:.0f} s: {report.note}"
    )
    if report.weights is not None:
        click.echo(f"weights: {report.weights}")


@contextmanager
def _at_sigterm(cancel: threading.Event) -> Iterator[None]:
    """Let SIGTERM stop in good order: with it clusters and `timeout` end a job."""
    before = signal.signal(signal.SIGTERM, lambda *_: cancel.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _shown(
    leads: bool, as_json: bool
) -> Iterator[tuple[Callable[[str], None], Callable[[float, str], None] | None]]:
    """Give what takes lines and progress: a bar on a terminal, else a plain line now and then, on stderr."""
    from rig.cli.progress import progress_bar

    def quiet(_: str) -> None:
        pass

    if not leads:
        yield quiet, None
        return
    last = time.monotonic() - PLAIN_EVERY_S + 5

    def plainly(_: float, text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= PLAIN_EVERY_S:
            last = time.monotonic()
            click.echo(text, err=True)

    with progress_bar(quiet=as_json, time_left=False) as bar:
        yield (lambda line: click.echo(line, err=True)), bar or plainly


def _workers(asked: int | None) -> int:
    """Return how many processes make batches: those asked for, or a core less than there are, up to 8."""
    if asked is not None:
        return asked
    cores = len(os.sched_getaffinity(0)) // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(1, min(8, cores - 1))


def _print(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        print_json({**vars(outcome), "weights": None if outcome.weights is None else str(outcome.weights)})
        return
    how = {"finished": "finished", "piece": "this piece is over, saved", "stopped": "stopped, saved"}
    rest = "" if outcome.ending == "finished" else "; the same command goes on"
    click.echo(f"{how[outcome.ending]} at step {outcome.step} of {outcome.steps}{rest}")
    if outcome.weights is not None:
        click.echo(f"weights: {outcome.weights}")
    for name, value in outcome.figures.items():
        click.echo(f"{name:>15}  {value:.3f}")
