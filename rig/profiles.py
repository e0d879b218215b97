"""Hardware profiles: find them by name or path, check them, and fill in the places of this machine.

The files ship in the package `hardware_profiles`; a user's own profile is given by its path and may
name the files beside it. Profiles name programs to start (companion, take hooks): open only files
that you would also run.
"""

from __future__ import annotations

import difflib
import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Literal, TypeVar, overload

import yaml

from rig.errors import ProfileError
from rig.profile_check import Problem, ProfileInvalid, validate
from rig.profile_devices import (
    BOX_OUTPUTS,
    BoxLimits,
    CameraProfile,
    OutputLevels,
    PixelFormat,
    SerialSettings,
    Step,
    Timing,
    Tolerance,
    TriggerBoxProfile,
)
from rig.profile_part import CAMERAS, CameraName, OutputName, TakeKind
from rig.profile_schema import (
    CameraSlot,
    Companion,
    DensityFilter,
    Optics,
    Profile,
    RigProfile,
    TakeHook,
    TriggerSlot,
)
from rig.profile_yaml import MAX_BYTES, read_document

__all__ = [
    "CAMERAS",
    "BoxLimits",
    "CameraName",
    "CameraProfile",
    "CameraSlot",
    "Companion",
    "DensityFilter",
    "Optics",
    "OutputLevels",
    "OutputName",
    "PixelFormat",
    "Problem",
    "Profile",
    "ProfileEntry",
    "ProfileInvalid",
    "RigProfile",
    "SerialSettings",
    "Step",
    "TakeHook",
    "TakeKind",
    "Timing",
    "Tolerance",
    "TriggerBoxProfile",
    "TriggerSlot",
    "dump_profile",
    "expand",
    "list_profiles",
    "load_profile",
    "load_rig",
    "profile_text",
]

Kind = Literal["rig", "camera", "trigger_box"]
P = TypeVar("P", RigProfile, CameraProfile, TriggerBoxProfile)

_PACKAGE = "hardware_profiles"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}|\$\{")


@dataclass(frozen=True)
class ProfileEntry:
    """A built-in profile as listed: name, kind and title."""

    name: str
    kind: str
    title: str


def list_profiles() -> list[ProfileEntry]:
    """Return the built-in profiles, rigs first.

    Raises:
        ProfileError: A built-in profile is damaged.
    """
    order = {"rig": 0, "camera": 1, "trigger_box": 2}
    entries = [
        ProfileEntry(name, profile.kind, profile.title)
        for name in _names()
        for profile in [load_profile(name)]
    ]
    return sorted(entries, key=lambda entry: (order[entry.kind], entry.name))


def profile_text(name_or_path: str | Path) -> str:
    """Return the YAML text of a profile as written, comments included.

    Raises:
        ProfileError: No such profile, or the file cannot be read.
    """
    return _read(name_or_path)[0]


@overload
def load_profile(name_or_path: str | Path, kind: None = None) -> Profile: ...
@overload
def load_profile(name_or_path: str | Path, kind: Literal["rig"]) -> RigProfile: ...
@overload
def load_profile(name_or_path: str | Path, kind: Literal["camera"]) -> CameraProfile: ...
@overload
def load_profile(name_or_path: str | Path, kind: Literal["trigger_box"]) -> TriggerBoxProfile: ...
def load_profile(name_or_path: str | Path, kind: Kind | None = None) -> Profile:
    """Load and check one profile.

    A rig that names camera and box files beside it gets their absolute paths, so that the profile
    means the same wherever it is used from.

    Args:
        name_or_path: Name of a built-in profile ("virtual"), or the path of a YAML file.
        kind: What it must be; None takes any kind.

    Raises:
        ProfileError: Missing, unreadable, of another kind, or against the schema (`ProfileInvalid`,
            with file, line, field and what is allowed).
    """
    text, source, folder = _read(name_or_path, kind)
    profile = _parsed(text, source)
    if kind is not None and profile.kind != kind:
        raise ProfileError(f"{source}: is a {profile.kind} profile, a {kind} profile is wanted")
    if isinstance(profile, RigProfile) and folder is not None:
        profile = _anchored(profile, folder)
    return profile


def load_rig(name_or_path: str | Path) -> RigProfile:
    """Load a rig together with the profiles it names, and check that they fit each other.

    Args:
        name_or_path: Name of a built-in rig, or the path of a YAML file.

    Raises:
        ProfileError: As `load_profile`; or the cameras' pixel formats differ, or the box lacks an output.
    """
    rig = load_profile(name_or_path, "rig")
    first, second = (load_profile(rig.cameras[camera].profile, "camera") for camera in CAMERAS)
    box = load_profile(rig.trigger_box.profile, "trigger_box")
    for camera, output in rig.trigger_box.outputs.items():
        if output not in BOX_OUTPUTS[box.driver]:
            raise ProfileError(
                f"{rig.name}: trigger_box.outputs.{camera}: {box.title} has no output '{output}'",
                hint=f"it has {', '.join(BOX_OUTPUTS[box.driver])}",
            )
    if first.pixel_format != second.pixel_format:
        raise ProfileError(
            f"{rig.name}: cameras B ({first.name}) and S ({second.name}) have different pixel formats",
            hint="both frames of a pair must have the same size, bits and colour pattern",
        )
    return rig


def expand(rig: RigProfile, run_dir: Path) -> RigProfile:
    """Fill ``${run_dir}``, ``${package}`` and ``${python}`` into commands, environment, .cti and port.

    Args:
        rig: Profile as loaded.
        run_dir: Private folder of this run (sockets, the virtual box's port).

    Returns:
        A copy with the places of this machine; `package` is the folder that holds the package `rig`.

    Raises:
        ProfileError: An unknown ``${...}``.
    """
    values = {
        "run_dir": str(run_dir),
        "package": str(Path(__file__).resolve().parent.parent),
        "python": sys.executable,
    }

    def fill(text: str) -> str:
        def value(match: re.Match[str]) -> str:
            if match[1] not in values:
                known = ", ".join(f"${{{name}}}" for name in values)
                raise ProfileError(f"{rig.name}: unknown placeholder in '{text}'", hint=f"known: {known}")
            return values[match[1]]

        return _PLACEHOLDER.sub(value, text)

    companion = rig.companion and rig.companion.model_copy(
        update={
            "command": [fill(part) for part in rig.companion.command],
            "env": {name: fill(text) for name, text in rig.companion.env.items()},
        }
    )
    cameras = {name: slot.model_copy(update={"cti": fill(slot.cti)}) for name, slot in rig.cameras.items()}
    hooks = {
        kind: hook.model_copy(update={"command": [fill(part) for part in hook.command]})
        for kind, hook in rig.take_hooks.items()
    }
    box = rig.trigger_box.model_copy(update={"port": fill(rig.trigger_box.port)})
    return rig.model_copy(
        update={"companion": companion, "cameras": cameras, "take_hooks": hooks, "trigger_box": box}
    )


def dump_profile(profile: Profile) -> str:
    """Return a profile as YAML text that loads to an equal profile (the session's record of it)."""
    data = profile.model_dump(mode="json", by_alias=True, exclude_none=True)
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110))


