"""An evaluation as tables for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from rich import box
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from models.evaluation.candidates import INPUT, About
from models.evaluation.figures import FIGURES, INFINITE, Figure
from models.evaluation.published import KEYS, TABLE_1, TABLE_3, PaperRow
from models.evaluation.report import gains, means
from models.evaluation.run import Evaluation, ModelFigures
from models.evaluation.store import ImageResult

__all__ = ["ablation_table", "images_table", "means_table", "paper_table", "print_evaluation"]

NONE = "–"
SWITCHES = ("Ga", "BAPC", "SSIM", "Pretr")
UNBOUNDED = 10_000
LEAST_NAME = 18
"""Letters in front of a table; a longer name goes on below, so that the figures stay on one screen."""


def print_evaluation(
    out: Console, evaluation: Evaluation, parts: Sequence[str], *, of_the_paper: bool
) -> None:
    """Print the tables: of one network every picture, of several the layout of the paper's Table 3, too."""
    columns = [figure for figure in FIGURES if figure.part in parts and _has_any(evaluation, figure.key)]
    networks = evaluation.models[1:]
    shown: list[RenderableType] = []
    if len(networks) <= 1:
        first = (networks or evaluation.models)[0]
        shown += _fitting(out, columns, lambda some: images_table(first, some))
    shown += _fitting(out, columns, lambda some: means_table(evaluation, some))
    if len(networks) > 1:
        shown.append(ablation_table(networks, TABLE_3 if of_the_paper else ()))
    if of_the_paper:
        shown.append(paper_table(TABLE_1, len(evaluation.models[0].images), evaluation.pairs))
    for table in shown:
        out.print(table)
    for line in _left_out(evaluation, parts):
        out.print(line, markup=False, soft_wrap=True)
    for name, why in sorted(evaluation.failed.items()):
        out.print(f"[red]failed[/red] {escape(name)}: {escape(why)}", soft_wrap=True)


def _fitting(out: Console, columns: Sequence[Figure], table: Callable[[list[Figure]], Table]) -> list[Table]:
    """Return one table of all columns or, where the screen is too narrow, several; parts stay together."""
    tables: list[Table] = []
    now: list[Figure] = []
    unbounded = out.options.update_width(UNBOUNDED)  # what is measured is cut at the width of the screen
    for part in dict.fromkeys(figure.part for figure in columns):
        more = [figure for figure in columns if figure.part == part]
        if now and Measurement.get(out, unbounded, table(now + more)).minimum > out.width:
            tables.append(table(now))
            now = []
        now = now + more
    return [*tables, table(now)]


def images_table(model: ModelFigures, columns: Sequence[Figure]) -> Table:
    """Return the figures of every picture; one that is not defined is a dash, an infinite one ∞."""
    table = _table(f"every picture, {model.about.name}", "picture", map(_head, columns))
    for _, image in sorted(model.images.items()):
        table.add_row(escape(image.name), *(_cell(image, figure) for figure in columns))
    return table


def means_table(evaluation: Evaluation, columns: Sequence[Figure]) -> Table:
    """Return the means of the input and of every network, and what each gains over the input."""
    blurred, *networks = evaluation.models
    table = _table(f"mean of {len(blurred.images)} pictures", "", map(_head, columns))

    def add(name: str, found: Mapping[str, float], sign: str = "") -> None:
        table.add_row(
            escape(name),
            *(format(found[f.key], f"{sign}.{f.digits}f") if f.key in found else NONE for f in columns),
        )

    add(blurred.about.name, _values(means, blurred))
    for model in networks:
        add(model.about.name, _values(means, model))
        add("  gain", {key: one.value for key, one in gains(model, blurred).items()}, "+")
    return table


def ablation_table(networks: Iterable[ModelFigures], paper: Sequence[PaperRow]) -> Table:
    """Return the layout of the paper's Table 3: one network a row, with what it was trained with.

    Args:
        networks: Ours, in the order of the rows.
        paper: The printed rows, where they are of the same pictures.
    """
    columns = [next(figure for figure in FIGURES if figure.key == key) for key in KEYS]
    table = _table(
        "ablations, as Table 3 (released reading)", "No.", (*SWITCHES, *(f.title for f in columns))
    )
    for number, model in enumerate(networks, 1):
        found = _values(means, model)
        table.add_row(
            escape(f"{number} {model.about.name}"),
            *map(_tick, _switches(model.about)),
            *(format(found[f.key], f".{f.digits}f") if f.key in found else NONE for f in columns),
        )
    if paper:
        table.add_section()
    for row in paper:
        ticks = map(_tick, row.switches or ())
        table.add_row(
            f"paper {row.name}", *ticks, *(format(row.figures[f.key], f".{f.digits}f") for f in columns)
        )
    return table


def paper_table(rows: Sequence[PaperRow], looked_at: int, pairs: int) -> Table:
    """Return the paper's Table 1, labelled as what it is."""
    columns = [next(figure for figure in FIGURES if figure.key == key) for key in KEYS]
    part = "" if looked_at == pairs else f"; ours above is of {looked_at} of the {pairs}"
    title = f"printed in the paper, Table 1: ReLoBlur's {pairs} test pairs (released reading){part}"
    table = _table(title, "", (figure.title for figure in columns))
    for row in rows:
        table.add_row(row.name, *(format(row.figures[f.key], f".{f.digits}f") for f in columns))
    return table


def _table(title: str, first: str, heads: Iterable[str]) -> Table:
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False
    )
    table.add_column(first, overflow="fold", min_width=LEAST_NAME)
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    return table


def _head(figure: Figure) -> str:
    local = figure.part in ("released", "paper")
    return f"{figure.title}\n{figure.part}" if local else figure.title.replace(" ", "\n")


def _cell(image: ImageResult, figure: Figure) -> str:
    if figure.key in image.values:
        return format(image.values[figure.key], f".{figure.digits}f")
    return "∞" if image.undefined.get(figure.key) == INFINITE else NONE


def _has_any(evaluation: Evaluation, key: str) -> bool:
    """Tell whether a figure was asked for and means something anywhere: no columns of dashes."""
    images = (image for model in evaluation.models for image in model.images.values())
    return any(key in image.values or image.undefined.get(key) == INFINITE for image in images)


def _values(of: Callable[[ModelFigures], Mapping[str, object]], model: ModelFigures) -> dict[str, float]:
    return {key: getattr(one, "value", float("nan")) for key, one in of(model).items()}


def _switches(about: About) -> tuple[bool | None, ...]:
    return about.gate, about.bapc, about.ssim_loss, about.pretrained


def _tick(switch: bool | None) -> str:
    return "?" if switch is None else ("✓" if switch else "")


def _left_out(evaluation: Evaluation, parts: Sequence[str]) -> list[str]:
    """Return a line for figures that have no value in some pictures: their mean is of the others."""
    lines = []
    for model in evaluation.models:
        groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for figure in FIGURES:
            why: dict[str, list[str]] = {}
            for image in model.images.values():
                if figure.part in parts and figure.key in image.undefined:
                    why.setdefault(image.undefined[figure.key], []).append(image.name)
            for reason, names in why.items():
                groups.setdefault((reason, tuple(names)), []).append(figure.title)
        for (reason, pictures), titles in groups.items():
            if not (model.about.name == INPUT and titles == ["mask IoU"]):  # the input predicts no mask
                lines.append(
                    f"{model.about.name}: {', '.join(dict.fromkeys(titles))} of {len(pictures)} of "
                    f"{len(model.images)} pictures not in the mean: {reason}"
                )
    return lines
