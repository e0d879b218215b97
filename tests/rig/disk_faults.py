"""Disks to order: the real system calls, noted, cut short or refused on the way."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rig.dng import RawImage


def frame(height: int = 48, width: int = 64, **changes: Any) -> RawImage:
    """A small frame of random codes."""
    pixels = np.random.default_rng(height * width).integers(0, 4001, (height, width), dtype=np.uint16)
    fields: dict[str, Any] = {
        "pixels": pixels, "cfa": "RGGB", "black_level": 64.0, "white_level": 4000.0, "significant_bits": 12,
        "exposure_us": 2000.0, "gain_db": 0.0, "serial_number": "x", "camera": "B", "trigger_index": 0,
        "frame_id": 0, "timestamp_ns": 0, "captured_at": "2025-03-01T10:11:12+00:00",
    }  # fmt: skip
    return RawImage(**{**fields, **changes})


def on_a_page(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A copy of the pixels that starts on a page boundary, as the ring of a camera process has it."""
    room = np.zeros(pixels.nbytes + 4096, np.uint8)
    start = -room.ctypes.data % 4096
    copy = room[start : start + pixels.nbytes].view(np.uint16).reshape(pixels.shape)
    copy[:] = pixels
    return copy


class Calls:
    """Notes what is asked of the disk, in order, as ``("write", "f.dng.part")``; every call is made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[tuple[str, str]] = []
        real = {name: getattr(os, name) for name in ("pwritev", "write", "fsync", "rename")}

        def name_of(descriptor: int) -> str:
            return Path(f"/proc/self/fd/{descriptor}").readlink().name

        def pwritev(descriptor: int, buffers: Any, offset: int) -> int:
            self.made.append(("write", name_of(descriptor)))
            return int(real["pwritev"](descriptor, buffers, offset))

        def write(descriptor: int, data: Any) -> int:
            self.made.append(("write", name_of(descriptor)))
            return int(real["write"](descriptor, data))

        def fsync(descriptor: int) -> None:
            self.made.append(("flush", name_of(descriptor)))
            real["fsync"](descriptor)

        def rename(source: Any, target: Any, **rest: Any) -> None:
            self.made.append(("rename", Path(os.fspath(target)).name))
            real["rename"](source, target, **rest)

        for name, function in (("pwritev", pwritev), ("write", write), ("fsync", fsync), ("rename", rename)):
            monkeypatch.setattr(os, name, function)


def refuse(
    monkeypatch: pytest.MonkeyPatch, call: str, number: int, *, after: int = 0, times: int = 1 << 30
) -> None:
    """Let an os call fail with an error number, ``times`` times, after it was done ``after`` times."""
    real = getattr(os, call)
    made = [0]

    def refused(*args: Any, **rest: Any) -> Any:
        made[0] += 1
        if after < made[0] <= after + times:
            raise OSError(number, os.strerror(number))
        return real(*args, **rest)

    monkeypatch.setattr(os, call, refused)


def without_direct(monkeypatch: pytest.MonkeyPatch, *, at: str) -> None:
    """A file system that does not take O_DIRECT: refused "at open", or at the first "write" only."""
    real_open, real_write = os.open, os.pwritev

    def opened(path: Any, flags: int, *args: Any, **rest: Any) -> int:
        if at == "open" and flags & os.O_DIRECT:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
        return real_open(path, flags, *args, **rest)

    def written(descriptor: int, buffers: Any, offset: int) -> int:
        if at == "write" and fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return real_write(descriptor, buffers, offset)

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "pwritev", written)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of its own of that size, such as "1m"; the test is skipped where it may not be mounted."""
    place = folder / "disk"
    place.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or umount is None:
        pytest.skip("only root may mount a small disk; a limited file size is tested everywhere")
    command = [mount, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run([umount, "--lazy", str(place)], check=True)
