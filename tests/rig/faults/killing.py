"""Programs that are killed at any moment, and what must be true of the session after each of them.

`Gallows.strike` lets the recorder (`tests.rig.faults.recorder`) work on a rig that belongs to no program,
kills one of its processes, or the rig, then repairs the session as an operator would and holds all that is in
it against what was acknowledged and against the world's own log.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from rig.records import PairRecord
from rig.session import Session
from rig.session_check import check_session
from rig.session_recover import recover_session
from tests.rig.faults.outside import OutsideWorld, Truth
from tests.rig.faults.program import PATIENCE_S, Program, marked
from tests.rig.small_rig import small_plan

VICTIMS = ("app", "app", "elder camera", "younger camera", "world")
LONGEST_S = {"start": 1.6, "take": 1.0, "ack": 0.01}
"""Longest wait for a kill: after a program's first step, within its first takes, just after a promise."""


@dataclass(frozen=True)
class Kill:
    """Whom to kill, and when.

    Attributes:
        victim: "app" (with the recorder in it), "elder camera" or "younger camera" (the process that was
            started first or last), or "world".
        since: "start", when the recorder is let loose, "take", when its first take is asked for, or "ack",
            when a pair is acknowledged.
        after_s: How long after that; counted from now for a recorder that has been at work for longer.
    """

    victim: str
    since: str
    after_s: float

    def __str__(self) -> str:
        return f"{self.victim}:{self.since}:{self.after_s:.3f}".replace(" ", "-")

    @classmethod
    def parse(cls, text: str) -> Kill:
        """Read what `str` gave."""
        victim, since, after_s = text.split(":")
        return cls(victim.replace("-", " "), since, float(after_s))


def random_kills(seed: int, number: int) -> list[Kill]:
    """Return kills at random moments; the first ones do not depend on how many there are."""
    rng = random.Random(seed)
    kills = []
    for _ in range(number):
        victim, since = rng.choice(VICTIMS), rng.choice(("start", "take", "take", "ack"))
        kills.append(Kill(victim, since, rng.uniform(0, LONGEST_S[since])))
    return kills


def index_in_take(truth: Truth, output: str, pulse_ns: int, began_ns: int) -> int:
    """Return which pulse of its take one was: the pulses of an output after the take began, counted."""
    return sum(began_ns < rise_ns < pulse_ns for rise_ns in truth.pulses[output])


@dataclass
class Toll:
    """What came of many kills."""

    kills: Counter[str] = field(default_factory=Counter)
    moments: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    pairs: int = 0
    takes: int = 0
    completed: int = 0
    kept: int = 0
    slowest_end_s: float = 0.0
    lines: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        kills = ", ".join(f"{number} of {victim}" for victim, number in sorted(self.kills.items()))
        moments = ", ".join(f"{number} after '{word}'" for word, number in self.moments.most_common())
        return (
            f"{sum(self.kills.values())} kills ({kills}; {moments}): {self.takes} takes,"
            f" {self.acknowledged} pairs acknowledged, all there; {self.pairs} pairs in the session, all of"
            f" one pulse and the right index ({self.completed} completed by repairs),"
            f" {self.kept} frames kept without proof;"
            f" processes of a killed program were gone after {self.slowest_end_s:.2f} s at most"
        )


