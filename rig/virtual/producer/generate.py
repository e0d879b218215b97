"""Writes the C sources that the feature table implies: registers, limits, defaults, and the camera's XML.

Run by the build as ``python -m producer.generate FOLDER`` in ``rig/virtual``: nothing else is imported.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from . import xml
from .features import ACQUIRING, CHUNKS, FEATURES, STRING_BYTES, Feature

FIRST_ADDRESS = 0x100
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


def lay_out(features: tuple[Feature, ...] = FEATURES) -> list[Register]:
    """Give every feature its registers, in the order of the table, each aligned to 8 bytes."""
    by_name = {feature.name: feature for feature in features}
    registers = []
    address = FIRST_ADDRESS
    for feature in features:
        length = LENGTHS[feature.kind]
        count = len(by_name[feature.selector].entries) if feature.selector else 1
        registers.append(Register(feature, address, length, count))
        address += (length * count + 7) // 8 * 8
    return registers


def header(registers: list[Register]) -> str:
    """Return ``features_generated.h``: addresses and the numbers of enumerations and chunks."""
    last = registers[-1]
    size = last.address + (last.length * last.count + 7) // 8 * 8
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
    lines += [f"    FEATURE_COUNT = {len(registers)},", f"    CHUNK_COUNT = {len(CHUNKS)},"]
    lines += [f"    CHUNK_ID_{chunk.name} = 0x{chunk.chunk_id:x}," for chunk in CHUNKS]
    lines += ["};", "", "enum {"]
    for item in registers:
        lines += [
            f"    {item.feature.name}_{entry} = {number}," for entry, number in item.feature.entries.items()
        ]
    lines += ["};", "", "#endif", ""]
    return "\n".join(lines)


def table(registers: list[Register]) -> str:
    """Return ``features_generated.c``: the table of limits and defaults that ``registers.c`` enforces."""
    lines = [_NOTE, '#include "producer/registers.h"', ""]
    for item in registers:
        if item.feature.entries:
            numbers = ", ".join(str(number) for number in item.feature.entries.values())
            lines.append(f"static const int64_t allowed_{item.feature.name}[] = {{{numbers}}};")
    lines += ["", "const FeatureEntry feature_table[FEATURE_COUNT] = {"]
    lines += [f"    {_entry(item)}," for item in registers]
    lines += ["};", ""]
    return "\n".join(lines)


def _entry(item: Register) -> str:
    feature = item.feature
    fields = {
        "name": f'"{feature.name}"',
        "address": f"0x{item.address:x}",
        "length": str(item.length),
        "count": str(item.count),
        "kind": f"KIND_{feature.kind.upper()}",
        "access": f"ACCESS_{feature.access}",
        "while_acquiring": str(int(feature.lock != ACQUIRING)),
        "user_set": str(int(feature.user_set)),
    }
    if feature.kind in ("integer", "float"):
        low, high = _number(feature.minimum, -1e18), _number(feature.maximum, 1e18)
        fields |= {
            "minimum": repr(low),
            "maximum": repr(high),
            "increment": repr(float(feature.increment or 0)),
        }
        fields["default_number"] = repr(float(feature.default))
    elif feature.kind == "boolean":
        fields |= {"minimum": "0", "maximum": "1", "default_number": repr(float(feature.default))}
    elif feature.kind == "enumeration":
        fields["default_number"] = repr(float(feature.entries[str(feature.default)]))
        fields["allowed"] = f"allowed_{feature.name}"
        fields["allowed_count"] = str(len(feature.entries))
    elif feature.kind == "string":
        fields["default_text"] = f'"{feature.default}"'
    return "{" + ", ".join(f".{name} = {value}" for name, value in fields.items()) + "}"


def _number(limit: float | str | None, otherwise: float) -> float:
    """Return a limit as a number; one that is a formula is checked elsewhere."""
    return float(limit) if isinstance(limit, int | float) else otherwise


def embed(name: str, text: str) -> str:
    """Return C source of a NUL terminated array that holds ``text``, and of its length without the NUL."""
    data = text.encode("utf-8") + b"\0"
    rows = [", ".join(str(byte) for byte in data[start : start + 24]) for start in range(0, len(data), 24)]
    body = ",\n    ".join(rows)
    return f"const char {name}[] = {{\n    {body},\n}};\nconst size_t {name}_length = {len(data) - 1};\n"


def main(folder: Path) -> None:
    """Write all generated sources into ``folder``."""
    registers = lay_out()
    addresses = {item.feature.name: item.address for item in registers}
    (folder / "features_generated.h").write_text(header(registers), encoding="utf-8")
    (folder / "features_generated.c").write_text(table(registers), encoding="utf-8")
    device = xml.device_description(FEATURES, CHUNKS, addresses, LENGTHS)
    (folder / "beamrig_device.xml").write_text(device, encoding="utf-8")
    source = _NOTE + '#include "producer/registers.h"\n\n' + embed("device_xml", device)
    source += "\n" + embed("module_xml", xml.module_description())
    (folder / "xml_generated.c").write_text(source, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
