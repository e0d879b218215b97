"""What the journal's events add up to, kept up line by line: a look at a long session reads new lines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rig.errors import SessionError
from rig.journal import Journal
from rig.records import (
    PairRecord,
    RejectedShot,
    TakeRecord,
    check_kind,
    check_scene_name,
    revoked,
    revoked_id,
    shot_record,
)
from rig.review import REVIEWED, Review, review_of


class Ledger:
    """Shots and takes of a session; safe for several threads.

    A line that makes no sense costs its own shot or take only; :attr:`problems` names it.

    Args:
        journal: Where they are written.
        path_of: Says where the RAW file of a scene, kind, take, index and camera belongs.
    """

    def __init__(self, journal: Journal, path_of: Callable[[str, str, int, int, str], Path]) -> None:
        self._journal = journal
        self._path_of = path_of
        self._mutex = threading.Lock()
        self._position = 0
        self._shots: list[PairRecord | RejectedShot] = []
        self._place: dict[str, int] = {}
        self._revoked: list[PairRecord] = []
        self._takes: dict[tuple[str, str, int], TakeRecord] = {}
        self._announced: dict[str, PairRecord] = {}
        self._kept: dict[str, Mapping[str, Any]] = {}
        self._reviews: dict[str, Review] = {}
        self._problems: list[str] = []

    def shots(self) -> list[PairRecord | RejectedShot]:
        """Return all shots in the order of the journal; a revoked pair is a rejected shot."""
        with self._mutex:
            self._read_on()
            return list(self._shots)

    def revoked(self) -> list[PairRecord]:
        """Return the pairs that later evidence of their take spoke against, as they were; files are kept."""
        with self._mutex:
            self._read_on()
            return list(self._revoked)

    def announced(self) -> list[PairRecord]:
        """Return proven pairs whose files were about to be named, and that were not acknowledged since."""
        with self._mutex:
            self._read_on()
            return list(self._announced.values())

    def takes(self) -> list[TakeRecord]:
        """Return all takes in the order they were started."""
        with self._mutex:
            self._read_on()
            return list(self._takes.values())

    def kept(self) -> dict[str, Mapping[str, Any]]:
        """Return the events of frames that were kept without proof, by their file within the session."""
        with self._mutex:
            self._read_on()
            return dict(self._kept)

    def reviews(self) -> dict[str, Review]:
        """Return what a person decided about pairs, by the pair's id."""
        with self._mutex:
            self._read_on()
            return dict(self._reviews)

    def problems(self) -> list[str]:
        """Return what of the journal cannot be read or is not as it was written, one line each."""
        with self._mutex:
            self._read_on()
            return [*self._journal.problems, *self._problems]

    def _read_on(self) -> None:
        for event in self._journal.since(self._position):
            self._position += 1
            try:
                self._enter(event)
            except SessionError as error:
                self._problems.append(error.message)
            except (KeyError, TypeError, ValueError) as error:
                self._problems.append(f"the journal has a take that cannot be read: {error!r}")

    def _enter(self, event: Mapping[str, Any]) -> None:
        name = event["event"]
        if name == "shot":
            record = shot_record(event, self._path_of)
            self._place[record.id] = len(self._shots)
            self._shots.append(record)
            self._announced.pop(record.id, None)
        elif name == "shot_announced":
            announced = shot_record(event, self._path_of)
            if isinstance(announced, PairRecord) and announced.id not in self._place:
                self._announced[announced.id] = announced
        elif name == "shot_revoked":
            self._revoke(event)
        elif name == "frame_kept":
            self._kept[str(event["file"])] = event
        elif name == REVIEWED:
            pair, review = review_of(event)
            self._reviews.pop(pair, None)
            if review is not None:
                self._reviews[pair] = review
        elif name in ("take_started", "take_ended"):
            key = _take_key(event)
            if name == "take_started":
                started = TakeRecord(*key, int(event["asked"]), "unfinished", dict(event["details"]))
                self._takes[key] = started
            elif key in self._takes:
                state, outcome = str(event["state"]), dict(event["outcome"])
                self._takes[key] = replace(self._takes[key], state=state, outcome=outcome)

    def _revoke(self, event: Mapping[str, Any]) -> None:
        try:
            at = self._place[revoked_id(event)]
            before = self._shots[at]
            self._shots[at] = revoked(before, str(event["reason"]))
        except (KeyError, TypeError, ValueError) as error:
            raise SessionError(f"the journal revokes a shot that it does not have: {error!r}") from error
        if isinstance(before, PairRecord):
            self._revoked.append(before)


def _take_key(event: Mapping[str, Any]) -> tuple[str, str, int]:
    try:
        return check_scene_name(event["scene"]), str(check_kind(event["kind"])), int(event["take"])
    except SessionError as error:
        raise ValueError(error.message) from error