class Gallows:
    """A rig, a session, and recorders one after the other.

    Args:
        folder: For all of them.
    """

    def __init__(self, folder: Path) -> None:
        self.tmp = folder / "tmp"
        self.tmp.mkdir(parents=True)
        self.world = OutsideWorld(folder / "rig")
        self.root = folder / "session"
        with Session.create(self.root, self.world.profile) as session:
            session.add_scene("s01", small_plan(self.world.profile))
        self.toll = Toll()
        self._acknowledged: dict[str, tuple[str, str]] = {}
        self._began_ns: dict[int, int] = {}
        self._highest = 0
        self._next = self._spare()
        self._now: Program | None = None

    def strike(self, kill: Kill) -> None:
        """Kill one process, let everything come back, and check the session."""
        program = self._running()
        if kill.since == "take":
            program.until_begun("take")
        if kill.since == "ack":
            program.until(lambda line: line.startswith(("ack ", "error ")))
        time.sleep(kill.after_s)
        self.toll.kills[kill.victim] += 1
        self.toll.moments[program.last_word()] += 1
        if kill.victim == "app":
            self._end(program, kill=True)
        elif kill.victim == "world":
            self.world.kill()
            self.world.start()
            self._outlive(program)
        elif self._kill_host(program, kill.victim):
            self._outlive(program)
        self.check(repair=self._now is None)

    def finish(self) -> None:
        """Make one more take undisturbed, end the last program, and check the session once more."""
        program = self._running()
        line = program.until(lambda line: line == "end complete")
        assert line is not None, f"the last recorder ended: {program.lines[-3:]}"
        self._end(program, kill=True)
        self.check(repair=True)
        self._sweep()

    def close(self) -> None:
        """End all that still runs."""
        for program in (self._now, self._next):
            if program is not None:
                program.end(kill=True)
        self.world.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- programs

    def _spare(self) -> Program:
        return Program(self.world, self.root, self.tmp)

    def _running(self) -> Program:
        """Return the recorder that is at work; another one takes the place of one that ended."""
        if self._now is not None and not self._now.alive:
            self._end(self._now, kill=False)
        if self._now is None:
            self._now, self._next = self._next, self._spare()
            self._now.loose()
        return self._now

    def _end(self, program: Program, *, kill: bool) -> None:
        """Take a program's last words; all its processes must be gone soon after it."""
        code = program.end(kill=kill)
        self._now = None
        began = time.monotonic()
        while left := marked(program.mark):
            assert time.monotonic() - began < PATIENCE_S, f"processes stay behind: {left}"
            time.sleep(0.02)
        self.toll.slowest_end_s = max(self.toll.slowest_end_s, time.monotonic() - began)
        self._note(program)
        if not kill:
            assert code == 2, f"the recorder ended with {code}: {program.lines[-3:]}"
            assert program.lines[-1].startswith("error "), program.lines[-3:]

    def _kill_host(self, program: Program, victim: str) -> bool:
        """Kill a camera's process, as soon as there is one; return False when the program ended before."""
        give_up = time.monotonic() + PATIENCE_S
        while program.alive:
            hosts = program.hosts()
            if hosts:
                os.kill(hosts[0 if victim.startswith("elder") else -1], signal.SIGKILL)
                return True
            assert time.monotonic() < give_up
            time.sleep(0.01)
        return False

    def _outlive(self, program: Program) -> None:
        """Wait until a program has put a loss right, or has ended with a line.

        A take that is complete after another one that was going on has begun after the loss.
        """
        whole = 0
        while whole < 2:
            line = program.until(lambda line: line.startswith(("end ", "trouble ", "error ")))
            if line is None:
                self._end(program, kill=False)
                return
            whole = whole + 1 if line == "end complete" else 1
        self._note(program)

    def _note(self, program: Program) -> None:
        """Remember what was acknowledged, and what the operator has read."""
        said = [line for line in program.lines[program.noted :] if line.startswith(("trouble ", "error "))]
        program.noted = len(program.lines)
        self.toll.lines.update(line.partition(" ")[2] for line in said)
        for shot, hashes in program.acknowledged().items():
            assert self._acknowledged.setdefault(shot, hashes) == hashes, f"{shot} was acknowledged twice"
        self.toll.acknowledged = len(self._acknowledged)

    # ---- what must be true

    def check(self, *, repair: bool) -> None:
        """Hold the session against what was acknowledged and what is true.

        Args:
            repair: Nobody works on the session: repair it first, and read every byte of it.
        """
        with Session.open(self.root) as session:
            if repair:
                before = {pair.id for pair in session.pairs()}
                counts = recover_session(session).to_dict()["counts"]
                self.toll.completed += len({pair.id for pair in session.pairs()} - before)
                self.toll.kept += counts.get("keep frame", 0) + counts.get("lost frame", 0)
                findings = check_session(session).findings
                assert findings == (), [finding.message for finding in findings]
            pairs = session.pairs("s01", "action")
            self._all_acknowledged(pairs)
            self._all_true(session, pairs)
            takes = [take.take for take in session.takes("s01", "action")]
            assert takes == sorted(set(takes)), f"numbers of takes do not rise: {takes}"
            assert max(takes, default=0) >= self._highest
            self._highest = max(takes, default=0)
            self.toll.takes, self.toll.pairs = len(takes), len(pairs)

    def _all_acknowledged(self, pairs: Iterable[PairRecord]) -> None:
        there = {pair.id: (pair.meta_b["sha256"], pair.meta_s["sha256"]) for pair in pairs}
        lost = {shot for shot, hashes in self._acknowledged.items() if there.get(shot) != hashes}
        assert not lost, f"acknowledged and not there as it was: {sorted(lost)}"

    def _all_true(self, session: Session, pairs: Iterable[PairRecord]) -> None:
        truth = self.world.truth()
        output = self.world.profile.trigger_box.outputs["B"]
        behind_ns = time.time_ns() - time.monotonic_ns()
        for event in session.journal.events():
            if event["event"] == "take_started":
                # Once only: this computer's clock may be set between two looks.
                told_ns = round(datetime.fromisoformat(event["time"]).timestamp() * 1e9)
                self._began_ns.setdefault(event["take"], told_ns - behind_ns)
        for pair in pairs:
            b = truth.caused["B", pair.meta_b["timestamp_ns"]]
            s = truth.caused["S", pair.meta_s["timestamp_ns"]]
            assert b is not None, f"{pair.id} has a frame of B that no pulse made"
            assert b == s, f"{pair.id} is no pair: its frames are of the pulses at {b} and {s} ns"
            index = index_in_take(truth, output, b, self._began_ns[pair.take])
            assert pair.index == index, f"{pair.id} is of the take's pulse {index}"

    def _sweep(self) -> None:
        """What killed programs left in the folder for temporary files is removed by the next run."""
        long_ago = time.time() - 3600
        for path in self.tmp.glob("beamrig-run-*"):
            os.utime(path, (long_ago, long_ago))
        program = self._running()
        assert program.until(lambda line: line == "open") is not None
        assert len(list(self.tmp.glob("beamrig-run-*"))) == 1
        self._end(program, kill=True)
        self.check(repair=True)
