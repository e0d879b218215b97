"""What can be ordered to go wrong in a virtual rig: the catalogue, and how an order is read.

An order is a name and options, ``lose_frame camera=S at=3``. Pulses and frames are counted from 0 for each
camera, from the moment of the order; only frames that a trigger made count. Loads nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from rig.errors import BeamrigError

Value = float | int | bool | str
CAMERAS: Final = ("B", "S")
FOR_EVER: Final = -1.0
_COUNTING: Final = ("at", "after", "count")
_YES_NO: Final = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class FaultError(BeamrigError):
    """No such fault can be ordered, or not with these options."""


@dataclass(frozen=True)
class FaultKind:
    """One thing that can go wrong.

    Attributes:
        name: Word in an order.
        means: What happens.
        counts: What ``at`` (or ``after``, the same) and ``count`` of its orders count; "" for what holds
            until it is cleared.
        options: Its options with their values when not given; None where there is none.
        choices: The words that an option may be.
        camera: Which camera it is for when the order does not say; "" where it must say.
        at_once: Whether it happens at once when the order does not count.
    """

    name: str
    means: str
    counts: Literal["", "pulse", "frame"] = ""
    options: Mapping[str, Value | None] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    camera: str = ""
    at_once: bool = False


KINDS: Final = {
    kind.name: kind
    for kind in (
        FaultKind("skew", "each pulse reaches the camera later", options={"skew_us": 0.0}, camera="S"),
        FaultKind("jitter", "each pulse reaches the camera later by 0 to jitter_us, at random",
                  options={"jitter_us": 0.0}, camera="S"),
        FaultKind("clock", "the camera's own clock runs with this offset and drift", "frame",
                  {"offset_s": None, "drift_ppm": None}, camera="S", at_once=True),
        FaultKind("ignore_trigger", "the camera ignores a pulse and, unless told otherwise, counts it",
                  "pulse", {"counted": True}),
        FaultKind("duplicate_trigger", "one more edge, delay_us after that of the pulse", "pulse",
                  {"delay_us": 50.0, "width_us": 100.0}),
        FaultKind("lose_frame", "the frame is exposed and numbered but does not arrive", "frame"),
        FaultKind("incomplete_frame", "the frame arrives in part", "frame"),
        FaultKind("late_frame", "the frame arrives late, and so do those behind it", "frame",
                  {"seconds": 0.5}),
        FaultKind("repeat_frame", "the frame is delivered twice", "frame"),
        FaultKind("swap_frames", "the frame is delivered after the next one", "frame", {"seconds": 1.0}),
        FaultKind("black_frame", "the frame is black", "frame"),
        FaultKind("frozen_frame", "the frame has the pixels of the one before", "frame"),
        FaultKind("unplug", "the camera is gone until it is plugged in again", "frame", at_once=True),
        FaultKind("replug", "the camera is there again", "frame", at_once=True),
        FaultKind("hang", "a call into the producer hangs for a time; seconds < 0 is for ever", "frame",
                  {"call": "event", "seconds": FOR_EVER},
                  {"call": ("event", "port", "stream")}, at_once=True),
        FaultKind("crash", "the producer crashes (SIGSEGV), and the camera process with it", "frame",
                  at_once=True),
    )
}  # fmt: skip
"""Every fault of cameras and wires by its name; those of the box are ``box NAME``."""


@dataclass
class Order:
    """One order and what came of it.

    Attributes:
        number: Name for clearing it, from 1.
        kind: What goes wrong.
        cameras: For which cameras.
        options: Its options, all of them.
        first: The pulse or frame at which it begins; None for at once.
        count: How many in a row.
        seen: Pulses or frames counted so far, by camera.
        hits: How often it struck.
    """

    number: int
    kind: FaultKind
    cameras: tuple[str, ...]
    options: dict[str, Value | None]
    first: int | None = None
    count: int = 1
    seen: dict[str, int] = field(default_factory=dict)
    hits: int = 0

    def strikes(self, camera: str) -> bool:
        """Count one pulse or frame of ``camera``; return whether it is one that is to go wrong."""
        if self.first is None or camera not in self.cameras:
            return False
        number = self.seen.get(camera, 0)
        self.seen[camera] = number + 1
        struck = self.first <= number < self.first + self.count
        self.hits += struck
        return struck

    @property
    def open(self) -> bool:
        """Whether it still holds or waits."""
        if not self.kind.counts:
            return True
        if self.first is None:
            return False
        return any(self.seen.get(camera, 0) < self.first + self.count for camera in self.cameras)

    def value(self, name: str) -> float:
        """Return a number among the options, 0 where none was given."""
        return float(self.options.get(name) or 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data."""
        return {
            "number": self.number,
            "fault": self.kind.name,
            "cameras": list(self.cameras),
            "options": dict(self.options),
            "at": self.first,
            "count": self.count,
            "hits": self.hits,
            "open": self.open,
        }


def read_text(text: str) -> tuple[str, dict[str, str]]:
    """Split ``lose_frame camera=S at=3`` (or ``box silent after=2``) into name and options.

    Raises:
        FaultError: It has no name, or something that is no option follows an option.
    """
    words = text.split()
    name = " ".join(word for word in words if "=" not in word)
    options = dict(word.split("=", 1) for word in words if "=" in word)
    if not name or "=" in words[0]:
        raise FaultError(f"{text!r} is no fault", hint="NAME key=value ..., such as lose_frame camera=S at=3")
    return name, options


def make_order(number: int, name: str, given: Mapping[str, Any]) -> Order:
    """Make an order of a name and options, whose values may be text.

    Raises:
        FaultError: No such fault, option or value, or no camera named where one must be.
    """
    kind = KINDS.get(name)
    if kind is None:
        raise FaultError(f"there is no fault {name!r}", hint="one of " + ", ".join(KINDS))
    known = ("camera", *kind.options, *(_COUNTING if kind.counts else ()))
    for option in given:
        if option not in known:
            raise FaultError(f"{name} has no option {option!r}", hint="it has " + ", ".join(known))
    camera = str(given.get("camera", kind.camera))
    if camera not in (*CAMERAS, "both"):
        raise FaultError(f"{name} is for camera=B, S or both, not {camera!r}")
    options = {
        key: _read(kind, key, given[key]) if key in given else kept for key, kept in kind.options.items()
    }
    first = next((_count(name, key, given[key]) for key in ("at", "after") if key in given), None)
    if first is None and kind.counts and not kind.at_once:
        first = 0
    cameras = CAMERAS if camera == "both" else (camera,)
    return Order(number, kind, cameras, options, first, _count(name, "count", given.get("count", 1)))


def _count(name: str, key: str, given: Any) -> int:
    try:
        value = int(given)
    except (TypeError, ValueError):
        value = -1
    if value < (1 if key == "count" else 0):
        raise FaultError(f"{key}={given} of {name} is no number of pulses or frames")
    return value


def _read(kind: FaultKind, key: str, given: Any) -> Value:
    choices = kind.choices.get(key)
    if choices is not None:
        if given not in choices:
            raise FaultError(f"{key} of {kind.name} is one of {', '.join(choices)}, not {given!r}")
        return str(given)
    if isinstance(kind.options[key], bool):
        if str(given).lower() not in _YES_NO:
            raise FaultError(f"{key} of {kind.name} is yes or no, not {given!r}")
        return _YES_NO[str(given).lower()]
    try:
        return float(given)
    except (TypeError, ValueError):
        raise FaultError(f"{key} of {kind.name} is a number, not {given!r}") from None
