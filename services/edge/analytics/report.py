"""Writes what a batch came to: JSON, CSV, pictures, and a report in one file."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from luna.contracts.edge_summary import EdgeSummary, LabEstimate
from luna.energy.errors import InvalidInputError, MachineError
from luna.platform.extras import DRAWING, require_extra
from luna.words import Numbers
from luna.words.edge import say_insight
from services.edge.analytics.page import draw_report
from services.edge.analytics.pictures import PICTURES, list_pictures, render, say_stand_in
from services.edge.analytics.runs import read_runs
from services.edge.analytics.summary import ORACLE, summarise_table
from services.edge.analytics.table import RunTable
from services.edge.config import ResultsSection
from services.edge.lab import Lab
from services.edge.row_files import RowForm, RowWriter, list_parts, remove_rows
from services.edge.whole_file import write_whole_file

REPORT, SUMMARY = "report.html", "summary.json"
TABLES = ("controllers", "comparisons", "oracle_shares", "trends", "days", "models")
# Every run in a few figures, beside the oracle's run of the same camera.
DETAILS = "run_figures"
_ROWS_AT_ONCE = 200


def write_report(lab: Lab) -> dict[str, Any]:
    """Read the runs of a batch, and write the results as configured; returns figures, files and the summary.

    Raises:
        InvalidInputError: the batch has no runs.
        MachineError: the disk takes no more, or what draws is not installed.
    """
    results = lab.config.results
    if not list_parts(lab.batch, "runs"):
        raise InvalidInputError("there are no runs to report of", field="batch", value=str(lab.batch), remedy="Run the batch first: luna edge batch.")
    visualization = results.visualization
    if visualization.enabled and visualization.save_plots and {"png", "pdf"} & set(visualization.plot_formats):
        # Forms other than the one that pictures are drawn in.
        require_extra(DRAWING)
    table = RunTable.collect(read_runs(lab.batch, hear=lambda done, total: lab.progress(done, total, "reading runs")))
    summary = summarise_table(table, results.analysis, seed=lab.seed, failed=_count_lines(list_parts(lab.batch, "failed")))
    try:
        lab.report.mkdir(parents=True, exist_ok=True)
        files = [*_write_tables(lab, summary), *_write_details(lab.report, table, results), *_write_pictures(lab, summary)]
        # What an earlier report wrote and this one did not would contradict this one.
        ours = {REPORT, SUMMARY, *(f"{name}.csv" for name in TABLES), *(f"{name}.{form}" for name in PICTURES for form in ("png", "pdf", "svg"))}
        for name in ours - set(files):
            (lab.report / name).unlink(missing_ok=True)
    except OSError as error:
        raise MachineError(
            "the report cannot be written", field="--out", value=str(lab.report), remedy=f"{error.strerror}. Make room, and try again."
        ) from error
    figures = {
        "runs": summary.runs,
        "cameras": summary.cameras,
        "weeks": summary.weeks,
        "damaged_rows": summary.damaged_rows,
        "failed_runs": summary.failed_runs,
    }
    account = {"stand_in_locations": summary.stand_in_locations, "insights": say_insights(summary), "files": files}
    return {**figures, **account, "summary": summary.model_dump(mode="json")}


def _count_lines(parts: Iterable[Path]) -> int:
    total = 0
    for path in parts:
        with path.open("rb") as lines:
            total += sum(1 for _ in lines)
    return total


def _write_tables(lab: Lab, summary: EdgeSummary) -> Iterator[str]:
    results = lab.config.results
    if "json" in results.output_formats:
        sentences = {"stand_in": say_stand_in(summary) if summary.stands_in else None, "insights_en": say_insights(summary)}
        document = {**sentences, **summary.model_dump(mode="json")}
        yield _store(lab.report / SUMMARY, json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False).encode())
    if "csv" in results.output_formats and results.export.summary_csv:
        # The tables of a summary as flat rows; where stand-in data were used each row says so.
        mark = {"stand_in": summary.stands_in}
        described = [_flat(figures.model_dump(exclude={"models"})) for figures in [*summary.controllers, *summary.groups]]
        tables = (
            [{"stand_in": _rests_on_stand_in(summary, row["location"]), **row} for row in described],
            *([mark | _flat(each.model_dump()) for each in part] for part in (summary.comparisons, summary.oracle_shares, summary.trends, summary.days)),
            [mark | {"controller": each.controller, "model": name, "share": share} for each in summary.controllers for name, share in each.models.items()],
        )
        for name, rows in dict(zip(TABLES, tables, strict=True)).items():
            if rows:
                text = io.StringIO()
                writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
                yield _store(lab.report / f"{name}.csv", text.getvalue().encode())


def _write_pictures(lab: Lab, summary: EdgeSummary) -> Iterator[str]:
    """Write pictures and the report that holds them."""
    results = lab.config.results
    pictures = list_pictures(summary) if results.visualization.enabled and summary.runs else []
    for place, picture in enumerate(pictures if results.visualization.save_plots else ()):
        lab.progress(place, len(pictures), "drawing")
        for form in results.visualization.plot_formats:
            yield _store(lab.report / f"{picture.name}.{form}", render(picture, form))
    lab.progress(len(pictures), len(pictures), "drawing")
    if "html" in results.output_formats:
        yield _store(lab.report / REPORT, draw_report(summary, say_insights(summary), pictures).encode())


def _write_details(folder: Path, table: RunTable, results: ResultsSection) -> list[str]:
    remove_rows(folder, DETAILS)
    export = results.export
    if not export.detailed_json or "json" not in results.output_formats or not len(table):
        return []
    with RowWriter(folder, DETAILS, RowForm("json", max_mb=export.max_file_size_mb if export.split_large_files else None)) as writer:
        rows = _detail_rows(table)
        while batch := list(islice(rows, _ROWS_AT_ONCE)):
            writer.append(batch)
        writer.sync()
    return [path.name for path in list_parts(folder, DETAILS)]


def _detail_rows(table: RunTable) -> Iterator[dict[str, Any]]:
    """Yield each run in a few figures, and what differs from the oracle's run of the same camera."""
    cameras, columns = table.list_cameras(), table.columns
    oracle = np.full(table.cameras, -1)
    if ORACLE in table.controllers:
        rows = table.rows_of(ORACLE)
        oracle[table.camera[rows]] = rows
    for controller in table.controllers:
        for row in table.rows_of(controller):
            camera = int(table.camera[row])
            location, season, begin, variation = cameras[camera]
            beside = int(oracle[camera])
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
                "charged_wh": _short(columns["charged_wh"][row]),
                "clean_wh": _short(columns["clean_wh"][row]),
                "clean_share": _short(columns["clean_wh"][row] / columns["charged_wh"][row]) if columns["charged_wh"][row] > 0 else None,
                "dirty_settled_wh": _short(columns["dirty_settled_wh"][row]),
                "objective_wh": _short(columns["objective_wh"][row]),
                "objective_over_oracle_wh": _short(columns["objective_wh"][row] - columns["objective_wh"][beside]) if beside >= 0 else None,
            }


def _rests_on_stand_in(summary: EdgeSummary, location: str | None) -> bool:
    return location in summary.stand_in_locations if location else summary.stands_in


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row without rows in it: an estimate becomes three columns."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict) and set(value) == set(LabEstimate.model_fields):
            flat |= {name: value["value"], f"{name}_low": value["low"], f"{name}_high": value["high"]}
        else:
            flat[name] = value
    return flat


def say_insights(summary: EdgeSummary) -> list[str]:
    """Return the insights as sentences, for files: in English."""
    numbers = Numbers("en", ZoneInfo("UTC"), "EUR")
    return [say_insight(insight.code, insight.figures, numbers) for insight in summary.insights]


def _store(path: Path, content: bytes) -> str:
    """Write a file whole or not at all and return its name."""
    write_whole_file(path, content)
    return path.name


def _short(value: float) -> float:
    return round(float(value), 6)
