"""What a session knows about its shots: pairs with their sync proof, rejected shots, takes."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from rig.capture.findings import Finding
from rig.errors import SessionError

if TYPE_CHECKING:
    from rig.dng import RawImage

Kind = Literal["whiteboard", "lightbox", "static", "action", "dark", "colorchecker"]
KINDS: Final[tuple[str, ...]] = get_args(Kind)
Verdict = Literal["paired", "rejected"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
# The loader of the published data set finds sharp frames and masks by replacing these words in paths.
_RESERVED: Final = ("sharp", "blur", "dataset")


@dataclass(frozen=True)
class SyncProof:
    """Why the two frames of a shot belong to the same pulse, or why that cannot be said.

    Attributes:
        trigger_index: Which pulse of the take, from 0.
        frame_id: The cameras' own numbers of the frames; None where a camera gave none.
        timestamp_ns: The cameras' own times of the start of the exposures, in ns; None where none.
        skew_us: How much later than planned S started, against B; see :class:`rig.capture.pairing.Match`.
        residual_us: Deviation from the linear relation of the two clocks over the take; None as ``skew_us``.
        fired: Pulses fired in the take.
        ignored: Triggers that each camera ignored during the take; None where it does not count them.
        verdict: "paired" or "rejected".
        reason: Why it was rejected; empty for a pair.
        clock: "common" where both cameras' times are of one clock, "fitted" where not, "none" without a pair.
        placement: Where S's exposure was to lie in B's: "start", "centre" or "end".
        s_delay_us: How much later than B the box triggered S, in µs, as the box read it back.
        box_shots: Pulses of the take by the box's own counter; None where it has none.
        clock_rate_ppm: How much faster S's clock ran than B's, in ppm; None where one pair cannot tell.
        clock_offset_us: S's clock minus B's at the take's first pair, in µs; None without a pair.
        grid_rate_ppm: How much faster each camera's clock ran than the box's, in ppm; None where unknown.
        grid_residual_us: Deviation of each exposure's start from the box's pulses, seen through the camera's
            clock (linear fit over the take), in µs; None where unknown.
    """

    trigger_index: int
    frame_id: dict[str, int | None]
    timestamp_ns: dict[str, int | None]
    skew_us: float | None
    residual_us: float | None
    fired: int
    ignored: dict[str, int | None]
    verdict: Verdict
    reason: str = ""
    clock: str = "none"
    placement: str = "start"
    s_delay_us: float = 0.0
    box_shots: int | None = None
    clock_rate_ppm: float | None = None
    clock_offset_us: float | None = None
    grid_rate_ppm: dict[str, float | None] = field(default_factory=dict)
    grid_residual_us: dict[str, float | None] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SyncProof:
        """Rebuild from :meth:`to_dict`."""
        return cls(**data)


@dataclass(frozen=True)
class RawPair:
    """The two RAW frames of one pulse."""

    b: RawImage
    s: RawImage


@dataclass(frozen=True)
class PairRecord:
    """A pair on the disk.

    Attributes:
        scene: Name of the scene.
        kind: Kind of the take.
        take: Number of the take within scene and kind, from 1.
        index: Trigger index within the take, from 0.
        path_b: DNG of camera B.
        path_s: DNG of camera S.
        sync: The sync proof.
        meta_b: Facts about B's frame: exposure, gain, serial number, times, size and hash of the file.
        meta_s: The same of S.
        findings: What is worth knowing of its synchrony, and what the check of its content found while the
            take ran; empty when nothing or not checked.
    """

    scene: str
    kind: str
    take: int
    index: int
    path_b: Path
    path_s: Path
    sync: SyncProof
    meta_b: dict[str, Any]
    meta_s: dict[str, Any]
    findings: tuple[Finding, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """The findings that an operator must see, one line each."""
        return tuple(one.one_line() for one in self.findings if one.level != "note")

    @property
    def id(self) -> str:
        """Name within the session, such as ``s01/action/t02_0003``."""
        return shot_id(self.scene, self.kind, self.take, self.index)

    def load(self) -> RawPair:
        """Read both frames.

        Raises:
            RawFileError: A file is missing or damaged.
        """
        from rig.dng import read_dng  # loads numpy, which a look into the journal needs not

        return RawPair(read_dng(self.path_b), read_dng(self.path_s))


@dataclass(frozen=True)
class RejectedShot:
    """A pulse that gave no proven pair; its reason is in the sync proof."""

    scene: str
    kind: str
    take: int
    index: int
    sync: SyncProof

    @property
    def id(self) -> str:
        """Name within the session, as of a pair."""
        return shot_id(self.scene, self.kind, self.take, self.index)


@dataclass(frozen=True)
class TakeRecord:
    """A take as the journal has it.

    Attributes:
        scene: Name of the scene.
        kind: Kind of the take.
        take: Number within scene and kind, from 1.
        asked: Pairs asked for.
        state: "complete", "cancelled", "failed", or "unfinished" when the journal ends within it.
        details: What was planned and applied: plan, settings of cameras and box.
        outcome: Counts, refused frames and the error, as written at the end.
    """

    scene: str
    kind: str
    take: int
    asked: int
    state: str
    details: dict[str, Any] = field(default_factory=dict)
    outcome: dict[str, Any] = field(default_factory=dict)


def shot_id(scene: str, kind: str, take: int, index: int) -> str:
    """Return the name of a shot within its session; with ``_B.dng`` or ``_S.dng`` it is the file's name."""
    return f"{scene}/{kind}/t{take:02d}_{index:04d}"


