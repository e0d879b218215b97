"""Checkpoints are loaded strictly and never run code; what is wrong with a file is said by name."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from models.checkpoints import initialise_from_mimo_unet, load_lbag, read_checkpoint, save_safetensors
from models.errors import CheckpointError
from models.networks.lbag import LBAG
from tests.models import reference_lbag as reference

State = dict[str, torch.Tensor]


def small_state(base: int = 4, num_res: int = 2, outputs: int = 4) -> State:
    state = dict(reference.lively_network(base, num_res).state_dict())
    for head in ("feat_extract.5.main.0", "ConvsOut.0.main.0", "ConvsOut.1.main.0"):
        for kind in ("weight", "bias"):
            state[f"{head}.{kind}"] = state[f"{head}.{kind}"][:outputs].clone()
    return state


def save_released(path: Path, state: State, step: int | None = 300_000) -> Path:
    """Write what the authors' trainer writes, with an Adam state beside the weights."""
    moments = {"step": 3, "exp_avg": torch.zeros(2), "exp_avg_sq": torch.zeros(2)}
    groups = [{"lr": 1e-4, "betas": (0.9, 0.999), "params": [0], "amsgrad": False}]
    content: dict[str, Any] = {
        "optimizer_states": [{"state": {0: moments}, "param_groups": groups}],
        "state_dict": {"model": state},
    }
    if step is not None:
        content["global_step"] = step
    torch.save(content, path)
    return path


def test_a_checkpoint_with_the_published_names_and_shapes_loads_strictly(tmp_path: Path) -> None:
    state = reference.random_state(reference.published_shapes())
    model, checkpoint = load_lbag(save_released(tmp_path / "model_ckpt_steps_300000.ckpt", state))
    assert (model.base, model.num_res, checkpoint.source) == (32, 20, "lbag")
    assert checkpoint.trained
    assert "300000 steps" in checkpoint.note
    assert not model.training
    loaded = model.state_dict()
    assert loaded.keys() == state.keys()
    assert all(torch.equal(loaded[name], state[name]) for name in state)


def test_the_old_pickle_format_of_torch_is_read_as_well(tmp_path: Path) -> None:
    content = {"global_step": 5, "optimizer_states": [], "state_dict": {"model": small_state()}}
    path = tmp_path / "old.ckpt"
    torch.save(content, path, _use_new_zipfile_serialization=False)
    assert load_lbag(path)[0].num_res == 2


@pytest.mark.parametrize(("step", "trained"), [(0, False), (1, True), (None, True)])
def test_whether_a_released_checkpoint_is_trained_follows_from_its_steps(
    tmp_path: Path, step: int | None, trained: bool
) -> None:
    checkpoint = read_checkpoint(save_released(tmp_path / "x.ckpt", small_state(), step))
    assert checkpoint.trained is trained
    assert checkpoint.note


def test_weights_in_half_precision_are_loaded_as_float32(tmp_path: Path) -> None:
    state = {name: value.half() for name, value in small_state().items()}
    model, _ = load_lbag(save_released(tmp_path / "half.ckpt", state))
    assert {value.dtype for value in model.parameters()} == {torch.float32}


def test_a_missing_and_an_unknown_name_are_told_with_the_nearest(tmp_path: Path) -> None:
    state = small_state()
    state["FAM1.merge.main.0.wieght"] = state.pop("FAM1.merge.main.0.weight")
    with pytest.raises(CheckpointError) as caught:
        load_lbag(save_released(tmp_path / "x.ckpt", state))
    assert "1 missing: FAM1.merge.main.0.weight (near: FAM1.merge.main.0.wieght)" in caught.value.message
    assert "1 unknown: FAM1.merge.main.0.wieght" in caught.value.message


def test_many_wrong_names_are_counted_and_a_few_of_them_named(tmp_path: Path) -> None:
    state = {name: value for name, value in small_state().items() if not name.startswith("Decoder")}
    with pytest.raises(CheckpointError, match=r"24 missing: Decoder\.0.* and 20 more"):
        load_lbag(save_released(tmp_path / "x.ckpt", state))


