"""One feature of a camera: its genicam node with plain values, states and reasons in words."""

from __future__ import annotations

import time
from typing import Any

from genicam import genapi, gentl

from rig.camera.types import FeatureInfo, FeatureValue, Limits
from rig.errors import CameraTimeout, FeatureMissing, FeatureRejected

GENICAM_ERRORS = (genapi.GenericException, gentl.GenericException)

_TYPES = {
    int(genapi.EInterfaceType.intfIInteger): "integer",
    int(genapi.EInterfaceType.intfIBoolean): "boolean",
    int(genapi.EInterfaceType.intfICommand): "command",
    int(genapi.EInterfaceType.intfIFloat): "float",
    int(genapi.EInterfaceType.intfIString): "string",
    int(genapi.EInterfaceType.intfIEnumeration): "enumeration",
    int(genapi.EInterfaceType.intfICategory): "category",
    int(genapi.EInterfaceType.intfIRegister): "register",
}
_ACCESS = {0: "not implemented", 1: "not available", 2: "write only", 3: "read only", 4: "read/write"}
_VISIBILITY = {0: "beginner", 1: "expert", 2: "guru", 3: "invisible"}
_TRUE = {"on", "true", "yes", "1"}
_FALSE = {"off", "false", "no", "0"}
_FIXED_INCREMENT = int(genapi.EIncMode.fixedIncrement)
_COMMAND_DEADLINE_S = 5.0


def reason_of(exc: Exception) -> str:
    """Return the first sentence of a genicam exception, without the file and line of its C++ source."""
    text = str(exc).split(" : ")[0].split(" (file ")[0].replace(" (Message from the source: )", "")
    return text.strip() or type(exc).__name__


