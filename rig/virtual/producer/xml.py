"""The GenICam description of a camera (GenApi schema 1.1), written from the features that it shows.

The schema fixes the order of the elements inside every node; the functions below write them in that order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol
from xml.sax.saxutils import escape

from .features import Chunk, Feature
from .personality import Personality, Resolved

_HEAD = """<?xml version="1.0" encoding="utf-8"?>
<RegisterDescription ModelName="{model}" VendorName="{vendor}" ToolTip="{tip}" StandardNameSpace="{space}"
    SchemaMajorVersion="1" SchemaMinorVersion="1" SchemaSubMinorVersion="0"
    MajorVersion="1" MinorVersion="0" SubMinorVersion="0"
    ProductGuid="{product}" VersionGuid="{version}"
    xmlns="http://www.genicam.org/GenApi/Version_1_1"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:schemaLocation="http://www.genicam.org/GenApi/Version_1_1 \
http://www.genicam.org/GenApi/GenApiSchema_Version_1_1.xsd">
"""
_WORD = re.compile(r"[A-Za-z]\w*")


class Register(Protocol):
    """Where a feature lives: ``count`` times ``length`` bytes from ``address`` on."""

    @property
    def feature(self) -> Feature: ...  # noqa: D102
    @property
    def address(self) -> int: ...  # noqa: D102
    @property
    def length(self) -> int: ...  # noqa: D102
    @property
    def count(self) -> int: ...  # noqa: D102


def device_description(resolved: Resolved, registers: Sequence[Register], personality: Personality) -> str:
    """Return the XML of the camera's own node map.

    Args:
        resolved: What the camera shows.
        registers: Of the feature table and of the inert features.
        personality: Who it says it is.
    """
    by_home = {item.feature.name: item for item in registers}
    selected: dict[str, list[str]] = {}
    for feature in resolved.shown:
        selector = feature.selector or by_home[feature.home].feature.selector
        if selector and feature.instance is None:
            selected.setdefault(selector, []).append(feature.name)
    nodes = list(_categories(resolved.shown, resolved.chunks))
    for item in registers:
        access = resolved.owners.get(item.feature.name, item.feature).access
        nodes += _register(item, f"{item.feature.name}Reg", access, indexed=item.count > 1)
    for feature in resolved.shown:
        nodes += _feature(feature, by_home[feature.home], selected.get(feature.home, []))
    for chunk in resolved.chunks:
        nodes += _chunk(chunk)
    nodes.append(_node("Port", "Device", [_tag("ToolTip", "Registers of the camera.")]))
    head = _HEAD.format(
        vendor=re.sub(r"\W", "", personality.vendor),
        model=re.sub(r"\W", "", personality.model),
        tip="Virtual camera of a beam-splitter rig",
        space="None",
        product="5b0c6f3a-3f1d-4a52-9f5a-6c2f1d7f0b11",
        version="8d1f6f86-7c0e-4a83-8c57-2f0b5b6f5e02",
    )
    return head + "\n".join(nodes) + "\n</RegisterDescription>\n"


def module_description() -> str:
    """Return the XML that system, interface, local device and stream share: one string, the module's id."""
    head = _HEAD.format(
        vendor="beamrig",
        model="BeamrigModule",
        tip="Module of the virtual producer",
        space="None",
        product="0a3b2f6c-90d4-4c7b-8b7e-1c0a6f5d2e21",
        version="4f6e2f4b-1d7c-4e0a-9a44-6b1d3c5e7f22",
    )
    nodes = [
        _node("Category", "Root", [_tag("pFeature", "ModuleControl")]),
        _node("Category", "ModuleControl", [_tag("pFeature", "ModuleID")]),
        _string_register("ModuleID", "Id of this module.", 0, 64, "RO", "ModulePort"),
        _node("Port", "ModulePort", [_tag("ToolTip", "Registers of the module.")]),
    ]
    return head + "\n".join(nodes) + "\n</RegisterDescription>\n"


def _tag(name: str, value: object) -> str:
    return f"<{name}>{escape(str(value))}</{name}>"


def _node(kind: str, name: str, elements: Iterable[str]) -> str:
    return f'<{kind} Name="{name}">\n  ' + "\n  ".join(elements) + f"\n</{kind}>"


def _categories(features: tuple[Feature, ...], chunks: tuple[Chunk, ...]) -> Iterable[str]:
    members: dict[str, list[str]] = {}
    for feature in features:
        members.setdefault(feature.category, []).append(feature.name)
    for chunk in chunks:
        members.setdefault("ChunkDataControl", []).append(chunk.name)
    yield _node("Category", "Root", [_tag("pFeature", name) for name in members])
    for name, names in members.items():
        yield _node("Category", name, [_tag("pFeature", member) for member in names])


def _common(feature: Feature) -> list[str]:
    elements = [_tag("ToolTip", feature.tip), _tag("Visibility", feature.visibility)]
    if feature.available:
        elements.append(_tag("pIsAvailable", f"{feature.name}Available"))
    if feature.lock:
        elements.append(_tag("pIsLocked", f"{feature.name}Lock"))
    return elements


def _formula(name: str, formula: str) -> str:
    words = sorted(set(_WORD.findall(formula)))
    # The register nodes stand for the features: naming the features themselves makes GenApi see a read cycle.
    variables = [f'<pVariable Name="{word}">{word}Reg</pVariable>' for word in words]
    return _node("IntSwissKnife", name, [*variables, _tag("Formula", formula)])