def test_a_wrong_shape_is_told_with_the_right_one(tmp_path: Path) -> None:
    state = small_state()
    state["Convs.0.main.0.weight"] = torch.zeros(8, 15, 1, 1)
    with pytest.raises(
        CheckpointError, match=r"Convs\.0\.main\.0\.weight has \(8, 15, 1, 1\) instead of \(8, 16"
    ):
        load_lbag(save_released(tmp_path / "x.ckpt", state))


def test_names_with_the_prefix_of_parallel_training_are_refused_with_the_nearest(tmp_path: Path) -> None:
    state = {f"module.{name}": value for name, value in small_state().items()}
    with pytest.raises(CheckpointError, match=r"near: module\.Encoder\.0\.layers\.0\.main\.0\.main"):
        load_lbag(save_released(tmp_path / "x.ckpt", state))


@pytest.mark.parametrize("value", [torch.tensor(float("nan")), torch.tensor(float("inf"))])
def test_weights_that_are_not_finite_are_refused(tmp_path: Path, value: torch.Tensor) -> None:
    state = small_state()
    state["AFFs.0.conv.1.main.0.bias"][0] = value
    with pytest.raises(CheckpointError, match=r"not finite in AFFs\.0\.conv\.1\.main\.0\.bias"):
        load_lbag(save_released(tmp_path / "x.ckpt", state))


def test_a_small_file_that_speaks_of_a_giant_network_is_refused(tmp_path: Path) -> None:
    with torch.device("meta"):
        giant = LBAG(300_000, 1).state_dict()
    state = {name: torch.zeros(1).expand(value.shape) for name, value in giant.items()}
    with pytest.raises(CheckpointError, match="fewer numbers than it says"):
        load_lbag(save_released(tmp_path / "x.ckpt", state))


@pytest.mark.parametrize(
    "strange",
    [
        lambda value: value.to_sparse(),
        lambda value: value.to("meta"),
        lambda value: value.to(torch.float8_e4m3fn),
        lambda value: value.to(torch.complex64),
    ],
    ids=["sparse", "without numbers", "8 bit", "complex"],
)
@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
def test_tensors_of_another_kind_are_no_weights(tmp_path: Path, strange: Any) -> None:
    state = small_state()
    state["ConvsOut.0.main.0.weight"] = strange(state["ConvsOut.0.main.0.weight"])
    with pytest.raises(CheckpointError, match=r"something else than floating point numbers in ConvsOut\.0"):
        read_checkpoint(save_released(tmp_path / "a.ckpt", state))


def test_a_double_that_is_too_large_for_a_float_is_refused(tmp_path: Path) -> None:
    state = small_state()
    state["ConvsOut.0.main.0.bias"] = state["ConvsOut.0.main.0.bias"].double() + 1e300
    with pytest.raises(CheckpointError, match=r"not finite in ConvsOut\.0"):
        read_checkpoint(save_released(tmp_path / "a.ckpt", state))


def test_an_archive_that_unpacks_to_more_than_its_file_is_refused(tmp_path: Path) -> None:
    honest, bomb = save_released(tmp_path / "a.ckpt", small_state(base=16)), tmp_path / "bomb.ckpt"
    with zipfile.ZipFile(honest) as given, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        for part in given.infolist():
            packed.writestr(
                part.filename, bytes(part.file_size) if "/data/" in part.filename else given.read(part)
            )
    with pytest.raises(CheckpointError, match="unpacked"):
        read_checkpoint(bomb)


def test_a_file_larger_than_any_network_is_not_read(tmp_path: Path) -> None:
    for name in ("a.ckpt", "a.safetensors"):
        path = save_released(tmp_path / name, small_state())
        os.truncate(path, 100 << 30)  # a hole, which takes no room on the disk
        with pytest.raises(CheckpointError, match="no network here is as large"):
            read_checkpoint(path)


