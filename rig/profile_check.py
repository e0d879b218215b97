"""From a schema's verdict to what an operator can act on: file, line, field, what is allowed."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rig.errors import ProfileError
from rig.profile_schema import MODELS, Profile
from rig.profile_yaml import Document, FieldPath, dotted


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a profile.

    Attributes:
        source: File name or built-in name.
        line: 1-based line in the file.
        field: Field path such as ``cameras.B.serial_number``; empty for the whole profile.
        message: What is wrong.
        allowed: What would be right; may be empty.
    """

    source: str
    line: int
    field: str
    message: str
    allowed: str = ""

    def text(self) -> str:
        """Return ``file:line: field: message``."""
        return f"{self.source}:{self.line}: {f'{self.field}: ' if self.field else ''}{self.message}"


class ProfileInvalid(ProfileError):
    """A profile breaks the schema; `problems` holds every finding, the message the first."""

    def __init__(self, problems: list[Problem]) -> None:
        first, more = problems[0], len(problems) - 1
        tail = f"; and {more} more, see 'beamrig profiles check'" if more else ""
        super().__init__(first.text(), hint=(first.allowed + tail).removeprefix("; "))
        self.problems = problems


def validate(document: Document) -> Profile:
    """Check a document against the schema of its kind.

    Args:
        document: What `rig.profile_yaml.read_document` gave.

    Returns:
        The frozen profile.

    Raises:
        ProfileInvalid: With every problem found, each with its line.
    """
    kind = document.data.get("kind")
    if not isinstance(kind, str) or kind not in MODELS:
        said = f"kind is '{kind}'" if kind is not None else "the field 'kind' is missing"
        line = document.line_of(("kind",))
        raise ProfileInvalid(
            [
                Problem(
                    document.source,
                    line,
                    "kind",
                    said,
                    f"one of {', '.join(MODELS)}{_near(str(kind), MODELS)}",
                )
            ]
        )
    model = MODELS[kind]
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        found = {
            problem: None for detail in error.errors() for problem in [_problem(detail, document, model)]
        }
        raise ProfileInvalid(sorted(found, key=lambda problem: problem.line)) from error


def _problem(detail: ErrorDetails, document: Document, model: type[BaseModel]) -> Problem:
    kind, context = detail["type"], detail.get("ctx", {})
    given = detail["input"]
    path = _known_path(tuple(detail["loc"]), document, missing=kind == "missing")
    allowed = ""
    match kind:
        case "extra_forbidden":
            fields = _fields_at(model, path[:-1])
            message = "no such field"
            allowed = f"allowed: {', '.join(fields)}{_near(str(path[-1]), fields)}"
        case "missing":
            message, allowed = "is missing", _description(model, path)
        case "literal_error":
            message = f"'{given}' is not allowed"
            allowed = f"allowed: {context['expected']}{_near(str(given), _quoted(str(context['expected'])))}"
        case "value_error":
            message = str(context["error"])
        case "string_type" | "dict_type" | "list_type" | "model_type" | "model_attributes_type":
            wanted = {"string": "text", "dict": "a mapping", "list": "a list"}.get(
                kind.split("_", maxsplit=1)[0]
            )
            message, allowed = f"must be {wanted or 'a mapping of fields'}", _description(model, path)
        case _:
            message = f"{detail['msg'][0].lower()}{detail['msg'][1:]}".removeprefix("input ")
            said = f", not '{given}'" if isinstance(given, str) else ""
            message, allowed = f"{message}{said}", _description(model, path)
    return Problem(document.source, document.line_of(path), dotted(path), message, allowed)


def _known_path(loc: FieldPath, document: Document, *, missing: bool) -> FieldPath:
    """Drop pydantic's own markers (union members, '[key]') so that only fields of the file remain."""
    path: FieldPath = ()
    for part in loc:
        if (*path, part) in document.lines:
            path = (*path, part)
    if missing and loc:
        return (*path, loc[-1])
    return path


def _fields_at(model: type[BaseModel], path: FieldPath) -> list[str]:
    """Return the field names (as written in files) of the part that stands at `path`."""
    part = _model_at(model, path)
    return [] if part is None else [info.alias or name for name, info in part.model_fields.items()]


def _description(model: type[BaseModel], path: FieldPath) -> str:
    """Return the schema's own description of the nearest described field of `path`."""
    for length in range(len(path), 0, -1):
        part = _model_at(model, path[: length - 1])
        for name, info in (part.model_fields if part else {}).items():
            if path[length - 1] in (name, info.alias) and info.description:
                return info.description.rstrip(".")
    return ""


def _model_at(model: type[BaseModel], path: FieldPath) -> type[BaseModel] | None:
    """Walk the type annotations along a field path to the model that describes it."""
    here: Any = model
    for part in path:
        if isinstance(here, type) and issubclass(here, BaseModel):
            infos = {info.alias or name: info.annotation for name, info in here.model_fields.items()}
            here = infos.get(str(part))
        else:  # an entry of a dict or list: its last type argument says what stands there
            here = get_args(here)[-1] if get_args(here) else None
        here = _without_none(here)
    return here if isinstance(here, type) and issubclass(here, BaseModel) else None


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    parts = [_without_none(member) for member in get_args(annotation)] if _is_union(annotation) else []
    models = [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]
    if len(models) == 1:
        return models[0]
    members = [member for member in get_args(annotation) if member is not type(None)]
    return members[0] if len(members) == 1 and type(None) in get_args(annotation) else annotation


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, UnionType)


def _near(word: str, known: Any) -> str:
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _quoted(expected: str) -> list[str]:
    return expected.split("'")[1::2]
