"""What the window remembers between runs: a small JSON file that can never stop the app from starting."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

logger = logging.getLogger(__name__)

SETTINGS_VARIABLE = "BEAMRIG_SETTINGS"
"""Names another settings file, for a second installation or a test."""


Pairs = Annotated[int, Field(ge=1, le=9999)]


class Settings(BaseModel):
    """Everything remembered; every field has a default, unknown fields of a later version are kept out."""

    model_config = ConfigDict(extra="ignore", validate_assignment=True)

    page: str = Field(default="capture", pattern="^(plan|capture|review|deblur|calibrate|devices)$")
    geometry: str = Field(default="", description="Window geometry as base64 of QWidget.saveGeometry")
    speed: str = "1.4 m/s"
    distance: str = "5 m"
    target: str = Field(default="blur_s", pattern="^(blur_s|blur_b|exposure)$")
    target_value: str = "4"
    filter_name: str = ""
    period: str = ""
    placement: str = Field(default="", pattern="^(|start|centre|end)$")
    own_pairs: dict[str, Pairs] = Field(default_factory=dict, description="Where not the suggested number")
    take_mode: str = Field(default="count", pattern="^(count|hand|interval|stop)$")
    take_every: str = "2 s"
    take_preroll: str = ""
    pairs_a_press: Pairs = 1
    warmup: int = Field(default=0, ge=0, le=99)
    overlay_opacity: int = Field(default=45, ge=0, le=100)
    show_clipping: bool = True
    show_grid: bool = False


def settings_path() -> Path:
    """Return where the settings live: ``$BEAMRIG_SETTINGS`` or the user's configuration folder."""
    override = os.environ.get(SETTINGS_VARIABLE)
    if override:
        return Path(override)
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "beamrig" / "gui.json"


def load_settings(path: Path | None = None) -> tuple[Settings, str]:
    """Read the settings, field by field if need be.

    Args:
        path: The file; the default place when None.

    Returns:
        The settings, and a line for the operator when something in the file could not be used.
    """
    file = path or settings_path()
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings(), ""
    except (OSError, UnicodeDecodeError) as error:
        return Settings(), f"The settings file {file} cannot be read ({error}); defaults are used"
    try:
        return Settings.model_validate_json(text), ""
    except ValidationError as error:
        good = _good_fields_only(text, {str(item["loc"][0]) for item in error.errors() if item["loc"]})
        bad = ", ".join(sorted(str(item["loc"][0]) if item["loc"] else "the file" for item in error.errors()))
        logger.warning("settings file %s: %s", file, error)
        return good, f"The settings file {file} has wrong values ({bad}); defaults are used for them"


def _good_fields_only(text: str, bad: set[str]) -> Settings:
    """Keep the fields of a JSON object that validate, drop the others."""
    import json

    try:
        data: Any = json.loads(text)
    except ValueError:
        return Settings()
    if not isinstance(data, dict):
        return Settings()
    return Settings.model_validate({key: value for key, value in data.items() if key not in bad})


def save_settings(settings: Settings, path: Path | None = None) -> bool:
    """Write the settings through a temporary file.

    Returns:
        False when the disk refused; a window that closes has nobody left to tell, so it is only logged.
    """
    file = path or settings_path()
    part = file.with_name(file.name + ".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(settings.model_dump_json(indent=2) + "\n", encoding="utf-8")
        part.replace(file)
    except OSError:
        logger.exception("settings could not be written to %s", file)
        return False
    return True
