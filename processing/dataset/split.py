"""Train or test, by scene: the same scene always falls on the same side.

A scene's side is a hash of its session's id and its name against the wanted share. So it never changes when
more sessions are added, as it would if the first sixth of a list were taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final, Literal

from processing.errors import ProcessingError

Split = Literal["train", "test"]
SPLITS: Final[tuple[Split, ...]] = ("train", "test")

SceneKey = tuple[str, str, str]
"""Id of the session, name of its folder, name of the scene."""


def hashed_split(session_id: str, scene: str, test_share: float) -> Split:
    """Return the side of a scene: test when its hash, as a number in [0, 1), is below the share."""
    digest = hashlib.sha256(f"{session_id}/{scene}".encode()).digest()
    return "test" if int.from_bytes(digest[:8], "big") < test_share * 2**64 else "train"


def split_scenes(
    scenes: Sequence[SceneKey], test_share: float, test_scenes: Sequence[str] = ()
) -> dict[tuple[str, str], Split]:
    """Return the side of each scene, by (session id, scene name).

    Args:
        scenes: all scenes.
        test_share: share of the scenes to hold back, 0 to 1; not used when scenes are named.
        test_scenes: names of the scenes to hold back: SCENE, or SESSION/SCENE with the folder's name.

    Raises:
        ProcessingError: if the share is no share, or a name fits no scene or several.
    """
    if not test_scenes:
        if not 0 <= test_share <= 1:
            raise ProcessingError(f"a test share of {test_share:g} is no share", hint="0 to 1, such as 0.16")
        return {(key, name): hashed_split(key, name, test_share) for key, _, name in scenes}
    held = set()
    for wanted in test_scenes:
        found = [(key, name) for key, folder, name in scenes if wanted in (name, f"{folder}/{name}")]
        if len(found) != 1:
            known = ", ".join(f"{folder}/{name}" for _, folder, name in scenes)
            what = "fits several scenes" if found else "fits no scene"
            raise ProcessingError(f"test scene {wanted!r} {what}", hint=f"there are {known}")
        held.add(found[0])
    return {(key, name): "test" if (key, name) in held else "train" for key, _, name in scenes}
