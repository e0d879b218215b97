"""What was measured on this machine, kept for the next start in a small private file that may be deleted.

It lies in the user's cache folder under a name made of what the measurements depend on (machine, torch,
threads, network, weights). A file that does not fit, was damaged, or could have been written by somebody else
is not used, and the reason is said.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import stat
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.networks.lbag import LBAG

__all__ = [
    "FOLDER_VARIABLE",
    "Memory",
    "RememberedCandidate",
    "facts_of",
    "has_fast_bf16",
    "memory_path",
    "recall",
    "remember",
]

FOLDER_VARIABLE = "XDG_CACHE_HOME"
FORMAT = 1
LARGEST_FILE_BYTES = 100_000
BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})

Seconds = Annotated[float, Field(ge=0)]


class RememberedCandidate(BaseModel):
    """`models.backend.Candidate` in a file."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    precision: str
    form: str
    seconds: float | None = Field(default=None, gt=0)
    rms_of_255: float | None = Field(default=None, ge=0)
    worst_of_255: float | None = Field(default=None, ge=0)
    verdict: str


class Moving(BaseModel):
    """What running only where something moved takes.

    Attributes:
        halo_px: How far a tile reads beyond its core; None where no halo is short enough to be of use.
        precision: In which tiles run.
        whole_s: Cost of a pass over the whole picture: a fixed part, and a part for each pixel, seconds.
        tile_s: Cost of a pass over a tile, likewise.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    halo_px: int | None = Field(ge=0, le=4096, multiple_of=4)
    precision: str
    whole_s: tuple[Seconds, Seconds]
    tile_s: tuple[Seconds, Seconds]


class Memory(BaseModel):
    """What a file keeps.

    Attributes:
        format: Version of the layout.
        facts: What the measurements depend on.
        precision: Of the chosen way.
        form: Of the chosen way.
        reason: Why it was chosen.
        candidates: All ways that were measured.
        busy: Whether the machine had other work to do at that time.
        moving: None until it was needed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    format: int = FORMAT
    facts: dict[str, str]
    precision: str
    form: str
    reason: str
    candidates: tuple[RememberedCandidate, ...]
    busy: bool = False
    moving: Moving | None = None


def facts_of(model: LBAG, device: str) -> dict[str, str]:
    """Return what measurements depend on: machine, torch, threads, network and its weights."""
    processor = torch.cuda.get_device_name() if device == "cuda" else _processor()
    return {
        "device": device,
        "processor": processor,
        "torch": torch.__version__,
        "threads": str(torch.get_num_threads()),
        "network": f"LBAG {model.base} {model.num_res} {model.gate.gate_min}",
        "weights": _digest(model),
    }


def memory_path(facts: Mapping[str, str]) -> Path:
    """Return where the measurements for these facts are kept; the file need not exist."""
    named = os.environ.get(FOLDER_VARIABLE, "")
    try:  # the XDG specification: a relative path is to be ignored
        base = Path(named) if Path(named).is_absolute() else Path.home() / ".cache"
    except RuntimeError:  # a user without a home
        base = Path(tempfile.gettempdir()) / f"beamrig-{os.geteuid()}"
    name = hashlib.sha256(json.dumps(dict(facts), sort_keys=True).encode()).hexdigest()[:20]
    return base / "beamrig" / "engine" / f"{name}.json"


def recall(facts: Mapping[str, str]) -> tuple[Memory | None, str]:
    """Return what was remembered for these facts, or None and, where a file exists, why it is not used."""
    path = memory_path(facts)
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        handle = os.open(path, flags)
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"{path} cannot be read: {error.strerror or error}"
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        foreign = status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if not stat.S_ISREG(status.st_mode) or foreign:
            return None, f"{path} was not used: others than you could have written it"
        content = file.read(LARGEST_FILE_BYTES + 1)
    try:
        memory = Memory.model_validate_json(content)
    except ValidationError as error:
        return None, f"{path} was not used: it is damaged ({error.error_count()} faults)"
    if memory.format != FORMAT or memory.facts != dict(facts):
        return None, f"{path} was not used: it belongs to another machine, network or version"
    return memory, ""


def remember(memory: Memory) -> str:
    """Write what was measured, readable for the user only; return why that failed, or nothing.

    A cache that cannot be written is no error: the next start measures again.
    """
    path = memory_path(memory.facts)
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(memory.model_dump_json(indent=1))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        return f"{path} cannot be written: {error.strerror or error}"
    return ""


def _processor() -> str:
    """Return the model of the CPU with what it can do for reduced precision."""
    named = _cpu_fields()
    if not named:
        return platform.processor() or platform.machine()
    flags = set(named.get("flags", "").split())
    fast = sorted(flags & {"avx2", "avx512f", *BF16_FLAGS, "amx_tile"})
    return " ".join([named.get("model name", platform.machine()), f"x {os.cpu_count()}", *fast])


def has_fast_bf16() -> bool:
    """Tell whether the CPU computes with bfloat16 itself."""
    return not BF16_FLAGS.isdisjoint(_cpu_fields().get("flags", "").split())


def _cpu_fields() -> dict[str, str]:
    """Return what Linux says of the first CPU; empty on another system."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    fields = dict(line.split(":", 1) for line in text.split("\n\n")[0].splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in fields.items()}


def _digest(model: LBAG) -> str:
    """Return a hash of all weights."""
    digest = hashlib.blake2b(digest_size=16)
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
