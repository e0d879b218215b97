"""Made pairs on disk: `blurred/`, `sharp/`, `mask/` and `records/`, one file a pair in each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from models.errors import SynthesisError
from models.images import write_png
from models.synth.made import Made
from processing.errors import ProcessingError
from processing.outputs import read_json, write_json

__all__ = ["PairFolder"]

CARD: Final = "synth.json"
PARTS: Final = ("blurred", "sharp", "mask")
_MAY_GROW: Final = "count"


class PairFolder:
    """A folder that pairs are written to, made if missing; what is complete in it is kept.

    A pair's record is written last: where it stands, the pair is complete. `synth.json` tells what the folder
    was made with; pairs of other settings are never mixed in.

    Args:
        root: The folder.
        kind: What makes the pairs: "objects", "film" or "rig".
        settings: What they are made with: plain JSON data. Only `count` may differ from an earlier run's.
        overwrite: Drop what an earlier run made.

    Raises:
        SynthesisError: The folder holds something else, or pairs of other settings; the disk refuses.
    """

    def __init__(self, root: Path, kind: str, settings: dict[str, Any], *, overwrite: bool = False) -> None:
        self.root = root
        card = {"made_by": f"beamrig synth {kind}", "settings": json.loads(json.dumps(settings))}
        known = read_json(root / CARD)
        if known is None and root.exists() and (not root.is_dir() or any(root.iterdir())):
            raise SynthesisError(f"{root} holds something else", hint="choose a new --out")
        if known is not None and not overwrite and _lasting(known) != _lasting(card):
            raise SynthesisError(
                f"{root} was made with other settings", hint="choose another --out, or --overwrite"
            )
        try:
            if known is not None and overwrite:
                self._clear()
            for part in (*PARTS, "records"):
                (root / part).mkdir(parents=True, exist_ok=True)
            write_json(root / CARD, card)
        except OSError as error:
            raise SynthesisError(f"cannot write into {root}: {error.strerror or error}") from error
        except ProcessingError as error:
            raise SynthesisError(error.message, hint=error.hint) from error

    def has(self, name: str) -> bool:
        """Return whether a pair is complete."""
        return (self.root / "records" / f"{name}.json").is_file()

    def path(self, part: str, name: str) -> Path:
        """Return where a picture of a pair lies."""
        return self.root / part / f"{name}.png"

    def write(self, made: Made) -> None:
        """Write a pair, every file whole or not at all; the record last.

        Raises:
            ImageError: The disk refuses.
            SynthesisError: Likewise.
        """
        pair = made.pair
        for part, pixels in zip(PARTS, (pair.blurred, pair.sharp, pair.mask), strict=True):
            if pixels is not None:
                write_png(self.path(part, pair.name), pixels, overwrite=True)
        try:
            write_json(self.root / "records" / f"{pair.name}.json", made.record)
        except ProcessingError as error:
            raise SynthesisError(error.message, hint=error.hint) from error

    def names(self) -> list[str]:
        """Return the complete pairs, sorted."""
        return sorted(path.stem for path in (self.root / "records").glob("*.json"))

    def _clear(self) -> None:
        for name in self.names():
            (self.root / "records" / f"{name}.json").unlink()
            for part in PARTS:
                self.path(part, name).unlink(missing_ok=True)


def _lasting(card: dict[str, Any]) -> dict[str, Any]:
    settings = card.get("settings")
    kept = (
        {key: value for key, value in settings.items() if key != _MAY_GROW}
        if isinstance(settings, dict)
        else {}
    )
    return {"made_by": card.get("made_by"), "settings": kept}
