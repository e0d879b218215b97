"""`beamrig deblur --explain`: what the engine runs, every way it considered, and what was measured."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from models.backend import Candidate
from models.results import EngineInfo

__all__ = ["print_explanation"]


def print_explanation(info: EngineInfo, console: Console | None = None) -> None:
    """Print what an engine runs and why, for people.

    Args:
        info: Of an engine that was prepared.
        console: Where to; standard output when None.
    """
    out = console or Console(soft_wrap=True, highlight=False, width=110)
    note = f"; {info.note}" if info.note else ""
    rows = {
        "network": f"{info.architecture}, {info.parameters:,} parameters",
        "weights": f"{info.weights or 'none'} ({'trained' if info.trained else 'untrained'}{note})",
        "runs": f"{info.precision} {info.form} on {info.device}, {info.threads} CPU threads",
        "because": info.reason,
        "moved": _moving(info),
        "measured": _when(info),
    }
    for name, value in rows.items():
        out.print(f"{name:>9}  {value}", markup=False)
    if info.candidates:
        out.print(_table(info.candidates))


def _when(info: EngineInfo) -> str:
    said = "at an earlier start, read from" if info.remembered else "now, kept in"
    said = f"{said} {info.memory} (may be deleted)" if info.memory else "now"
    return f"{said}; {info.memory_note}" if info.memory_note else said


def _moving(info: EngineInfo) -> str:
    moving = info.moving
    if moving is None:
        return "not measured"
    if moving.halo_px is None:
        return "no halo short enough: always the whole picture"
    whole, tile = (cost[1] * 1e6 for cost in (moving.whole_s, moving.tile_s))
    return (
        f"tiles read {moving.halo_px} px beyond their core and run in {moving.precision}; "
        f"a megapixel takes {whole:.2f} s whole, {tile:.2f} s in tiles"
    )


def _table(candidates: tuple[Candidate, ...]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("way", "time ms", "rms /255", "worst /255", "verdict"):
        table.add_column(name, justify="right" if "/255" in name or name == "time ms" else "left")
    for way in candidates:
        numbers = (
            "-" if way.seconds is None else f"{way.seconds * 1e3:.1f}",
            "-" if way.rms_of_255 is None else f"{way.rms_of_255:.3f}",
            "-" if way.worst_of_255 is None else f"{way.worst_of_255:.2f}",
        )
        table.add_row(f"{way.precision} {way.form}", *numbers, way.verdict)
    return table
