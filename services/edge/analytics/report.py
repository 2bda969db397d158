"""Write a batch's results: JSON, CSV, pictures and a report in one file.

The report needs neither network nor scripts, and can be printed.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from markupsafe import Markup

from luna.contracts.edge_summary import EdgeSummary, LabEstimate
from luna.energy.errors import InvalidInputError, MachineError
from luna.platform.extras import DRAWING, require_extra
from luna.words import Numbers
from luna.words.charts.edge_pictures import LabPicture
from luna.words.charts.style import style
from luna.words.edge import (
    say_controller,
    say_difference,
    say_insight,
    say_location,
    say_metric,
    say_season,
)
from services.edge.analytics.pictures import (
    NUMBERS,
    PICTURES,
    describe_stand_in,
    list_pictures,
    render,
)
from services.edge.analytics.runs import read_runs
from services.edge.analytics.statistics import LEAST_WEEKS, RESAMPLES
from services.edge.analytics.summary import ORACLE, summarise_table
from services.edge.analytics.table import RunTable
from services.edge.config import ResultsSection
from services.edge.lab import Lab
from services.edge.row_files import RowForm, RowWriter, list_parts, remove_rows
from services.edge.whole_file import write_whole_file

REPORT = "report.html"
SUMMARY = "summary.json"
TABLES = ("controllers", "comparisons", "oracle_shares", "trends", "days", "models")
# Every run in a few figures, beside the oracle's run of the same camera.
DETAILS = "run_figures"
_ROWS_AT_ONCE = 200
# Insights about the batch itself; they are no headline.
STANDING = ("stand_in", "few_weeks", "runs_failed", "runs_missing")


def write_report(lab: Lab) -> dict[str, Any]:
    """Read the runs of a batch, and write the results as configured.

    Returns figures, files and the summary.

    Raises:
        InvalidInputError: the batch has no runs.
        MachineError: the disk takes no more, or what draws is not installed.
    """
    results = lab.config.results
    if not list_parts(lab.batch, "runs"):
        raise InvalidInputError(
            "there are no runs to report of",
            field="batch",
            value=str(lab.batch),
            remedy="Run the batch first: luna edge batch.",
        )
    visualization = results.visualization
    saves_plots = visualization.enabled and visualization.save_plots
    if saves_plots and {"png", "pdf"} & set(visualization.plot_formats):
        # Pictures are drawn as SVG; other forms need another library.
        require_extra(DRAWING)

    def show_progress(done: int, total: int) -> None:
        lab.progress(done, total, "reading runs")

    table = RunTable.collect(read_runs(lab.batch, hear=show_progress))
    failed = _count_lines(list_parts(lab.batch, "failed"))
    summary = summarise_table(table, results.analysis, seed=lab.seed, failed=failed)
    try:
        lab.report.mkdir(parents=True, exist_ok=True)
        files = [
            *_write_tables(lab, summary),
            *_write_details(lab.report, table, results),
            *_write_pictures(lab, summary),
        ]
        _remove_others(lab.report, files)
    except OSError as error:
        raise MachineError(
            "the report cannot be written",
            field="--out",
            value=str(lab.report),
            remedy=f"{error.strerror}. Make room, and try again.",
        ) from error
    return {
        "runs": summary.runs,
        "cameras": summary.cameras,
        "weeks": summary.weeks,
        "damaged_rows": summary.damaged_rows,
        "failed_runs": summary.failed_runs,
        "stand_in_locations": summary.stand_in_locations,
        "insights": format_insights(summary),
        "files": files,
        "summary": summary.model_dump(mode="json"),
    }


def _remove_others(folder: Path, written: Sequence[str]) -> None:
    """Remove files of an earlier report: they would contradict this one."""
    ours = {REPORT, SUMMARY}
    ours.update(f"{name}.csv" for name in TABLES)
    for name in PICTURES:
        ours |= {f"{name}.png", f"{name}.pdf", f"{name}.svg"}
    for name in ours - set(written):
        (folder / name).unlink(missing_ok=True)


def _count_lines(parts: Iterable[Path]) -> int:
    total = 0
    for path in parts:
        with path.open("rb") as lines:
            total += sum(1 for _ in lines)
    return total


def _write_tables(lab: Lab, summary: EdgeSummary) -> Iterator[str]:
    results = lab.config.results
    if "json" in results.output_formats:
        sentences = {
            "stand_in": describe_stand_in(summary) if summary.stands_in else None,
            "insights_en": format_insights(summary),
        }
        document = {**sentences, **summary.model_dump(mode="json")}
        text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
        yield _store(lab.report / SUMMARY, text.encode())
    if "csv" in results.output_formats and results.export.summary_csv:
        for name, rows in _flatten(summary).items():
            if rows:
                lines = io.StringIO()
                writer = csv.DictWriter(lines, fieldnames=list(rows[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
                yield _store(lab.report / f"{name}.csv", lines.getvalue().encode())


def _flatten(summary: EdgeSummary) -> dict[str, list[dict[str, Any]]]:
    """Return a summary's tables as flat rows, each marked if its data are stand-ins."""
    mark = {"stand_in": summary.stands_in}
    controllers = []
    for figures in (*summary.controllers, *summary.groups):
        row = _flat(figures.model_dump(exclude={"models"}))
        stand_in = _rests_on_stand_in(summary, row["location"])
        controllers.append({"stand_in": stand_in, **row})
    models = []
    for figures in summary.controllers:
        for name, share in figures.models.items():
            row = {"controller": figures.controller, "model": name, "share": share}
            models.append(mark | row)
    return {
        "controllers": controllers,
        "comparisons": [mark | _flat(row.model_dump()) for row in summary.comparisons],
        "oracle_shares": [mark | _flat(row.model_dump()) for row in summary.oracle_shares],
        "trends": [mark | _flat(row.model_dump()) for row in summary.trends],
        "days": [mark | _flat(row.model_dump()) for row in summary.days],
        "models": models,
    }


