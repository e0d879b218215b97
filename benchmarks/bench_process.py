"""A scene of 20 pairs from DNG to written, aligned PNGs and masks, against reading and PNG encoding alone.

    python benchmarks/bench_process.py [--workers N] [--pairs N] [--keep FOLDER]

A session is written first, at the full size of the virtual rig: a photograph with a moving piece of itself,
mosaiced, with cast, misregistration and noise. The floor does, with the same workers and files, only what no
way of developing can leave out: RAW files are read, images of the same content are encoded and written.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from concurrent.futures import Future, wait
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from processing.alignment.resample import warp
from processing.calibration.source_files import load_checked
from processing.jobs.batch import process_session
from processing.jobs.crew import ProcessCrew
from processing.jobs.report import SessionReport, derived_path
from processing.outputs import encode_image, publish
from rig.dng import RawImage, write_dng
from rig.profiles import load_rig
from rig.records import PairRecord, SyncProof
from rig.session import Session

HEIGHT, WIDTH = 2048, 2448
BLACK, WHITE, FULL_WELL_E, READ_NOISE_E = 64, 4095, 10_500.0, 2.4
LIGHTBOX, STATIC = 2, 4
TARGET_S = 0.6
PHOTOGRAPH = Path(__file__).parents[1] / "rig" / "virtual" / "assets" / "mural.jpg"

FloorTask = tuple[PairRecord, str, str, int]


def photograph() -> np.ndarray:
    """Return linear light, (H, W, 3) float32."""
    picture = cv2.imread(str(PHOTOGRAPH))
    if picture is None:
        raise FileNotFoundError(PHOTOGRAPH)
    picture = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)[..., ::-1]
    return np.asarray(np.power(picture / 255.0, 2.2) * 0.85 + 0.02, np.float32)


def with_object(light: np.ndarray, x: int, blur_px: int) -> np.ndarray:
    """Return the scene with a piece of itself over it that moves to the right."""
    height, width = 500, 700
    cover = np.zeros((HEIGHT, WIDTH), np.float32)
    cover[800 : 800 + height, x : x + width] = 1
    piece = np.zeros_like(light)
    piece[800 : 800 + height, x : x + width] = light[200 : 200 + height, 900 : 900 + width, ::-1]
    if blur_px > 1:
        cover, piece = (np.asarray(cv2.blur(p, (blur_px, 1)), np.float32) for p in (cover, piece))
    return np.asarray(light * (1 - cover[..., None]) + piece)


def expose(light: np.ndarray, camera: str, index: int, rng: np.random.Generator) -> RawImage:
    """Return the RAW frame of a camera that sees (H, W, 3) linear light of S's grid."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    if camera == "B":
        light = warp(light, x * 1.0006 + 1.3, y * 0.9997 - 0.9 + x * np.float32(4e-4))
    side = 1 if camera == "B" else -1
    cast = 1 + side * 0.05 * (x / WIDTH - 0.5)
    flat = np.empty((HEIGHT, WIDTH), np.float32)
    for row, column, channel, level in ((0, 0, 0, 0.45), (0, 1, 1, 0.9), (1, 0, 1, 0.9), (1, 1, 2, 0.55)):
        flat[row::2, column::2] = light[row::2, column::2, channel] * level
    electrons = np.clip(flat * cast, 0, 1) * FULL_WELL_E
    noise = rng.standard_normal(electrons.shape, np.float32) * np.sqrt(electrons + READ_NOISE_E**2)
    codes = (electrons + noise) / FULL_WELL_E * (WHITE - BLACK) + BLACK
    return RawImage(
        pixels=np.clip(np.round(codes), 0, WHITE).astype(np.uint16), cfa="RGGB", black_level=BLACK,
        white_level=WHITE, significant_bits=12, exposure_us=24_000.0 if camera == "B" else 3_000.0,
        gain_db=0.0, serial_number=f"T-{camera}", camera=camera, trigger_index=index, frame_id=index,
        timestamp_ns=index * 10**8,
    )  # fmt: skip


