"""The one schema of hardware profiles: whole rigs, cameras, trigger boxes (pydantic v2, frozen)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

CameraName = Literal["B", "S"]
TakeKind = Literal["whiteboard", "lightbox", "static", "action", "dark", "colorchecker"]
OutputName = Literal["AB", "CD", "EF", "GH"]
CfaPattern = Literal["RGGB", "GRBG", "GBRG", "BGGR"]

CAMERAS: tuple[CameraName, CameraName] = ("B", "S")
STEP_VARIABLES = ("$plan.exposure_us", "$live.rate_hz", "$slot.trigger_line")
"""What a step's `to` may take from the plan, the live view and the rig at the time it is applied."""


def _plain_name(text: str) -> str:
    """Accept a name or a path of visible characters; names end up in file names and messages."""
    if not text.strip() or any(ord(letter) < 32 for letter in text):
        raise ValueError("must be visible text, not empty")
    return text


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    return text


def _version(number: int) -> int:
    if number != 1:
        raise ValueError("this program reads schema 1")
    return number


Text = Annotated[str, AfterValidator(_plain_name)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Command = Annotated[list[Text], Field(min_length=1)]
SchemaVersion = Annotated[int, AfterValidator(_version)]


class Part(BaseModel):
    """Base of every part of a profile: no unknown field, no change after loading, finite numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)


# --------------------------------------------------------------------------------------------- rig


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
    live_rate_hz: Positive = Field(default=10.0, description="Frame rate of the live view, in Hz.")
    take_hooks: dict[TakeKind, TakeHook] = Field(
        default={}, description="Command before a take of that kind."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> RigProfile:
        if set(self.cameras) != set(CAMERAS):
            raise ValueError("cameras must hold B and S")
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


# ------------------------------------------------------------------------------------------ camera


class Match(Part):
    """Which devices the profile is for, as regular expressions found in what the device says."""

    vendor: Pattern | None = Field(default=None, description="Pattern of the vendor name.")
    model: Pattern | None = Field(default=None, description="Pattern of the model name.")


class PixelFormat(Part):
    """How the camera delivers RAW pixels."""

    name: Text = Field(description="PFNC name, for example BayerRG12.")
    cfa: CfaPattern = Field(description="Colours of the top left 2x2 pixels.")
    significant_bits: int = Field(ge=8, le=16, description="Bits that carry the picture.")
    msb_aligned: bool = Field(default=False, description="True where 12 bits sit at the top of 16.")
    black_level_dn: NotNegative = Field(description="Code of no light, in DN of the significant bits.")
    white_level_dn: Positive = Field(description="Code of saturation, in DN of the significant bits.")

    @model_validator(mode="after")
    def _levels_in_range(self) -> PixelFormat:
        top = 2**self.significant_bits - 1
        if not self.black_level_dn < self.white_level_dn <= top:
            raise ValueError(
                f"black_level_dn < white_level_dn <= {top} must hold for {self.significant_bits} bits"
            )
        return self


class Timing(Part):
    """Limits of the sensor that an exposure plan must respect."""

    exposure_min_us: Positive = Field(description="Shortest exposure, in µs.")
    exposure_max_us: Positive = Field(description="Longest exposure, in µs.")
    exposure_increment_us: Positive = Field(description="Step of the exposure time, in µs.")
    readout_us: NotNegative = Field(description="Time to read one full frame out, in µs.")

    @model_validator(mode="after")
    def _min_below_max(self) -> Timing:
        if self.exposure_min_us >= self.exposure_max_us:
            raise ValueError("exposure_min_us must be below exposure_max_us")
        return self


class Tolerance(Part):
    """How far a value read back may lie from the value asked for; without either it must be equal."""

    abs: NotNegative | None = Field(default=None, description="Allowed difference, in the feature's unit.")
    rel: NotNegative | None = Field(
        default=None, le=1, description="Allowed difference as a share of the value."
    )


class Step(Part):
    """One feature write, verified by reading back."""

    set: Text = Field(description="Feature to write, or $alias of the profile's nodes.")
    to: Text | list[Text] = Field(
        description="Value, list of alternatives (first that exists), or $variable."
    )
    optional: bool = Field(default=False, description="True: a camera without this feature is fine.")
    for_each: Text | None = Field(
        default=None, description="Selector: repeat the write for each of its entries."
    )
    verify: Tolerance = Field(
        default=Tolerance(), description="Tolerance of the value read back; exact by default."
    )


class CameraProfile(Part):
    """A camera model: its pixel format, limits, feature names, and the writes that set it up."""

    kind: Literal["camera"] = Field(description="Always 'camera'.")
    schema_version: SchemaVersion = Field(alias="schema", description="Version of this schema: 1.")
    name: Text = Field(description="Short name.")
    title: Text = Field(description="Name for people.")
    match: Match = Field(default=Match(), description="Devices that this profile is for.")
    buffers: int = Field(default=16, ge=2, le=256, description="Frame buffers announced to the producer.")
    pixel_format: PixelFormat = Field(description="How RAW pixels arrive.")
    timing: Timing = Field(description="Limits of the sensor.")
    nodes: dict[Text, list[Text]] = Field(
        default={}, description="Alias to feature names; the first that exists."
    )
    steps_common: list[Step] = Field(min_length=1, description="Writes for every mode, in order.")
    steps_triggered: list[Step] = Field(min_length=1, description="Writes before a take.")
    steps_live: list[Step] = Field(min_length=1, description="Writes before the live view.")

    @model_validator(mode="after")
    def _variables_are_known(self) -> CameraProfile:
        for group in ("steps_common", "steps_triggered", "steps_live"):
            for index, step in enumerate(getattr(self, group)):
                where = f"{group}[{index}]"
                if step.set.startswith("$") and step.set[1:] not in self.nodes:
                    raise ValueError(
                        f"{where}.set: {step.set} is no alias; nodes has {', '.join(self.nodes) or 'none'}"
                    )
                for value in [step.to] if isinstance(step.to, str) else step.to:
                    if value.startswith("$") and value not in STEP_VARIABLES:
                        raise ValueError(
                            f"{where}.to: {value} is no variable; known: {', '.join(STEP_VARIABLES)}"
                        )
        return self


# ------------------------------------------------------------------------------------- trigger box


class SerialSettings(Part):
    """How the serial port is opened (8 data bits, no parity, 1 stop bit)."""

    baudrate: int = Field(gt=0, description="Bits per second.")
    rtscts: bool = Field(default=False, description="True: RTS/CTS hardware handshake.")
    timeout_s: Positive = Field(default=1.0, description="Longest wait for an answer, in s.")
    settle_s: NotNegative = Field(
        default=0.0, description="Wait after opening, for boxes that restart then, in s."
    )


class BoxLimits(Part):
    """What the trigger box can time."""

    delay_resolution_s: Positive = Field(description="Step of delays and widths, in s.")
    period_resolution_s: Positive = Field(description="Step of the period, in s.")
    min_period_s: Positive = Field(description="Shortest period, in s.")
    max_period_s: Positive = Field(description="Longest period, in s.")
    max_burst: int = Field(gt=0, description="Largest number of counted pulses.")


class OutputLevels(Part):
    """Electrical level of the pulses."""

    amplitude_v: float = Field(ge=-5, le=5, description="Pulse amplitude, in V.")
    offset_v: float = Field(default=0.0, ge=-2, le=2, description="Level between pulses, in V.")
    polarity: Literal["positive", "negative"] = Field(
        default="positive", description="Direction of the pulse."
    )


class TriggerBoxProfile(Part):
    """A trigger box model: its driver, its serial port and what it can time."""

    kind: Literal["trigger_box"] = Field(description="Always 'trigger_box'.")
    schema_version: SchemaVersion = Field(alias="schema", description="Version of this schema: 1.")
    name: Text = Field(description="Short name.")
    title: Text = Field(description="Name for people.")
    driver: Literal["dg645"] = Field(description="Driver that speaks to the box.")
    serial: SerialSettings = Field(description="The serial port.")
    limits: BoxLimits = Field(description="What the box can time.")
    levels: OutputLevels = Field(description="Electrical level of the pulses.")


Profile = RigProfile | CameraProfile | TriggerBoxProfile
MODELS: dict[str, type[RigProfile] | type[CameraProfile] | type[TriggerBoxProfile]] = {
    "rig": RigProfile,
    "camera": CameraProfile,
    "trigger_box": TriggerBoxProfile,
}
