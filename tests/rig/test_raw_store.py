"""The store of RAW files: the same bytes by every way to the disk, and no disk's mood loses or fakes one."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rawpy
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.dng import read_dng
from rig.errors import DiskFull, RawFileError
from rig.journal import Journal
from rig.raw_store import RawStore, Staged, WrittenFile
from tests.rig.disk_faults import Calls, frame, on_a_page, refuse, small_disk, without_direct


@pytest.fixture
def store() -> Iterator[RawStore]:
    with RawStore() as made:
        yield made


@settings(max_examples=25, deadline=None)
@given(st.integers(22, 90), st.integers(22, 90), st.booleans())
def test_every_way_to_the_disk_gives_the_same_file_of_whole_blocks(
    tmp_path_factory: pytest.TempPathFactory, height: int, width: int, aligned: bool
) -> None:
    folder = tmp_path_factory.mktemp("ways")
    image = frame(height, width)
    given_to = replace(image, pixels=on_a_page(image.pixels)) if aligned else image
    contents = []
    for direct in (None, False):
        with RawStore(direct=direct) as store:
            (written,) = store.commit([store.stage(folder / f"{direct}.dng", given_to)])
        contents.append(written.path.read_bytes())
        assert written.bytes == len(contents[-1])
        assert written.sha256 == hashlib.sha256(contents[-1]).hexdigest()
    assert contents[0] == contents[1]
    assert len(contents[0]) % 4096 == 0
    np.testing.assert_array_equal(read_dng(folder / "None.dng").pixels, image.pixels)
    with rawpy.imread(str(folder / "None.dng")) as raw:
        np.testing.assert_array_equal(raw.raw_image_visible, image.pixels)


def test_a_large_frame_is_hashed_while_it_is_written_and_the_hash_is_that_of_the_file(
    store: RawStore, tmp_path: Path
) -> None:
    (written,) = store.commit([store.stage(tmp_path / "f.dng", frame(1000, 1001))])
    assert written.sha256 == hashlib.sha256(written.path.read_bytes()).hexdigest()


def test_writers_side_by_side_do_not_share_their_buffers(store: RawStore, tmp_path: Path) -> None:
    images = [frame(700 + index, 900) for index in range(8)]
    staged: dict[int, Staged] = {}

    def write(index: int) -> None:
        staged[index] = store.stage(tmp_path / f"{index}.dng", images[index])

    threads = [threading.Thread(target=write, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, written in enumerate(store.commit([staged[index] for index in range(8)])):
        assert written.sha256 == hashlib.sha256(written.path.read_bytes()).hexdigest()
        np.testing.assert_array_equal(read_dng(written.path).pixels, images[index].pixels)


@pytest.mark.parametrize("at", ["open", "write"])
def test_a_disk_that_takes_no_direct_writing_is_written_through_the_cache_and_that_is_said(
    store: RawStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    at: str,
) -> None:
    caplog.set_level(logging.INFO, "rig.raw_store")
    without_direct(monkeypatch, at=at)
    assert store.mode == "undecided"
    staged = [store.stage(tmp_path / f"{index}.dng", frame()) for index in range(2)]
    assert (store.mode, staged[0].mode) == ("buffered", "buffered")
    assert [record.getMessage() for record in caplog.records] == [
        f"RAW files in {tmp_path} are written through the page cache: direct writing is not taken"
    ]
    for written in store.commit(staged):
        np.testing.assert_array_equal(read_dng(written.path).pixels, frame().pixels)


def test_who_insists_on_direct_writing_is_refused_where_it_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_direct(monkeypatch, at="open")
    with RawStore(direct=True) as store, pytest.raises(RawFileError, match="does not take direct writing"):
        store.stage(tmp_path / "f.dng", frame())
    assert list(tmp_path.iterdir()) == []


def test_a_group_is_written_flushed_named_and_only_then_journalled(
    store: RawStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "raw").mkdir()
    with Journal.create(tmp_path / "journal.jsonl") as journal:
        calls = Calls(monkeypatch)
        staged = [store.stage(tmp_path / "raw" / name, frame()) for name in ("B.dng", "S.dng")]
        store.commit(staged)
        journal.append({"event": "shot"}, {"event": "shot"})
    assert calls.made == [
        ("write", "B.dng.part"), ("write", "S.dng.part"),
        ("flush", "B.dng.part"), ("flush", "S.dng.part"),
        ("rename", "B.dng"), ("rename", "S.dng"),
        ("flush", "raw"),
        ("write", "journal.jsonl"), ("flush", "journal.jsonl"),
    ]  # fmt: skip


def test_short_writes_are_gone_on_with(
    store: RawStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pwritev

    def short(descriptor: int, buffers: Any, offset: int) -> int:
        return real(descriptor, [buffers[0][:4096]], offset) if offset % 8192 else real(
            descriptor, [buffers[0][:8192]], offset
        )  # fmt: skip

    monkeypatch.setattr(os, "pwritev", short)
    image = frame(333, 444)
    (written,) = store.commit([store.stage(tmp_path / "f.dng", image)])
    assert written.sha256 == hashlib.sha256(written.path.read_bytes()).hexdigest()
    np.testing.assert_array_equal(read_dng(written.path).pixels, image.pixels)


def test_a_disk_that_takes_nothing_and_says_nothing_is_an_error_not_a_loop(
    store: RawStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "pwritev", lambda *_: 0)
    with pytest.raises(RawFileError, match="takes no more bytes"):
        store.stage(tmp_path / "f.dng", frame())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "kind", "hint"),
    [
        (errno.ENOSPC, DiskFull, "make room"),
        (errno.EDQUOT, DiskFull, "make room"),
        (errno.EIO, RawFileError, "reports a fault"),
        (errno.EROFS, RawFileError, "read-only"),
    ],
)
def test_what_a_disk_refuses_is_a_typed_error_and_leaves_no_part(
    store: RawStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    kind: type[Exception],
    hint: str,
) -> None:
    kept = store.commit([store.stage(tmp_path / "kept.dng", frame())])[0]
    with monkeypatch.context() as patch:
        refuse(patch, "pwritev", number)
        with pytest.raises(kind) as caught:
            store.stage(tmp_path / "f.dng", frame())
    assert hint in caught.value.hint  # type: ignore[attr-defined]
    assert [path.name for path in tmp_path.iterdir()] == ["kept.dng"]
    assert hashlib.sha256(kept.path.read_bytes()).hexdigest() == kept.sha256
    store.commit([store.stage(tmp_path / "f.dng", frame())])  # and work goes on


@pytest.mark.parametrize("direct", [None, False])
def test_a_frame_whose_flush_failed_once_is_never_believed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, direct: bool | None
) -> None:
    with RawStore(direct=direct) as store:
        staged = [store.stage(tmp_path / name, frame()) for name in ("B.dng", "S.dng")]
        with monkeypatch.context() as patch:
            refuse(patch, "fsync", errno.EIO, times=1)
            with pytest.raises(RawFileError, match="cannot be flushed"):
                store.commit(staged)
        with pytest.raises(RawFileError, match="was not taken by the disk"):
            store.commit(staged)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["B.dng.part", "S.dng.part"]


def test_frames_are_named_all_or_none(
    store: RawStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged = [store.stage(tmp_path / name, frame()) for name in ("B.dng", "S.dng")]
    with monkeypatch.context() as patch:
        refuse(patch, "rename", errno.EIO, after=1, times=1)
        with pytest.raises(RawFileError, match="cannot be given its name"):
            store.commit(staged)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["B.dng.part", "S.dng.part"]
    (tmp_path / "S.dng").touch()
    with pytest.raises(RawFileError, match="exists already"):
        store.commit(staged)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["B.dng.part", "S.dng", "S.dng.part"]


def test_a_frame_can_get_another_name_than_it_was_staged_with(store: RawStore, tmp_path: Path) -> None:
    staged = store.stage(tmp_path / "t01_f0003_B.dng", frame())
    (written,) = store.commit([staged.named(tmp_path / "t01_0003_B.dng")])
    assert [path.name for path in tmp_path.iterdir()] == [written.path.name] == ["t01_0003_B.dng"]


def test_a_staged_file_has_no_name_until_it_is_committed(store: RawStore, tmp_path: Path) -> None:
    staged = store.stage(tmp_path / "f.dng", frame())
    assert [path.name for path in tmp_path.iterdir()] == ["f.dng.part"]
    store.commit([staged])
    assert [path.name for path in tmp_path.iterdir()] == ["f.dng"]


def test_a_discarded_frame_leaves_nothing(store: RawStore, tmp_path: Path) -> None:
    store.discard(store.stage(tmp_path / "f.dng", frame()))
    assert list(tmp_path.iterdir()) == []


def test_more_frames_than_files_may_be_open_can_wait_for_their_names(tmp_path: Path) -> None:
    with RawStore(direct=False) as store:
        staged = [store.stage(tmp_path / f"{index}.dng", frame(24, 24)) for index in range(150)]
        assert len(list(Path("/proc/self/fd").iterdir())) < 140
        assert len(store.commit(staged)) == 150


_LIMITED = """
import resource, sys
from pathlib import Path
from rig.errors import BeamrigError
from rig.raw_store import RawStore
from tests.rig.disk_faults import frame
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
with RawStore() as store:
    store.commit([store.stage(Path(sys.argv[1]) / "small.dng", frame())])
    try:
        store.stage(Path(sys.argv[1]) / "large.dng", frame(400, 400))
    except BeamrigError as error:
        print(error.one_line())
"""


def test_a_disk_that_ends_within_a_frame_leaves_the_others_and_a_line_with_a_hint(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "large.dng.part cannot be written: File too large (a limit of this program" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["small.dng"]
    np.testing.assert_array_equal(read_dng(tmp_path / "small.dng").pixels, frame().pixels)


def test_a_real_disk_that_fills_up_keeps_what_it_has(store: RawStore, tmp_path: Path) -> None:
    written: list[WrittenFile] = []

    def fill(folder: Path) -> None:
        for index in range(100):
            written.extend(store.commit([store.stage(folder / f"{index}.dng", frame(250, 250))]))

    with small_disk(tmp_path, "1m") as folder:
        with pytest.raises(DiskFull, match="No space left"):
            fill(folder)
        assert 3 < len(written) < 10
        assert sorted(path.name for path in folder.iterdir()) == sorted(one.path.name for one in written)
        assert all(hashlib.sha256(one.path.read_bytes()).hexdigest() == one.sha256 for one in written)
