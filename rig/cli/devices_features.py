"""`beamrig devices features`: what any camera can be asked and told, saved and compared."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich import box
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from rig.camera.paths import checked_path
from rig.cli.common import console, json_option, print_json
from rig.cli.device_options import cti_option, id_option, the_producer
from rig.cli.params import PathName

if TYPE_CHECKING:  # they load numpy; --help must not wait for it
    from rig.camera.browser import Category, FeatureBrowser, FeatureNode, FeatureState, Visibility
    from rig.camera.feature_diff import Difference
    from rig.camera.types import DeviceInfo

_EXAMPLES = """\b
Examples:
  beamrig devices features --cti producer.cti --id 40012345 --search "trigger mode"
  beamrig devices features --cti producer.cti --category AnalogControl --visibility beginner
  beamrig devices features --cti producer.cti --save today.json
  beamrig devices features --cti producer.cti --diff yesterday.json
  beamrig devices features --cti producer.cti --diff-profile basler_ace

JSON: device, features [{name, display_name, type, category, visibility, value, unit, minimum, maximum,
increment, entries, access, why, locked, tooltip, description, selectors, selects, polling_ms}];
with --diff: device, differences [{key, before, after, unit}]
"""


@click.command(epilog=_EXAMPLES)
@cti_option()
@id_option
@click.option(
    "--search", default="", metavar="WORDS", help="Those with all words in name or text, best first."
)
@click.option(
    "--category", default="", metavar="NAME", help="Only those of a category, such as AnalogControl."
)
@click.option(
    "--visibility",
    type=click.Choice(["beginner", "expert", "guru"], case_sensitive=False),
    default="guru",
    show_default=True,
    help="Only what that level of user sees.",
)
@click.option("--tree", "as_tree", is_flag=True, help="Print them below their categories.")
@click.option("--save", type=PathName(dir_okay=False), help="Keep all values in a JSON file.")
@click.option("--diff", type=PathName(dir_okay=False), help="Show which settings differ from a saved file.")
@click.option("--diff-profile", metavar="NAME", help="Show what a camera profile would change.")
@json_option
def features(
    cti: Path | None,
    device: str,
    search: str,
    category: str,
    visibility: Visibility,
    as_tree: bool,
    save: Path | None,
    diff: Path | None,
    diff_profile: str | None,
    as_json: bool,
) -> None:
    """List a camera's features: values, units, limits, and why one cannot be written now."""
    from rig.camera.browser import FeatureBrowser
    from rig.camera.process import CameraProcess

    if diff is not None and diff_profile is not None:
        raise click.UsageError("--diff and --diff-profile do not go together")
    changed: list[Difference] | None = None
    with CameraProcess.bare(checked_path(the_producer(cti)), device) as camera:
        browser = FeatureBrowser(camera)
        if category and not browser.features(category=category):
            raise click.BadParameter(
                f"{category!r} is none of {', '.join(browser.categories())}", param_hint="--category"
            )
        if save is not None or diff is not None or diff_profile is not None:
            changed = _compare(browser, camera.info, save, diff, diff_profile)
        within = {one.name for one in browser.features(visibility, category)}
        found = [one for one in browser.search(search, visibility) if one.name in within]
        states = {} if changed is not None else browser.states(one.name for one in found)
        info, tree = camera.info, browser.tree(visibility)
    title = f"{info.model} {info.serial_number}"
    if changed is not None:
        _print_differences(title, info, changed, as_json)
    elif save is None:
        found = [one for one in found if states[one.name].access != "not implemented"]
        if as_json:
            rows = [_finite(_row(one, states[one.name])) for one in found]
            print_json({"device": info.to_dict(), "features": rows})
        elif as_tree:
            _print_tree(title, tree, {one.name for one in found}, states)
        else:
            _print_table(title, found, states)


def _compare(
    browser: FeatureBrowser, info: DeviceInfo, save: Path | None, diff: Path | None, profile: str | None
) -> list[Difference] | None:
    """Save and compare as asked; None when nothing was to be compared."""
    from rig.camera import feature_diff
    from rig.profiles import load_profile

    before = None if diff is None else feature_diff.load(diff)  # before anything is written over it
    taken = feature_diff.snapshot(browser, info)
    if save is not None:
        feature_diff.save(taken, save)
    if before is not None:
        return feature_diff.differences(before, taken)
    if profile is not None:
        loaded = load_profile(profile, "camera")
        return feature_diff.differences_from_profile(taken, browser, loaded, ("common", "triggered"))
    if save is not None:
        console(stderr=True).print(f"{len(taken['features'])} values in {save}", soft_wrap=True, markup=False)
    return None


def _row(node: FeatureNode, state: FeatureState) -> dict[str, Any]:
    return {**node.to_dict(), **state.to_dict(), "description": node.description or node.tooltip}


def _print_differences(title: str, info: DeviceInfo, found: list[Difference], as_json: bool) -> None:
    if as_json:
        print_json({"device": info.to_dict(), "differences": [one.to_dict() for one in found]})
        return
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for column in ("feature", "before", "after", "unit"):
        table.add_column(column, overflow="fold")
    for one in found:
        cells = ("-" if value is None else str(value) for value in (one.before, one.after))
        table.add_row(escape(one.key), *map(escape, cells), one.unit)
    console().print(table if found else f"{title}: no setting differs")


def _print_tree(title: str, top: list[Category], names: set[str], states: dict[str, FeatureState]) -> None:
    def add(branch: Tree, category: Category) -> None:
        inner = Tree(escape(category.node.display_name))
        for one in category.features:
            if one.name in names:
                state = states[one.name]
                why = f"  ({state.why})" if state.why else ""
                inner.add(escape(f"{one.name}  {_value(state)}".rstrip() + why))
        for other in category.categories:
            add(inner, other)
        if inner.children:
            branch.add(inner)

    root = Tree(escape(title))
    for category in top:
        add(root, category)
    console().print(root)


def _print_table(title: str, found: list[FeatureNode], states: dict[str, FeatureState]) -> None:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("feature", no_wrap=True)
    for column in ("value", "limits or entries", "access"):
        table.add_column(column, overflow="fold")
    for one in found:
        state = states[one.name]
        why = f": {state.why}" if state.locked or state.access == "not available" else ""
        table.add_row(one.name, escape(_value(state)), escape(_range(state)), f"{state.access}{why}")
    console().print(table)


def _value(state: FeatureState) -> str:
    return "" if state.value is None else f"{state.value} {state.unit}".rstrip()


def _range(state: FeatureState) -> str:
    if state.access == "read only" and not state.locked:
        return ""
    if state.minimum is None or state.maximum is None:
        return ", ".join(state.entries)
    step = f", step {state.increment:g}" if state.increment is not None else ""
    return f"{state.minimum:g} to {state.maximum:g}{step}"


def _finite(data: dict[str, Any]) -> dict[str, Any]:
    """Replace infinities by None: a camera may state them as limits, JSON has no word for them."""
    odd = {key for key, value in data.items() if isinstance(value, float) and not math.isfinite(value)}
    return {key: None if key in odd else value for key, value in data.items()}
