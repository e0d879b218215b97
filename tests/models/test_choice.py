"""What runs is measured once, kept in a private file, and measured again when that cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from models import choice as choice_module
from models.backend import Backend
from models.choice import Choice, choose, probe_picture
from models.halo import influence, make_ready, measured_halo
from models.memory import Memory, facts_of, memory_path, recall, remember
from models.networks.lbag import LBAG, receptive_radius_px
from models.runner import Runner
from models.steps import drained
from tests.models.reference_lbag import lively_network


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LBAG:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(choice_module, "BUSY_LOAD", 1e9)  # this machine counts as quiet, whatever it does
    return lively_network(4, 1)


def test_every_way_is_reported_with_its_time_error_and_verdict(model: LBAG) -> None:
    found = choose(model, "cpu")
    names = [f"{way.precision} {way.form}" for way in found.candidates]
    assert names[:2] == ["fp32 contiguous", "fp32 channels-last"]
    assert any(name.startswith("bf16") for name in names)
    assert [way.verdict for way in found.candidates].count("chosen") == 1
    assert all(way.verdict for way in found.candidates)
    assert found.candidates[0].rms_of_255 == 0
    for way in found.candidates:
        assert (way.seconds is None) == ("deviates" in way.verdict or "does not run" in way.verdict)
    chosen = next(way for way in found.candidates if way.verdict == "chosen")
    assert (found.backend.precision, found.backend.form) == (chosen.precision, chosen.form)


def test_the_second_start_remembers_and_measures_nothing(model: LBAG) -> None:
    first, second = choose(model, "cpu"), choose(model, "cpu")
    assert (first.remembered, second.remembered) == (False, True)
    assert second.candidates == first.candidates
    assert second.backend == first.backend


def test_the_file_is_private(model: LBAG) -> None:
    found = choose(model, "cpu")
    assert Path(found.path).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 99}', b"\xff" * 200, b"1" * 200_000])
def test_a_damaged_file_is_said_and_replaced(model: LBAG, content: bytes) -> None:
    path = Path(choose(model, "cpu").path)
    path.write_bytes(content)
    again = choose(model, "cpu")
    assert not again.remembered
    assert "was not used" in again.note
    assert "damaged" in again.note
    assert choose(model, "cpu").remembered


def test_a_file_that_others_could_have_written_is_not_trusted(model: LBAG) -> None:
    path = Path(choose(model, "cpu").path)
    path.chmod(0o666)
    assert "others than you" in choose(model, "cpu").note
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_is_not_followed(model: LBAG, tmp_path: Path) -> None:
    path = Path(choose(model, "cpu").path)
    path.rename(tmp_path / "elsewhere.json")
    path.symlink_to(tmp_path / "elsewhere.json")
    assert not choose(model, "cpu").remembered


def test_a_way_that_is_not_possible_here_is_not_taken_from_a_file(model: LBAG) -> None:
    found = choose(model, "cpu")
    assert found.memory is not None
    remember(found.memory.model_copy(update={"precision": "fp16", "form": "graph"}))
    again = choose(model, "cpu")
    assert not again.remembered
    assert "fp16 graph is not possible here" in again.note


@pytest.mark.parametrize("fact", ["torch", "processor", "threads", "weights", "network"])
def test_a_file_that_was_moved_here_from_elsewhere_is_not_used(model: LBAG, fact: str) -> None:
    found = choose(model, "cpu")
    assert found.memory is not None
    other = found.memory.model_copy(update={"facts": found.facts | {fact: "another"}})
    remember(other)
    memory_path(other.facts).rename(found.path)
    again = choose(model, "cpu")
    assert not again.remembered
    assert "another machine" in again.note


def test_what_was_measured_on_a_busy_machine_is_measured_again_on_a_quiet_one(
    model: LBAG, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice_module, "BUSY_LOAD", -1.0)
    assert "busy" in choose(model, "cpu").note
    assert choose(model, "cpu").remembered
    monkeypatch.setattr(choice_module, "BUSY_LOAD", 1e9)
    again = choose(model, "cpu")
    assert not again.remembered
    assert "busy" in again.note
    assert choose(model, "cpu").remembered


def test_results_that_are_not_finite_are_no_way_to_run(model: LBAG, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Runner.__call__

    def broken(self: Runner, planes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        sharp, mask = run(self, planes)
        return (sharp, mask) if self.backend.precision == "fp32" else (sharp * float("nan"), mask)

    monkeypatch.setattr(Runner, "__call__", broken)
    found = choose(model, "cpu")
    assert found.backend.precision == "fp32"
    assert any("not finite" in way.verdict for way in found.candidates)
    assert choose(model, "cpu").remembered


def test_a_cache_folder_by_a_relative_name_is_not_used(
    model: LBAG, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert memory_path(facts_of(model, "cpu")).is_relative_to(tmp_path / ".cache")


def test_other_weights_have_a_file_of_their_own(model: LBAG) -> None:
    assert memory_path(facts_of(model, "cpu")) != memory_path(facts_of(lively_network(4, 1, seed=1), "cpu"))


def test_a_cache_that_cannot_be_written_is_said_and_does_not_hinder(
    model: LBAG, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    found = choose(model, "cpu")
    assert found.backend.precision in ("fp32", "bf16")
    assert "cannot be" in found.note


def test_a_named_pipe_in_the_place_of_the_file_does_not_hang(model: LBAG) -> None:
    path = memory_path(facts_of(model, "cpu"))
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    memory, note = recall(facts_of(model, "cpu"))
    assert memory is None
    assert "was not used" in note


@pytest.mark.parametrize("backend", [Backend("cpu", "fp32", form="contiguous"), Backend("cpu", "fp32")])
def test_a_runner_says_what_its_network_says(model: LBAG, backend: Backend) -> None:
    picture = probe_picture(36, 52)
    with torch.inference_mode():
        expected = model(picture)[2]
    sharp, mask = Runner(model, backend)(picture)
    torch.testing.assert_close(sharp, expected.sharp, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(mask, expected.mask, rtol=1e-4, atol=1e-4)


def test_nothing_is_felt_beyond_the_reach_that_the_structure_allows() -> None:
    model = lively_network(4, 1)
    reach = receptive_radius_px(1)
    felt = influence(Runner(model, Backend("cpu", "fp32")), reach + 16, 3)
    assert felt[reach:].max() < 1e-6
    assert felt[0] > 0.05


@pytest.mark.parametrize(("base", "num_res"), [(4, 1), (8, 2)])
def test_the_measured_halo_is_shorter_than_the_structure_and_long_enough(base: int, num_res: int) -> None:
    runner = Runner(lively_network(base, num_res), Backend("cpu", "fp32"))
    halo = drained(measured_halo(runner, num_res))
    assert halo is not None
    assert halo % 4 == 0
    assert halo < receptive_radius_px(num_res)
    assert max(influence(runner, 2 * halo, seed)[halo:].max() for seed in range(20, 24)) < 1 / 255


def test_a_network_without_context_needs_the_margin_only() -> None:
    model = lively_network(4, 1)
    with torch.no_grad():
        for value in model.feat_extract[5].parameters():
            value.zero_()  # neither residual nor gate look at anything
    halo = drained(measured_halo(Runner(model, Backend("cpu", "fp32")), 1))
    assert halo == 8


def test_halo_and_costs_are_kept_with_the_choice(model: LBAG) -> None:
    found = choose(model, "cpu")
    ready = drained(make_ready(found, model, Runner(model, found.backend)))
    again: Choice = choose(model, "cpu")
    assert isinstance(again.memory, Memory)
    assert again.memory.moving == ready.moving
    assert np.isfinite(ready.moving.whole_s).all()


def test_what_a_caller_asked_for_is_not_measured_but_its_halo_is_kept(model: LBAG) -> None:
    asked = choose(model, "cpu", "fp32")
    assert (asked.candidates, asked.backend.reason) == ((), "as asked")
    drained(make_ready(asked, model, Runner(model, asked.backend)))
    again = choose(model, "cpu", "fp32")
    assert again.memory is not None
    assert again.backend == asked.backend
