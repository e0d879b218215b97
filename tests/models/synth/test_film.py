"""Averaged film: linear light, the middle frame, every frame once."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from models.errors import SynthesisError
from models.synth.film import FilmPairs, average_frames, moved_mask, read_frames


def bar(x: int, level: int = 200, dtype: type = np.uint8) -> npt.NDArray[np.uint8]:
    frame = np.full((32, 64, 3), 20, np.uint8)
    frame[8:24, x : x + 12] = level
    return frame.astype(dtype)


def test_a_moving_bar_averages_in_linear_light_and_the_middle_is_sharp() -> None:
    frames = [bar(10 + step) for step in range(9)]
    blurred, sharp = average_frames(frames)
    np.testing.assert_array_equal(sharp, frames[4])
    share = np.mean([frame[16, :, 0] == 200 for frame in frames], axis=0)
    light = share * (200 / 255) ** 2.2 + (1 - share) * (20 / 255) ** 2.2
    np.testing.assert_allclose(blurred[16, :, 0], 255 * light ** (1 / 2.2), atol=0.51)
    assert blurred[16, 12, 0] > frames[4][16, 12, 0] + 40  # far brighter than a mean of codes would be


def test_equal_frames_average_to_themselves() -> None:
    codes = np.arange(256, dtype=np.uint8).reshape(16, 16)[:, :, None].repeat(3, axis=2)
    for curve in ("gamma", "srgb"):
        np.testing.assert_array_equal(average_frames([codes] * 7, curve)[0], codes)  # type: ignore[arg-type]


def test_sixteen_bit_frames_keep_their_depth() -> None:
    frame = np.arange(64 * 64 * 3, dtype=np.uint16).reshape(64, 64, 3) * 5
    blurred, sharp = average_frames([frame] * 3, "srgb", bits=16)
    np.testing.assert_array_equal(sharp, frame)
    assert np.abs(blurred.astype(int) - frame).max() <= 2


def test_an_even_number_has_no_middle() -> None:
    with pytest.raises(SynthesisError, match="no middle"):
        average_frames([bar(3), bar(4)])


def test_the_mask_is_where_the_bar_was() -> None:
    frames = [bar(10 + 2 * step) for step in range(7)]
    mask = moved_mask(frames)
    assert mask[12:20, 10:34].all()
    assert not mask[:, :8].any()
    assert not mask[:, 37:].any()
    assert not mask[:5].any()


def test_a_folder_of_frames_is_taken_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        cv2.imwrite(str(tmp_path / f"frame{number}.png"), bar(number))
    assert [int(np.argmax(frame[16, :, 0])) for frame in read_frames(tmp_path)] == [1, 2, 10]


def test_a_video_file_is_read_and_cut_into_pairs(tmp_path: Path) -> None:
    video = tmp_path / "high speed.avi"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), 240.0, (64, 32))
    for step in range(40):
        writer.write(bar(5 + step)[:, :, ::-1])
    writer.release()
    made = [one for one in FilmPairs((video,), gap=2, still_camera=True).make() if one is not None]
    assert 2 <= len(made) <= 5
    first = 0
    for one in made:
        assert one.record["first_frame"] == first
        assert one.record["frames"] in (7, 9, 11, 13)
        assert one.pair.name == f"high-speed-{first:06d}"
        middle = 5 + first + one.record["frames"] // 2
        row = one.pair.sharp[16, :, 1].astype(int)
        assert abs(int(np.argmax(row > 110)) - middle) <= 1
        assert one.pair.mask is not None
        assert one.pair.mask[16, middle]
        first += one.record["frames"] + 2


def test_what_was_made_before_is_skipped(tmp_path: Path) -> None:
    for number in range(30):
        cv2.imwrite(str(tmp_path / f"{number}.png"), bar(number))
    whole = list(FilmPairs((tmp_path,), seed=4).make())
    known = whole[0].pair.name if whole[0] else ""
    again = list(FilmPairs((tmp_path,), seed=4).make(lambda name: name == known))
    assert again[0] is None
    assert whole[1] is not None
    assert again[1] is not None
    assert whole[1].record == again[1].record
    np.testing.assert_array_equal(whole[1].pair.blurred, again[1].pair.blurred)


def test_what_is_no_film_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(SynthesisError, match="cannot be read as a video"):
        next(read_frames(tmp_path / "text.mp4"))
    with pytest.raises(SynthesisError, match="neither"):
        next(read_frames(tmp_path / "missing.mp4"))
    with pytest.raises(SynthesisError, match="no odd number"):
        FilmPairs((), frames=(8, 8))
    with pytest.raises(SynthesisError, match="same name"):
        FilmPairs((tmp_path / "a b.mp4", tmp_path / "a-b.mp4"))
