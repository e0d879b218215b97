"""The project's own C libraries, when what was built is not what the source asks for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from processing import geometry, png
from rig.camera import unpack
from rig.errors import BeamrigError
from rig.native import open_library


class OfThisTest(BeamrigError):
    """What the test asks the loader to raise."""


def test_a_function_that_an_older_library_lacks_is_asked_for_with_the_way_out(tmp_path: Path) -> None:
    older = shutil.copy(png.LIBRARY, tmp_path / geometry.LIBRARY.name)
    library = open_library(Path(older), OfThisTest)
    assert library.br_png_room
    with pytest.raises(OfThisTest, match="older source: it has no br_cell_sums") as raised:
        library.br_cell_sums.argtypes = []
    assert "setup.py build_ext --inplace" in (raised.value.hint or "")


@pytest.mark.parametrize("size", [0, 500])
def test_a_library_that_was_cut_off_is_no_traceback(tmp_path: Path, size: int) -> None:
    cut = tmp_path / "beamrig_unpack.so"
    cut.write_bytes(Path(unpack.LIBRARY).read_bytes()[:size])
    with pytest.raises(OfThisTest, match="cannot be loaded") as raised:
        open_library(cut, OfThisTest)
    assert "setup.py build_ext --inplace" in (raised.value.hint or "")
