"""Typed errors of the processing: what cannot be developed or measured, and what to do about it."""

from __future__ import annotations

from rig.errors import BeamrigError


class ProcessingError(BeamrigError):
    """A recorded session cannot be developed or measured as asked."""


class TakeMissing(ProcessingError):
    """The scene lacks a take that the pipeline needs (a static pair, a whiteboard or a lightbox)."""


class ImageMismatch(ProcessingError):
    """Two images, or an image and a calibration, do not fit each other."""


class MetricUndefined(ProcessingError):
    """A figure has no value for these images: an empty mask, say, or nothing that could be compared."""


class CalibrationError(ProcessingError):
    """A calibration file is missing, damaged, or of another camera."""


class OtherVersion(CalibrationError):
    """A calibration file was made by another version of beamrig; it was right in its time."""


class RegistrationFailed(ProcessingError):
    """The two static images could not be brought onto each other."""


class ToolMissing(ProcessingError):
    """A program or package that the user asked for, and that cannot be shipped, is not installed."""


class BlurNotMeasurable(ProcessingError):
    """The blur length cannot be measured: no moving object, or too little of it."""


class Cancelled(ProcessingError):
    """The operator stopped the work; what was finished stays on disk."""


class SourceChanged(ProcessingError):
    """A RAW file is missing, damaged, or not the one that the journal has."""


class WorkerLost(ProcessingError):
    """A worker process died, or workers cannot be had."""


class NoRoom(ProcessingError):
    """The disk cannot take the results; everything stops."""