def record(folder: Path, pairs: int) -> Session:
    """Write a session with a scene of so many static and action pairs."""
    rng = np.random.default_rng(1)
    session = Session.create(folder, load_rig("virtual"))
    session.add_scene("s01", None)
    light = photograph()
    even = np.full_like(light, 0.8)
    action = pairs - STATIC
    takes: dict[str, list[tuple[Any, Any]]] = {
        "lightbox": [(even, even)] * LIGHTBOX,
        "static": [(light, light)] * STATIC,
        "action": [(150 + 1400 * i // max(1, action), 0) for i in range(action)],
    }
    for kind, shots in takes.items():
        take = session.start_take("s01", kind, len(shots), {})
        for index, shot in enumerate(shots):
            seen_by = (
                tuple(with_object(light, shot[0], blur) for blur in (24, 3)) if kind == "action" else shot
            )
            files = {
                camera: write_dng(
                    session.shot_path("s01", kind, take, index, camera), expose(seen, camera, index, rng)
                )
                for camera, seen in zip("BS", seen_by, strict=True)
            }
            stamps: dict[str, int | None] = {"B": index, "S": index}
            sync = SyncProof(index, stamps, stamps, 0.0, 0.0, len(shots), {"B": 0, "S": 0}, "paired")
            facts = {c: {"sha256": file.sha256, "bytes": file.bytes} for c, file in files.items()}
            paths = files["B"].path, files["S"].path
            made = PairRecord("s01", kind, take, index, *paths, sync, facts["B"], facts["S"])
            session.record_shots([made])
        session.end_take("s01", kind, take, "complete", {})
    return session


@cache
def images(folder: str, bits: int) -> list[np.ndarray]:
    """Return the developed images and the mask of one pair, as they are before they are encoded."""
    names = ("t01_0000_B.png", "t01_0000_S.png", "t01_0000_mask.png")
    read = [cv2.imread(f"{folder}/action/{name}", cv2.IMREAD_UNCHANGED) for name in names]
    return [np.ascontiguousarray(one[..., ::-1]) if one.ndim == 3 else one for one in read if one is not None]


def floor_pair(task: FloorTask) -> None:
    """Read a pair, and encode and write images that are those of a developed pair."""
    one, source, target, bits = task
    load_checked(one)
    parts = zip(("B", "S", "mask"), images(source, bits), strict=True)
    wanted = [(part, image) for part, image in parts if part != "mask" or one.kind == "action"]
    publish([encode_image(derived_path(Path(target), one, part, ".png"), image) for part, image in wanted])


def floor(session: Session, records: list[PairRecord], workers: int, bits: int) -> tuple[float, float]:
    """Return seconds a pair that reading, encoding and writing take, and of processor time."""
    source, target = session.root / "derived" / "s01", session.root / "floor"
    crew = ProcessCrew(workers)
    begun, before = time.perf_counter(), cpu_seconds()
    waiting = list(records)
    out: set[Future[Any]] = set()
    while waiting or out:
        while waiting and len(out) < workers:
            out.add(crew.submit(floor_pair, (waiting.pop(0), str(source), str(target), bits)))
        done, out = wait(out, return_when="FIRST_COMPLETED")
        for future in done:
            crew.result(future)
    crew.close()
    took = time.perf_counter() - begun
    shutil.rmtree(target)
    return took / len(records), (cpu_seconds() - before) / len(records)


def cpu_seconds() -> float:
    """Return the processor time of this process and its ended children; a busy computer adds none."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def shares(report: SessionReport) -> str:
    """Return each step's share of the workers' time."""
    seconds = report.scenes["s01"].seconds
    whole = sum(seconds.values())
    ranked = sorted(seconds.items(), key=lambda item: -item[1])
    return ", ".join(f"{step} {100 * took / whole:.0f} %" for step, took in ranked if took > 0.005 * whole)


def main() -> None:
    """Write the session, develop it with 16 and 8 bits, and print seconds a pair beside the floor."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--keep", type=Path, help="folder of the session; used again when it is there")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="beamrig-bench-") as temporary:
        folder = chosen.keep or Path(temporary) / "session"
        session = Session.open(folder) if folder.exists() else record(folder, chosen.pairs)
        shutil.rmtree(folder / "calibration")
        (folder / "calibration").mkdir()
        begun = time.perf_counter()
        process_session(session, images=False, masks=False, workers=chosen.workers)
        print(
            f"measuring the scene (calibration and blur lengths): {time.perf_counter() - begun:.1f} s, once"
        )
        records = [*session.pairs("s01", "static"), *session.pairs("s01", "action")]
        for bits in (16, 8):
            shutil.rmtree(session.root / "derived")
            before = cpu_seconds()
            report = process_session(session, bits=bits, blur=False, workers=chosen.workers)
            used = (cpu_seconds() - before) / len(records)
            if report.failures():
                raise SystemExit(report.failures()[0])
            a_pair = report.seconds / len(records)
            least, least_used = floor(session, records, chosen.workers, bits)
            print(
                f"{bits:2d} bits, {len(records)} pairs, {report.workers}: {a_pair:.3f} s a pair (to reach: "
                f"{TARGET_S} on free cores), start of the workers included; floor {least:.3f} s, ratio "
                f"{a_pair / least:.2f}"
            )
            print(
                f"   processor time: {used:.3f} s a pair, so {used / chosen.workers:.3f} s on free cores; "
                f"floor {least_used:.3f} s, ratio {used / least_used:.2f}"
            )
            print(f"   shares of the workers' time: {shares(report)}")
        session.close()


if __name__ == "__main__":
    main()
