"""Pairs a second to the disk: the store of RAW files with its journal, against a plain direct-I/O writer.

The plain writer is the least that can bring the same bytes to the same disk with the same number of threads:
open with O_DIRECT, one pwrite from an aligned buffer, the flushes at the end of each group; no header, no
hash, no names, no journal. The store does all of it: check of the codes, header, SHA-256, part file, group
commit (flush, rename, flush of the folder), one append to the journal a group. Both delete their files as
they go and take turns in short rounds, so that the disk's moods hit both; the figure is the median over the
rounds.
"""

from __future__ import annotations

import argparse
import hashlib
import mmap
import os
import queue
import statistics
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from rig.journal import Journal
from rig.raw_image import RawImage
from rig.raw_store import RawStore, Staged

WIDTH, HEIGHT = 2448, 2048
KEPT_FRAMES = 80


def ring_frame(seed: int) -> np.ndarray:
    """Pixels on a page boundary, as they lie in the ring of a camera process."""
    room = np.frombuffer(mmap.mmap(-1, WIDTH * HEIGHT * 2), np.uint16).reshape(HEIGHT, WIDTH)
    room[:] = np.random.default_rng(seed).integers(64, 4096, (HEIGHT, WIDTH), dtype=np.uint16)
    return room


def in_threads(writers: int, job: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=job, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Plain:
    """The plain writer; ``run`` writes as many frames of as many bytes as the store does."""

    def __init__(self, folder: Path, size: int, writers: int, group: int) -> None:
        self.folder, self.size, self.writers, self.group = folder, size, writers, group
        self.buffers = [mmap.mmap(-1, size) for _ in range(writers)]
        for buffer in self.buffers:
            buffer.write(np.random.default_rng(1).bytes(size))

    def run(self, pairs: int) -> None:
        in_threads(self.writers, lambda writer: self._write(writer, pairs))

    def _write(self, writer: int, pairs: int) -> None:
        buffer = memoryview(self.buffers[writer])
        old: deque[Path] = deque()
        for start in range(writer, 2 * pairs, 2 * self.group * self.writers):
            numbers = range(start, min(start + 2 * self.group * self.writers, 2 * pairs), self.writers)
            descriptors = []
            for number in numbers:
                old.append(self.folder / f"{number}.raw")
                fd = os.open(old[-1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_DIRECT, 0o644)
                done = 0
                while done < self.size:
                    done += os.pwrite(fd, buffer[done:], done)
                descriptors.append(fd)
            for fd in descriptors:
                os.fsync(fd)
                os.close(fd)
            while len(old) > KEPT_FRAMES // self.writers:
                old.popleft().unlink()
        for path in old:
            path.unlink()


class Ours:
    """The same pairs through the store: writers stage, a thread of its own commits and journals groups."""

    def __init__(
        self, folder: Path, writers: int, group: int, *, direct: bool | None = None, aligned: bool = True
    ) -> None:
        self.folder, self.writers, self.group = folder, writers, group
        self.store = RawStore(direct=direct)
        number = len(list(folder.glob("journal*")))
        self.journal = Journal.create(folder / f"journal{number}.jsonl")
        pixels = [ring_frame(seed) for seed in range(2)]
        if not aligned:
            pixels = [np.frombuffer(bytes(2) + p.tobytes(), np.uint16)[1:].reshape(p.shape) for p in pixels]
        self.images = [
            RawImage(p, "RGGB", 64, 4095, 12, 24564.0, 0.0, f"VR-{c}-0001", c, 0, 0, 0, "beamrig VR-5M")
            for c, p in zip("BS", pixels, strict=True)
        ]

    def run(self, pairs: int) -> None:
        staged: queue.SimpleQueue[Staged] = queue.SimpleQueue()
        committer = threading.Thread(target=self._commit, args=(staged, 2 * pairs))
        committer.start()
        in_threads(self.writers, lambda writer: self._stage(writer, pairs, staged))
        committer.join()

    def _stage(self, writer: int, pairs: int, staged: queue.SimpleQueue[Staged]) -> None:
        for number in range(writer, 2 * pairs, self.writers):
            image = replace(self.images[number % 2], trigger_index=number // 2)
            staged.put(self.store.stage(self.folder / f"t01_{number // 2:04d}_{'BS'[number % 2]}.dng", image))

    def _commit(self, staged: queue.SimpleQueue[Staged], frames: int) -> None:
        old: deque[Path] = deque()
        while frames:
            group = [staged.get() for _ in range(min(2 * self.group, frames))]
            frames -= len(group)
            files = self.store.commit(group)
            self.journal.append(*({"event": "shot", "file": one.path.name, "bytes": one.bytes,
                                   "sha256": one.sha256} for one in files))  # fmt: skip
            old.extend(one.path for one in files)
            while len(old) > KEPT_FRAMES:
                old.popleft().unlink()
        for path in old:
            path.unlink()


def timed(run: Callable[[int], None], pairs: int) -> tuple[float, float]:
    """Return pairs a second, and processor time in ms a pair."""
    begun, used = time.perf_counter(), time.process_time()
    run(pairs)
    return pairs / (time.perf_counter() - begun), 1e3 * (time.process_time() - used) / pairs


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=60, help="pairs a round")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--group", type=int, default=10, help="pairs a group commit")
    parser.add_argument("--folder", type=Path, default=None, help="where; else a temporary folder")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        folder = Path(name)
        image = ring_frame(0)
        begun = time.perf_counter()
        for _ in range(10):
            hashlib.sha256(image)
        hash_ms = 100 * (time.perf_counter() - begun)
        print(f"folder {args.folder or tempfile.gettempdir()}, {os.cpu_count()} cores, "
              f"{args.rounds} rounds of {args.pairs} pairs, groups of {args.group}")  # fmt: skip
        print(f"SHA-256: {hash_ms:.2f} ms of one core a frame, {image.nbytes / hash_ms / 1e6:.2f} GB/s")
        for writers in (1, 2):
            compare(folder, writers, args.pairs, args.rounds, args.group, hash_ms)


def compare(folder: Path, writers: int, pairs: int, rounds: int, group: int, hash_ms: float) -> None:
    store = Ours(folder, writers, group)
    size = store.store.stage(folder / "size.dng", store.images[0]).bytes
    ways: dict[str, Plain | Ours] = {
        "plain": Plain(folder, size, writers, group),
        "store": store,
        "store, frames off pages": Ours(folder, writers, group, aligned=False),
        "store, page cache": Ours(folder, writers, group, direct=False),
    }
    done: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            done[name].append(timed(way.run, pairs))
    pair_gb = 2 * size / 1e9
    print(f"{writers} writer{'s' * (writers > 1)}, {1e3 * pair_gb:.2f} MB a pair, mode {store.store.mode}")
    plain_rates = [rate for rate, _ in done["plain"]]
    for name, rounds_done in done.items():
        rate = statistics.median(rate for rate, _ in rounds_done)
        cpu_ms = statistics.median(cpu for _, cpu in rounds_done)
        ratios = [ours / plain for (ours, _), plain in zip(rounds_done, plain_rates, strict=True)]
        share = "" if name == "plain" else f", {2 * hash_ms / cpu_ms:.0%} of it hashing"
        print(
            f"  {name:24} {rate:6.1f} pairs/s {pair_gb * rate:5.2f} GB/s"
            f"  ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            f"  processor {cpu_ms:5.1f} ms a pair{share}",
            flush=True,
        )


if __name__ == "__main__":
    main()
