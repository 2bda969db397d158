"""Writes what a batch came to: JSON, CSV, pictures, and a report in one file, read without network
and script, on paper too.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from markupsafe import Markup

from luna.contracts.edge_summary import ControllerFigures, EdgeSummary, LabEstimate
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
from services.edge.analytics.pictures import NUMBERS, PICTURES, list_pictures, render, say_stand_in
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
# What is said of a batch before it is said what came of it.
STANDING = ("stand_in", "few_weeks", "runs_failed", "runs_missing")
Column = tuple[str, Callable[[ControllerFigures], str]]


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
    if (
        visualization.enabled
        and visualization.save_plots
        and {"png", "pdf"} & set(visualization.plot_formats)
    ):
        # Forms other than the one that pictures are drawn in.
        require_extra(DRAWING)
    table = RunTable.collect(
        read_runs(lab.batch, hear=lambda done, total: lab.progress(done, total, "reading runs"))
    )
    summary = summarise_table(
        table, results.analysis, seed=lab.seed, failed=_count_lines(list_parts(lab.batch, "failed"))
    )
    try:
        lab.report.mkdir(parents=True, exist_ok=True)
        files = [
            *_write_tables(lab, summary),
            *_write_details(lab.report, table, results),
            *_write_pictures(lab, summary),
        ]
        # What an earlier report wrote and this one did not would contradict this one.
        ours = {
            REPORT,
            SUMMARY,
            *(f"{name}.csv" for name in TABLES),
            *(f"{name}.{form}" for name in PICTURES for form in ("png", "pdf", "svg")),
        }
        for name in ours - set(files):
            (lab.report / name).unlink(missing_ok=True)
    except OSError as error:
        raise MachineError(
            "the report cannot be written",
            field="--out",
            value=str(lab.report),
            remedy=f"{error.strerror}. Make room, and try again.",
        ) from error
    figures = {
        "runs": summary.runs,
        "cameras": summary.cameras,
        "weeks": summary.weeks,
        "damaged_rows": summary.damaged_rows,
        "failed_runs": summary.failed_runs,
    }
    account = {
        "stand_in_locations": summary.stand_in_locations,
        "insights": say_insights(summary),
        "files": files,
    }
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
        sentences = {
            "stand_in": say_stand_in(summary) if summary.stands_in else None,
            "insights_en": say_insights(summary),
        }
        document = {**sentences, **summary.model_dump(mode="json")}
        yield _store(
            lab.report / SUMMARY,
            json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False).encode(),
        )
    if "csv" in results.output_formats and results.export.summary_csv:
        # The tables of a summary as flat rows; where stand-in data were used each row says so.
        mark = {"stand_in": summary.stands_in}
        described = [
            _flat(figures.model_dump(exclude={"models"}))
            for figures in [*summary.controllers, *summary.groups]
        ]
        tables = (
            [
                {"stand_in": _rests_on_stand_in(summary, row["location"]), **row}
                for row in described
            ],
            *(
                [mark | _flat(each.model_dump()) for each in part]
                for part in (
                    summary.comparisons,
                    summary.oracle_shares,
                    summary.trends,
                    summary.days,
                )
            ),
            [
                mark | {"controller": each.controller, "model": name, "share": share}
                for each in summary.controllers
                for name, share in each.models.items()
            ],
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
        yield _store(
            lab.report / REPORT, draw_report(summary, say_insights(summary), pictures).encode()
        )


def _write_details(folder: Path, table: RunTable, results: ResultsSection) -> list[str]:
    remove_rows(folder, DETAILS)
    export = results.export
    if not export.detailed_json or "json" not in results.output_formats or not len(table):
        return []
    with RowWriter(
        folder,
        DETAILS,
        RowForm("json", max_mb=export.max_file_size_mb if export.split_large_files else None),
    ) as writer:
        rows = _detail_rows(table)
        while batch := list(islice(rows, _ROWS_AT_ONCE)):
            writer.append(batch)
        writer.sync()
    return [path.name for path in list_parts(folder, DETAILS)]


def _detail_rows(table: RunTable) -> Iterator[dict[str, Any]]:
    """Yield each run in a few figures, and what differs from the oracle's run of the same
    camera.
    """
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
                "clean_share": _short(columns["clean_wh"][row] / columns["charged_wh"][row])
                if columns["charged_wh"][row] > 0
                else None,
                "dirty_settled_wh": _short(columns["dirty_settled_wh"][row]),
                "objective_wh": _short(columns["objective_wh"][row]),
                "objective_over_oracle_wh": _short(
                    columns["objective_wh"][row] - columns["objective_wh"][beside]
                )
                if beside >= 0
                else None,
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
    first = next(
        (
            sentence
            for each, sentence in zip(summary.insights, insights, strict=True)
            if each.code not in STANDING
        ),
        "Camera lab",
    )
    oracle_rows = [
        [
            say_controller(each.controller, "en"),
            f"{NUMBERS.number(each.equal)} of {NUMBERS.number(each.pairs)}",
            str(each.weeks),
            _share(each.share, span=True),
        ]
        for each in summary.oracle_shares
    ]
    damage_rows = [[each.file, NUMBERS.number(each.line), each.reason] for each in summary.damage]
    tables = [
        _controllers(summary),
        _table(
            "Share of the oracle's clean share at equal misses",
            ["Controller", "Runs with equal misses", "Weeks", "Share"],
            oracle_rows,
        ),
        _comparisons(summary),
        _groups(summary),
        _trends(summary),
        _table(
            f"Rows left out: {NUMBERS.number(summary.damaged_rows)}",
            ["File", "Line", "Reason"],
            damage_rows,
            words=3,
        ),
    ]
    figures = _join(
        Markup('<figure class="card">{}</figure>\n').format(each.embed()) for each in pictures
    )
    places = ", ".join(say_location(name, "en") for name in summary.locations) or "no place"
    counts = (
        NUMBERS.number(count)
        for count in (summary.runs, summary.cameras, summary.weeks, summary.tasks)
    )
    return str(
        frame.format(
            style=style("edge"),
            headline=first,
            lead="{} runs of {} cameras in {} weeks of places, {} tasks; {}.".format(
                *counts, places
            ),
            notice=Markup('<p class="notice"><b>{}</b></p>').format(say_stand_in(summary))
            if summary.stands_in
            else "",
            insights=Markup("<ul>\n{}</ul>").format(
                _join(Markup("<li>{}</li>\n").format(each) for each in insights)
            ),
            pictures=Markup('<section class="pictures">\n{}</section>').format(figures)
            if pictures
            else "",
            tables=_join(tables),
            level=NUMBERS.share(summary.confidence_level),
            resamples=NUMBERS.number(RESAMPLES),
            seed=summary.seed,
            least=LEAST_WEEKS,
        )
    )


def _controllers(summary: EdgeSummary) -> Markup:
    columns: list[Column] = [
        ("Runs", lambda each: NUMBERS.number(each.runs)),
        ("Small misses", lambda each: _share(each.small_miss_share)),
        ("Large misses", lambda each: _share(each.large_miss_share)),
        ("Charged", lambda each: _energy(each.charged_wh)),
        ("of it clean", lambda each: _energy(each.clean_wh)),
        ("of it dirty", lambda each: _energy(each.dirty_wh)),
        ("Clean share", lambda each: _share(each.clean_share, span=True)),
        ("Dirty, a camera and day", lambda each: _wh(each.dirty_wh_per_day)),
        ("With misses counted in", lambda each: _wh(each.objective_wh_per_day)),
        ("Latency", lambda each: f"{NUMBERS.number(each.latency_ms, 1)} ms"),
        ("Per fulfilled task", lambda each: f"{NUMBERS.number(each.mwh_per_task, 3)} mWh"),
        ("of it clean", lambda each: f"{NUMBERS.number(each.clean_mwh_per_task, 3)} mWh"),
        ("Guard corrected", lambda each: NUMBERS.number(each.interventions)),
    ]
    rows = [
        [say_controller(each.controller, "en"), *(say(each) for _, say in columns)]
        for each in summary.controllers
    ]
    return _table("By controller", ["Controller", *(name for name, _ in columns)], rows)


def _comparisons(summary: EdgeSummary) -> Markup:
    rows = []
    for each in summary.comparisons:
        value, span = say_difference(each.metric, each.difference.span, NUMBERS)
        effects = [_plain(each.cohens_d, 2), _plain(each.rank_biserial, 2)]
        names = [say_controller(name, "en") for name in (each.controller, each.other)]
        rows.append(
            [
                f"{names[0]} less {names[1]}",
                say_metric(each.metric, "en"),
                f"{value}{span}",
                _probability(each.p_value),
                *effects,
                str(each.weeks),
            ]
        )
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
    rows = [
        [
            say_location(each.location, "en") if each.location else "all",
            say_season(each.season, "en") if each.season else "all",
            say_controller(each.controller, "en"),
            NUMBERS.number(each.runs),
            _share(each.small_miss_share),
            _share(each.large_miss_share),
            _share(each.clean_share),
            _wh(each.dirty_wh_per_day),
        ]
        for each in summary.groups
    ]
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
    for each in summary.trends:
        value, span = say_difference(each.metric, each.per_day.span, NUMBERS)
        rows.append(
            [
                say_controller(each.controller, "en"),
                say_metric(each.metric, "en"),
                f"{value}{span}",
                _probability(each.p_value),
                str(each.weeks),
            ]
        )
    return _table(
        "From day to day within a run",
        ["Controller", "Figure", "Change a day", "p (Holm)", "Weeks"],
        rows,
        folded=True,
    )


def _table(
    title: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    folded: bool = False,
    words: int = 1,
) -> Markup:
    """Return a table, nothing where it has no rows.

    ``words``: so many columns hold words, the others figures.
    """
    if not rows:
        return Markup("")
    names = _join(
        Markup('<th scope="col"{}>{}</th>').format(_kind(place, words), name)
        for place, name in enumerate(head)
    )
    body = _join(
        Markup('<tr><th scope="row">{}</th>{}</tr>\n').format(
            row[0],
            _join(
                Markup("<td{}>{}</td>").format(_kind(place, words), cell)
                for place, cell in enumerate(row)
                if place
            ),
        )
        for row in rows
    )
    table = Markup(
        '<div class="scroll"><table><thead><tr>{}</tr></thead><tbody>\n{}</tbody></table></div>'
    ).format(names, body)
    if folded:
        return Markup(
            '<section class="card"><details><summary>{}</summary>{}</details></section>\n'
        ).format(title, table)
    return Markup('<section class="card"><h2>{}</h2>{}</section>\n').format(title, table)


def _kind(place: int, words: int) -> Markup:
    return Markup("") if place < words else Markup(' class="number"')


def _join(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)


def _share(estimate: LabEstimate, *, span: bool = False) -> str:
    percent = NUMBERS.share(
        estimate.value, decimals=2 if not span and (estimate.value or 0.0) < 0.1 else 1
    )
    if not span or estimate.low is None or estimate.high is None:
        return percent
    return (
        f"{percent} ({NUMBERS.number(estimate.low * 100, 1)} to "
        f"{NUMBERS.number(estimate.high * 100, 1)})"
    )


def _wh(estimate: LabEstimate) -> str:
    energy = f"{NUMBERS.number(estimate.value, 2)} Wh"
    return (
        energy
        if estimate.low is None or estimate.high is None
        else f"{energy} ({NUMBERS.number(estimate.low, 2)} to {NUMBERS.number(estimate.high, 2)})"
    )


def _energy(value_wh: float) -> str:
    return (
        f"{NUMBERS.number(value_wh)} Wh"
        if abs(value_wh) < 10_000
        else NUMBERS.energy(value_wh / 1000)
    )


def _plain(value: float | None, decimals: int) -> str:
    return NUMBERS.number(value, decimals, signed=True)


def _probability(value: float | None) -> str:
    return "–" if value is None else "< 0.001" if value < 0.001 else NUMBERS.number(value, 3)
