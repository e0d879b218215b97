"""Pairs a second from the trigger to the disk, the whole way, against a plain direct-I/O writer.

    python benchmarks/bench_capture.py [--pairs 300] [--pairs 10000 --folder /where/the/disk/is]

Two cameras of 2448x2048 in 16-bit containers, each in its process, their pictures from the C pattern source.
The DG645 simulator on its serial line triggers both by hardware; `Rig.capture` collects, proves the
synchrony, hashes, writes DNGs and keeps the journal. The plain writer is that of `bench_record.py`: as many
bytes with O_DIRECT from aligned buffers, two threads, a flush each 10 pairs, and nothing else.

First short rounds, a plain one and a take in turn, look for the shortest period at which a take is whole: the
period gets shorter while they are and longer when recording falls behind. Then one take of --pairs pairs,
a little slower than what whole takes reached, between two plain rounds. A take's rate is its pairs divided
by the time from the first exposure to the last pair's line in the journal, so that nothing hides in memory.

Of every pair, once it is in the journal, another thread compares a row of both files with what the pattern
source shows in the exposure of that trigger index, of every 100th the hashes of both files; then both files
are removed. Memory is what /proc says once a second: private memory, and of the shared ring what was touched.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import queue
import shutil
import statistics
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from bench_record import Plain
from pattern_rig import FRAME_BYTES, HEIGHT_PX, SCENE, WIDTH_PX, expected_row, hosts, pattern_rig, plan_of

from rig import Rig
from rig.capture import recorder
from rig.capture.disk import DiskGuard
from rig.capture.order import TakeOrder
from rig.capture.result import Shot, TakeFailed, TakeResult
from rig.capture.schedule import Counted
from rig.capture.take import run_take
from rig.records import PairRecord
from rig.session import Session

PIXEL_BYTES = 2 * WIDTH_PX * HEIGHT_PX
KEPT_PAIRS = 40
HASH_EACH = 100
EXPOSURE_S = 0.001


class Watch(threading.Thread):
    """Checks pairs that were acknowledged and frees the disk of them; samples memory meanwhile."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(name="watch", daemon=True)
        plan = plan_of(rig)
        self.wrong: list[str] = []
        self.checked = self.hashed = self.first_ns = self.last_ns = 0
        self._rows = {(c, n): expected_row(plan, c, n).tobytes() for c in "BS" for n in range(128)}
        self._pids = hosts(rig)
        self.memory: dict[str, list[tuple[float, float]]] = {name: [] for name in self._pids}
        self._pairs: queue.SimpleQueue[PairRecord | None] = queue.SimpleQueue()

    def on_shot(self, shot: Shot) -> None:
        self.last_ns = time.monotonic_ns()
        if shot.pair is not None:
            self.first_ns = self.first_ns or int(shot.pair.meta_b["timestamp_ns"])
            self._pairs.put(shot.pair)

    def end(self) -> None:
        self._pairs.put(None)
        self.join()

    def run(self) -> None:
        kept: deque[PairRecord] = deque()
        sampled = 0.0
        while (pair := self._pairs.get()) is not None:
            self._check(pair)
            kept.append(pair)
            if len(kept) > KEPT_PAIRS:
                self._remove(kept.popleft())
            if time.monotonic() > sampled + 1:
                sampled = time.monotonic()
                self._sample()
        for pair in kept:
            self._remove(pair)

    def _check(self, pair: PairRecord) -> None:
        self.checked += 1
        for camera, path, meta in (("B", pair.path_b, pair.meta_b), ("S", pair.path_s, pair.meta_s)):
            row = self._rows[camera, pair.index % 128]
            with path.open("rb", buffering=0) as file:
                file.seek(os.fstat(file.fileno()).st_size - PIXEL_BYTES)
                if file.read(len(row)) != row:
                    self.wrong.append(f"{pair.id}: {camera} shows another exposure")
                if pair.index % HASH_EACH == 0:
                    self.hashed += 1
                    file.seek(0)
                    if hashlib.file_digest(file, "sha256").hexdigest() != meta["sha256"]:
                        self.wrong.append(f"{pair.id}: {camera} has another hash than the journal says")
        if set(pair.sync.frame_id.values()) != {pair.index}:
            self.wrong.append(f"{pair.id}: the frames have the numbers {pair.sync.frame_id}")

    def _remove(self, pair: PairRecord) -> None:
        pair.path_b.unlink()
        pair.path_s.unlink()

    def _sample(self) -> None:
        for name, pid in self._pids.items():
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            sizes = {key: int(rest.split()[0]) / 1024 for key, rest in
                     (line.split(":", 1) for line in lines if line.startswith("Rss"))}  # fmt: skip
            self.memory[name].append((sizes["RssAnon"], sizes["RssShmem"]))


@dataclass
class Take:
    """What became of a take."""

    whole: bool
    rate: float
    result: TakeResult
    watch: Watch
    cpu_ms: float
    error: str

    def line(self) -> str:
        r, w = self.result, self.watch
        said = f"{r.state}: {r.fired} fired, {r.paired} paired, {r.rejected} rejected"
        return f"{said}, {len(w.wrong)} of {w.checked} wrong" + (f" ({self.error})" if self.error else "")


