"""Writes the C sources that the feature table implies: registers, limits, defaults, and the cameras' XML.

Run by the build as ``python -m virtual.producer.generate FOLDER`` in ``rig``: no other package is imported.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from .. import personalities
from . import xml
from .features import ACQUIRING, CHUNKS, FEATURES, STRING_BYTES, Feature
from .personality import QUIRKS, VIRTUAL, Personality, Resolved, resolve

FIRST_ADDRESS = 0x100
INERT_BYTES = 0x2000
XML_ADDRESS = 0x100000
LENGTHS = {"integer": 8, "float": 8, "enumeration": 4, "boolean": 4, "command": 4, "string": STRING_BYTES}
_NOTE = "/* Made by producer/generate.py from producer/features.py; changes here are lost. */\n"


@dataclass(frozen=True)
class Register:
    """Where a feature lives in the register map: ``count`` times ``length`` bytes from ``address`` on."""

    feature: Feature
    address: int
    length: int
    count: int


def lay_out(inert: tuple[Feature, ...] = ()) -> list[Register]:
    """Give every feature its registers, in the order of the table, each aligned to 8 bytes.

    Args:
        inert: Features of a personality, whose registers follow those of the table.

    Raises:
        ValueError: they need more room than there is.
    """
    by_name = {feature.name: feature for feature in (*FEATURES, *inert)}
    registers = []
    address = FIRST_ADDRESS
    for feature in (*FEATURES, *inert):
        length = LENGTHS[feature.kind]
        selector = by_name.get(feature.selector)
        count = 1 if selector is None else max(selector.room, max(selector.entries.values()) + 1)
        registers.append(Register(feature, address, length, count))
        address += (length * count + 7) // 8 * 8
    if address > _end_of_table(registers) + INERT_BYTES:
        raise ValueError("the registers of added features do not fit; raise INERT_BYTES")
    return registers


def _end_of_table(registers: list[Register]) -> int:
    last = registers[len(FEATURES) - 1]
    return last.address + (last.length * last.count + 7) // 8 * 8


def header(registers: list[Register]) -> str:
    """Return ``features_generated.h``: addresses and the numbers of enumerations and chunks."""
    size = _end_of_table(registers) + INERT_BYTES
    lines = [
        _NOTE,
        "#ifndef BEAMRIG_FEATURES_GENERATED_H",
        "#define BEAMRIG_FEATURES_GENERATED_H",
        "",
        "enum {",
    ]
    lines += [f"    REG_{item.feature.name} = 0x{item.address:x}," for item in registers]
    lines += [
        "};",
        "",
        "enum {",
        f"    REGISTER_BYTES = 0x{size:x},",
        f"    XML_ADDRESS = 0x{XML_ADDRESS:x},",
    ]
    lines += [f"    CHUNK_COUNT = {len(CHUNKS)},"]
    lines += [f"    CHUNK_ID_{chunk.name} = 0x{chunk.chunk_id:x}," for chunk in CHUNKS]
    lines += ["};", "", "enum {"]
    for item in registers:
        lines += [
            f"    {item.feature.name}_{entry} = {number}," for entry, number in item.feature.entries.items()
        ]
    lines += ["};", "", "enum {"]
    lines += [f"    QUIRK_{name} = 1 << {bit}," for bit, name in enumerate(QUIRKS)]
    lines += [f"    QUIRK_COUNT = {len(QUIRKS)},", "};", "", "#endif", ""]
    return "\n".join(lines)


def table(name: str, resolved: Resolved) -> str:
    """Return C source of the table of limits and defaults that ``registers.c`` enforces for a personality."""
    lines = []
    rows = []
    for item in lay_out(resolved.inert):
        feature = resolved.owners.get(item.feature.name, item.feature)
        allowed = f"{name}_allowed_{item.feature.name}"
        if feature.entries:
            numbers = ", ".join(str(number) for number in feature.entries.values())
            lines.append(f"static const int64_t {allowed}[] = {{{numbers}}};")
        rows.append(f"    {_entry(Register(feature, item.address, item.length, item.count), allowed)},")
    return "\n".join([*lines, f"static const FeatureEntry {name}_features[] = {{", *rows, "};", ""])


def describe(resolved: Resolved, personality: Personality = VIRTUAL) -> str:
    """Return the GenICam XML of a personality."""
    return xml.device_description(resolved, lay_out(resolved.inert), personality)


def personality_source(name: str, personality: Personality) -> str:
    """Return ``personality_NAME.c``: XML, limits and quirks of one personality.

    Raises:
        ValueError: it contradicts itself or the table.
    """
    resolved = resolve(personality)
    quirks = " | ".join(f"QUIRK_{quirk}" for quirk in personality.quirks) or "0"
    fields = {
        "name": f'"{name}"',
        "vendor": f'"{personality.vendor}"',
        "model": f'"{personality.model}"',
        "tl_type": f'"{personality.tl_type}"',
        "features": f"{name}_features",
        "feature_count": f"sizeof {name}_features / sizeof *{name}_features",
        "xml": "device_xml",
        "xml_length": "sizeof device_xml - 1",
        "quirks": quirks,
        "first_block_id": str(personality.block_id),
        "tick_ns": str(personality.tick_ns),
    }
    body = "".join(f"    .{field} = {value},\n" for field, value in fields.items())
    return (
        f'{_NOTE}#include "producer/registers.h"\n\n'
        + embed("device_xml", describe(resolved, personality), "static ")
        + "\n"
        + table(name, resolved)
        + f"\nconst Personality personality_{name} = {{\n{body}}};\n"
    )


def index(names: list[str]) -> str:
    """Return ``personalities_generated.c``: all personalities, the VR-5M first, and the quirks."""
    return "\n".join(
        [
            _NOTE + '#include "producer/registers.h"\n',
            *[f"extern const Personality personality_{name};" for name in names],
            "",
            "const Personality *const personalities[] = {",
            *[f"    &personality_{name}," for name in names],
            "};",
            f"const size_t personality_count = {len(names)};",
            "const char *const quirk_names[QUIRK_COUNT] = {",
            *[f'    "{quirk}",' for quirk in QUIRKS],
            "};",
            "",
        ]
    )


def _entry(item: Register, allowed: str) -> str:
    feature = item.feature
    fields = {
        "name": f'"{feature.name or feature.home}"',
        "address": f"0x{item.address:x}",
        "length": str(item.length),
        "count": str(item.count),
        "kind": f"KIND_{feature.kind.upper()}",
        "access": f"ACCESS_{feature.access}",
        "while_acquiring": str(int(feature.lock != ACQUIRING)),
        "user_set": str(int(feature.user_set)),
        "deaf": str(int(feature.deaf)),
    }
    if feature.kind in ("integer", "float"):
        low, high = _number(feature.minimum, -1e18), _number(feature.maximum, 1e18)
        fields |= {
            "minimum": repr(low),
            "maximum": repr(high),
            "increment": repr(float(_applied_increment(feature))),
        }
        fields["default_number"] = repr(float(feature.default))
    elif feature.kind == "boolean":
        fields |= {"minimum": "0", "maximum": "1", "default_number": repr(float(feature.default))}
    elif feature.kind == "enumeration":
        fields["default_number"] = repr(float(feature.entries[str(feature.default)]))
        fields["allowed"] = allowed
        fields["allowed_count"] = str(len(feature.entries))
    elif feature.kind == "string":
        fields["default_text"] = f'"{feature.default}"'
    return "{" + ", ".join(f".{name} = {value}" for name, value in fields.items()) + "}"


def _number(limit: float | str | None, otherwise: float) -> float:
    """Return a limit as a number; one that is a formula is checked elsewhere."""
    return float(limit) if isinstance(limit, int | float) else otherwise


def _applied_increment(feature: Feature) -> float:
    told = feature.increment or 0
    return told if feature.applied_increment is None else feature.applied_increment


def embed(name: str, text: str, storage: str = "") -> str:
    """Return C source of a string constant ``name`` that holds ``text``, of ``sizeof name - 1`` bytes."""
    rows = [f'    "{_escaped(line)}\\n"' for line in text.removesuffix("\n").split("\n")]
    return f"{storage}const char {name}[] =\n" + "\n".join(rows) + ";\n"


def _escaped(line: str) -> str:
    return "".join(
        f"\\{byte:03o}" if byte < 32 or byte > 126 or chr(byte) in '"\\?' else chr(byte)
        for byte in line.encode("utf-8")
    )


def main(folder: Path) -> None:
    """Write all generated sources into ``folder``."""
    everyone = {"virtual": VIRTUAL} | {name: personalities.load(name) for name in personalities.names()}
    for stale in folder.glob("*.c"):  # of an older table, or of a personality that is gone
        if stale.read_text(encoding="utf-8").startswith(_NOTE):
            stale.unlink()
    (folder / "features_generated.h").write_text(header(lay_out()), encoding="utf-8")
    (folder / "personalities_generated.c").write_text(index(list(everyone)), encoding="utf-8")
    for name, personality in everyone.items():
        source = personality_source(name, personality)
        (folder / f"personality_{name}.c").write_text(source, encoding="utf-8")
    module = embed("module_xml", xml.module_description())
    module += "const size_t module_xml_length = sizeof module_xml - 1;\n"
    source = f'{_NOTE}#include "producer/registers.h"\n\n{module}'
    (folder / "xml_generated.c").write_text(source, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
