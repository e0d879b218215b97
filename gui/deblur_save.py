"""Where a deblur result goes: two files next to each other, and never over others without a question."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget


@dataclass(frozen=True)
class Targets:
    """The two files of a result.

    Attributes:
        sharp: Sharp picture, 16-bit PNG.
        mask: Mask, 8-bit PNG.
    """

    sharp: Path
    mask: Path

    def existing(self) -> list[Path]:
        """Return those that are there already."""
        return [path for path in (self.sharp, self.mask) if path.exists()]


def targets_for(chosen: Path) -> Targets:
    """Return the files for a chosen name: always PNG, the mask beside the picture."""
    stem = chosen.stem if chosen.suffix.lower() in (".png", ".tif", ".tiff") else chosen.name
    return Targets(chosen.with_name(f"{stem}.png"), chosen.with_name(f"{stem}_mask.png"))


def free_targets(picture: Path) -> Targets:
    """Return names beside a picture that are still free: NAME_deblurred.png, then NAME_deblurred_2.png."""
    number = 1
    while True:
        tail = "" if number == 1 else f"_{number}"
        targets = targets_for(picture.with_name(f"{picture.stem}_deblurred{tail}.png"))
        if not targets.existing():
            return targets
        number += 1


def ask_targets(parent: QWidget, picture: Path) -> tuple[Targets, bool] | None:
    """Ask the operator where to save.

    Args:
        parent: Window of the dialog.
        picture: The picture that was deblurred.

    Returns:
        The files, and whether existing ones may be replaced; None when nothing is to be saved.
    """
    chosen, _ = QFileDialog.getSaveFileName(
        parent,
        "Save the deblurred picture and its mask",
        str(free_targets(picture).sharp),
        "16-bit PNG (*.png)",
        options=QFileDialog.Option.DontConfirmOverwrite,  # the mask has to be asked for too, below
    )
    if not chosen:
        return None
    targets = targets_for(Path(chosen))
    existing = targets.existing()
    if not existing:
        return targets, False
    names = " and ".join(path.name for path in existing)
    answer = QMessageBox.question(parent, "Replace files", f"{names} exists already. Replace?")
    return (targets, True) if answer == QMessageBox.StandardButton.Yes else None