def _limits(feature: Feature, extra: list[str]) -> list[str]:
    """Return the limit elements of a number; formulas become nodes of their own, added to ``extra``."""
    elements = []
    for element, limit in (("Min", feature.minimum), ("Max", feature.maximum), ("Inc", feature.increment)):
        if isinstance(limit, str):
            elements.append(_tag(f"p{element}", f"{feature.name}{element}"))
            extra.append(_formula(f"{feature.name}{element}", limit))
        elif limit is not None:
            elements.append(_tag(element, limit))
    return elements


def _feature(feature: Feature, register: Register, selects: list[str]) -> list[str]:
    name = feature.name
    extra: list[str] = [_formula(f"{name}Lock", feature.lock)] if feature.lock else []
    if feature.available:
        extra.append(_formula(f"{name}Available", feature.available))
    elements = _common(feature)
    if feature.access == "RO":
        elements.append(_tag("ImposedAccessMode", "RO"))
    pointer = f"{feature.home}Reg"
    if feature.instance is not None:
        pointer = f"{name}InstanceReg"
        extra += _register(register, pointer, feature.access, indexed=False, instance=feature.instance)
    if feature.from_register:
        extra.append(_converter(f"{name}Converter", feature, pointer))
        pointer = f"{name}Converter"
    match feature.kind:
        case "string":
            elements.append(_tag("pValue", pointer))
        case "command":
            elements += [_tag("pValue", pointer), _tag("CommandValue", 1)]
        case "boolean":
            elements += [_tag("pValue", pointer), _tag("OnValue", 1), _tag("OffValue", 0)]
        case "enumeration":
            for entry, number in feature.entries.items():
                elements.append(f'<EnumEntry Name="{entry}"><Value>{number}</Value></EnumEntry>')
            elements.append(_tag("pValue", pointer))
            elements += [_tag("pSelected", other) for other in selects]
        case _:
            elements.append(_tag("pValue", pointer))
            elements += _limits(feature, extra)
            elements += [_tag("Unit", feature.unit)] if feature.unit else []
            elements.append(_tag("Representation", "PureNumber" if feature.kind == "float" else "Linear"))
    return [_node(feature.kind.capitalize(), name, elements), *extra]


def _converter(name: str, feature: Feature, pointer: str) -> str:
    formulas = [_tag("FormulaTo", feature.to_register or "FROM"), _tag("FormulaFrom", feature.from_register)]
    return _node("Converter", name, [*formulas, _tag("pValue", pointer), _tag("Slope", "Automatic")])


def _register(item: Register, name: str, access: str, *, indexed: bool, instance: int = 0) -> list[str]:
    feature, length = item.feature, item.length
    address = item.address + instance * length
    if feature.kind == "string":
        return [_string_register(name, feature.tip, address, length, access, "Device")]
    elements = [_tag("Address", f"0x{address:x}")]
    if indexed:
        elements.append(f'<pIndex Offset="{length}">{feature.selector}Reg</pIndex>')
    elements += [_tag("Length", length), _tag("AccessMode", access), _tag("pPort", "Device")]
    # Values live in the memory of this process; caching would only hide what the camera changed by itself.
    elements.append(_tag("Cachable", "NoCache"))
    if feature.kind == "float":
        return [_node("FloatReg", name, [*elements, _tag("Endianess", "LittleEndian")])]
    sign = "Signed" if feature.kind == "integer" else "Unsigned"
    return [_node("IntReg", name, [*elements, _tag("Sign", sign), _tag("Endianess", "LittleEndian")])]


def _string_register(name: str, tip: str, address: int, length: int, access: str, port: str) -> str:
    elements = [_tag("ToolTip", tip), _tag("Address", f"0x{address:x}"), _tag("Length", length)]
    elements += [_tag("AccessMode", access), _tag("pPort", port), _tag("Cachable", "NoCache")]
    return _node("StringReg", name, elements)


def _chunk(chunk: Chunk) -> list[str]:
    port, register = f"{chunk.name}Port", f"{chunk.name}Reg"
    elements = [_tag("Address", "0x0"), _tag("Length", 8), _tag("AccessMode", "RO"), _tag("pPort", port)]
    elements.append(_tag("Cachable", "NoCache"))
    nodes = []
    pointer = register
    if chunk.from_register:
        pointer = f"{chunk.name}Converter"
        formulas = [_tag("FormulaTo", "FROM"), _tag("FormulaFrom", chunk.from_register)]
        nodes.append(
            _node("Converter", pointer, [*formulas, _tag("pValue", register), _tag("Slope", "Automatic")])
        )
    value = [_tag("ToolTip", chunk.tip), _tag("pValue", pointer)]
    value += [_tag("Unit", chunk.unit)] if chunk.unit else []
    nodes.append(_node((chunk.shown_kind or chunk.kind).capitalize(), chunk.name, value))
    if chunk.kind == "float":
        nodes.append(_node("FloatReg", register, [*elements, _tag("Endianess", "LittleEndian")]))
    else:
        elements += [_tag("Sign", "Signed"), _tag("Endianess", "LittleEndian")]
        nodes.append(_node("IntReg", register, elements))
    nodes.append(_node("Port", port, [_tag("ChunkID", f"{chunk.chunk_id:x}")]))
    return nodes
