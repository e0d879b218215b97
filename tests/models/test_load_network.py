"""Every registered network comes back from our own format and from the wrapping of its authors' files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from models.checkpoints import load_lbag, load_network, save_safetensors
from models.errors import CheckpointError
from models.networks.entry import NetworkEntry
from models.networks.registry import NETWORKS
from tests.models.test_registry import every_network, tiny


def assert_same(model: torch.nn.Module, other: torch.nn.Module) -> None:
    ours, theirs = model.state_dict(), other.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) and ours[key].dtype == theirs[key].dtype for key in ours)


@every_network
def test_own_weights_name_their_network_and_its_size(tmp_path: Path, entry: NetworkEntry) -> None:
    path = tmp_path / "own.safetensors"
    model = tiny(entry)
    save_safetensors(path, model, trained=True, recipe={"steps": 9}, note="tiny")
    loaded, checkpoint = load_network(path)
    assert_same(loaded, model)
    assert not loaded.training
    assert checkpoint.architecture.name == entry.name
    assert (checkpoint.source, checkpoint.trained, checkpoint.note) == ("beamrig", True, "tiny")
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()["architecture"])
    assert header == {"name": entry.name, **checkpoint.architecture.size, **checkpoint.settings}


@every_network
def test_a_file_wrapped_as_the_authors_do_is_read(tmp_path: Path, entry: NetworkEntry) -> None:
    model = tiny(entry)
    content: Any = model.state_dict()
    for key in reversed(entry.wrapped):
        content = {key: content}
    path = tmp_path / "theirs.pth"
    torch.save(content, path)
    for name in (None, entry.name):
        loaded, checkpoint = load_network(path, name)
        assert_same(loaded, model)
        assert checkpoint.architecture.name == entry.name


@every_network
def test_a_state_dict_that_lacks_one_parameter_is_refused(tmp_path: Path, entry: NetworkEntry) -> None:
    content: Any = dict(tiny(entry).state_dict())
    lost = list(content)[-1]
    del content[lost]
    for key in reversed(entry.wrapped):
        content = {key: content}
    torch.save(content, tmp_path / "cut.pth")
    with pytest.raises(CheckpointError, match=r"cut\.pth") as caught:
        load_network(tmp_path / "cut.pth", entry.name)
    assert lost in caught.value.message


def test_the_network_that_is_wanted_must_be_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    save_safetensors(path, tiny(NETWORKS["deep-deblur"]), trained=True, recipe={})
    with pytest.raises(CheckpointError, match=r"holds DeepDeblur with 2 scales.*not LBAG"):
        load_network(path, "lbag")
    with pytest.raises(CheckpointError, match="holds DeepDeblur, not LBAG"):
        load_lbag(path)
    with pytest.raises(CheckpointError, match="no network is called 'lbga'"):
        load_network(path, "lbga")


def test_a_network_that_is_not_registered_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="Conv2d is no registered network"):
        save_safetensors(tmp_path / "x.safetensors", torch.nn.Conv2d(3, 3, 3), trained=False, recipe={})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "lbag-3"}, "no network here"),
        ({"name": ["lbag"]}, "no network here"),
        ({"name": "mimo-unet"}, "does not hold MIMO-UNet"),
        ({"base": "4"}, "says it is"),
        ({"base": 10**12}, "says it is"),
        ({"drop": 0.5}, "says it is"),
        ({"gate_min": None}, "no number"),
        ({"gate_min": [0.1]}, "no number"),
        ({"gate_min": 1.5}, "cannot be"),
        ({"gate_min": float("inf")}, "no number"),
    ],
    ids=str,
)
def test_a_header_that_says_something_else_is_refused(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    path = tmp_path / "own.safetensors"
    save_safetensors(path, tiny(NETWORKS["lbag"]), trained=True, recipe={})
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    stated = json.loads(metadata["architecture"]) | change
    save_file(load_file(path), path, metadata=metadata | {"architecture": json.dumps(stated)})
    with pytest.raises(CheckpointError, match=told):
        load_network(path)


def test_weights_written_before_there_were_other_networks_are_read(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    model = tiny(NETWORKS["lbag"])
    save_safetensors(path, model, trained=True, recipe={})
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    save_file(load_file(path), path, metadata=metadata | {"format": "beamrig-lbag-1"})
    assert_same(load_network(path)[0], model)
