"""The verdict on a developed pair: right pairs pass, each fault is found and named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from processing.clipping import clipped_shares
from processing.errors import ProcessingError
from processing.pair_verdict import judge
from processing.pipeline import ScenePipeline
from processing.verdict import PairVerdict
from rig.capture.findings import Finding
from tests.processing.scenes import record_session
from tests.processing.sensor import photo, raw


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> ScenePipeline:
    folder: Path = tmp_path_factory.mktemp("verdict")
    return ScenePipeline.from_session(record_session(folder / "session"), "s01")


def test_a_static_pair_has_nothing_wrong(pipeline: ScenePipeline) -> None:
    pair = pipeline.takes.static[0].load()
    verdict = judge(pipeline, pair, pipeline.develop(pair.b, pair.s), None, None)
    assert [one for one in verdict.findings if one.level != "note"] == []
    assert verdict.figures["clipped_B_background_G"] == 0


def test_a_verdict_comes_back_from_json_and_sorts_the_worst_first() -> None:
    made = PairVerdict.of([Finding("note", "a"), Finding("stop", "b", "c", 0.5)], {"x": 1 / 3, "y": np.nan})
    assert made.level == "stop"
    assert [one.text for one in made.findings] == ["b", "a"]
    assert made.figures == {"x": 0.333333}
    assert PairVerdict.from_dict(json.loads(json.dumps(made.to_dict()))) == made
    with pytest.raises(ProcessingError, match="no verdict"):
        PairVerdict.from_dict({"findings": [{"level": "worse", "text": ""}], "figures": {}})


def test_clipped_shares_are_told_apart_for_object_and_background() -> None:
    light = photo()
    light[100:200, 100:300, 1] = 3.0  # green clips in half of the object
    mask = np.zeros((480, 600), np.uint8)
    mask[84:184, 80:480] = 255  # the box starts at row 16, column 20
    shares = clipped_shares(raw(light, np.random.default_rng(1)), mask, (16, 496, 20, 620))
    assert shares["object"]["G"] == pytest.approx(0.5, abs=0.02)
    assert shares["background"]["G"] == pytest.approx(0, abs=0.002)
    assert shares["object"]["R"] < 0.01
