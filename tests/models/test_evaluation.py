"""Evaluations on small made pairs: figures, resuming, stopping, and the paper's tables."""

from __future__ import annotations

import io
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

from models import room
from models.checkpoints import save_safetensors
from models.deblur import DeblurEngine
from models.errors import Cancelled, EvaluationError
from models.evaluation.candidates import About, InputAsItIs, open_candidate, open_candidates
from models.evaluation.figures import FIGURES, judge, to_8bit
from models.evaluation.published import KEYS, TABLE_1, TABLE_3, is_reloblur
from models.evaluation.report import gains, means, report_of
from models.evaluation.run import Evaluation, ModelFigures, chosen_indices, evaluate
from models.evaluation.store import FiguresFile, ImageResult
from models.evaluation.tables import ablation_table, print_evaluation
from models.networks.mimo_unet import MIMOUNet
from tests.models.made_pairs import Pairs
from tests.models.reference_lbag import lively_network

ALL = ("whole", "released", "paper", "blur")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    recipe = {"init": "", "patches": {"blurred_share": 0.5}, "losses": {"ssim": 0.0}}
    save_safetensors(path, lively_network(4, 1), trained=True, recipe=recipe)
    return path


def run(path: Path, source: Any = None, **settings: Any) -> Evaluation:
    candidate = open_candidate(str(path), "cpu", "fp32")
    return evaluate([candidate], Pairs() if source is None else source, workers=2, **settings)


def test_figures_are_those_of_the_engine_s_pictures_and_of_the_input(weights: Path) -> None:
    evaluation = run(weights)
    blurred, model = evaluation.models
    engine = DeblurEngine(weights, "cpu", "fp32")
    for index, pair in enumerate(Pairs()):
        made = engine.run(pair.blurred)
        expected = judge(to_8bit(pair.sharp), to_8bit(made.sharp), pair.mask, made.mask)
        assert model.images[index].values == expected.values
        before = judge(to_8bit(pair.sharp), to_8bit(pair.blurred), pair.mask, None)
        assert blurred.images[index].values == before.values
    assert blurred.about.name == "input"
    assert len(model.images) == 3


def test_kept_figures_are_found_again_and_only_what_changed_is_done(weights: Path, tmp_path: Path) -> None:
    run(weights, out=tmp_path)
    (file,) = (path for path in tmp_path.glob("*.jsonl") if path.name != "input.jsonl")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        line["values"]["whole.psnr_db"] = 77.0
    torn = json.dumps(lines[2])[:-9]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines[:2]) + torn)
    found = run(weights, out=tmp_path).models[1].images
    assert [found[index].values["whole.psnr_db"] == 77.0 for index in range(3)] == [True, True, False]
    again = run(weights, out=tmp_path).models[1].images
    assert again == found
    other = run(weights, Pairs(seed=1), out=tmp_path).models[1].images
    assert all(image.values["whole.psnr_db"] < 60 for image in other.values())


def test_figures_without_alignment_do_not_count_where_it_is_asked(weights: Path, tmp_path: Path) -> None:
    bare = run(weights, out=tmp_path, align=False).models[1].images[0]
    assert "released.psnr_a_db" not in {**bare.values, **bare.undefined}
    full = run(weights, out=tmp_path).models[1].images[0]
    assert "released.psnr_a_db" in full.values
    assert run(weights, out=tmp_path, align=False).models[1].images[0] == full