@lru_cache(maxsize=32)
def _parsed(text: str, source: str) -> Profile:
    """Parse and check; the same text is the same frozen profile, so planning while typing stays quick."""
    return validate(read_document(text, source))


def _names() -> list[str]:
    files = resources.files(_PACKAGE).iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def _is_path(name_or_path: str | Path) -> bool:
    text = str(name_or_path)
    return isinstance(name_or_path, Path) or "/" in text or "\\" in text or text.endswith((".yaml", ".yml"))


def _expanded(name_or_path: str | Path) -> Path:
    try:
        return Path(name_or_path).expanduser()
    except RuntimeError as error:  # ~nobody
        raise ProfileError(f"no profile file {name_or_path}", hint="there is no user of that name") from error


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # longer than a name may be
        return False


def _read(name_or_path: str | Path, kind: Kind | None = None) -> tuple[str, str, Path | None]:
    """Return text, name for messages, and the folder of a user's file (None for a built-in one).

    `kind` only decides which names are told where there is none of that name.
    """
    if _is_path(name_or_path):
        path = _expanded(name_or_path)
        try:
            with path.open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)  # enough to know that /dev/zero is no profile
            if len(content) > MAX_BYTES:
                raise ProfileError(f"{path}: larger than {MAX_BYTES} bytes", hint="this is no profile")
            return content.decode("utf-8"), str(path), path.resolve().parent
        except FileNotFoundError as error:
            raise ProfileError(
                f"no profile file {path}", hint="beamrig profiles list shows the built-in ones"
            ) from error
        except OSError as error:
            raise ProfileError(f"cannot read the profile {path}: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise ProfileError(
                f"cannot read the profile {path}: byte {error.start} is not UTF-8 text",
                hint="a profile is a YAML file",
            ) from error
    name = str(name_or_path)
    known = _names()
    if not _NAME.fullmatch(name) or name not in known:
        known = [entry.name for entry in list_profiles() if kind in (None, entry.kind)]
        close = difflib.get_close_matches(name, known, n=1)
        guess = f"did you mean {close[0]}? " if close else ""
        raise ProfileError(
            f"no profile named '{name}'", hint=f"{guess}known: {', '.join(known)}; or give a path"
        )
    file = resources.files(_PACKAGE) / f"{name}.yaml"
    return file.read_text(encoding="utf-8"), f"{name}.yaml", None


def _anchored(rig: RigProfile, folder: Path) -> RigProfile:
    """Make the profile files that a rig names relative to itself absolute."""

    def anchor(name: str) -> str:
        if _is_path(name):
            return str((folder / _expanded(name)).resolve())
        beside = folder / f"{name}.yaml"
        return str(beside) if _NAME.fullmatch(name) and _is_file(beside) else name

    cameras = {
        camera: slot.model_copy(update={"profile": anchor(slot.profile)})
        for camera, slot in rig.cameras.items()
    }
    box = rig.trigger_box.model_copy(update={"profile": anchor(rig.trigger_box.profile)})
    return rig.model_copy(update={"cameras": cameras, "trigger_box": box})
