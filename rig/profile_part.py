"""Types shared by all hardware profiles."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

CameraName = Literal["B", "S"]
TakeKind = Literal["whiteboard", "lightbox", "static", "action", "dark", "colorchecker"]
OutputName = Literal[
    "AB", "CD", "EF", "GH", "A", "B", "C", "D", "E", "F", "G", "H", "GPIO9", "GPIO11", "GPIO13", "GPIO15"
]  # fmt: skip
Placement = Literal["start", "centre", "end"]
ExposureControl = Literal["timed", "width"]
CfaPattern = Literal["RGGB", "GRBG", "GBRG", "BGGR"]

CAMERAS: tuple[CameraName, CameraName] = ("B", "S")


def _plain_name(text: str) -> str:
    """Accept a name or a path of visible characters; names end up in file names and messages."""
    if not text.strip() or any(ord(letter) < 32 for letter in text):
        raise ValueError("must be visible text, not empty")
    return text


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    return text


def _version(number: int) -> int:
    if number != 1:
        raise ValueError("this program reads schema 1")
    return number


Text = Annotated[str, AfterValidator(_plain_name)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Command = Annotated[list[Text], Field(min_length=1)]
SchemaVersion = Annotated[int, AfterValidator(_version)]


class Part(BaseModel):
    """Base of every part of a profile: no unknown field, no change after loading, finite numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)