def test_other_weights_have_figures_of_their_own(weights: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    save_safetensors(other, lively_network(6, 1), trained=True, recipe={})
    first = run(weights, out=tmp_path / "out", align=False)
    second = run(other, out=tmp_path / "out", align=False)
    assert first.models[0].images == second.models[0].images
    assert first.models[1].images[0].values != second.models[1].images[0].values


def test_a_stopped_evaluation_keeps_what_is_done_and_goes_on(weights: Path, tmp_path: Path) -> None:
    cancel = threading.Event()
    told: list[float] = []

    def watch(done: float, text: str) -> None:
        told.append(done)
        if done > 0.5:
            cancel.set()

    stopped = run(weights, out=tmp_path, progress=watch, cancel=cancel)
    assert stopped.cancelled
    assert sorted(stopped.models[1].images) == [0]
    assert told == sorted(told)
    whole = run(weights, out=tmp_path)
    assert not whole.cancelled
    assert whole.models[1].images[0] == stopped.models[1].images[0]
    assert sorted(whole.models[1].images) == [0, 1, 2]


def test_a_damaged_pair_is_told_and_the_others_have_figures(weights: Path) -> None:
    evaluation = run(weights, Pairs(broken=1))
    assert evaluation.failed == {"pair 1": "picture 1 is damaged"}
    assert sorted(evaluation.models[1].images) == [0, 2]


@pytest.mark.parametrize("change", [{"name": 7}, {"digest": None}, {"seconds": "long"}, {"version": 1}])
def test_a_kept_line_of_another_form_does_not_count(tmp_path: Path, change: dict[str, Any]) -> None:
    kept = ImageResult("a", "d", 48, 64, True, {"whole.psnr_db": 30.0})
    FiguresFile(tmp_path, "k").add(kept)
    assert FiguresFile(tmp_path, "k").find("d", aligned=True) == kept
    (tmp_path / "k.jsonl").write_text(json.dumps(json.loads((tmp_path / "k.jsonl").read_text()) | change))
    assert FiguresFile(tmp_path, "k").find("d", aligned=True) is None


def test_a_limit_is_spread_evenly() -> None:
    assert chosen_indices(100, 5) == [0, 25, 50, 74, 99]
    assert chosen_indices(4, 9) == chosen_indices(4, None) == [0, 1, 2, 3]
    assert chosen_indices(10, 1) == [0]


def test_no_pairs_and_no_room_are_refused(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="no pair"):
        run(weights, Pairs(0))
    (tmp_path / "file").touch()
    with pytest.raises(EvaluationError, match="cannot write"):
        run(weights, out=tmp_path / "file")


def test_a_network_without_gates_is_evaluated_by_the_registry_s_rules(tmp_path: Path) -> None:
    torch.manual_seed(3)
    network = MIMOUNet(4, 2).eval()
    path = tmp_path / "mimo.pkl"
    torch.save({"model": network.state_dict()}, path)
    evaluation = run(path, Pairs(1))
    pair = Pairs()[0]
    planes = torch.from_numpy(pair.blurred.astype(np.float32) / 255).permute(2, 0, 1)[None]
    with torch.inference_mode():
        sharp = network(planes)[-1][0].permute(1, 2, 0).numpy()
    expected = judge(pair.sharp, np.rint(sharp.clip(0, 1) * 255).astype(np.uint8), pair.mask, None)
    model = evaluation.models[1]
    assert model.about.gate is False
    assert model.images[0].values == pytest.approx(expected.values, rel=1e-4)
    assert "no mask is predicted" in model.images[0].undefined["blur.mask_iou"]


def test_a_network_that_is_stopped_stops_within_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "mimo.pkl"
    torch.save({"model": MIMOUNet(4, 2).state_dict()}, path)
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        open_candidate(str(path), "cpu", "fp32").predict(Pairs()[0].blurred, stop, print)


def test_a_picture_too_large_for_the_memory_has_no_figures_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mimo.pkl"
    torch.save({"model": MIMOUNet(4, 2).state_dict()}, path)
    monkeypatch.setattr(room, "free_memory_bytes", lambda: 100_000)
    evaluation = run(path, Pairs(1))
    assert sorted(evaluation.models[0].images) == [0]
    (why,) = evaluation.failed.values()
    assert "MIMO-UNet takes 0.0 GB of memory for " in why


@pytest.mark.parametrize("gates", [True, False])
def test_a_network_that_makes_no_numbers_has_no_figures(tmp_path: Path, gates: bool) -> None:
    network = lively_network(4, 1) if gates else MIMOUNet(4, 1)
    with torch.no_grad():  # finite weights, whose products are not
        network.get_parameter("feat_extract.5.main.0.weight").mul_(1e30).clamp_(-3e38, 3e38)
        network.get_parameter("feat_extract.4.main.0.weight").mul_(1e20)
    path = tmp_path / "wild.safetensors"
    save_safetensors(path, network, trained=True, recipe={})
    evaluation = run(path, Pairs(1))
    assert not evaluation.models[1].images
    assert "not finite" in next(iter(evaluation.failed.values()))


def image(name: str, size: tuple[int, int] = (48, 64), **values: float | None) -> ImageResult:
    keys = {"psnr": "whole.psnr_db", "w": "released.psnr_w_db"}
    return ImageResult(
        name, name, *size, False,
        {keys[key]: value for key, value in values.items() if value is not None},
        {keys[key]: "the mask is empty" for key, value in values.items() if value is None},
    )  # fmt: skip


@pytest.fixture
def by_hand() -> Evaluation:
    """Two pictures, the second without a mask: the mean inside the mask is of the first alone."""
    blurred = ModelFigures(
        About("input", "input"), {0: image("a", psnr=30, w=20), 1: image("b", psnr=40, w=None)}
    )
    model = ModelFigures(
        About("net", "net", gate=True, bapc=False, pretrained=None, ssim_loss=True),
        {0: image("a", psnr=31, w=22), 1: image("b", psnr=39.5, w=None)},
    )
    return Evaluation([blurred, model], 2, [0, 1])


def test_what_is_not_defined_is_left_out_of_means_and_gains(by_hand: Evaluation) -> None:
    blurred, model = by_hand.models
    mean, gain = means(model), gains(model, blurred)
    assert (mean["released.psnr_w_db"].value, mean["released.psnr_w_db"].count) == (22, 1)
    assert (mean["whole.psnr_db"].value, mean["whole.psnr_db"].count) == (35.25, 2)
    assert gain["released.psnr_w_db"].value == 2
    assert gain["whole.psnr_db"].value == pytest.approx(0.25)


def test_the_report_is_json_and_tells_reasons(by_hand: Evaluation, tmp_path: Path) -> None:
    report = json.loads(json.dumps(report_of(by_hand, tmp_path, "test", ALL), allow_nan=False))
    second = report["models"][1]["images"][1]
    assert second["figures"] == {"whole": {"psnr_db": 39.5}, "released": {"psnr_w_db": None}}
    assert second["undefined"] == {"released.psnr_w_db": "the mask is empty"}
    assert second["gain"]["whole"]["psnr_db"] == pytest.approx(-0.5)
    assert report["models"][1]["counted"]["released"]["psnr_w_db"] == 1
    assert (report["paper"], report["data"]["reloblur"]) == (None, False)


def shown(evaluation: Evaluation, *, of_the_paper: bool = False, width: int = 150) -> str:
    console = Console(width=width, file=io.StringIO(), record=True)
    print_evaluation(console, evaluation, ALL, of_the_paper=of_the_paper)
    return console.export_text()


def test_tables_show_a_dash_and_say_why(by_hand: Evaluation) -> None:
    text = shown(by_hand)
    assert "–" in text
    assert "net: PSNR_w of 1 of 2 pictures not in the mean: the mask is empty" in text
    assert "+0.25" in text
    assert "printed in the paper" not in text


def test_several_networks_are_rows_of_table_3_with_what_they_were_trained_with(by_hand: Evaluation) -> None:
    by_hand.models.append(replace_about(by_hand.models[1], "second", gate=False))
    text = shown(by_hand, of_the_paper=True)
    head, rows = "", {}
    for line in text.split("ablations, as Table 3")[1].split("printed in the paper")[0].splitlines():
        head = line if "BAPC" in line else head
        rows[line[:18].strip()] = line
    ends = [head.index(name) + len(name) for name in ("Ga", "BAPC", "SSIM", "Pretr")]

    def cells(name: str) -> list[str]:
        return [rows[name][end - 1].strip() for end in ends]

    assert cells("1 net") == ["✓", "", "✓", "?"]
    assert cells("2 second") == ["", "", "✓", "?"]
    assert "22.00" in rows["1 net"]
    assert cells("paper 4") == ["✓", "✓", "", "✓"]
    assert "Table 1: ReLoBlur's 2 test pairs" in text


@pytest.mark.parametrize("width", [80, 100, 120, 200])
@pytest.mark.parametrize("networks", [1, 2])
def test_every_figure_and_every_head_is_whole_at_any_width(width: int, networks: int) -> None:
    undefined = dict.fromkeys((figure.key for figure in FIGURES), 12.3456)
    name = "s01-a-long-scene-name_action_t01_0000"
    images = {0: ImageResult(name, "d0", 1436, 2152, True, undefined)}
    models = [ModelFigures(InputAsItIs.about, images)]
    models += [ModelFigures(About(f"a-network-with-a-name-{n}", "k"), images) for n in range(networks)]
    text = shown(Evaluation(models, 1, [0]), of_the_paper=True, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for figure in FIGURES:
        assert all(word in text for word in figure.title.split())
    tables = 2 * len(FIGURES) + 3 + (1 if networks == 1 else 2 * 2)
    assert text.count("12.3") >= tables


def replace_about(model: ModelFigures, name: str, **changes: Any) -> ModelFigures:
    return ModelFigures(replace(model.about, name=name, **changes), model.images)


def test_a_table_of_ours_alone_has_no_printed_rows(by_hand: Evaluation) -> None:
    assert ablation_table(by_hand.models[1:], ()).row_count == 1


def test_the_switches_of_table_3_are_read_from_the_weights(weights: Path) -> None:
    about = open_candidate(str(weights), "cpu", "fp32").about
    assert (about.gate, about.bapc, about.ssim_loss, about.pretrained) == (True, True, False, False)


def test_networks_are_called_as_their_recipes_and_never_alike(tmp_path: Path) -> None:
    files = []
    for folder, recipe in (("a", "full"), ("b", "no gate"), ("c", "full")):
        files.append(tmp_path / folder / "weights.safetensors")
        files[-1].parent.mkdir()
        save_safetensors(files[-1], lively_network(4, 1), trained=True, recipe={"name": recipe})
    names = [one.about.name for one in open_candidates([*map(str, files), str(files[0])], "cpu", "fp32")]
    assert names == [f"full ({files[0]})", "no gate", f"full ({files[2]})"]


def layout(root: Path) -> Path:
    (root / "dataset" / "test" / "scene1" / "00").mkdir(parents=True)
    return root


def test_the_paper_s_tables_stand_only_beside_reloblur_s_test_pairs(tmp_path: Path) -> None:
    root, sizes = layout(tmp_path / "data"), {(1436, 2152)}
    assert is_reloblur(root, "test", 395, sizes)
    assert is_reloblur(root / "dataset", "test", 395, sizes)
    assert is_reloblur(tmp_path, "test", 395, sizes)
    assert not is_reloblur(root, "train", 395, sizes)
    assert not is_reloblur(root, "test", 394, sizes)
    assert not is_reloblur(root, "test", 395, {(1436, 2152), (359, 538)})
    assert not is_reloblur(root, "test", 395, ())
    assert not is_reloblur(tmp_path / "elsewhere", "test", 395, sizes)
    (root / "dataset_description.json").write_text("{}")
    assert not is_reloblur(root, "test", 395, sizes)


def test_the_printed_tables_agree_with_what_the_paper_says_of_them() -> None:
    best = TABLE_1[-1]
    assert all(
        value == max(column) for value, *column in zip(best.values, *(r.values for r in TABLE_1), strict=True)
    )
    assert TABLE_3[0].values == best.values  # line 1 is LBAG+
    for number, row in enumerate(TABLE_3[1:]):  # each further line leaves one thing out, in this order
        assert row.switches == tuple(place != number for place in range(4))
        assert all(ours <= full for ours, full in zip(row.values, best.values, strict=True))
    gate_off = dict(zip(KEYS, TABLE_3[1].values, strict=True))
    assert gate_off["released.psnr_w_db"] == 27.88
    assert set(KEYS) <= {figure.key for figure in FIGURES}