class Feature:
    """A node of the camera's description file.

    Args:
        node: The genicam node as the node map gives it.
    """

    def __init__(self, node: Any) -> None:
        self._value_node = node
        self._node = node.node
        self.name = str(self._node.name)
        self.type = _TYPES.get(int(self._node.principal_interface_type), "other")

    @property
    def access(self) -> str:
        """Access mode right now, in words."""
        return _ACCESS.get(int(self._value_node.get_access_mode()), "unknown")

    @property
    def readable(self) -> bool:
        """True when a value can be read now."""
        return self.access in {"read only", "read/write"}

    @property
    def writable(self) -> bool:
        """True when a value can be written now."""
        return self.access in {"write only", "read/write"}

    @property
    def unit(self) -> str:
        """Unit of the value; empty when it has none."""
        return str(self._value_node.unit) if self.type in {"integer", "float"} else ""

    @property
    def visibility(self) -> str:
        """Level of user it is meant for: beginner, expert, guru or invisible."""
        return _VISIBILITY.get(int(self._node.visibility), "unknown")

    @property
    def polling_ms(self) -> int | None:
        """How often the value or one behind it should be read again, in ms; None where nothing is said."""
        return _polling_ms(self._node, 3)

    @property
    def selectors(self) -> list[str]:
        """Names of the features that choose which instance this one shows."""
        return [str(one.node.name) for one in self._node.selecting_features]

    @property
    def selects(self) -> list[str]:
        """Names of the features of which this one chooses the instance."""
        return [str(one.node.name) for one in self._node.selected_features]

    @property
    def children(self) -> list[Any]:
        """Nodes that this one is calculated from."""
        return list(self._node.children)

    @property
    def parents(self) -> list[Any]:
        """Nodes that are calculated from this one."""
        return list(self._node.parents)

    def text(self, what: str) -> str:
        """Return `display_name`, `tooltip` or `description`; empty where the camera has none."""
        return str(getattr(self._node, what) or "").strip()

    def property(self, what: str) -> list[str]:
        """Return what an element of the node in the camera's description file says, such as `pIsLocked`.

        genicam takes a millisecond for it in a large description, so ask only about what is on the screen.
        """
        if what not in self._node.property_names:
            return []
        values, _ = self._node.get_property(what)
        return [one for one in str(values).split("\t") if one]

    def read(self) -> FeatureValue:
        """Return the value.

        Raises:
            FeatureRejected: not readable now, or no feature with a value.
        """
        if not self.readable or self.type in {"command", "category", "register", "other"}:
            raise FeatureRejected(f"{self.name} cannot be read", hint=f"it is a {self.access} {self.type}")
        try:
            value = self._value_node.value
        except GENICAM_ERRORS as exc:
            raise FeatureRejected(f"{self.name} cannot be read: {reason_of(exc)}") from exc
        if self.type == "boolean":
            return bool(value)
        if self.type == "integer":
            return int(value)
        return float(value) if self.type == "float" else str(value)

    def limits(self) -> Limits:
        """Return the present limits of a number.

        Raises:
            FeatureRejected: not a number, or not readable now.
        """
        if self.type not in {"integer", "float"}:
            raise FeatureRejected(f"{self.name} has no limits", hint=f"it is a {self.type}")
        node = self._value_node
        try:
            has_increment = self.type == "integer" or int(node.inc_mode) == int(
                genapi.EIncMode.fixedIncrement
            )
            increment = float(node.inc) if has_increment else None
            return Limits(float(node.min), float(node.max), increment, self.unit)
        except GENICAM_ERRORS as exc:
            raise FeatureRejected(f"limits of {self.name} cannot be read: {reason_of(exc)}") from exc

    def entries(self) -> list[str]:
        """Return the entries of an enumeration that can be chosen now.

        Raises:
            FeatureRejected: not an enumeration.
        """
        if self.type != "enumeration":
            raise FeatureRejected(f"{self.name} has no entries", hint=f"it is a {self.type}")
        return [
            str(entry.symbolic)
            for entry in self._value_node.entries
            if int(entry.get_access_mode()) in (3, 4)
        ]

    def parse(self, value: FeatureValue) -> FeatureValue:
        """Turn a value as a profile or a user writes it into the feature's own type.

        Raises:
            FeatureRejected: not a value of this feature's type, outside its limits or entries.
        """
        if self.type == "boolean":
            return self._parse_boolean(value)
        if self.type in {"integer", "float"}:
            return self._parse_number(value)
        text = str(value)
        if self.type == "enumeration" and text not in (entries := self.entries()):
            raise FeatureRejected(f"{self.name} cannot be {text}", hint=f"allowed now: {', '.join(entries)}")
        return text

    def _parse_boolean(self, value: FeatureValue) -> bool:
        text = str(value).strip().lower()
        if text in _TRUE | _FALSE:
            return text in _TRUE
        raise FeatureRejected(f"{self.name} cannot be {value}", hint="allowed: On, Off")

    def _parse_number(self, value: FeatureValue) -> int | float:
        try:
            if self.type == "integer" and isinstance(value, str) and value.strip().lower().startswith("0x"):
                number = float(int(value, 16))
            else:
                number = float(value)
        except ValueError as exc:
            raise FeatureRejected(
                f"{self.name} cannot be {value}",
                hint=f"a number is needed{_spaced(self.unit and 'in ' + self.unit)}",
            ) from exc
        limits = self.limits()
        slack = 1e-9 * max(abs(limits.minimum), abs(limits.maximum)) if self.type == "float" else 0.0
        if not limits.minimum - slack <= number <= limits.maximum + slack:
            raise FeatureRejected(
                f"{self.name} cannot be {value}{_spaced(limits.unit)}",
                hint=f"allowed now: {limits.minimum:g} to {limits.maximum:g}{_spaced(limits.unit)}",
            )
        if self.type == "float":
            return min(max(number, limits.minimum), limits.maximum)
        steps = (number - limits.minimum) / (limits.increment or 1.0)
        if number != int(number) or steps != int(steps):
            raise FeatureRejected(
                f"{self.name} cannot be {value}",
                hint=f"allowed now: {limits.minimum:g} to {limits.maximum:g} step {limits.increment:g}",
            )
        return int(number)

    def write(self, value: FeatureValue) -> None:
        """Write a parsed value; commands are executed instead.

        Raises:
            FeatureRejected: not writable now, or refused by the camera.
        """
        if not self.writable:
            hint = "perhaps only while the camera acquires; stop it first" if self.readable else ""
            raise FeatureRejected(f"{self.name} cannot be written, it is {self.access} now", hint=hint)
        try:
            self._value_node.value = value
        except GENICAM_ERRORS as exc:
            raise FeatureRejected(f"{self.name} cannot be {value}: {reason_of(exc)}") from exc

    def execute(self) -> None:
        """Execute a command and wait until the camera says that it is done.

        Raises:
            FeatureRejected: no command, or not to be executed now.
            CameraTimeout: not done within 5 s.
        """
        if self.type != "command":
            raise FeatureRejected(f"{self.name} is no command", hint=f"it is a {self.type}")
        if not self.writable:
            raise FeatureRejected(f"{self.name} cannot be executed, it is {self.access} now")
        deadline = time.monotonic() + _COMMAND_DEADLINE_S
        try:
            self._value_node.execute()
            while self.readable and not self._value_node.is_done():
                if time.monotonic() > deadline:
                    raise CameraTimeout(f"{self.name} was not done after {_COMMAND_DEADLINE_S:g} s")
                time.sleep(0.002)
        except GENICAM_ERRORS as exc:
            raise FeatureRejected(f"{self.name} failed: {reason_of(exc)}") from exc

    def info(self, category: str) -> FeatureInfo:
        """Return everything about the feature; what cannot be read now is left out."""
        value: FeatureValue | None = None
        limits: Limits | None = None
        try:
            value = self.read()
            limits = self.limits() if self.type in {"integer", "float"} else None
        except FeatureRejected:
            value = None  # not readable right now, which `access` says
        return FeatureInfo(
            name=self.name,
            type=self.type,
            value=value,
            unit=self.unit,
            access=self.access,
            visibility=self.visibility,
            category=category,
            minimum=limits.minimum if limits else None,
            maximum=limits.maximum if limits else None,
            increment=limits.increment if limits else None,
            entries=tuple(self.entries()) if self.type == "enumeration" else (),
            description=str(self._node.tooltip or self._node.description or ""),
        )


def find(node_map: Any, name: str) -> Feature:
    """Look a feature up by the camera's own name.

    Raises:
        FeatureMissing: the camera's description has no such name, or says it is not implemented.
    """
    if not name or not node_map.has_node(name):
        raise FeatureMissing(
            f"the camera has no feature {name}", hint="list them with `beamrig devices features`"
        )
    feature = Feature(node_map.get_node(name))
    if feature.access == "not implemented":
        raise FeatureMissing(f"the camera does not implement {name}")
    return feature


def _spaced(unit: str) -> str:
    return f" {unit}" if unit else ""


def _polling_ms(node: Any, depth: int) -> int | None:
    every = [int(node.polling_time)] if int(node.polling_time) > 0 else []
    if not every and depth > 0:
        every = [
            found for child in node.children if (found := _polling_ms(child.node, depth - 1)) is not None
        ]
    return min(every, default=None)
