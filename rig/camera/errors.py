"""Errors of cameras that are finer than the shared ones, and their way through the wire."""

from __future__ import annotations

from rig import errors


class ProducerError(errors.DeviceError):
    """A GenTL producer file is missing, no library, or refuses to start."""


class DeviceNotFound(errors.DeviceError):
    """The producer announces no such camera, or more than one that fits."""


class DeviceBusy(errors.DeviceError):
    """The camera belongs to another process, or still to one that has just died."""


class ReadBackMismatch(errors.FeatureRejected):
    """The camera accepted a value without complaint but applied another one."""


class UnsupportedFormat(errors.DeviceError):
    """The camera sends pixels in a layout that cannot be decoded."""


class BadFrame(errors.DeviceError):
    """A frame is not what its pixel format, its size or the camera's profile say."""


_KNOWN: dict[str, type[errors.BeamrigError]] = {
    cls.__name__: cls
    for cls in (
        errors.DeviceError,
        errors.DeviceLost,
        errors.FeatureMissing,
        errors.FeatureRejected,
        errors.CameraTimeout,
        errors.FrameOverflow,
        ProducerError,
        DeviceNotFound,
        DeviceBusy,
        ReadBackMismatch,
        UnsupportedFormat,
        BadFrame,
    )
}


def to_wire(error: errors.BeamrigError) -> dict[str, str]:
    """Return an error as plain data."""
    return {"type": type(error).__name__, "message": error.message, "hint": error.hint}


def from_wire(data: dict[str, str]) -> errors.BeamrigError:
    """Rebuild an error; a type that is not a camera's becomes a plain `DeviceError`."""
    kind = _KNOWN.get(data.get("type", ""), errors.DeviceError)
    return kind(data.get("message", "unknown error"), hint=data.get("hint", ""))
