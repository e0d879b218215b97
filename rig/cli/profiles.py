"""`beamrig profiles`: list, show and check hardware profiles."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import click
from pydantic import Field, TypeAdapter
from rich.syntax import Syntax
from rich.table import Table

from rig.cli.common import console, json_option, print_json
from rig.cli.params import PathName
from rig.errors import ProfileError
from rig.profiles import (
    Problem,
    Profile,
    ProfileInvalid,
    list_profiles,
    load_profile,
    load_rig,
    profile_text,
)

_EXAMPLES = """\b
Examples:
  beamrig profiles show virtual > my_rig.yaml
  beamrig profiles check my_rig.yaml

JSON: list gives [{name, kind, title}]; check gives ok, kind, name, problems [{source, line, field, message,
allowed}]; show gives the profile itself, as 'profiles schema' tells
"""


@click.group(invoke_without_command=True, epilog=_EXAMPLES)
@json_option
@click.pass_context
def profiles(context: click.Context, as_json: bool) -> None:
    """Hardware profiles: whole rigs, cameras, trigger boxes; listed when no COMMAND is named."""
    if context.invoked_subcommand is None:
        context.invoke(list_, as_json=as_json)
    elif as_json:
        raise click.UsageError(f"--json goes after its name: 'profiles {context.invoked_subcommand} --json'")


@profiles.command("list")
@json_option
def list_(as_json: bool = False) -> None:
    """List the built-in profiles."""
    entries = list_profiles()
    if as_json:
        print_json([dataclasses.asdict(entry) for entry in entries])
        return
    table = Table("name", "kind", "title")
    for entry in entries:
        table.add_row(entry.name, entry.kind.replace("_", " "), entry.title)
    console().print(table)


@profiles.command()
@click.argument("name")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show the profile NAME (or a path), as written or as JSON."""
    if as_json:
        print_json(load_profile(name).model_dump(mode="json", by_alias=True))
        return
    text = profile_text(name)
    out = console()
    if out.is_terminal:
        out.print(Syntax(text, "yaml", background_color="default"))
    else:
        click.echo(text, nl=not text.endswith("\n"))


@profiles.command()
@click.argument("path", type=PathName())
@json_option
@click.pass_context
def check(context: click.Context, path: Path, as_json: bool) -> None:
    """Check the profile PATH, a file or a name (and, for a rig, those it names); exit code 2 if wrong."""
    source = path if path.suffix or path.exists() or len(path.parts) > 1 else path.name
    try:
        profile: Profile = load_profile(source)
        if profile.kind == "rig":
            profile = load_rig(source)
    except ProfileInvalid as error:
        problems = error.problems
        if not as_json:
            for problem in problems:
                click.echo(f"{problem.text()}{f' ({problem.allowed})' if problem.allowed else ''}")
            raise ProfileError(f"{path}: {_count(len(problems))}") from error
    except ProfileError as error:
        if not as_json:
            raise
        problems = [Problem(str(path), 1, "", error.message, error.hint)]
    else:
        if as_json:
            print_json({"ok": True, "kind": profile.kind, "name": profile.name, "problems": []})
        else:
            click.echo(f"{path}: a good {profile.kind.replace('_', ' ')} profile, '{profile.title}'")
        return
    print_json({"ok": False, "problems": [dataclasses.asdict(problem) for problem in problems]})
    context.exit(2)


@profiles.command()
def schema() -> None:
    """Print the JSON schema of profiles, for editors that complete and check YAML."""
    anyone: TypeAdapter[Any] = TypeAdapter(Annotated[Profile, Field(discriminator="kind")])
    print_json(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **anyone.json_schema(by_alias=True)}
    )


def _count(number: int) -> str:
    return "1 problem" if number == 1 else f"{number} problems"
