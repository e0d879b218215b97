"""Our DNGs in other people's hands: exiftool, dcraw, LibRaw's own tools, darktable.

`make test` installs them where it may (tools/system_libraries.sh); a test whose tool is absent says so.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from processing.isp import decode_srgb, encode_srgb
from processing.raw.develop import develop_file
from rig.dng import CFA_PATTERNS, RawImage, write_dng
from tests.processing.raw_files import frame, noise

CHART = Path(__file__).parents[1] / "data" / "colorchart_crop.dng"


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed")


def run(*words: str | Path) -> bytes:
    done = subprocess.run(list(words), capture_output=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


def image(cfa: str = "GRBG") -> RawImage:
    return replace(
        frame(noise(50, 66), cfa), as_shot_neutral=(0.5, 1.0, 0.625), camera="B", model="Acme X1 mono/µ",
        captured_at="2025-03-01T10:11:12.345678+00:00", gain_db=6.0,
        extra={"session": "<a&b>", "note": 'µ "quoted" ]]>'},
    )  # fmt: skip


UNUSUAL = {
    "plain": {},
    "no time": {"captured_at": ""},
    "no model": {"model": "", "serial_number": ""},
    "16 bits": {"significant_bits": 16, "white_level": 65535.0, "black_level": 0.0},
    "8 bits": {"significant_bits": 8, "white_level": 255.0, "pixels": noise() % 256, "black_level": 0.5},
    "odd size": {"pixels": noise(47, 63)},
    "long exposure": {"exposure_us": 29.9e6, "gain_db": 47.9},
    "short exposure": {"exposure_us": 1.0},
}


@needs("exiftool")
@pytest.mark.parametrize("name", UNUSUAL)
def test_exiftool_finds_nothing_wrong(tmp_path: Path, name: str) -> None:
    path = write_dng(tmp_path / "f.dng", replace(image(), **UNUSUAL[name])).path  # type: ignore[arg-type]
    report = run("exiftool", "-validate", "-warning", "-error", "-a", path).decode()
    assert report.split() == ["Validate", ":", "OK"]


@needs("exiftool")
def test_exiftool_reads_what_was_recorded(tmp_path: Path) -> None:
    path = write_dng(tmp_path / "f.dng", image()).path
    (tags,) = json.loads(run("exiftool", "-json", "-n", path))
    assert (tags["ImageWidth"], tags["ImageHeight"]) == (66, 50)
    assert (tags["ExposureTime"], tags["ISO"]) == (pytest.approx(0.002), 200)
    assert (tags["Make"], tags["SerialNumber"]) == ("Acme", "x")
    assert [float(part) for part in tags["AsShotNeutral"].split()] == [0.5, 1.0, 0.625]
    assert (tags["BlackLevel"], tags["WhiteLevel"]) == ("64 64 64 64", 4000)
    assert tags["DateTimeOriginal"] == "2025:03:01 10:11:12"
    assert "]]>" in tags["Record"]


@needs("dcraw")
@pytest.mark.parametrize("cfa", CFA_PATTERNS)
def test_dcraw_gives_the_very_codes_the_filter_and_the_balance(tmp_path: Path, cfa: str) -> None:
    path = write_dng(tmp_path / "f.dng", image(cfa)).path
    raw = np.frombuffer(run("dcraw", "-D", "-4", "-c", path), np.uint8)
    np.testing.assert_array_equal(cv2.imdecode(raw, cv2.IMREAD_UNCHANGED), image(cfa).pixels)
    told = dict(
        line.split(": ", maxsplit=1) for line in run("dcraw", "-i", "-v", path).decode().splitlines() if line
    )
    assert told["Filter pattern"] == f"{cfa[:2]}/{cfa[2:]}"
    assert told["Camera"].startswith("Acme X1")
    balance = np.array([float(word) for word in told["Camera multipliers"].split()[:3]])
    np.testing.assert_allclose(balance / balance[1], [2.0, 1.0, 1.6], rtol=1e-4)


@needs("dcraw")
@pytest.mark.parametrize("cfa", CFA_PATTERNS)
def test_dcraw_develops_the_colours_that_we_develop(tmp_path: Path, cfa: str) -> None:
    """Black, white, balance, matrix and filter at once: a coloured surface, linear, no curve."""
    pixels = np.empty((48, 64), np.uint16)
    for index, letter in enumerate(cfa):
        pixels[index // 2 :: 2, index % 2 :: 2] = {"R": 564, "G": 1264, "B": 864}[letter]
    path = write_dng(tmp_path / "f.dng", replace(image(cfa), pixels=pixels)).path
    theirs = np.frombuffer(run("dcraw", "-w", "-W", "-4", "-c", "-o", "1", path), np.uint8)
    picture = cv2.imdecode(theirs, cv2.IMREAD_UNCHANGED)[..., ::-1] / 65535
    ours = decode_srgb(develop_file(path).rgb)
    np.testing.assert_allclose(picture[8:-8, 8:-8], ours[8:-8, 8:-8], atol=2e-3)


@needs("unprocessed_raw")
@pytest.mark.parametrize("cfa", CFA_PATTERNS)
def test_libraws_tool_gives_the_very_codes(tmp_path: Path, cfa: str) -> None:
    path = write_dng(tmp_path / "f.dng", image(cfa)).path
    run("unprocessed_raw", "-q", path)
    written = cv2.imread(f"{path}.pgm", cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(written, image(cfa).pixels)


@needs("raw-identify")
def test_libraws_tool_identifies_camera_levels_and_balance(tmp_path: Path) -> None:
    path = write_dng(tmp_path / "f.dng", image("BGGR")).path
    told = run("raw-identify", "-v", path).decode(errors="replace")
    assert "Acme X1" in told
    assert "Filter pattern: BGGRBGGRBGGRBGGR" in told
    assert "cblack[6 .. 9]: 64 64 64 64" in told
    assert "2 1 1.6" in " ".join(next(line for line in told.splitlines() if "As shot" in line).split())


@needs("dcraw_emu")
def test_libraws_tool_develops_a_real_picture_as_we_do(tmp_path: Path) -> None:
    path = Path(shutil.copy(CHART, tmp_path))
    run("dcraw_emu", "-w", "-W", "-4", "-o", "1", "-c", "0", path)  # -c 0: the white level as written
    theirs = cv2.imread(f"{path}.ppm", cv2.IMREAD_UNCHANGED)[..., ::-1].astype(np.float32) / 65535
    ours = decode_srgb(develop_file(path).rgb)
    blocks = [cv2.resize(one, (18, 12), interpolation=cv2.INTER_AREA) for one in (ours, theirs)]
    np.testing.assert_allclose(*blocks, atol=1e-3)


@needs("darktable-cli")
def test_darktable_develops_a_real_picture_as_we_do(tmp_path: Path) -> None:
    """Its workflow without tone mapping: black, balance, demosaic, the camera's matrix."""
    path = Path(shutil.copy(CHART, tmp_path))
    run(
        "darktable-cli", path, tmp_path / "dt.png", "--apply-custom-presets", "false",
        "--core", "--library", ":memory:",
        "--configdir", tmp_path / "config", "--cachedir", tmp_path / "cache",
        "--conf", "plugins/darkroom/workflow=none", "--conf", "plugins/imageio/format/png/bpp=16",
    )  # fmt: skip
    theirs = cv2.imread(str(tmp_path / "dt.png"), cv2.IMREAD_UNCHANGED)[..., ::-1].astype(np.float32) / 65535
    ours = develop_file(path).rgb
    assert theirs.shape == ours.shape
    light = [cv2.resize(decode_srgb(one), (18, 12), interpolation=cv2.INTER_AREA) for one in (ours, theirs)]
    np.testing.assert_allclose(*(encode_srgb(one) for one in light), atol=0.02)
