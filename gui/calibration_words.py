"""What the Calibrate page says about calibrations."""

from __future__ import annotations

from gui.planning import sentence
from gui.widgets.calibration_card import file_name
from processing.calibration.overview import Known, Overview, SceneKnown

NEW_FILE = "file"
"""Stands in a box for a file that is still to be asked for."""
OWN = "Own takes of each scene"
NOTHING = {
    "lightbox": "No lightbox calibration yet.\nThe scenes' own lightbox or whiteboard takes are used.",
    "colour": "No colour calibration yet.\nThe scenes' own takes are used, or the RAW files' colour matrix.",
    "geometry": "No geometry calibration yet.\nEach scene is registered on its own static take.",
    "scene": "The scene is not measured yet.\nIt is made here, or when its pairs are processed (Review).",
}


def file_choices(kind: str, overview: Overview) -> list[tuple[str, object]]:
    """Return what may be used for a kind: own takes, files at hand, another file."""
    files: list[tuple[str, object]] = [
        (file_name(one, overview.folder), one.path) for one in overview.laboratory.get(kind, ())
    ]
    return [(OWN, None), *files, ("Another file…", NEW_FILE)]


def age(known: Known) -> str:
    """Return how old a calibration is, and how long it holds."""
    days = known.age_days or 0
    old = "made today" if days == 0 else f"{days} day{'s' * (days > 1)} old"
    left = None if known.valid_days is None else known.valid_days - days
    return old if left is None else f"{old}, good for {left} more days"


def words(known: Known | None, kind: str, overview: Overview) -> tuple[str, str]:
    """Return level and a line or two about a calibration of the laboratory."""
    chosen = overview.chosen.get(kind)
    if known is None:
        return "none", "none: the scenes' own takes are used"
    if known.refused:
        hint = f" ({known.hint})" if known.hint else ""
        return ("bad", f"refused: {known.refused}{hint}") if chosen else (
            "warn", f"refused, not in use: {known.refused}{hint}"
        )  # fmt: skip
    used = chosen is not None and chosen.path == known.path
    made = f"{age(known)}; from {', '.join(known.takes)} ({known.sources} frames)"
    return ("good", f"in use: {made}") if used else ("none", f"at hand, not in use: {made}")


def scene_words(known: SceneKnown | None, scene: str, overview: Overview) -> tuple[str, str]:
    """Return level and a line or two about a scene's own calibration."""
    if known is None:
        return "none", f"{scene} is not measured yet" if scene else "the session has no scene yet"
    if known.refused:
        return "bad", f"refused: {known.refused}" + (f" ({known.hint})" if known.hint else "")
    wanted = {kind: one.id for kind, one in overview.chosen.items()}
    used = "in use" if known.in_use else "measured"
    more = f"; with {', '.join(known.used)} of the laboratory" if known.used else ""
    if dict(known.used) != wanted:
        return (
            "warn",
            f"{used}, profile {known.profile}, but other calibrations are chosen now: make it again",
        )
    return "good", f"{used}, profile {known.profile}: {age(known)}{more}; from {', '.join(known.takes)}"


def details(known: Known | None, kind: str) -> tuple[str, list[str]]:
    """Return head line and figures of the calibration that is shown."""
    if known is None:
        return "", []
    if known.refused and not known.lines:
        return f"{known.path.name}   refused", [sentence(known.hint)] if known.hint else []
    head = f"{known.path.name}   {known.created[:16].replace('T', ' ')}   id {known.id}"
    lines = list(known.lines)
    if known.refused:
        lines.insert(0, f"Refused: {known.refused}. {sentence(known.hint)}")
    return head, lines
