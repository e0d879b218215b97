"""The fastest way to run a network that stays within tolerance: measured once, then remembered.

Every way of `models.backend.candidates_for` runs the same seeded picture; all are compared with the first,
which is float32 as torch runs it plainly. Rounds go in turn, and the least time of each counts.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor

from models.backend import Backend, Candidate, backend_as_asked, candidates_for, resolve_device
from models.memory import (
    Memory,
    RememberedCandidate,
    facts_of,
    has_fast_bf16,
    memory_path,
    recall,
    remember,
)
from models.networks.lbag import LBAG
from models.runner import Runner
from models.steps import Steps, drained

__all__ = [
    "RMS_TOLERANCE_OF_255",
    "WORST_TOLERANCE_OF_255",
    "Choice",
    "choose",
    "choose_at_once",
    "judged",
    "measured_cost",
    "probe_picture",
]

RMS_TOLERANCE_OF_255 = 0.38
"""Independent errors of this rms cost a picture at 40 dB (rms 2.55) 0.1 dB: 10 log10(1 + (0.38 / 2.55)^2)."""
WORST_TOLERANCE_OF_255 = 4.0
LEAST_GAIN = 1.1
"""A way must be this much faster than a plainer one, or its rounding or its oddity buys nothing."""
HOPELESS = 1.5
"""A way that is this much slower than the best after one round is not timed again."""
ROUNDS = 3
BUSY_LOAD = 1.5
"""Programs that want to run for each core; above this, times say little, and are measured again later."""
PROBE_SIDE_PX = {"cpu": 128, "cuda": 768}
"""A GPU is not busy with a small picture: there the launches would be timed."""


@dataclass(frozen=True)
class Choice:
    """What runs, and how it was found.

    Attributes:
        backend: The chosen way.
        candidates: Every way that was considered; empty where the caller asked for one.
        remembered: Whether it was read from `memory`.
        memory: What is kept for the next start; None where nothing was measured yet.
        facts: What the measurements depend on.
        note: Why the file was not used or not written; may be empty.
        provisional: Whether it is a guess that measuring may change, see `judged`.
    """

    backend: Backend
    candidates: tuple[Candidate, ...]
    remembered: bool
    memory: Memory | None
    facts: dict[str, str]
    note: str = ""
    provisional: bool = False

    @property
    def path(self) -> str:
        """Where the measurements are kept."""
        return str(memory_path(self.facts))


def choose(model: LBAG, device: str = "auto", precision: str = "auto", *, use_memory: bool = True) -> Choice:
    """Choose device, precision and form for a network; in doubt by timing it on a small picture.

    Args:
        model: The network in float32 on the CPU, in eval mode; it is not changed.
        device: "auto", "cpu" or "cuda".
        precision: "auto", "fp32", "bf16" or "fp16"; anything but "auto" is taken as it is.
        use_memory: Whether an earlier measurement on this machine counts; a new one is kept in any case.

    Raises:
        EngineError: The machine cannot do what was asked.
    """
    return drained(judged(model, choose_at_once(model, device, precision, use_memory=use_memory)))


def choose_at_once(
    model: LBAG, device: str = "auto", precision: str = "auto", *, use_memory: bool = True
) -> Choice:
    """Choose without measuring: what was remembered or asked for, else a guess, which is `provisional`.

    Args:
        model: As in `choose`.
        device: As there.
        precision: As there.
        use_memory: As there.

    Raises:
        EngineError: The machine cannot do what was asked.
    """
    place_ = resolve_device(device, precision)
    facts = facts_of(model, place_) | {"precision": precision}
    known, note = recall(facts) if use_memory else (None, "")
    if known is not None:
        backend = Backend(place_, known.precision, known.reason, known.form)
        candidates = tuple(Candidate(**entry.model_dump()) for entry in known.candidates)
        if backend.name in {way.name for way in _ways(place_, precision)}:
            if not known.busy or _is_busy():
                return Choice(backend, candidates, True, known, facts)
            note = "the machine was busy when it was measured last; measured again"
            return Choice(backend, candidates, False, None, facts, note, provisional=True)
        note = f"{memory_path(facts)} was not used: {backend.name} is not possible here"
    if precision != "auto":
        return Choice(backend_as_asked(place_, precision), (), False, None, facts, note)
    return Choice(_guess(place_), (), False, None, facts, note, provisional=True)


def judged(model: LBAG, choice: Choice) -> Steps[Choice]:
    """Put what measuring says in the place of a provisional choice, pass by pass; keep it for the next start.

    Args:
        model: As in `choose`.
        choice: Of `choose_at_once`; returned as it is where nothing has to be measured.
    """
    if not choice.provisional:
        return choice
    facts, note = choice.facts, choice.note
    backend, candidates = yield from _judge(model, choice.backend.device)
    memory = Memory(
        facts=facts,
        precision=backend.precision,
        form=backend.form,
        reason=backend.reason,
        candidates=tuple(RememberedCandidate(**asdict(candidate)) for candidate in candidates),
        busy=_is_busy(),
    )
    note = remember(memory) or note
    if memory.busy:
        note = note or "the machine is busy; it will be measured again at a start when it is not"
    return Choice(backend, candidates, False, memory, facts, note)


def measured_cost(runner: Runner) -> Steps[tuple[float, float]]:
    """Find the time of a pass as a fixed part and a part for each pixel, in seconds, from two sizes.

    The fixed part is a small difference of two times, and so the first to be spoilt by other work on the
    machine: more than a quarter of the smaller pass it never is.
    """
    side = PROBE_SIDE_PX[runner.backend.device]
    small, large = probe_picture(side), probe_picture(2 * side)
    works = [lambda: runner(small), lambda: runner(large)]
    small_s, large_s = yield from _least_times(works, runner.backend.device)
    fixed_s = min(max(small_s - (large_s - small_s) / 3, 0.0), small_s / 4)
    return fixed_s, max(large_s - fixed_s, 1e-9) / (4 * side * side)


def probe_picture(height: int, width: int | None = None, seed: int = 7) -> Tensor:
    """Return a seeded picture (1, 3, height, width) in 0..1: soft shapes under noise."""
    size = (height, height if width is None else width)
    dice = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, max(size[0] // 8, 2), max(size[1] // 8, 2), generator=dice)
    smooth = torch.nn.functional.interpolate(coarse, size=size, mode="bilinear")
    return smooth * 0.9 + 0.1 * torch.rand(smooth.shape, generator=dice)


def _is_busy() -> bool:
    """Tell whether over the last minute more programs wanted to run than there are cores."""
    return os.getloadavg()[0] > BUSY_LOAD * (os.cpu_count() or 1)


def _ways(device: str, precision: str) -> list[Backend]:
    return candidates_for(device) if precision == "auto" else [backend_as_asked(device, precision)]


def _guess(device: str) -> Backend:
    """Return what is mostly the fastest: reduced precision where the processor has it, in its plain form."""
    half = device == "cuda" or has_fast_bf16()
    ways = [way for way in candidates_for(device) if (way.precision != "fp32") is half]
    guess = next((way for way in ways if way.fused or device == "cuda"), ways[-1])
    return replace(guess, reason="not measured yet")


def _judge(model: LBAG, device: str) -> Steps[tuple[Backend, tuple[Candidate, ...]]]:
    """Time and compare every way on a seeded picture; return the chosen one and what became of all."""
    picture = probe_picture(PROBE_SIDE_PX[device])
    runners: list[Runner] = []
    seen: list[Candidate] = []
    exact: Tensor | None = None
    for backend in candidates_for(device):
        empty = Candidate(backend.precision, backend.form, None, None, None, "")
        try:
            runner = Runner(model, backend)
            sharp = runner(picture)[0].clamp(0, 1)  # the first pass also sets up kernels and is not timed
        except (RuntimeError, NotImplementedError, TypeError, AttributeError) as error:
            # A compiler that is missing, a graph that cannot be captured, memory: another way is taken.
            if exact is None:
                raise
            first_line = (str(error).splitlines() or [type(error).__name__])[0]
            seen.append(replace(empty, verdict=f"does not run here: {first_line[:120]}"))
            continue
        yield
        exact = sharp if exact is None else exact
        off = (sharp - exact) * 255
        rms, worst = float(off.square().mean().sqrt()), float(off.abs().max())
        if not math.isfinite(worst):
            seen.append(replace(empty, verdict="its results are not finite with these weights"))
            continue
        candidate = replace(empty, rms_of_255=round(rms, 4), worst_of_255=round(worst, 3))
        if not (rms <= RMS_TOLERANCE_OF_255 and worst <= WORST_TOLERANCE_OF_255):
            said = f"deviates by {rms:.2f}/255 rms, up to {worst:.1f}/255 with these weights"
            seen.append(replace(candidate, verdict=said))
            continue
        runners.append(runner)
        seen.append(candidate)
    works = [lambda runner=runner: runner(picture) for runner in runners]
    times = yield from _least_times(works, device, HOPELESS)
    by_name = {runner.backend.name: seconds for runner, seconds in zip(runners, times, strict=True)}
    return _pick(device, seen, by_name)


def _pick(
    device: str, seen: list[Candidate], seconds: dict[str, float]
) -> tuple[Backend, tuple[Candidate, ...]]:
    """Return the chosen way and all candidates with their times and verdicts.

    Candidates stand from the plainest to the oddest; each must beat the best plainer one, and by `LEAST_GAIN`
    where it rounds more than that one.
    """
    names = [f"{candidate.precision} {candidate.form}" for candidate in seen]
    timed = [
        replace(candidate, seconds=seconds.get(name)) for name, candidate in zip(names, seen, strict=True)
    ]
    best = timed[0]
    for candidate in timed[1:]:
        if candidate.seconds is None or best.seconds is None:
            continue
        needed = 1.0 if candidate.precision == best.precision else LEAST_GAIN
        if best.seconds / candidate.seconds > needed:
            best = candidate
    plain = timed[0].seconds
    judged = []
    for candidate in timed:
        verdict = candidate.verdict
        if candidate is best:
            verdict = "chosen"
        elif candidate.seconds is not None and best.seconds is not None:
            ratio = candidate.seconds / best.seconds
            verdict = (
                f"{ratio:.2f} x the time of the chosen" if ratio >= 1 else "hardly faster, but rounds more"
            )
        judged.append(replace(candidate, verdict=verdict))
    return Backend(device, best.precision, _reason(judged, best, plain), best.form), tuple(judged)


def _reason(judged: list[Candidate], best: Candidate, plain: float | None) -> str:
    """Say in one line what the reduced precision gains here, or why it is not used."""
    reduced = [candidate for candidate in judged if candidate.precision != "fp32"]
    usable = [candidate for candidate in reduced if candidate.seconds is not None]
    if not usable:
        return f"{reduced[-1].precision} {reduced[-1].verdict}" if reduced else "nothing else to try"
    quickest = min(usable, key=lambda candidate: candidate.seconds or 0.0)
    gain = (plain or 0.0) / (quickest.seconds or 1.0)
    said = f"{quickest.precision} {quickest.form} is {gain:.1f} x as fast as plain fp32 here"
    return f"{said}, rms deviation {quickest.rms_of_255:.2f}/255"


def _least_times(
    works: Sequence[Callable[[], object]], device: str, hopeless: float = float("inf")
) -> Steps[list[float]]:
    """Find the least time of each piece of work in seconds; those slower by `hopeless` are timed once.

    On a CPU the processor time of all threads counts, divided by their number: what other programs take of
    the machine at that moment says nothing about the network (threads that wait sleep, see `models`).
    """
    on_cpu = device == "cpu"
    clock, share = (time.process_time, torch.get_num_threads()) if on_cpu else (time.perf_counter, 1)
    least = [float("inf")] * len(works)
    for _ in range(ROUNDS):
        for index, work in enumerate(works):
            if least[index] == float("inf") or least[index] <= hopeless * min(least):
                started = clock()
                work()  # ends on the CPU, so that a CUDA device has finished too
                least[index] = min(least[index], max(clock() - started, 1e-9) / share)
                yield
    return least
