"""Typed errors of the rig: what happened, and a hint what the operator should do."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return text of a stranger as one line in which control characters are shown instead of acting."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in " ".join(text.split())
    )


class BeamrigError(Exception):
    """Base of every error that an operator may see.

    Args:
        message: What happened, in one line.
        hint: What the operator should do about it; empty when there is nothing to add.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def one_line(self) -> str:
        """Return message and hint as the single line that the command line prints.

        What a file or a device said may hold control characters; they are shown and never reach a terminal.
        """
        line = f"{self.message} ({self.hint})" if self.hint else self.message
        return printable(line)


class UnitError(BeamrigError):
    """A quantity could not be read: no number, no unit, or a unit of another dimension."""


class ProfileError(BeamrigError):
    """A hardware profile is missing or wrong."""


class PlanError(BeamrigError):
    """No exposure plan meets the wishes with the hardware at hand."""


class DeviceError(BeamrigError):
    """A camera did not do what it was asked."""


class DeviceLost(DeviceError):
    """The camera, its transport or its host process is gone."""


class FeatureMissing(DeviceError):
    """The camera has no such feature, or none of the alternatives."""


class FeatureRejected(DeviceError):
    """The camera refused a value, or applied another one than tolerated."""


class CameraTimeout(DeviceError):
    """A frame or an answer did not come within its deadline."""


class TriggerError(BeamrigError):
    """The trigger box did not do what it was asked."""


class ProtocolError(TriggerError):
    """The trigger box answered something that its protocol does not know, or not at all."""


class NotArmed(TriggerError):
    """A pulse was asked of a box that is not armed."""


class SyncError(BeamrigError):
    """Two frames cannot be proven to belong to the same pulse."""


class CaptureError(BeamrigError):
    """A take could not be made or completed."""


class DiskFull(CaptureError):
    """Too little room is left to record the take."""


class FrameOverflow(CaptureError):
    """Frames came faster than they could be recorded; the take was stopped, nothing was overwritten."""


class SessionError(BeamrigError):
    """A session folder is missing, damaged, or refuses the request."""


class RawFileError(BeamrigError):
    """A RAW file cannot be read, or is not what it claims to be."""


class CompanionError(BeamrigError):
    """The companion process of a rig did not start or ended early."""
