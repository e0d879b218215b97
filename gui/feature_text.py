"""How features of a camera are written for people: values, limits, why one is locked."""

from __future__ import annotations

import math

from rig.camera.browser import FeatureNode, FeatureState
from rig.camera.types import FeatureValue

BOUNDLESS = 2.0**62
"""Limits beyond this are those of the number format, not of the camera."""
LONGEST_LIST = 6
UNITS = {"us": "µs", "um": "µm", "C": "°C", "deg": "°", "Percent": "%"}
"""Units of description files as they are written in the window."""


def value_text(value: FeatureValue | None, unit: str = "") -> str:
    """Write a value with its unit; a dash where there is none."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "on" if value else "off"
    text = f"{value:.7g}" if isinstance(value, float) else str(value)
    return f"{text} {UNITS.get(unit, unit)}".rstrip()


def state_text(node: FeatureNode, state: FeatureState | None) -> str:
    """Write what stands in the column of values."""
    if node.type == "category":
        return ""
    if state is None:
        return "…"
    if node.type == "command":
        return "command"
    return value_text(state.value, state.unit)


def bounds(state: FeatureState) -> tuple[float | None, float | None]:
    """Return the limits that mean something; None where there is none."""
    low, high = state.minimum, state.maximum
    return (
        low if low is not None and abs(low) < BOUNDLESS else None,
        high if high is not None and abs(high) < BOUNDLESS else None,
    )


def limits_text(state: FeatureState) -> str:
    """Write what a number may be."""
    low, high = bounds(state)
    unit = f" {UNITS.get(state.unit, state.unit)}" if state.unit else ""
    if low is not None and high is not None:
        text = f"{_number(low)} to {_number(high)}{unit}"
    elif low is not None or high is not None:
        text = f"from {_number(low)}{unit}" if low is not None else f"up to {_number(high or 0)}{unit}"
    else:
        text = ""
    step = state.increment
    if text and step is not None and step not in (0, 1) and math.isfinite(step):
        text += f", in steps of {_number(step)}"
    return text


def tooltip(node: FeatureNode, state: FeatureState | None) -> str:
    """Write all that is known about a feature, a line each."""
    lines = [node.display_name if node.display_name != node.name else node.name]
    lines += [text for text in (node.description or node.tooltip,) if text]
    if state is not None and node.type in ("integer", "float"):
        lines.append(limits_text(state))
    if state is not None and state.entries:
        more = len(state.entries) - LONGEST_LIST
        listed = ", ".join(state.entries[:LONGEST_LIST])
        lines.append(f"{listed} and {more} more" if more > 0 else listed)
    if node.selectors:
        lines.append(f"one for each of {', '.join(node.selectors)}")
    if state is not None and state.why:
        lines.append(state.why[:1].upper() + state.why[1:])
    return "\n".join(line for line in lines if line)


def _number(value: float) -> str:
    return f"{value:.10g}"
