"""The GenICam description of the camera (GenApi schema 1.1), written from the feature table.

The schema fixes the order of the elements inside every node; the functions below write them in that order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape

from .features import Chunk, Feature

_HEAD = """<?xml version="1.0" encoding="utf-8"?>
<RegisterDescription ModelName="{model}" VendorName="beamrig" ToolTip="{tip}" StandardNameSpace="{space}"
    SchemaMajorVersion="1" SchemaMinorVersion="1" SchemaSubMinorVersion="0"
    MajorVersion="1" MinorVersion="0" SubMinorVersion="0"
    ProductGuid="{product}" VersionGuid="{version}"
    xmlns="http://www.genicam.org/GenApi/Version_1_1"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:schemaLocation="http://www.genicam.org/GenApi/Version_1_1 \
http://www.genicam.org/GenApi/GenApiSchema_Version_1_1.xsd">
"""
_WORD = re.compile(r"[A-Za-z]\w*")


def device_description(
    features: tuple[Feature, ...],
    chunks: tuple[Chunk, ...],
    addresses: Mapping[str, int],
    lengths: Mapping[str, int],
) -> str:
    """Return the XML of the camera's own node map."""
    selected: dict[str, list[str]] = {}
    for feature in features:
        if feature.selector:
            selected.setdefault(feature.selector, []).append(feature.name)
    nodes = list(_categories(features, chunks))
    for feature in features:
        nodes += _feature(feature, selected.get(feature.name, []))
        nodes += _register(feature, addresses[feature.name], lengths[feature.kind])
    for chunk in chunks:
        nodes += _chunk(chunk)
    nodes.append(_node("Port", "Device", [_tag("ToolTip", "Registers of the camera.")]))
    head = _HEAD.format(
        model="VR5M",
        tip="Virtual camera of a beam-splitter rig",
        space="None",
        product="5b0c6f3a-3f1d-4a52-9f5a-6c2f1d7f0b11",
        version="8d1f6f86-7c0e-4a83-8c57-2f0b5b6f5e02",
    )
    return head + "\n".join(nodes) + "\n</RegisterDescription>\n"


def module_description() -> str:
    """Return the XML that system, interface, local device and stream share: one string, the module's id."""
    head = _HEAD.format(
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
    members["ChunkDataControl"] += [chunk.name for chunk in chunks]
    yield _node("Category", "Root", [_tag("pFeature", name) for name in members])
    for name, names in members.items():
        yield _node("Category", name, [_tag("pFeature", member) for member in names])


def _common(feature: Feature) -> list[str]:
    elements = [_tag("ToolTip", feature.tip), _tag("Visibility", feature.visibility)]
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


def _feature(feature: Feature, selects: list[str]) -> list[str]:
    name, pointer = feature.name, f"{feature.name}Reg"
    extra: list[str] = [_formula(f"{name}Lock", feature.lock)] if feature.lock else []
    elements = _common(feature)
    unit = [_tag("Unit", feature.unit)] if feature.unit else []
    if feature.kind == "string":
        elements.append(_tag("pValue", pointer))
        return [_node("String", name, elements)]
    if feature.kind == "command":
        elements += [_tag("pValue", pointer), _tag("CommandValue", 1)]
        return [_node("Command", name, elements), *extra]
    if feature.kind == "boolean":
        elements += [_tag("pValue", pointer), _tag("OnValue", 1), _tag("OffValue", 0)]
        return [_node("Boolean", name, elements), *extra]
    if feature.kind == "enumeration":
        for entry, number in feature.entries.items():
            elements.append(f'<EnumEntry Name="{entry}"><Value>{number}</Value></EnumEntry>')
        elements.append(_tag("pValue", pointer))
        elements += [_tag("pSelected", other) for other in selects]
        return [_node("Enumeration", name, elements), *extra]
    elements.append(_tag("pValue", pointer))
    elements += _limits(feature, extra)
    elements += [*unit, _tag("Representation", "PureNumber" if feature.kind == "float" else "Linear")]
    return [_node(feature.kind.capitalize(), name, elements), *extra]


def _register(feature: Feature, address: int, length: int) -> list[str]:
    name = f"{feature.name}Reg"
    if feature.kind == "string":
        return [_string_register(name, feature.tip, address, length, feature.access, "Device")]
    elements = [_tag("Address", f"0x{address:x}")]
    if feature.selector:
        elements.append(f'<pIndex Offset="{length}">{feature.selector}Reg</pIndex>')
    elements += [_tag("Length", length), _tag("AccessMode", feature.access), _tag("pPort", "Device")]
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
    value = [_tag("ToolTip", chunk.tip), _tag("pValue", register)]
    value += [_tag("Unit", chunk.unit)] if chunk.unit else []
    if chunk.kind == "float":
        nodes = [_node("Float", chunk.name, value)]
        nodes.append(_node("FloatReg", register, [*elements, _tag("Endianess", "LittleEndian")]))
    else:
        nodes = [_node("Integer", chunk.name, value)]
        elements += [_tag("Sign", "Signed"), _tag("Endianess", "LittleEndian")]
        nodes.append(_node("IntReg", register, elements))
    nodes.append(_node("Port", port, [_tag("ChunkID", f"{chunk.chunk_id:x}")]))
    return nodes
