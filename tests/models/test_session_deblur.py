"""`beamrig deblur SESSION` on a session that was recorded and developed like any other."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import resource
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner, Result

from models.checkpoints import save_safetensors
from models.cli import deblur
from models.deblur import DeblurEngine
from models.errors import EngineError
from models.session_deblur import SessionDeblurReport, deblur_session
from models.session_pair import DeblurWish
from processing.errors import NoRoom, ProcessingError
from processing.jobs.pair_record import read_sealed, write_sealed
from rig.errors import SessionError
from rig.session import Session
from tests.models.reference_lbag import lively_network

PAIRS = ["s01/action/t01_0000", "s01/action/t01_0001"]


@pytest.fixture
def folder(developed: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(developed, tmp_path / "session"))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return weights(tmp_path_factory.mktemp("small") / "small.safetensors", seed=0)


def weights(path: Path, seed: int) -> Path:
    network = lively_network(4, 1)
    for parameter in network.parameters():
        parameter.data.mul_(1.0 + 0.25 * seed)
    save_safetensors(path, network, trained=True, recipe={"seed": seed})
    return path


def engine_of(path: Path) -> DeblurEngine:
    return DeblurEngine(path, "cpu", "fp32")


def run(folder: Path, path: Path, **wish: Any) -> SessionDeblurReport:
    with Session.open(folder) as session:
        return deblur_session(session, engine_of(path), DeblurWish(**wish))


def home(folder: Path) -> Path:
    return folder / "derived" / "s01" / "action"


def pixels(path: Path) -> npt.NDArray[Any]:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return np.asarray(picture[..., ::-1] if picture.ndim == 3 else picture)


def results(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in home(folder).glob("*_deblurred*")}


def test_every_pair_gets_picture_mask_and_a_record_that_vouches(folder: Path, small: Path) -> None:
    before = {path.name: path.read_bytes() for path in home(folder).iterdir()}
    report = run(folder, small)
    assert report.deblurred == PAIRS
    assert (report.skipped, report.failed, report.undeveloped) == ([], {}, {})
    for stem in ("t01_0000", "t01_0001"):
        source = home(folder) / f"{stem}_B.png"
        expected = engine_of(small).run(np.ascontiguousarray(pixels(source)))
        sharp = pixels(home(folder) / f"{stem}_deblurred.png")
        assert sharp.dtype == np.uint16
        np.testing.assert_allclose(sharp / 65535, expected.sharp, atol=0.51 / 65535)
        mask = pixels(home(folder) / f"{stem}_deblurred_mask.png")
        np.testing.assert_allclose(mask / 255, expected.mask, atol=0.51 / 255)
        record = read_sealed(home(folder) / f"{stem}_deblurred.json")
        assert record is not None
        assert record["pair"] == f"s01/action/{stem}"
        assert record["weights"] == hashlib.sha256(small.read_bytes()).hexdigest()
        assert record["sources"] == {"B": hashlib.sha256(source.read_bytes()).hexdigest()}
        assert record["engine"]["weights"] == small.name
        assert str(Path.home()) not in json.dumps(record)  # no place of this computer in a record
        for name, facts in record["files"].items():
            assert hashlib.sha256((home(folder) / name).read_bytes()).hexdigest() == facts["sha256"]
    for name, data in before.items():
        assert (home(folder) / name).read_bytes() == data


def test_what_is_there_is_skipped_and_other_weights_do_it_again(
    folder: Path, small: Path, tmp_path: Path
) -> None:
    run(folder, small)
    first = results(folder)
    again = run(folder, small)
    assert (again.deblurred, again.skipped) == ([], PAIRS)
    assert results(folder) == first
    other = run(folder, weights(tmp_path / "other.safetensors", seed=1))
    assert (other.deblurred, other.skipped) == (PAIRS, [])
    assert all(results(folder)[name] != data for name, data in first.items())


@pytest.mark.parametrize("harm", ["gone", "cut", "edited"])
def test_only_the_pair_whose_result_is_not_whole_is_done_again(folder: Path, small: Path, harm: str) -> None:
    run(folder, small)
    whole = results(folder)
    if harm == "gone":
        (home(folder) / "t01_0001_deblurred_mask.png").unlink()
    elif harm == "cut":
        os.truncate(home(folder) / "t01_0001_deblurred.png", 1000)
    else:
        path = home(folder) / "t01_0001_deblurred.json"
        path.write_text(path.read_text().replace('"tiles": 1', '"tiles": 2'))
    report = run(folder, small)
    assert (report.deblurred, report.skipped) == (PAIRS[1:], PAIRS[:1])
    pictures = {name for name in whole if name.endswith(".png")}
    assert {name: data for name, data in results(folder).items() if name in pictures} == {
        name: whole[name] for name in pictures
    }


def test_a_picture_that_was_developed_anew_is_done_again(folder: Path, small: Path) -> None:
    run(folder, small)
    path = home(folder) / "t01_0000_B.png"
    brighter = np.minimum(pixels(path).astype(np.uint32) + 700, 65535).astype(np.uint16)
    cv2.imwrite(str(path), brighter[..., ::-1])
    record = read_sealed(home(folder) / "t01_0000.json")
    assert record is not None
    data = path.read_bytes()
    record["files"][path.name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    write_sealed(home(folder) / "t01_0000.json", record)
    assert run(folder, small).deblurred == PAIRS[:1]


def test_a_precision_asked_for_does_older_results_again_and_auto_takes_them(
    folder: Path, small: Path
) -> None:
    run(folder, small, precision="fp32")
    assert run(folder, small).skipped == PAIRS
    assert run(folder, small, precision="bf16").deblurred == PAIRS


def test_a_damaged_picture_is_reported_and_the_others_are_done(folder: Path, small: Path) -> None:
    path = home(folder) / "t01_0000_B.png"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    result = command(folder, "--weights", small, "--json")
    assert result.exit_code == 2
    report = json.loads(result.stdout)
    assert report["deblurred"] == PAIRS[1:]
    assert "t01_0000_B.png is not what its record says" in report["failed"][PAIRS[0]]
    assert result.stderr.count("error:") == 1
    assert not list(home(folder).glob("t01_0000_deblurred*"))


def test_a_pair_that_was_never_developed_is_told_and_is_no_failure(folder: Path, small: Path) -> None:
    for path in home(folder).glob("t01_0001*"):
        path.unlink()
    report = run(folder, small)
    assert report.deblurred == PAIRS[:1]
    assert report.undeveloped == {PAIRS[1]: "not developed"}
    assert not report.failed


def test_a_session_without_developed_pairs_says_what_to_do(folder: Path, small: Path) -> None:
    shutil.rmtree(folder / "derived")
    with pytest.raises(ProcessingError, match="not developed") as caught:
        run(folder, small)
    assert "beamrig process" in caught.value.one_line()


def test_scene_take_and_kind_choose_the_pairs(folder: Path, small: Path) -> None:
    static = run(folder, small, kind="static", scenes=("s01",))
    assert static.deblurred == [f"s01/static/t01_000{k}" for k in range(3)]
    with pytest.raises(ProcessingError, match="no developed pair of those"):
        run(folder, small, takes=(7,))
    with pytest.raises(SessionError, match="s09"):
        run(folder, small, scenes=("s09",))


def test_a_stopped_run_keeps_what_is_finished_and_goes_on_there(folder: Path, small: Path) -> None:
    cancel = threading.Event()
    told: list[float] = []

    def watch(done: float, text: str) -> None:
        told.append(done)
        if done > 0.6:  # within the second pair
            cancel.set()

    with Session.open(folder) as session:
        report = deblur_session(session, engine_of(small), DeblurWish(), watch, cancel)
    assert report.cancelled
    assert report.deblurred == PAIRS[:1]
    assert told == sorted(told)
    rest = run(folder, small)
    assert (rest.deblurred, rest.skipped) == (PAIRS[1:], PAIRS[:1])
    assert not list(folder.rglob("*.part"))


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Let the kernel refuse to write more, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_a_full_disk_ends_the_run_in_one_line_and_leaves_no_half_file(folder: Path, small: Path) -> None:
    with files_no_larger_than(100_000), pytest.raises(NoRoom) as caught:
        run(folder, small)
    assert os.strerror(errno.EFBIG) in caught.value.message
    assert results(folder) == {}
    assert not list(folder.rglob("*.part"))
    assert run(folder, small).deblurred == PAIRS


def test_an_engine_that_can_do_no_pair_ends_the_run(folder: Path, small: Path) -> None:
    engine = DeblurEngine(small, "cpu", "fp32", memory_limit_bytes=1)
    with Session.open(folder) as session, pytest.raises(EngineError):
        deblur_session(session, engine, DeblurWish())


def command(*arguments: object) -> Result:
    return CliRunner().invoke(deblur, [*map(str, arguments), "--precision", "fp32"])


def test_the_command_tells_what_it_did(folder: Path, small: Path) -> None:
    result = command(folder, "--weights", small)
    assert result.exit_code == 0, result.output
    assert "2 pairs deblurred, 0 were there" in result.stdout
    assert "0 pairs deblurred, 2 were there" in command(folder, "--weights", small).stdout


@pytest.mark.parametrize(
    ("extra", "said"),
    [(("--out", "x"), "leave --out away"), (("a.png",), "a.png"), (("--scene", "nowhere"), "nowhere")],
)
def test_a_wrong_call_on_a_session_is_refused(folder: Path, extra: tuple[str, ...], said: str) -> None:
    result = command(folder, *extra)
    assert result.exit_code != 0
    assert said in result.output + str(result.exception)


def test_a_folder_that_is_no_session_is_refused(tmp_path: Path) -> None:
    assert isinstance(command(tmp_path).exception, SessionError)


def test_options_of_a_session_are_refused_for_pictures(folder: Path, tmp_path: Path) -> None:
    result = command(home(folder) / "t01_0000_B.png", "--only-moved", "--out", tmp_path)
    assert result.exit_code == 2
    assert "go with a session" in result.output


def test_only_what_moved_is_touched_and_it_equals_the_whole_result(folder: Path, small: Path) -> None:
    run(folder, small)
    whole = {stem: pixels(home(folder) / f"{stem}_deblurred.png") for stem in ("t01_0000", "t01_0001")}
    report = run(folder, small, only_moved=True)
    assert report.deblurred == PAIRS  # another way than the one in the records
    assert report.share is not None
    assert 0 < report.share < 1
    for stem, full in whole.items():
        blurred = pixels(home(folder) / f"{stem}_B.png")
        moved = pixels(home(folder) / f"{stem}_deblurred.png")
        kept = np.all(moved == blurred, axis=2)
        assert 0.05 < kept.mean() < 1
        off = np.abs(moved.astype(np.int32) - full).max(axis=2)
        assert off[~kept].max() <= 257
        record = read_sealed(home(folder) / f"{stem}_deblurred.json")
        assert record is not None
        assert record["made"]["route"] == "moved"
        assert sorted(record["sources"]) == ["B", "S"]
    assert run(folder, small, only_moved=True).skipped == PAIRS