def processor_s(pids: list[int]) -> float:
    total = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def take(rig: Rig, session: Session, pairs: int, period_s: float) -> Take:
    """Make one take; where the disk has no room for all of it at once, without asking for that room."""
    watch = Watch(rig)
    watch.start()
    pids = list(hosts(rig).values())
    used = processor_s(pids)
    schedule = Counted(pairs, period_s)
    error = ""
    try:
        if shutil.disk_usage(session.root).free > 2 * (pairs + 100) * FRAME_BYTES:
            result = rig.capture(session, SCENE, "static", schedule=schedule, on_shot=watch.on_shot)
        else:
            with rig.bench(period_s) as (bench, plan):
                guard = DiskGuard(session.root, FRAME_BYTES, 100, 50)
                order = TakeOrder(session, SCENE, "static", schedule, plan, guard)
                result = run_take(bench, order, watch.on_shot)
    except TakeFailed as failed:
        result, error = failed.result, failed.message
    watch.end()
    seconds = max((watch.last_ns - watch.first_ns) * 1e-9, 1e-9)
    whole = result.state == "complete" and result.paired == pairs and not result.rejected and not watch.wrong
    cpu_ms = 1e3 * (processor_s(pids) - used) / max(result.paired, 1)
    return Take(whole, result.paired / seconds, result, watch, cpu_ms, error or result.reason)


def plain_rate(plain: Plain, pairs: int) -> float:
    begun = time.perf_counter()
    plain.run(pairs)
    return pairs / (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=300, help="pairs of the long take")
    parser.add_argument("--round-pairs", type=int, default=100, help="pairs of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--share", type=float, default=0.9, help="of the plain rate, where the search begins")
    parser.add_argument("--back", type=float, default=0.97, help="the long take's rate, of the rounds'")
    parser.add_argument("--rate", type=float, default=0.0, help="the long take's rate, without a search")
    parser.add_argument("--writers", type=int, default=recorder.WRITERS, help="threads that write frames")
    parser.add_argument("--folder", type=Path, default=None, help="where; else a temporary folder")
    args = parser.parse_args()
    recorder.WRITERS = args.writers
    with pattern_rig(args.folder, EXPOSURE_S) as (rig, session):
        scratch = session.root.parent / "plain"
        scratch.mkdir()
        plain = Plain(scratch, FRAME_BYTES, 2, 10)
        free_gb = shutil.disk_usage(scratch).free / 1e9
        print(f"{scratch.parent}: {free_gb:.0f} GB free, {os.cpu_count()} cores,"
              f" {2 * FRAME_BYTES / 1e6:.2f} MB a pair")  # fmt: skip
        plain_rate(plain, args.round_pairs // 2)
        rate = args.rate or args.back * search(rig, session, plain, args)
        if rate:
            long_take(rig, session, plain, rate, args)


def search(rig: Rig, session: Session, plain: Plain, args: argparse.Namespace) -> float:
    """Look for the rate that whole takes reach, in pairs/s; 0 when none was whole."""
    share, step, plains = args.share, 0.08, []
    whole: list[tuple[float, float]] = []
    for number in range(args.rounds):
        plains.append(plain_rate(plain, args.round_pairs))
        asked = share * statistics.median(plains)
        one = take(rig, session, args.round_pairs, max(1 / asked, plan_of(rig).min_period_s))
        print(f"  round {number + 1}: plain {plains[-1]:5.1f} pairs/s; triggers {asked:5.1f}/s, to disk"
              f" {one.rate:5.1f} pairs/s, ratio {one.rate / plains[-1]:.2f}, processor {one.cpu_ms:.1f} ms"
              f" a pair; {one.line()}", flush=True)  # fmt: skip
        if one.whole:
            whole.append((one.rate, one.rate / plains[-1]))
        share *= 1 + step if one.whole else 1 - step
        step = step if one.whole == (len(whole) == number + 1) else step / 1.5
    print(f"plain writer: {statistics.median(plains):.1f} pairs/s (median of rounds)")
    if not whole:
        return 0.0
    upper = sorted(whole)[len(whole) // 2 :]  # the slower ones were not asked for more
    rate, ratio = (float(statistics.median(one[at] for one in upper)) for at in (0, 1))
    print(f"whole takes reach {rate:.1f} pairs/s, ratio {ratio:.2f} (medians of the faster half)")
    return rate


def long_take(rig: Rig, session: Session, plain: Plain, rate: float, args: argparse.Namespace) -> None:
    many = min(max(args.pairs // 10, args.round_pairs), 500)
    before = plain_rate(plain, many)
    one = take(rig, session, args.pairs, max(1 / rate, plan_of(rig).min_period_s))
    after = plain_rate(plain, many)
    reference = statistics.mean((before, after))
    print(f"take of {args.pairs}: triggers {rate:.1f}/s, sustained {one.rate:.1f} pairs/s to disk"
          f" ({2e-9 * FRAME_BYTES * one.rate:.2f} GB/s), plain {before:.1f} before and {after:.1f} after:"
          f" ratio {one.rate / reference:.2f}; processor {one.cpu_ms:.1f} ms a pair")  # fmt: skip
    print(f"  {one.line()}; {one.watch.hashed} files hashed anew")
    for text in [*one.watch.wrong[:5], *one.result.warnings]:
        print(f"  {text}")
    print("  memory in MB (private + ring touched), medians of the take's thirds, and the most:")
    for name, samples in one.watch.memory.items():
        third = max(len(samples) // 3, 1)
        parts = [samples[:third], samples[third:-third] or samples, samples[-third:]]
        shown = [
            f"{statistics.median(a for a, _ in part):6.1f} + {statistics.median(s for _, s in part):5.1f}"
            for part in parts
        ]
        most = max(a + s for a, s in samples)
        print(f"    {name:7} {'  '.join(shown)}   most {most:6.1f}")


if __name__ == "__main__":
    main()
