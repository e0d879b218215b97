"""The takes of a session from which a scene is calibrated, and their means."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from processing.calibration.frame_format import FrameFormat, formats_of
from processing.calibration.source_files import check_pair, load_checked
from processing.chain import Mosaic
from processing.errors import CalibrationError, ImageMismatch, SourceChanged, TakeMissing
from rig.errors import RawFileError
from rig.raw_image import RawImage
from rig.records import PairRecord
from rig.session import Session


@dataclass(frozen=True)
class Source:
    """A RAW file that a calibration was made from.

    Attributes:
        role: what it was used for: colour, white, static or chart.
        pair: id of the pair.
        camera: "B" or "S".
        sha256: of the file, as the journal has it.
    """

    role: str
    pair: str
    camera: str
    sha256: str


@dataclass(frozen=True)
class Takes:
    """The pairs that a scene is calibrated from.

    Attributes:
        even: lightbox pairs, or whiteboard pairs where there are none: for the colour constants; empty where
            a lightbox calibration is given.
        white: whiteboard pairs, or lightbox pairs: for the white balance; may be empty where a colour
            calibration is given.
        static: static pairs.
        chart: colorchecker pairs; may be empty.
        formats: what the frames of "B" and "S" are like.
    """

    even: list[PairRecord]
    white: list[PairRecord]
    static: list[PairRecord]
    chart: list[PairRecord]
    formats: dict[str, FrameFormat] = field(repr=False)

    @classmethod
    def of(cls, session: Session, scene: str, *, given: Collection[str] = ()) -> Takes:
        """Collect the takes of a scene.

        Args:
            session: the recorded session.
            scene: one of its scenes.
            given: kinds of calibrations that are given: "lightbox" makes the colour constants' take
                superfluous, "colour" the chart, and the whiteboard where there is none.

        Raises:
            SessionError: if there is no such scene.
            TakeMissing: without a static take, or without a lightbox and a whiteboard take.
        """
        session.scene(scene)
        found = {
            kind: session.pairs(scene, kind) for kind in ("lightbox", "whiteboard", "static", "colorchecker")
        }
        if not found["static"]:
            raise TakeMissing(f"scene {scene} has no static pair", hint="capture one: --kind static")
        even = found["lightbox"] or found["whiteboard"]
        white = found["whiteboard"] or found["lightbox"]
        if not even and not {"lightbox", "colour"} <= set(given):
            missing = "neither lightbox nor whiteboard" if "lightbox" not in given else "no whiteboard"
            raise TakeMissing(f"scene {scene} has {missing}", hint="capture one: --kind whiteboard")
        return cls(
            even=[] if "lightbox" in given else even,
            white=white,
            static=found["static"],
            chart=[] if "colour" in given else found["colorchecker"],
            formats=_formats(session, found["static"]),
        )

    @classmethod
    def stored(
        cls, session: Session, scene: str, sources: Iterable[Source], formats: dict[str, FrameFormat]
    ) -> Takes:
        """Collect exactly the pairs that a stored calibration names, without reading one of them.

        Raises:
            CalibrationError: if one is gone, or is not the file it was.
        """
        known = {record.id: record for record in session.pairs(scene)}
        roles: dict[str, dict[str, PairRecord]] = {"colour": {}, "white": {}, "static": {}, "chart": {}}
        for source in sources:
            record = known.get(source.pair)
            if record is None or _hash(record, source.camera) != source.sha256:
                what = "is gone" if record is None else "is another file now"
                raise CalibrationError(
                    f"{source.pair}, from which scene {scene} was calibrated, {what}", hint="process it again"
                )
            roles[source.role][record.id] = record
        even, white, static, chart = (list(roles[role].values()) for role in roles)
        return cls(even, white, static, chart, formats)

    def records(self) -> list[PairRecord]:
        """Return all pairs, each once."""
        return list(
            {r.id: r for role in (self.even, self.white, self.static, self.chart) for r in role}.values()
        )

    def damaged(self) -> dict[str, str]:
        """Return pair id -> what is wrong with its files, of pairs that are not what was recorded."""
        found = {}
        for record in self.records():
            try:
                check_pair(record)
            except SourceChanged as error:
                found[record.id] = error.message
        return found

    def without(self, pairs: Collection[str]) -> Takes:
        """Return the takes without these pairs.

        Raises:
            SourceChanged: if nothing would be left of one of them.
        """
        if not pairs:
            return self
        left: dict[str, list[PairRecord]] = {}
        for name in ("even", "white", "static", "chart"):
            before: list[PairRecord] = getattr(self, name)
            left[name] = [record for record in before if record.id not in pairs]
            if before and not left[name]:
                raise SourceChanged(
                    f"every {before[0].kind} pair of scene {before[0].scene} is damaged",
                    hint="bring the files back from a copy, or record the take again",
                )
        if self.white is self.even:
            left["white"] = left["even"]
        return Takes(left["even"], left["white"], left["static"], left["chart"], self.formats)

    def sources(self) -> tuple[Source, ...]:
        """List the files with their hashes from the journal."""
        roles = (("colour", self.even), ("white", self.white), ("static", self.static), ("chart", self.chart))
        return tuple(source for role, records in roles for source in sources_of(records, role))


def _formats(session: Session, records: Sequence[PairRecord]) -> dict[str, FrameFormat]:
    """Describe the frames by the first pair that can be read."""
    for record in records[:-1]:
        try:
            return formats_of(session, record)
        except RawFileError:
            continue
    return formats_of(session, records[-1])


def sources_of(records: Iterable[PairRecord], role: str) -> tuple[Source, ...]:
    """List the files of pairs, both cameras, with their hashes from the journal."""
    return tuple(
        Source(role, record.id, camera, _hash(record, camera)) for record in records for camera in ("B", "S")
    )


def _hash(record: PairRecord, camera: str) -> str:
    return str((record.meta_b if camera == "B" else record.meta_s)["sha256"])


class MosaicMean:
    """The mean of any number of RAW frames of one camera, in the memory of one.

    Whole codes are added up, so the result depends neither on the order of the frames nor on their number.
    """

    def __init__(self) -> None:
        self.count = 0
        self._cfa = ""
        self._black = 0.0
        self._total: NDArray[np.uint64] = np.zeros((0, 0), np.uint64)

    def add(self, raw: RawImage) -> None:
        """Take one more frame into the mean.

        Raises:
            ImageMismatch: if it is of another size or colour order than the ones before.
        """
        if not self.count:
            self._total, self._cfa = np.zeros(raw.pixels.shape, np.uint64), raw.cfa
        if raw.pixels.shape != self._total.shape or raw.cfa != self._cfa:
            raise ImageMismatch(
                "the frames differ in size or colour order",
                hint="record the take again with one region of interest",
            )
        self._total += raw.pixels
        self._black += raw.black_level
        self.count += 1

    def mosaic(self) -> Mosaic:
        """Return the mean less the mean black level: (H, W) float32 DN.

        Raises:
            ImageMismatch: if there was no frame.
        """
        if not self.count:
            raise ImageMismatch("no frames to average", hint="record a lightbox or whiteboard take")
        return ((self._total - self._black) / self.count).astype(np.float32)


def quiet(text: str) -> None:
    """Tell nobody what is being done."""


def mean_mosaics(records: Sequence[PairRecord], progress: Callable[[str], None] = quiet) -> dict[str, Mosaic]:
    """Average the frames of each camera, all of them: (H, W) float32 DN above black of "B" and "S"."""
    of_b, of_s = MosaicMean(), MosaicMean()
    for number, record in enumerate(records, start=1):
        progress(f"{record.kind}: pair {number} of {len(records)}")
        pair = load_checked(record)
        of_b.add(pair.b)
        of_s.add(pair.s)
    return {"B": of_b.mosaic(), "S": of_s.mosaic()}
