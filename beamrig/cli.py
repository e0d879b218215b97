"""The root command: subcommands are named here and loaded from their own room when they are used.

Loading by name keeps `beamrig --help` instant (no Qt, no torch, no OpenCV) and lets the lower rooms stay
ignorant of this one.
"""

from __future__ import annotations

import difflib
import importlib
import io
import os
import sys
from dataclasses import dataclass

import click

from beamrig import __version__
from rig.errors import BeamrigError


@dataclass(frozen=True)
class Entry:
    """Where a subcommand lives, and its line in the help."""

    target: str
    help: str


COMMANDS: dict[str, Entry] = {
    "run": Entry("gui.cli:run", "Open the app."),
    "demo": Entry("beamrig.demo.cli:demo", "The main job in one go on the virtual rig, with a report."),
    "plan": Entry("rig.cli.plan:plan", "Plan the exposures of a scene (Eq. 2)."),
    "measure": Entry("beamrig.measure:measure", "Measure light, speed and filter for the plan."),
    "scene": Entry("beamrig.scene:scene", "Take a whole scene step by step, with checks between."),
    "capture": Entry("beamrig.capture:capture", "Capture a take of synchronised pairs."),
    "sync": Entry("rig.cli.sync:sync", "Test the rig's synchrony, show the proof of each pair."),
    "session": Entry("rig.cli.session:session", "Show, check and repair a recorded session."),
    "process": Entry("processing.jobs.cli:process", "Develop, align and mask a recorded session."),
    "masks": Entry("processing.jobs.cli:masks", "Make the local blur masks of a session (LBFMG)."),
    "calibrate": Entry("processing.calibration.cli:calibrate", "Make calibration files for many sessions."),
    "develop": Entry("processing.raw.cli:develop", "Develop RAW files of any camera (DNG, NEF, CR2)."),
    "verdicts": Entry("processing.checks.cli:verdicts", "List what the checks say of each pair."),
    "review": Entry("rig.cli.review:review", "Reject or accept pairs of a session yourself."),
    "report": Entry("processing.page.cli:report", "Write a session's report as one HTML page."),
    "export": Entry("processing.dataset.cli:export", "Export a data set in the published layout; check one."),
    "metrics": Entry("processing.quality.cli:metrics", "Compare images: PSNR, SSIM, weighted and aligned."),
    "deblur": Entry("models.cli:deblur", "Deblur developed images with LBAG."),
    "kernel-deblur": Entry("models.kernel_cli:kernel_deblur_command", "Deblur one picture without training."),
    "models": Entry("models.models_cli:models", "List the networks: papers, sizes, weights, input."),
    "train": Entry("models.training.cli:train", "Train a network, or adapt one to a session."),
    "synth": Entry("models.synth.cli:synth", "Make training pairs: objects, film, the virtual rig."),
    "evaluate": Entry(
        "models.evaluation.cli:evaluate", "Take the paper's figures of networks on a data set."
    ),
    "devices": Entry("rig.cli.devices:devices", "List cameras and trigger boxes; features, frames."),
    "profiles": Entry("rig.cli.profiles:profiles", "List, show and check hardware profiles."),
    "virtual": Entry("rig.virtual.cli:virtual", "Run and steer the virtual rig."),
}


class LazyGroup(click.Group):
    """A click group whose subcommands are imported only when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table: the way of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command behind a name; None when there is no such name."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module_name, _, attribute = entry.target.partition(":")
        command = getattr(importlib.import_module(module_name), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.target} is no click command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve the subcommand; an unknown one is answered with the nearest known name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(COMMANDS)}"
            ctx.fail(f"no such command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of subcommands from the table, without importing one of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="beamrig")
def cli() -> None:
    """Beam-splitter rig: plan, capture, process and deblur pairs of one long and one short exposure."""


def main() -> None:
    """Run the command line; every foreseen error is one line on stderr and exit code 2."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without "µ" or "τ" shows "?" there
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        _fail("stopped by the operator", 130)
    except click.exceptions.NoArgsIsHelpError as error:
        _without_command(error)
    except click.UsageError as error:
        where = f" (see '{error.ctx.command_path} --help')" if error.ctx else ""
        _fail(f"{error.format_message()}{where}", 2)
    except click.ClickException as error:
        _fail(error.format_message(), 2)
    except BeamrigError as error:
        _fail(error.one_line(), 2)
    except KeyboardInterrupt:
        _fail("stopped by the operator", 130)
    except BrokenPipeError:
        # The reader of our output went away (`beamrig ... | head`); Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        # What a command foresees it says itself; this is a disk that fills up under stdout, and its like.
        where = "" if error.filename is None else f"{error.filename}: "
        _fail(f"{where}{error.strerror or error}", 2)
    else:
        sys.exit(code if isinstance(code, int) else 0)


def _without_command(error: click.exceptions.NoArgsIsHelpError) -> None:
    """Answer `beamrig` alone with its help, and a group without its command with the names to choose from."""
    context = error.ctx
    if context is None or context.parent is None or not isinstance(context.command, click.Group):
        click.echo(error.format_message())
        sys.exit(0)
    names = ", ".join(context.command.list_commands(context))
    _fail(f"name one of {names} (see '{context.command_path} --help')", 2)


def _fail(message: str, code: int) -> None:
    click.echo(f"error: {' '.join(message.split())}", err=True)
    sys.exit(code)