def check_scene_name(name: str) -> str:
    """Return the name when it is fit for a folder of a session.

    Raises:
        SessionError: It could leave the folder, or holds a word with which loaders find files.
    """
    if not _NAME.fullmatch(name):
        raise SessionError(
            f"{name!r} is no name for a scene", hint="letters, digits, - and _, at most 32, such as s01"
        )
    for word in _RESERVED:
        if word in name.lower():
            raise SessionError(
                f"a scene must not have {word!r} in its name",
                hint="loaders of the published data set find files by replacing that word in paths",
            )
    return name


def check_kind(kind: str) -> Kind:
    """Return the kind when there is such a kind of take.

    Raises:
        SessionError: There is none of that name.
    """
    for known in get_args(Kind):
        if kind == known:
            result: Kind = known
            return result
    raise SessionError(f"{kind!r} is no kind of take", hint="one of " + ", ".join(KINDS))


def shot_event(record: PairRecord | RejectedShot) -> dict[str, Any]:
    """Return the journal's event of a shot."""
    event: dict[str, Any] = {
        "event": "shot",
        "scene": record.scene,
        "kind": record.kind,
        "take": record.take,
        "index": record.index,
        "sync": record.sync.to_dict(),
    }
    if isinstance(record, PairRecord):
        event["meta"] = {"B": record.meta_b, "S": record.meta_s}
        event["findings"] = [one.to_dict() for one in record.findings]
    return event


def revoked_event(scene: str, kind: str, take: int, index: int, reason: str) -> dict[str, Any]:
    """Return the journal's event that takes a pair back; its files stay."""
    return {
        "event": "shot_revoked",
        "scene": scene,
        "kind": kind,
        "take": take,
        "index": index,
        "reason": reason,
    }


def shot_record(
    event: Mapping[str, Any], path_of: Callable[[str, str, int, int, str], Path]
) -> PairRecord | RejectedShot:
    """Rebuild a shot from the journal's event; ``path_of`` says where its RAW files belong.

    Raises:
        SessionError: The event lacks something, or its names leave the session.
    """
    try:
        scene, kind = check_scene_name(event["scene"]), check_kind(event["kind"])
        take, index = int(event["take"]), int(event["index"])
        sync = SyncProof.from_dict(event["sync"])
        if sync.verdict == "rejected":
            return RejectedShot(scene, kind, take, index, sync)
        path_b, path_s = (path_of(scene, kind, take, index, camera) for camera in ("B", "S"))
        meta = event["meta"]
        if "findings" in event:
            findings = tuple(Finding.from_dict(one) for one in event["findings"])
        else:  # journals of earlier versions hold lines
            findings = tuple(Finding("warn", str(line)) for line in event["warnings"])
        return PairRecord(scene, kind, take, index, path_b, path_s, sync, meta["B"], meta["S"], findings)
    except (SessionError, KeyError, TypeError, ValueError) as error:
        raise SessionError(f"the journal has a shot that cannot be read: {error!r}") from error


def revoked_id(event: Mapping[str, Any]) -> str:
    """Return the name of the shot that an event revokes.

    Raises:
        KeyError: The event lacks something.
        ValueError: A number in it is none.
    """
    return shot_id(event["scene"], event["kind"], int(event["take"]), int(event["index"]))


def revoked(record: PairRecord | RejectedShot, reason: str) -> RejectedShot:
    """Return the rejected shot that a pair becomes when later evidence speaks against it."""
    sync = replace(record.sync, verdict="rejected", reason=reason)
    return RejectedShot(record.scene, record.kind, record.take, record.index, sync)
