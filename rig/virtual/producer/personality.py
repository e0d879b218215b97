"""A maker's personality: how another camera shows the virtual camera's registers, and in what it deviates.

A personality changes names, limits, entries and units; the registers behind them, and so the C code, stay the
same. Only what no other name or number can express is a quirk, which the C code knows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .features import CHUNKS, FEATURES, Chunk, Feature

QUIRKS: Mapping[str, str] = {
    "frame_after_idle_lost": "The first frame of a run, and one after a second of none, is not delivered.",
    "slow_to_arm": "Triggers in the first 50 ms after AcquisitionStart are not taken (nor counted).",
    "pulse_arms": "A trigger only arms the camera, the next one is taken: two pulses a frame.",
    "msb_aligned": "Codes of more than 8 bits in 16 sit at the top of their 16 bits.",
    "trigger_left_on": "Another program left TriggerMode of all other selectors On.",
    "mode_resets_source": "Writing TriggerMode sets TriggerSource back.",
    "overlap_not_applied": "TriggerOverlap takes what is written, reports success, and stays.",
    "chunk_ids_only": "The transport numbers no frames; only the chunk does.",
    "exposure_steps_up": "An exposure between two steps is made longer instead of rounded.",
    "stamped_at_readout": "The transport tells when a frame was read out; only the chunk, when it began.",
}
"""What the C code does differently; more may be switched on with `BEAMRIG_QUIRKS=name,name`."""

Entries = Mapping[str, "str | int | None"]
"""Own entry name -> the table's entry of the same meaning, a number, or None: inert, the next free number."""


@dataclass(frozen=True)
class Personality:
    """What makes the virtual camera another maker's.

    Attributes:
        vendor: As the device and its feature DeviceVendorName say.
        model: Likewise.
        tl_type: Transport as GenTL names it: GEV, U3V, CL, CXP, Custom.
        change: Name in the feature table -> fields of `Feature` that differ; `name` "" hides the feature but
            keeps its changed limits; `entries` as `Entries`.
        drop: Features of the table that the camera lacks; their registers keep the default.
        add: Features that the table lacks. With `register` they show a register of the table once more
            (`to_register`, `from_register` convert); without, they are inert: they keep what is written.
        chunks: Name in `CHUNKS` -> own name or fields of `Chunk` that differ, or None where the camera
            lacks it.
        quirks: Names in `QUIRKS`.
        first_block_id: Number of the first frame of the transport: 1 with GigE Vision, else 0.
        tick_ns: Unit of the camera's timestamps: of chunks, of latched times and of the transport's raw one.
    """

    vendor: str
    model: str
    tl_type: str
    change: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    add: tuple[Feature, ...] = ()
    chunks: Mapping[str, str | Mapping[str, Any] | None] = field(default_factory=dict)
    quirks: tuple[str, ...] = ()
    first_block_id: int | None = None
    tick_ns: int = 1

    @property
    def block_id(self) -> int:
        """Number of the first frame of the transport."""
        if self.first_block_id is not None:
            return self.first_block_id
        return 1 if self.tl_type == "GEV" else 0


VIRTUAL = Personality(vendor="beamrig", model="VR-5M", tl_type="Custom")
"""The virtual camera as itself."""


@dataclass(frozen=True)
class Resolved:
    """A personality spelled out.

    Attributes:
        shown: What hosts see, in the order of the XML.
        owners: Name in the feature table -> the feature with the personality's limits and defaults.
        inert: Features with registers of their own, behind those of the table.
        chunks: The chunks.
    """

    shown: tuple[Feature, ...]
    owners: Mapping[str, Feature]
    inert: tuple[Feature, ...]
    chunks: tuple[Chunk, ...]


def resolve(personality: Personality) -> Resolved:
    """Spell a personality out.

    Raises:
        ValueError: it names a feature, chunk, entry or quirk that does not exist.
    """
    table = {feature.name: feature for feature in FEATURES}
    _known("change", personality.change, table)
    _known("drop", personality.drop, table)
    _known("quirks", personality.quirks, QUIRKS)
    _known("chunks", personality.chunks, {chunk.name for chunk in CHUNKS})
    own = {"DeviceVendorName": personality.vendor, "DeviceModelName": personality.model}
    owners: dict[str, Feature] = {}
    shown: list[Feature] = []
    for feature in FEATURES:
        fields = dict(personality.change.get(feature.name, {}))
        fields.setdefault("default", own.get(feature.name, feature.default))
        owner = _changed(feature, fields, table)
        owners[feature.name] = owner
        if owner.name and feature.name not in personality.drop:
            shown.append(owner)
    inert = []
    for feature in personality.add:
        home = table.get(feature.register)
        if feature.register and home is None:
            raise ValueError(f"{feature.name} shows {feature.register}, which is not in the table")
        one = _changed(feature, {}, table, home)
        shown.append(one)
        if home is None:
            inert.append(one)
    names = [feature.name for feature in shown]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"features with the same name: {', '.join(sorted(twice))}")
    return Resolved(tuple(shown), owners, tuple(inert), _chunks(personality))


def _known(what: str, names: Any, known: Any) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"{what}: {', '.join(unknown)} is not known; known: {', '.join(known)}")


def _changed(
    feature: Feature, fields: dict[str, Any], table: Mapping[str, Feature], home: Feature | None = None
) -> Feature:
    home = home or table.get(feature.name)
    entries: Entries = fields.pop("entries", feature.entries)
    changed = dataclasses.replace(feature, **fields)
    if home is not None and not feature.register:
        changed = dataclasses.replace(changed, register=home.name)
    if not entries:
        return changed
    numbers = _numbers(feature.name, entries, home.entries if home else {})
    default = changed.default
    if default not in numbers and home is not None and isinstance(default, str) and default in home.entries:
        same = [name for name, number in numbers.items() if number == home.entries[default]]
        default = same[0] if same else default
    if default not in numbers:
        if "default" in fields and feature.entries:
            raise ValueError(f"{feature.name} has no entry {default}; it has {', '.join(numbers)}")
        default = next(iter(numbers))
    return dataclasses.replace(changed, entries=numbers, default=default)


def _numbers(name: str, entries: Entries, table: Mapping[str, int]) -> dict[str, int]:
    """Give every entry its number; inert ones those that nothing else means."""
    numbers: dict[str, int] = {}
    taken = {number for number in entries.values() if isinstance(number, int)} | set(table.values())
    free = (number for number in range(1 << 16) if number not in taken)
    for entry, meaning in entries.items():
        if isinstance(meaning, str):
            if meaning not in table:
                raise ValueError(f"{name}: {entry} means {meaning}; the table has {', '.join(table)}")
            numbers[entry] = table[meaning]
        else:
            numbers[entry] = next(free) if meaning is None else meaning
    return numbers


def _chunks(personality: Personality) -> tuple[Chunk, ...]:
    chunks = []
    for chunk in CHUNKS:
        change = personality.chunks.get(chunk.name, {})
        if change is None:
            continue
        fields = {"name": change} if isinstance(change, str) else dict(change)
        chunks.append(dataclasses.replace(chunk, **fields))
    return tuple(chunks)
