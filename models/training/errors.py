"""Typed errors of the training."""

from __future__ import annotations

from rig.errors import BeamrigError

__all__ = ["RecipeError", "RunFolderError", "TrainingError"]


class RecipeError(BeamrigError):
    """A recipe is missing, is no YAML, breaks the schema, or names data that is not there."""


class RunFolderError(BeamrigError):
    """A run folder is not one, is damaged, or belongs to another recipe."""


class TrainingError(BeamrigError):
    """The training cannot go on."""