def test_whole_numbers_are_no_weights(tmp_path: Path) -> None:
    state = small_state() | {"FAM1.merge.main.0.bias": torch.zeros(16, dtype=torch.int64)}
    with pytest.raises(CheckpointError, match="floating point"):
        load_lbag(save_released(tmp_path / "x.ckpt", state))


class Attack:
    """A pickle that makes a folder when it is read by Python's own unpickler."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.target),))


@pytest.mark.parametrize("new_format", [True, False])
def test_a_malicious_pickle_is_refused_and_does_not_run(tmp_path: Path, new_format: bool) -> None:
    trace = tmp_path / "trace"
    path = tmp_path / "evil.ckpt"
    content = {"global_step": Attack(trace), "state_dict": {"model": small_state()}}
    torch.save(content, path, _use_new_zipfile_serialization=new_format)
    with pytest.raises(CheckpointError, match=r"wants to load posix\.mkdir"):
        load_lbag(path)
    assert not trace.exists()
    torch.load(path, weights_only=False)  # the attack is a real one
    assert trace.exists()


@pytest.mark.parametrize(
    "content", [b"", b"not a checkpoint", b"\x80\x04]\x94.", b"PK\x03\x04 cut off", b"\x00" * 64]
)
@pytest.mark.parametrize("suffix", [".ckpt", ".pkl", ".safetensors"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=f"x{suffix}"):
        read_checkpoint(path)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
def test_a_checkpoint_that_was_cut_off_is_refused(tmp_path: Path, kept: float) -> None:
    path = save_released(tmp_path / "x.ckpt", small_state())
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(CheckpointError):
        read_checkpoint(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no weights at"):
        load_lbag(tmp_path / "nowhere.ckpt")


@pytest.mark.parametrize("content", [[1, 2], {"weights": torch.zeros(2)}, {"state_dict": {}}, {"model": 3}])
def test_a_pickle_of_something_else_is_refused(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "x.ckpt"
    torch.save(content, path)
    with pytest.raises(CheckpointError, match=r"x\.ckpt"):
        read_checkpoint(path)


def test_mimo_unet_is_known_but_cannot_deblur_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "MIMO-UNet.pkl"
    torch.save({"model": small_state(outputs=3)}, path)
    assert str(read_checkpoint(path).architecture).startswith("MIMO-UNet with 4 base channels")
    with pytest.raises(CheckpointError, match="has no gates"):
        load_lbag(path)


def test_mimo_unet_initialises_all_but_the_three_output_convolutions(tmp_path: Path) -> None:
    path = tmp_path / "MIMO-UNet.pkl"
    source = small_state(outputs=3)
    torch.save({"model": source}, path)
    model = LBAG(4, 2)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fresh = initialise_from_mimo_unet(model, path)
    assert len(fresh) == 6
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name] if name in fresh else source[name])


def test_mimo_unet_of_another_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "MIMO-UNet.pkl"
    torch.save({"model": small_state(outputs=3)}, path)
    with pytest.raises(CheckpointError, match="2 residual blocks"):
        initialise_from_mimo_unet(LBAG(4, 3), path)


def test_own_weights_come_back_with_their_story(tmp_path: Path) -> None:
    model = reference.lively_network(6, 1)
    path = tmp_path / "own.safetensors"
    digest = save_safetensors(path, model, trained=True, recipe={"steps": 7, "data": "lbs"}, note="a start")
    loaded, checkpoint = load_lbag(path)
    assert (checkpoint.trained, checkpoint.note) == (True, "a start")
    assert checkpoint.recipe == {"steps": 7, "data": "lbs"}
    assert (loaded.base, loaded.num_res) == (6, 1)
    pairs = zip(loaded.state_dict().values(), model.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    with safe_open(path, framework="pt") as file:
        assert file.metadata()["sha256"] == digest
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("gate_min", [0.0, 0.1, 0.25])
def test_own_weights_keep_the_clamp_of_their_gate(tmp_path: Path, gate_min: float) -> None:
    path = tmp_path / "own.safetensors"
    model = LBAG(4, 1, gate_min=gate_min)
    save_safetensors(path, model, trained=True, recipe={})
    loaded, checkpoint = load_lbag(path)
    assert loaded.gate.gate_min == checkpoint.gate_min == gate_min
    image = torch.rand(1, 3, 8, 8)
    assert torch.equal(loaded(image)[2].sharp, model.eval()(image)[2].sharp)


def test_own_weights_without_a_word_on_the_clamp_have_the_released_one(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    save_safetensors(path, LBAG(4, 1, gate_min=0.3), trained=True, recipe={})
    rewrite(path, load_file(path), architecture=json.dumps({"name": "lbag", "base": 4, "num_res": 1}))
    assert load_lbag(path)[0].gate.gate_min == 0.1


def rewrite(path: Path, state: State, **changes: str) -> None:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    save_file(state, path, metadata=metadata | changes)


def test_own_weights_with_one_changed_number_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    save_safetensors(path, reference.lively_network(4, 1), trained=True, recipe={})
    state = load_file(path)
    state["SCM1.conv.main.0.bias"][2] += 1e-6
    rewrite(path, state)
    with pytest.raises(CheckpointError, match="sha256 differs"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"architecture": "{"},
        {"architecture": json.dumps({"name": "lbag", "base": 8, "num_res": 1})},
        {"architecture": json.dumps({"name": "lbag", "base": 4, "num_res": 1, "gate_min": "0.1"})},
        {"architecture": json.dumps({"name": "lbag", "base": 4, "num_res": 1, "gate_min": -0.1})},
        {"architecture": '{"name": "lbag", "base": 4, "num_res": 1, "gate_min": NaN}'},
        {"architecture": json.dumps({"name": "lbag", "base": 4, "num_res": 1, "gate_min": True})},
        {"trained": '"yes"'},
        {"architecture": json.dumps({"name": "lbag", "base": 4, "num_res": 1, "gate_min": 10**400})},
        {"recipe": "[]"},
        {"recipe": "[" * 100_000},
        {"recipe": '{"steps": ' + "1" * 5000 + "}"},
    ],
)
def test_own_weights_with_a_wrong_header_are_refused(tmp_path: Path, change: dict[str, str]) -> None:
    path = tmp_path / "own.safetensors"
    save_safetensors(path, reference.lively_network(4, 1), trained=True, recipe={})
    rewrite(path, load_file(path), **change)
    with pytest.raises(CheckpointError, match=r"own\.safetensors"):
        read_checkpoint(path)


def test_own_weights_have_their_own_suffix(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="safetensors"):
        save_safetensors(tmp_path / "x.ckpt", reference.lively_network(4, 1), trained=False, recipe={})


def test_what_a_note_holds_beside_text_never_reaches_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    note = "\x1b]0;owned\x07\x1b[2J\ntrained well"
    save_safetensors(path, LBAG(4, 1), trained=True, recipe={}, note=note)
    assert read_checkpoint(path).note == "\\x1b]0;owned\\x07\\x1b[2J trained well"


def test_weights_that_cannot_be_written_are_one_clear_line_and_leave_no_part(tmp_path: Path) -> None:
    path = tmp_path / "taken.safetensors"
    path.mkdir()
    with pytest.raises(CheckpointError, match="cannot write"):
        save_safetensors(path, LBAG(4, 1), trained=True, recipe={})
    assert list(tmp_path.iterdir()) == [path]


def test_own_weights_may_be_read_by_whom_the_umask_lets(tmp_path: Path) -> None:
    path, plain = tmp_path / "own.safetensors", tmp_path / "plain"
    save_safetensors(path, LBAG(4, 1), trained=True, recipe={})
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode
