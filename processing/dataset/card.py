"""What a data set says of itself: dataset_description.json for machines, README.md for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from statistics import fmean
from typing import Any

from processing.dataset.pixels import Written
from processing.dataset.plan import LAYOUT, ExportPlan, ScenePlan
from processing.dataset.table import pairs_table
from processing.page import paper_figures as paper
from rig.session import Session
from rig.session_files import read_card

__all__ = ["card_text", "description", "pairs_table"]


def description(plan: ExportPlan, written: Mapping[str, Written]) -> dict[str, Any]:
    """Return the content of dataset_description.json, after the example of BIDS; no dates of the export."""
    cards = [_card(session) for session in plan.sessions]
    operators = sorted({session.operator for session in plan.sessions if session.operator})
    licences = sorted({card["License"] for card in cards if card["License"]})
    return {
        "Name": plan.wishes.name or " + ".join(session.root.name for session in plan.sessions),
        "DatasetType": "derivative",
        "Layout": LAYOUT,
        "ExportId": plan.id,
        "License": plan.wishes.license or "; ".join(licences),
        "Authors": list(plan.wishes.authors) or operators,
        "GeneratedBy": [{"Name": "beamrig", "Version": version(), "Command": "beamrig export"}],
        "SourceDatasets": cards,
        "Statistics": statistics(plan, written),
        "Scenes": [_scene(scene) for scene in plan.scenes],
        "LeftOut": [one.__dict__ for one in plan.left_out],
        "Notes": list(plan.notes),
    }


def version() -> str:
    """Return the version of beamrig."""
    try:
        return metadata.version("beamrig")
    except metadata.PackageNotFoundError:
        return "unknown"


def _card(session: Session) -> dict[str, Any]:
    card = read_card(session.root / "session.yaml", "", "")
    return {
        "Session": session.root.name,
        "Id": session.id,
        "Created": session.created,
        "Operator": session.operator,
        "Rig": session.rig_profile.name,
        "ProfileHashes": dict(session.profile_hashes),
        "License": str(card.get("licence") or card.get("license") or ""),
        "Consent": str(card.get("consent") or card.get("consent_note") or ""),
    }


def _scene(scene: ScenePlan) -> dict[str, Any]:
    source = scene.source
    return {
        "Name": scene.name,
        "Split": scene.split,
        "SessionId": source.session.id,
        "SourceScene": source.name,
        "Pairs": len(scene.items),
        "Crop": {"x": scene.window.x, "y": scene.window.y, "width": scene.window.width,
                 "height": scene.window.height, "of": list(scene.box)},
        "Plan": dict(scene.items[0].pair.plan),
        "Profile": source.metrics.get("profile"),
        "Calibration": source.metrics.get("calibration"),
        "StaticPair": source.metrics.get("static_pair"),
        "ResidualPx": source.metrics.get("residual_px"),
        "Blur": source.metrics.get("blur"),
    }  # fmt: skip


def statistics(plan: ExportPlan, written: Mapping[str, Written]) -> dict[str, Any]:
    """Return the figures that the paper gives of its data set; None for what was not measured."""
    metrics = [scene.source.metrics for scene in plan.scenes]
    blurs = [one["blur"] for one in metrics if one.get("blur")]
    static = {
        state: {
            name: mean_of(((one.get("static_pair") or {}).get(state) or {}).get(name) for one in metrics)
            for name in ("delta_l_percent", "psnr_db", "ssim")
        }
        for state in ("before", "after")
    }
    return {
        "pairs": {split: _count(plan, split)[0] for split in ("train", "test")},
        "scenes": {split: _count(plan, split)[1] for split in ("train", "test")},
        "size": sorted({f"{scene.window.width}x{scene.window.height}" for scene in plan.scenes}),
        "mask_percent_mean": fmean(one.figures["mask_percent"] for one in written.values()),
        "blur_b_px": _range([one["b_px"] for one in blurs] + _of_pairs(plan, "blur_B_px")),
        "blur_s_px": _range([one["s_px"] for one in blurs] + _of_pairs(plan, "blur_S_px")),
        "static_pair": static,
        "residual_px_mean": mean_of((one.get("residual_px") or {}).get("mean") for one in metrics),
        "background_delta_l_percent_mean": fmean(
            one.figures["background_delta_l_percent"] for one in written.values()
        ),
        "psnr_db_mean": fmean(one.figures["psnr_db"] for one in written.values()),
        "ssim_mean": fmean(one.figures["ssim"] for one in written.values()),
    }


def mean_of(values: Iterable[float | None]) -> float | None:
    """Return the mean of what is known; None when nothing is."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _of_pairs(plan: ExportPlan, name: str) -> list[float]:
    found = (item.pair.figures.get(name) for _, item in plan.items())
    return [float(value) for value in found if value is not None]


def _range(values: Sequence[float]) -> list[float] | None:
    return [min(values), max(values)] if values else None


def _count(plan: ExportPlan, split: str) -> tuple[int, int]:
    scenes = [scene for scene in plan.scenes if scene.split == split]
    return sum(len(scene.items) for scene in scenes), len(scenes)


def card_text(plan: ExportPlan, facts: Mapping[str, Any]) -> str:
    """Return README.md: figures beside the paper's, use, splits, origin, what was left out."""
    return "\n".join(
        [
            f"# {line(facts['Name'])}",
            "",
            "Pairs of a locally blurred (B, long exposure) and a sharp picture (S, short exposure) of the"
            " same instant, with masks of what moves, in the layout of ReLoBlur. Made by beamrig"
            f" {facts['GeneratedBy'][0]['Version']}; export id `{facts['ExportId']}`.",
            "",
            "## Figures",
            "",
            *_figures(facts["Statistics"]),
            "",
            *(f"- Note: {line(note)}" for note in facts["Notes"]),
            *([""] if facts["Notes"] else []),
            *_USE,
            "## Scenes",
            "",
            "No scene is in both splits. A scene's split is a hash of its session's id and its name, or was"
            " chosen by name; it does not change when other sessions are added.",
            "",
            *_scenes(plan, facts),
            "",
            "## Left out",
            "",
            *_left_out(plan),
            "",
            "## Licence, people, origin",
            "",
            *_rights(facts),
            "",
            "`pairs.csv` names for every pair its session, scene and shot, exposures, plan, sync proof,"
            " calibration and SHA-256 of the RAW, developed and exported files."
            " `sha256sum -c SHA256SUMS` verifies the copy; `beamrig export --check DIR` walks it by the rules"
            " of the published loader.",
            "",
        ]
    )


_USE = (
    "## Use",
    "",
    "With the published code, link this folder as `data` and leave its `data_dir: data/dataset`:",
    "",
    "    ln -s /path/to/this/folder data",
    "",
    "Use that relative path: the loader replaces `sharp` by `blur` and `dataset` by `masks` in the whole path"
    " and takes a picture's name from what follows the third slash. It cuts masks to 2152x1436 and pads"
    " pictures to multiples of 4; the pictures here need neither.",
    "",
)


