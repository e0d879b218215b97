"""The one schema of hardware profiles: a whole rig, and the kinds of profile there are."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from rig.profile_devices import CameraProfile, TriggerBoxProfile
from rig.profile_part import (
    CAMERAS,
    CameraName,
    Command,
    ExposureControl,
    OutputName,
    Part,
    Placement,
    Positive,
    SchemaVersion,
    TakeKind,
    Text,
)


class Optics(Part):
    """Lens and sensor as Eq. 2 needs them; both cameras are of the same module."""

    pixel_pitch_um: Positive = Field(description="Side length c of one sensor pixel, in µm.")
    focal_length_mm: Positive = Field(description="Focal length of the lens, in mm.")
    object_distance_m: Positive = Field(
        description="Usual distance d of the object, in m; a plan may name another."
    )
    width_px: int = Field(gt=0, description="Width of the used picture, in pixels.")
    height_px: int = Field(gt=0, description="Height of the used picture, in pixels.")

    @model_validator(mode="after")
    def _in_front_of_the_focus(self) -> Optics:
        if self.object_distance_m * 1e3 <= self.focal_length_mm:
            raise ValueError("object_distance_m must be greater than the focal length, or no image forms")
        return self


class DensityFilter(Part):
    """A neutral density filter that can be put in front of camera B."""

    name: Text = Field(description="Name on the filter, for example 'ND 0.9'.")
    transmittance: float = Field(gt=0, le=1, description="Nominal transmittance tau, above 0 and up to 1.")


class Companion(Part):
    """A process that must run before the devices can be opened; it prints one JSON line when ready."""

    command: Command = Field(description="Program and arguments, started without a shell.")
    env: dict[Text, str] = Field(
        default={}, description="Environment given to the processes that open the devices."
    )
    ready_timeout_s: Positive = Field(default=20.0, description="Longest wait for its ready line, in s.")


class CameraSlot(Part):
    """One of the two cameras of the rig: which device, and how it is wired."""

    profile: Text = Field(description="Camera profile: a name, or a file beside this one.")
    cti: Text = Field(description="Path of the GenTL producer (.cti) that offers the camera.")
    serial_number: Text = Field(description="Serial number; it tells the two cameras apart.")
    device_id: Text | None = Field(
        default=None, description="GenTL device id, where the serial number is not enough."
    )
    trigger_line: Text = Field(default="Line0", description="Input line that the trigger box drives.")


class TriggerSlot(Part):
    """The trigger box of the rig: where it is connected and which output goes to which camera."""

    profile: Text = Field(description="Trigger box profile: a name, or a file beside this one.")
    port: Text = Field(description="Serial port, for example /dev/ttyUSB0.")
    outputs: dict[CameraName, OutputName] = Field(description="Output pair that drives each camera: B and S.")

    @model_validator(mode="after")
    def _one_output_a_camera(self) -> TriggerSlot:
        if set(self.outputs) != set(CAMERAS):
            raise ValueError("outputs must name an output for B and one for S")
        if self.outputs["B"] == self.outputs["S"]:
            raise ValueError("B and S must be on different outputs, they have different pulse widths")
        return self


class TakeHook(Part):
    """A command that is run before a take, such as switching a lightbox on."""

    command: Command = Field(description="Program and arguments, started without a shell.")


class RigProfile(Part):
    """A whole rig: two cameras behind a beam splitter, a trigger box, optics and filters."""

    kind: Literal["rig"] = Field(description="Always 'rig'.")
    schema_version: SchemaVersion = Field(alias="schema", description="Version of this schema: 1.")
    name: Text = Field(description="Short name.")
    title: Text = Field(description="Name for people.")
    companion: Companion | None = Field(
        default=None, description="Process started before the devices are opened."
    )
    cameras: dict[CameraName, CameraSlot] = Field(
        description="B (long exposure, filter) and S (short exposure)."
    )
    trigger_box: TriggerSlot = Field(description="The trigger box and its wiring.")
    optics: Optics = Field(description="Lens and sensor.")
    filters: list[DensityFilter] = Field(min_length=1, description="Density filters at hand for camera B.")
    filter_in_use: Text = Field(description="Name of the filter that is mounted now.")
    period_s: Positive = Field(
        default=0.2, description="Usual trigger period, in s; a plan lengthens it where needed."
    )
    placement: Placement = Field(
        default="start", description="Usual place of S in B's exposure; a plan may name another."
    )
    exposure_control: ExposureControl = Field(
        default="timed",
        description="timed: the cameras time their exposures; width: the pulses of the box do.",
    )
    mains_hz: Literal[50, 60] | None = Field(
        default=None,
        description="Mains frequency, where lamps on the mains light the scene; plans then warn of flicker.",
    )
    shared_clock: bool = Field(
        default=False,
        description="True: both cameras' times are of one clock (PTP, say), so a constant skew can be seen.",
    )
    live_rate_hz: Positive = Field(default=10.0, description="Frame rate of the live view, in Hz.")
    disk_soft_pairs: int = Field(
        default=200, ge=0, description="Warn when the disk has room for so many pairs or fewer."
    )
    disk_hard_pairs: int = Field(
        default=10, ge=0, description="Stop a take between shots when the disk has room for so many or fewer."
    )
    take_hooks: dict[TakeKind, TakeHook] = Field(
        default={}, description="Command before a take of that kind."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> RigProfile:
        if set(self.cameras) != set(CAMERAS):
            raise ValueError("cameras must hold B and S")
        if self.disk_soft_pairs < self.disk_hard_pairs:
            raise ValueError("disk_soft_pairs must not be smaller than disk_hard_pairs: first the warning")
        b, s = (self.cameras[camera] for camera in CAMERAS)
        if (b.cti, b.serial_number) == (s.cti, s.serial_number):
            raise ValueError(
                f"cameras B and S have the same serial_number {b.serial_number}; they are two devices"
            )
        names = [item.name for item in self.filters]
        if len(set(names)) != len(names):
            raise ValueError("filters must have different names")
        if self.filter_in_use not in names:
            raise ValueError(f"filter_in_use must be one of the filters: {', '.join(names)}")
        return self

    def filter_named(self, name: str) -> DensityFilter | None:
        """Return the filter of that name, or None."""
        return next((item for item in self.filters if item.name == name), None)


Profile = RigProfile | CameraProfile | TriggerBoxProfile
MODELS: dict[str, type[RigProfile] | type[CameraProfile] | type[TriggerBoxProfile]] = {
    "rig": RigProfile,
    "camera": CameraProfile,
    "trigger_box": TriggerBoxProfile,
}
