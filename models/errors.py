"""Typed errors of the networks and of the inference engine."""

from __future__ import annotations

from rig.errors import BeamrigError


class CheckpointError(BeamrigError):
    """A file of weights is missing, damaged, not trusted, or belongs to another network."""


class ImageError(BeamrigError):
    """A picture cannot be read or written, or is not of a kind that the network takes."""


class EngineError(BeamrigError):
    """The inference engine cannot do what was asked on this machine."""


class DataError(BeamrigError):
    """A data set cannot be read: no known layout, missing counterparts, pictures that are no pair."""


class Cancelled(BeamrigError):
    """The operator stopped the work before it was done."""


class SynthesisError(BeamrigError):
    """Pairs cannot be made from the photographs, the film or the settings that were given."""


class EvaluationError(BeamrigError):
    """Networks cannot be compared on these data, or the figures cannot be kept."""