def _write_pictures(lab: Lab, summary: EdgeSummary) -> Iterator[str]:
    """Write pictures and the report that holds them."""
    results = lab.config.results
    pictures = list_pictures(summary) if results.visualization.enabled and summary.runs else []
    if results.visualization.save_plots:
        for place, picture in enumerate(pictures):
            lab.progress(place, len(pictures), "drawing")
            for form in results.visualization.plot_formats:
                yield _store(lab.report / f"{picture.name}.{form}", render(picture, form))
    lab.progress(len(pictures), len(pictures), "drawing")
    if "html" in results.output_formats:
        report = draw_report(summary, format_insights(summary), pictures)
        yield _store(lab.report / REPORT, report.encode())


def _write_details(folder: Path, table: RunTable, results: ResultsSection) -> list[str]:
    remove_rows(folder, DETAILS)
    export = results.export
    if not export.detailed_json or "json" not in results.output_formats or not len(table):
        return []
    form = RowForm("json", max_mb=export.max_file_size_mb if export.split_large_files else None)
    with RowWriter(folder, DETAILS, form) as writer:
        rows = _detail_rows(table)
        while batch := list(islice(rows, _ROWS_AT_ONCE)):
            writer.append(batch)
        writer.sync()
    return [path.name for path in list_parts(folder, DETAILS)]


def _detail_rows(table: RunTable) -> Iterator[dict[str, Any]]:
    """Yield each run's main figures beside those of the same camera's oracle run."""
    cameras = table.list_cameras()
    columns = table.columns
    oracle = np.full(table.cameras, -1)
    if ORACLE in table.controllers:
        rows = table.rows_of(ORACLE)
        oracle[table.camera[rows]] = rows
    for controller in table.controllers:
        for row in table.rows_of(controller):
            camera = int(table.camera[row])
            location, season, begin, variation = cameras[camera]
            oracle_row = int(oracle[camera])
            charged_wh = columns["charged_wh"][row]
            objective_wh = columns["objective_wh"][row]
            clean_share = None
            if charged_wh > 0:
                clean_share = _short(columns["clean_wh"][row] / charged_wh)
            over_oracle_wh = None
            if oracle_row >= 0:
                over_oracle_wh = _short(objective_wh - columns["objective_wh"][oracle_row])
            yield {
                "location": location,
                "season": season,
                "begin": begin,
                "variation": variation,
                "controller": controller,
                "stand_in": location in table.stand_in,
                "days": float(columns["days"][row]),
                "tasks": int(columns["tasks"][row]),
                "small_misses": int(columns["small_misses"][row]),
                "large_misses": int(columns["large_misses"][row]),
                "charged_wh": _short(charged_wh),
                "clean_wh": _short(columns["clean_wh"][row]),
                "clean_share": clean_share,
                "dirty_settled_wh": _short(columns["dirty_settled_wh"][row]),
                "objective_wh": _short(objective_wh),
                "objective_over_oracle_wh": over_oracle_wh,
            }


def _rests_on_stand_in(summary: EdgeSummary, location: str | None) -> bool:
    return location in summary.stand_in_locations if location else summary.stands_in


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without rows in it: an estimate becomes three columns."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict) and set(value) == set(LabEstimate.model_fields):
            flat |= {
                name: value["value"],
                f"{name}_low": value["low"],
                f"{name}_high": value["high"],
            }
        else:
            flat[name] = value
    return flat


