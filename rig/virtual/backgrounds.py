"""What may stand behind the moving objects, and how a rig's profile asks for it. Loads nothing heavy.

A world is asked for by its seed (hidden numbers and noise) and its background. Three ways lead there: options
of ``python -m rig.virtual.world`` and ``beamrig virtual world``; `with_world`, which puts them into the
command of a profile's companion, and so into the session's own record; and, for programs that open the
profile as it is, the environment variables ``BEAMRIG_WORLD_SEED`` and ``BEAMRIG_WORLD_BACKGROUND``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rig.errors import BeamrigError

if TYPE_CHECKING:
    from rig.profiles import RigProfile

SEED_VARIABLE: Final = "BEAMRIG_WORLD_SEED"
BACKGROUND_VARIABLE: Final = "BEAMRIG_WORLD_BACKGROUND"
DEFAULT_BACKGROUND: Final = "mural"


class UnknownBackground(BeamrigError):
    """The virtual world has no picture of this name."""


@dataclass(frozen=True)
class Background:
    """A picture of the virtual scene.

    Attributes:
        file: Name in the folder of assets.
        white: Linear value of its brightest paint, which becomes radiance 1 (a white diffuser).
        shows: What is to be seen, in a few words.
    """

    file: str
    white: float
    shows: str


BACKGROUNDS: Final[dict[str, Background]] = {
    "mural": Background("mural.jpg", 0.16, "a painted wall and a pavement: hard edges, flat colours"),
    "garden": Background("garden.jpg", 0.07, "needles, bark, stones, dark wood: fine, dim, great contrast"),
    "posters": Background("posters.jpg", 0.75, "a wall of sixteen photographs: many colours, much detail"),
}


def find_background(name: str) -> Background:
    """Return the background of this name.

    Raises:
        UnknownBackground: There is none.
    """
    if name not in BACKGROUNDS:
        raise UnknownBackground(
            f"the virtual world has no background {name!r}", hint="one of " + ", ".join(BACKGROUNDS)
        )
    return BACKGROUNDS[name]


def with_world(profile: RigProfile, *, seed: int | None = None, background: str | None = None) -> RigProfile:
    """Return the profile of a virtual rig whose world has this seed and background; None keeps what it has.

    Raises:
        UnknownBackground: There is no such background.
        BeamrigError: The rig has no virtual world, or the seed is negative.
    """
    companion = profile.companion
    if seed is None and background is None:
        return profile
    if companion is None or "rig.virtual.world" not in companion.command:
        raise BeamrigError(
            f"the rig {profile.name} is not virtual: it has neither seed nor background",
            hint="leave both options out",
        )
    words = list(companion.command)
    if seed is not None:
        if seed < 0:
            raise BeamrigError(f"the seed {seed} is negative", hint="0 or more")
        words = _with_option(words, "--seed", str(seed))
    if background is not None:
        find_background(background)
        words = _with_option(words, "--background", background)
    return profile.model_copy(update={"companion": companion.model_copy(update={"command": words})})


def _with_option(words: list[str], option: str, value: str) -> list[str]:
    """Return a command with an option set, whether it had the option before or not."""
    if option in words:
        at = words.index(option)
        return [*words[: at + 1], value, *words[at + 2 :]]
    return [*words, option, value]