def _figures(found: Mapping[str, Any]) -> Iterable[str]:
    pairs, scenes = found["pairs"], found["scenes"]
    after, before = found["static_pair"]["after"], found["static_pair"]["before"]
    theirs_before, theirs = paper.STATIC_PAIR["before"], paper.STATIC_PAIR["after"]
    rows = [
        ("pairs, train / test", f"{pairs['train']} / {pairs['test']}",
         f"{paper.PAIRS['train']} / {paper.PAIRS['test']}"),
        ("scenes, train / test", f"{scenes['train']} / {scenes['test']}", "not given"),
        ("size", ", ".join(found["size"]), f"{paper.WIDTH}x{paper.HEIGHT}"),
        ("blurred area, mean", _number(found["mask_percent_mean"], 2, " %"),
         f"{paper.BLUR_AREA_PERCENT} %"),
        ("blur length in B", _span(found["blur_b_px"]),
         f"{paper.BLUR_B_PX[0]:.0f} to {paper.BLUR_B_PX[1]:.0f} px"),
        ("blur length in S", _span(found["blur_s_px"]), f"up to {paper.BLUR_S_MAX_PX:.0f} px"),
    ]  # fmt: skip
    for title, key, digits, unit in (
        ("ΔL", "delta_l_percent", 3, " %"), ("PSNR", "psnr_db", 2, " dB"), ("SSIM", "ssim", 4, "")
    ):  # fmt: skip
        ours = f"{_number(before[key], digits, unit)} → {_number(after[key], digits, unit)}"
        printed = f"{theirs_before[key]:.{digits}f}{unit} → {theirs[key]:.{digits}f}{unit}"
        rows.append((f"{title} of the static pairs, before → after", ours, printed))
    rows += [
        ("geometric error after", _number(found["residual_px_mean"], 3, " px"),
         f"{paper.GEOMETRIC_ERROR_PX['after']:.0f} px"),
        ("ΔL outside of the masks, mean", _number(found["background_delta_l_percent_mean"], 3, " %"),
         "not given"),
        ("PSNR of B against S, whole pictures", _number(found["psnr_db_mean"], 2, " dB"), "not given"),
        ("SSIM of B against S, whole pictures", _number(found["ssim_mean"], 4), "not given"),
    ]  # fmt: skip
    return _table(("figure", "here", "ReLoBlur (paper)"), rows)


def _scenes(plan: ExportPlan, facts: Mapping[str, Any]) -> Iterable[str]:
    rows = []
    for scene, fact in zip(plan.scenes, facts["Scenes"], strict=True):
        blur = fact["Blur"] or {}
        rows.append(
            (
                scene.name,
                scene.split,
                f"{scene.source.session.root.name}/{scene.source.name}",
                str(fact["Pairs"]),
                f"{scene.window.width}x{scene.window.height} at {scene.window.x}, {scene.window.y}",
                f"{_number(blur.get('b_px'), 1)} / {_number(blur.get('s_px'), 1)} px",
                f"`{fact['Calibration']}`",
            )
        )
    return _table(("scene", "split", "recorded as", "pairs", "crop", "blur B / S", "calibration"), rows)


def _left_out(plan: ExportPlan) -> Iterable[str]:
    if not plan.left_out:
        return ["Nothing: every action shot of the sessions is here."]
    rows = [(f"{one.session}/{one.shot}", one.why) for one in plan.left_out]
    return _table(("shot", "why"), rows)


def _rights(facts: Mapping[str, Any]) -> Iterable[str]:
    yield f"- Licence: {line(facts['License'] or 'none was given; ask the authors before you use it')}"
    yield f"- Authors: {line(', '.join(facts['Authors']) or 'not given')}"
    for card in facts["SourceDatasets"]:
        yield f"- Session {line(card['Session'])} (id `{card['Id']}`), {card['Created']}, rig" + (
            f" {line(card['Rig'])}; consent of the people shown: {line(card['Consent'] or 'no note')}"
        )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return lines + [f"| {' | '.join(line(cell) for cell in row)} |" for row in rows]


def line(text: object) -> str:
    """Return a text from outside as one harmless line of Markdown."""
    words = " ".join(str(text).split())
    return words.replace("|", "\\|").replace("<", "&lt;")


def _number(value: float | None, digits: int, unit: str = "") -> str:
    return "not measured" if value is None else f"{value:.{digits}f}{unit}"


def _span(values: Sequence[float] | None) -> str:
    if values is None:
        return "not measured"
    low, high = f"{values[0]:.2f}", f"{values[1]:.2f}"
    return f"{low} px" if low == high else f"{low} to {high} px"