def format_insights(summary: EdgeSummary) -> list[str]:
    """Return the insights as sentences, for files: in English."""
    numbers = Numbers("en", ZoneInfo("UTC"), "EUR")
    return [say_insight(insight.code, insight.figures, numbers) for insight in summary.insights]


def _store(path: Path, content: bytes) -> str:
    """Write a file whole or not at all and return its name."""
    write_whole_file(path, content)
    return path.name


def _short(value: float) -> float:
    return round(float(value), 6)


def draw_report(
    summary: EdgeSummary, insights: Sequence[str], pictures: Sequence[LabPicture]
) -> str:
    """Return the report.

    Args:
        summary: of the batch.
        insights: as sentences, in the order of ``summary.insights``.
        pictures: in the order in which they are shown.
    """
    template = files("services.edge.analytics").joinpath("report.html").read_text(encoding="utf-8")
    # Ours, and nothing in it comes from outside.
    frame = Markup(template)  # noqa: S704
    headline = "Camera lab"
    for insight, sentence in zip(summary.insights, insights, strict=True):
        if insight.code not in STANDING:
            headline = sentence
            break
    tables = [
        _controllers(summary),
        _oracle_shares(summary),
        _comparisons(summary),
        _groups(summary),
        _trends(summary),
        _damage(summary),
    ]
    notice = Markup("")
    if summary.stands_in:
        notice = Markup('<p class="notice"><b>{}</b></p>').format(describe_stand_in(summary))
    items = _join(Markup("<li>{}</li>\n").format(sentence) for sentence in insights)
    pictures_part = Markup("")
    if pictures:
        figure = Markup('<figure class="card">{}</figure>\n')
        figures = _join(figure.format(picture.embed()) for picture in pictures)
        pictures_part = Markup('<section class="pictures">\n{}</section>').format(figures)
    document = frame.format(
        style=style("edge"),
        headline=headline,
        lead=_count_batch(summary),
        notice=notice,
        insights=Markup("<ul>\n{}</ul>").format(items),
        pictures=pictures_part,
        tables=_join(tables),
        level=NUMBERS.share(summary.confidence_level),
        resamples=NUMBERS.number(RESAMPLES),
        seed=summary.seed,
        least=LEAST_WEEKS,
    )
    return str(document)


def _count_batch(summary: EdgeSummary) -> str:
    runs = NUMBERS.number(summary.runs)
    cameras = NUMBERS.number(summary.cameras)
    weeks = NUMBERS.number(summary.weeks)
    tasks = NUMBERS.number(summary.tasks)
    places = ", ".join(say_location(name, "en") for name in summary.locations) or "no place"
    return f"{runs} runs of {cameras} cameras in {weeks} weeks of places, {tasks} tasks; {places}."


def _controllers(summary: EdgeSummary) -> Markup:
    head = [
        "Controller",
        "Runs",
        "Small misses",
        "Large misses",
        "Charged",
        "of it clean",
        "of it dirty",
        "Clean share",
        "Dirty, a camera and day",
        "With misses counted in",
        "Latency",
        "Per fulfilled task",
        "of it clean",
        "Guard corrected",
    ]
    rows = []
    for figures in summary.controllers:
        row = [
            say_controller(figures.controller, "en"),
            NUMBERS.number(figures.runs),
            _share(figures.small_miss_share),
            _share(figures.large_miss_share),
            _energy(figures.charged_wh),
            _energy(figures.clean_wh),
            _energy(figures.dirty_wh),
            _share(figures.clean_share, span=True),
            _wh(figures.dirty_wh_per_day),
            _wh(figures.objective_wh_per_day),
            f"{NUMBERS.number(figures.latency_ms, 1)} ms",
            f"{NUMBERS.number(figures.mwh_per_task, 3)} mWh",
            f"{NUMBERS.number(figures.clean_mwh_per_task, 3)} mWh",
            NUMBERS.number(figures.interventions),
        ]
        rows.append(row)
    return _table("By controller", head, rows)


def _oracle_shares(summary: EdgeSummary) -> Markup:
    rows = []
    for oracle_share in summary.oracle_shares:
        row = [
            say_controller(oracle_share.controller, "en"),
            f"{NUMBERS.number(oracle_share.equal)} of {NUMBERS.number(oracle_share.pairs)}",
            str(oracle_share.weeks),
            _share(oracle_share.share, span=True),
        ]
        rows.append(row)
    head = ["Controller", "Runs with equal misses", "Weeks", "Share"]
    return _table("Share of the oracle's clean share at equal misses", head, rows)


def _damage(summary: EdgeSummary) -> Markup:
    rows = [[line.file, NUMBERS.number(line.line), line.reason] for line in summary.damage]
    title = f"Rows left out: {NUMBERS.number(summary.damaged_rows)}"
    return _table(title, ["File", "Line", "Reason"], rows, words=3)


