from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gui.settings import Settings, load_settings, save_settings, settings_path


def test_what_was_saved_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "gui.json"
    assert save_settings(Settings(speed="2 m/s", own_pairs={"static": 3}), path)
    assert load_settings(path) == (Settings(speed="2 m/s", own_pairs={"static": 3}), "")


def test_a_first_start_has_defaults_and_nothing_to_complain(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.json") == (Settings(), "")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@hypothesis_settings(deadline=None, max_examples=80)
def test_no_file_whatever_stops_the_start(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gui.json"
        path.write_bytes(content)
        settings, _ = load_settings(path)
        assert isinstance(settings, Settings)


def test_good_fields_survive_a_wrong_one_and_the_operator_is_told(tmp_path: Path) -> None:
    path = tmp_path / "gui.json"
    path.write_text('{"own_pairs": {"static": -4}, "speed": "3 m/s", "page": "cellar", "unknown": 1}')
    settings, complaint = load_settings(path)
    assert settings == Settings(speed="3 m/s")
    assert "own_pairs" in complaint
    assert "page" in complaint


def test_a_folder_in_the_place_of_the_file_is_no_reason_not_to_start(tmp_path: Path) -> None:
    settings, complaint = load_settings(tmp_path)
    assert settings == Settings()
    assert complaint


def test_a_disk_that_refuses_is_reported_and_not_raised(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert not save_settings(Settings(), blocked / "gui.json")


def test_the_place_can_be_given_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEAMRIG_SETTINGS", str(tmp_path / "other.json"))
    assert settings_path() == tmp_path / "other.json"
    monkeypatch.delenv("BEAMRIG_SETTINGS")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert settings_path() == tmp_path / "beamrig" / "gui.json"
