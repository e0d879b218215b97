"""Recipes as files: those that ship, by name, and others; what is wrong with one is said by its line.

All scalars are read as text and converted by the schema (`rig.profile_yaml`), so that `1e-4`, which YAML 1.1
takes for a word, is a number here.
"""

from __future__ import annotations

import difflib
from importlib import resources
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from models.training.errors import RecipeError
from models.training.recipe import FolderData, LbsData, Recipe
from rig.errors import ProfileError
from rig.profile_yaml import Document, dotted, read_document

__all__ = ["load_recipe", "recipe_names"]

PACKAGE = "models.recipes"


def recipe_names() -> list[str]:
    """Return the names of the recipes that ship."""
    files = resources.files(PACKAGE).iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def load_recipe(name_or_path: str | Path) -> Recipe:
    """Read a recipe that ships, by name, or a file.

    Raises:
        RecipeError: There is none, or it breaks the schema; the message names file, line, key and what is
            allowed there.
    """
    text = str(name_or_path)
    if text in recipe_names():
        content, source = (resources.files(PACKAGE) / f"{text}.yaml").read_text("utf-8"), f"{text}.yaml"
    else:
        content, source = _read(Path(name_or_path)), Path(name_or_path).name
    try:
        document = read_document(content, source)
    except ProfileError as error:
        raise RecipeError(error.message, hint="a recipe is a mapping of fields, in YAML") from error
    try:
        return Recipe.model_validate(document.data)
    except ValidationError as error:
        raise _refusal(error, document) from error


def _read(path: Path) -> str:
    if not path.is_file():
        names = recipe_names()
        near = difflib.get_close_matches(str(path), names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"a YAML file, or one of {', '.join(names)}"
        raise RecipeError(f"no recipe at {path}", hint=hint)
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"cannot read {path}: it is no text file that may be read") from error


def _refusal(error: ValidationError, document: Document) -> RecipeError:
    """Turn the schema's first finding into one line: file, line, key, what is wrong, what is allowed."""
    findings = error.errors()
    detail = findings[0]
    path: tuple[str | int, ...] = ()
    for part in detail["loc"]:
        # pydantic names the members of a union on the way; only what stands in the file is shown.
        if (*path, part) in document.lines or part == detail["loc"][-1]:
            path = (*path, part)
    where = f"{document.source}:{document.line_of(path)}: {dotted(path)}"
    kind, context = detail["type"], detail.get("ctx", {})
    more = f"; {len(findings) - 1} more findings" if len(findings) > 1 else ""
    if kind == "extra_forbidden":
        fields = _fields_at(Recipe, detail["loc"][:-1])
        near = difflib.get_close_matches(str(path[-1]), fields, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        return RecipeError(f"{where}: no such key", hint=f"allowed: {', '.join(fields)}{meant}{more}")
    if kind == "missing":
        return RecipeError(f"{where}: is missing{more}")
    if kind == "literal_error":
        return RecipeError(
            f"{where}: {detail['input']!r} is not allowed", hint=f"allowed: {context['expected']}{more}"
        )
    given = f", not {detail['input']!r}" if isinstance(detail["input"], str) else ""
    said = detail["msg"][0].lower() + detail["msg"][1:]
    return RecipeError(f"{where}: {said}{given}{more}")


def _fields_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """Return the keys that a part of a recipe may have."""
    present: Any = model
    for part in loc:
        if isinstance(present, list):  # the members of the data union
            chosen = [
                member for member in present if part == get_args(member.model_fields["kind"].annotation)[0]
            ]
            present = chosen[0] if chosen else present
        elif isinstance(part, str):
            found = next(
                (field for name, field in present.model_fields.items() if part in (name, field.alias)), None
            )
            present = [LbsData, FolderData] if part == "data" else found.annotation if found else present
    return [field.alias or name for name, field in present.model_fields.items()]