def _comparisons(summary: EdgeSummary) -> Markup:
    rows = []
    for comparison in summary.comparisons:
        value, span = say_difference(comparison.metric, comparison.difference.span, NUMBERS)
        name = say_controller(comparison.controller, "en")
        other = say_controller(comparison.other, "en")
        row = [
            f"{name} less {other}",
            say_metric(comparison.metric, "en"),
            f"{value}{span}",
            _probability(comparison.p_value),
            _plain(comparison.cohens_d, 2),
            _plain(comparison.rank_biserial, 2),
            str(comparison.weeks),
        ]
        rows.append(row)
    head = [
        "Controllers",
        "Figure",
        "Difference",
        "p (Holm)",
        "Cohen's d",
        "Rank-biserial",
        "Weeks",
    ]
    return _table("In pairs, on the same cameras", head, rows, folded=True)


def _groups(summary: EdgeSummary) -> Markup:
    rows = []
    for figures in summary.groups:
        row = [
            say_location(figures.location, "en") if figures.location else "all",
            say_season(figures.season, "en") if figures.season else "all",
            say_controller(figures.controller, "en"),
            NUMBERS.number(figures.runs),
            _share(figures.small_miss_share),
            _share(figures.large_miss_share),
            _share(figures.clean_share),
            _wh(figures.dirty_wh_per_day),
        ]
        rows.append(row)
    head = [
        "Place",
        "Season",
        "Controller",
        "Runs",
        "Small misses",
        "Large misses",
        "Clean share",
        "Dirty, a camera and day",
    ]
    return _table("By place and season", head, rows, folded=True, words=3)


def _trends(summary: EdgeSummary) -> Markup:
    rows = []
    for trend in summary.trends:
        value, span = say_difference(trend.metric, trend.per_day.span, NUMBERS)
        row = [
            say_controller(trend.controller, "en"),
            say_metric(trend.metric, "en"),
            f"{value}{span}",
            _probability(trend.p_value),
            str(trend.weeks),
        ]
        rows.append(row)
    head = ["Controller", "Figure", "Change a day", "p (Holm)", "Weeks"]
    return _table("From day to day within a run", head, rows, folded=True)


def _table(
    title: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    folded: bool = False,
    words: int = 1,
) -> Markup:
    """Return a table, nothing where it has no rows.

    ``words``: number of columns that hold words, the others hold figures.
    """
    if not rows:
        return Markup("")
    column = Markup('<th scope="col"{}>{}</th>')
    names = _join(column.format(_kind(place, words), name) for place, name in enumerate(head))
    body = _join(_draw_row(row, words) for row in rows)
    table = Markup(
        '<div class="scroll"><table><thead><tr>{}</tr></thead><tbody>\n{}</tbody></table></div>'
    ).format(names, body)
    if folded:
        return Markup(
            '<section class="card"><details><summary>{}</summary>{}</details></section>\n'
        ).format(title, table)
    return Markup('<section class="card"><h2>{}</h2>{}</section>\n').format(title, table)


def _draw_row(row: Sequence[str], words: int) -> Markup:
    first, *others = row
    cell = Markup("<td{}>{}</td>")
    cells = _join(
        cell.format(_kind(place, words), text) for place, text in enumerate(others, start=1)
    )
    return Markup('<tr><th scope="row">{}</th>{}</tr>\n').format(first, cells)


def _kind(place: int, words: int) -> Markup:
    return Markup("") if place < words else Markup(' class="number"')


def _join(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)


def _share(estimate: LabEstimate, *, span: bool = False) -> str:
    is_small = (estimate.value or 0.0) < 0.1
    percent = NUMBERS.share(estimate.value, decimals=2 if is_small and not span else 1)
    if not span or estimate.low is None or estimate.high is None:
        return percent
    low = NUMBERS.number(estimate.low * 100, 1)
    high = NUMBERS.number(estimate.high * 100, 1)
    return f"{percent} ({low} to {high})"


def _wh(estimate: LabEstimate) -> str:
    energy = f"{NUMBERS.number(estimate.value, 2)} Wh"
    if estimate.low is None or estimate.high is None:
        return energy
    return f"{energy} ({NUMBERS.number(estimate.low, 2)} to {NUMBERS.number(estimate.high, 2)})"


def _energy(value_wh: float) -> str:
    if abs(value_wh) < 10_000:
        return f"{NUMBERS.number(value_wh)} Wh"
    return NUMBERS.energy(value_wh / 1000)


def _plain(value: float | None, decimals: int) -> str:
    return NUMBERS.number(value, decimals, signed=True)


def _probability(value: float | None) -> str:
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else NUMBERS.number(value, 3)
