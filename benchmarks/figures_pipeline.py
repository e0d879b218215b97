"""The figures of the pipeline on the virtual rig, over seeds, backgrounds and profiles, against its truth.

Every combination of seed and background is captured once, through the virtual rig as a whole (GenTL producer,
camera hosts, trigger box on a pseudo-terminal), and processed by every profile. With ``--out`` the captured
sessions are kept there and used again; what is derived from them is always made anew.

    python benchmarks/figures_pipeline.py
    python benchmarks/figures_pipeline.py --seeds 1,2 --backgrounds garden --out figures --json figures.json

Ends with 1 when the profile `best` misses a target in any run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from figures_table import Row, in_short, show, summary
from rich.console import Console

from beamrig import __version__
from beamrig.demo.capturing import SCENE, Captured, capture_scene
from beamrig.demo.figures import compare, process_scene
from processing.profile import PROFILES, Profile
from rig import Rig
from rig.errors import BeamrigError
from rig.exposure import plan_exposure
from rig.profiles import load_rig
from rig.session import Session
from rig.virtual.backgrounds import BACKGROUNDS, with_world

SEEDS = (1, 2, 3, 4, 5)
PAIRS = 4
TAKES = {"lightbox": 2, "whiteboard": 1, "static": 5}
"""As few as is honest: the session guide asks for more lightbox frames, masks want five static ones."""
SPEED_MPS, DISTANCE_M, BLUR_S_PX = 1.4, 5.0, 4.0


def captured_session(folder: Path, seed: int, background: str, pairs: int) -> Captured:
    """Capture one combination into a folder, or find it there, and return what is true of it."""
    known = folder / "truth.json"
    if known.exists():
        captured = Captured.load(known)
        truth = captured.truth
        if (truth.seed, truth.background, len(captured.frames)) == (seed, background, pairs):
            return captured
    shutil.rmtree(folder, ignore_errors=True)  # of a capture that was cut short, or another order
    folder.mkdir(parents=True)
    profile = with_world(load_rig("virtual"), seed=seed, background=background)
    plan = plan_exposure(profile, speed_mps=SPEED_MPS, distance_m=DISTANCE_M, blur_s_px=BLUR_S_PX)
    with Session.create(folder / "session", profile) as session, Rig.open(profile) as rig:
        session.add_scene(SCENE, plan)
        captured = capture_scene(rig, session, plan, pairs, lambda step, done, text: None, takes=TAKES)
    captured.save(known)
    return captured


def rows_of(
    folder: Path, seed: int, background: str, profiles: list[Profile], pairs: int, tell: Console
) -> list[Row]:
    """Capture and process one combination."""
    started = time.perf_counter()
    captured = captured_session(folder, seed, background, pairs)
    seconds = time.perf_counter() - started
    tell.print(f"{background}, seed {seed}: {len(captured.frames)} pairs in {seconds:.0f} s", soft_wrap=True)
    rows: list[Row] = []
    with Session.open(folder / "session") as session:
        for profile in profiles:
            for made in ("derived", "calibration"):
                shutil.rmtree(folder / "session" / made, ignore_errors=True)
            started = time.perf_counter()
            processed = process_scene(session, profile, images=False)
            figures = compare(session, captured, processed).to_dict()
            seconds = time.perf_counter() - started
            rows.append(
                {
                    "seed": seed,
                    "background": background,
                    "profile": profile,
                    "seconds": round(seconds, 1),
                    "figures": figures,
                }
            )
            tell.print(f"  {profile} in {seconds:.0f} s: {in_short(figures)}", soft_wrap=True)
    return rows


def write_json(path: Path, rows: list[Row], pairs: int) -> None:
    """Write all rows so far with their summary."""
    data = {"version": __version__, "pairs": pairs, "takes": TAKES, "summary": summary(rows), "runs": rows}
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    """Run the combinations and print the tables."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)), help="numbers, with commas")
    parser.add_argument("--backgrounds", default=",".join(BACKGROUNDS), help="names, with commas")
    parser.add_argument("--profiles", default=",".join(PROFILES), help="names, with commas")
    parser.add_argument("--pairs", type=int, default=PAIRS, help="action pairs of each capture")
    parser.add_argument("--out", type=Path, help="keep the captured sessions here and use them again")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write rows and summary")
    args = parser.parse_args()
    try:
        seeds = [int(word) for word in args.seeds.split(",")]
    except ValueError:
        parser.error(f"--seeds {args.seeds}: numbers with commas between them")
    backgrounds, profiles = args.backgrounds.split(","), args.profiles.split(",")
    if unknown := [name for name in backgrounds if name not in BACKGROUNDS]:
        parser.error(f"no background {unknown[0]!r}; there are {', '.join(BACKGROUNDS)}")
    if unknown := [name for name in profiles if name not in PROFILES]:
        parser.error(f"no profile {unknown[0]!r}; there are {', '.join(PROFILES)}")
    if args.pairs < 1:
        parser.error("--pairs: one at least")
    tell = Console(stderr=True)
    rows: list[Row] = []
    for background in backgrounds:
        for seed in seeds:
            with tempfile.TemporaryDirectory(prefix="beamrig-figures-") as passing:
                folder = (args.out or Path(passing)) / f"{background}-{seed}"
                try:
                    rows += rows_of(folder, seed, background, profiles, args.pairs, tell)
                    if args.json:  # after every combination: a run cut short has told what it knew
                        write_json(args.json, rows, args.pairs)
                except BeamrigError as error:
                    tell.print(f"error: {background}, seed {seed}: {error.one_line()}", style="red")
                    return 2
    show(Console(width=200), rows)
    best = summary(rows).get("best", {})
    return int(any(figure.get("reached") is False for figure in best.values()))


if __name__ == "__main__":
    sys.exit(main())
