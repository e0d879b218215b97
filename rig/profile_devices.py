"""Schema of the device models: cameras and trigger boxes (pydantic v2, frozen)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from rig.profile_part import CfaPattern, NotNegative, Part, Pattern, Positive, SchemaVersion, Text

BOX_OUTPUTS = {
    "dg645": ("AB", "CD", "EF", "GH"),
    "qc9520": ("A", "B", "C", "D", "E", "F", "G", "H"),
    "highland": ("A", "B", "C", "D"),
    "prawnblaster": ("GPIO9", "GPIO11", "GPIO13", "GPIO15"),
}
"""Driver of a trigger box -> names of its outputs, as printed on the box."""

STEP_VARIABLES = ("$plan.exposure_us", "$live.rate_hz", "$slot.trigger_line")
"""What a step's `to` may take from the plan, the live view and the rig at the time it is applied."""


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


class SensorNoise(Part):
    """Noise of the sensor at 0 dB, from its EMVA 1288 data sheet."""

    system_gain_dn_per_e: Positive = Field(description="Codes per electron at 0 dB.")
    read_noise_e: NotNegative = Field(description="Temporal dark noise, in electrons.")


class Tolerance(Part):
    """How far a value read back may lie from the value asked for; without either it must be equal."""

    abs: NotNegative | None = Field(default=None, description="Allowed difference, in the feature's unit.")
    rel: NotNegative | None = Field(default=None, le=1, description="Allowed difference as a share.")


class Converted(Part):
    """A feature whose unit is not the alias': value = feature * scale * times / per + offset, or decibels."""

    feature: Text = Field(description="Feature of the camera.")
    unit: Text | None = Field(default=None, description="Unit that the camera must state, as a safeguard.")
    scale: Positive = Field(default=1.0, description="Alias units per unit of the feature.")
    times: Text | None = Field(default=None, description="Feature that multiplies, such as a timebase.")
    per: Text | None = Field(default=None, description="Feature that divides, such as a tick frequency.")
    offset: float = Field(default=0.0, description="Added after scaling, in alias units.")
    decibels_of: Positive | None = Field(
        default=None, description="Value that means 0 dB: alias = 20 log10(value / decibels_of)."
    )

    @model_validator(mode="after")
    def _one_rule(self) -> Converted:
        if self.decibels_of is not None and self.offset:
            raise ValueError("decibels_of and offset exclude each other")
        return self


def _written_as(value: object) -> str:
    """Tell a name from a conversion, so that only the rules of what was meant are held against it."""
    return "conversion" if isinstance(value, Mapping | Converted) else "name"


Node = Annotated[
    Annotated[Text, Tag("name")] | Annotated[Converted, Tag("conversion")], Discriminator(_written_as)
]


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
    sensor_noise: SensorNoise | None = Field(
        default=None, description="Noise of the sensor; measured in the images where it is left out."
    )
    nodes: dict[Text, list[Node]] = Field(
        default={}, description="Alias to feature names (or conversions); the first that exists."
    )
    steps_common: list[Step] = Field(min_length=1, description="Writes for every mode, in order.")
    steps_triggered: list[Step] = Field(min_length=1, description="Writes before a take.")
    steps_width: list[Step] | None = Field(
        default=None,
        min_length=1,
        description="Writes before a take where the box's pulses make the exposures (instead of triggered).",
    )
    steps_live: list[Step] = Field(min_length=1, description="Writes before the live view.")

    @model_validator(mode="after")
    def _variables_are_known(self) -> CameraProfile:
        for group in ("steps_common", "steps_triggered", "steps_width", "steps_live"):
            for index, step in enumerate(getattr(self, group) or ()):
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


class SerialSettings(Part):
    """How the serial port is opened (8 data bits, no parity, 1 stop bit)."""

    baudrate: int = Field(gt=0, description="Bits per second.")
    rtscts: bool = Field(default=False, description="True: RTS/CTS hardware handshake.")
    timeout_s: Positive = Field(default=1.0, description="Longest wait for an answer, in s.")
    settle_s: NotNegative = Field(
        default=0.0, description="Wait after opening, for boxes that restart then, in s."
    )
    dtr: bool = Field(
        default=True, description="False: the line DTR is not raised, for boxes that it restarts."
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
    driver: Literal["dg645", "qc9520", "prawnblaster", "highland"] = Field(
        description="Driver that speaks to the box."
    )
    match: Match = Field(
        default=Match(), description="Who the box must say it is, where its driver knows several models."
    )
    serial: SerialSettings = Field(description="The serial port.")
    limits: BoxLimits = Field(description="What the box can time.")
    channel_delay: bool = Field(
        default=True, description="True: each output can start later than the trigger, by its own delay."
    )
    pulse_width: bool = Field(
        default=True, description="True: each output's pulse can be as long as it is asked to be."
    )
    levels: OutputLevels = Field(description="Electrical level of the pulses.")

    @model_validator(mode="after")
    def _several_models_need_a_match(self) -> TriggerBoxProfile:
        if self.driver == "qc9520" and not (self.match.vendor and self.match.model):
            raise ValueError("match must name vendor and model: the driver qc9520 knows several models")
        if self.driver == "highland" and not self.match.model:
            raise ValueError("match must name the model: the driver highland knows several models")
        return self
