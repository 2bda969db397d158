"""``luna data``: files into the database, series out of it."""

from datetime import datetime, tzinfo
from pathlib import Path
from typing import Annotated, Any

import typer

from luna.contracts.data import LoadReply
from luna.energy.history import SeriesQuery, as_rows, list_intervals, list_unusable
from luna.energy.reading_history import ReadingQuery
from luna.energy.timeline import parse_zone
from luna.platform.clock import SystemClock
from luna.platform.database.history import query_readings, query_series
from luna.platform.desk.servers import unit_of_work
from luna.platform.settings import load_settings
from luna.words import say_instant
from luna.words.quality import say_fault
from services.cli import fetch, file_guess
from services.cli.console import JsonOption, emit, err, out, table
from services.cli.declared import build_group, parse_pairs
from services.cli.options import EndOption, FirstOption, SiteOption, find_zone, parse_window

app = build_group("data", "Load and query series.")

fetch.register(app)
app.add_typer(build_group("data quarantine", "List refused rows; release, correct or dismiss one."), name="quarantine")
file_guess.register(app)


@app.command()
def load(  # noqa: PLR0913 - one per option
    file: Annotated[Path, typer.Argument(help="CSV, JSON lines, a JSON array or Parquet; all but Parquet also as gzip.")],
    *,
    site: SiteOption,
    kind: Annotated[str, typer.Option(help="observations, prices, weather, carbon or readings.")],
    timezone: Annotated[
        str | None, typer.Option(help="Where the clock of times without offset stands, such as Europe/Berlin (default: the site's zone).")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="Luna's column and the file's: load_kwh=verbrauch, slot_start=Datum+Uhrzeit. May be repeated.")
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="A column of the file to leave out. May be repeated.")] = None,
    unit: Annotated[list[str] | None, typer.Option(help="A column's unit in the file: load_kwh=Wh, soc=%, spot_price=EUR/MWh. May be repeated.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Store a file's rows; loading it again changes nothing. What cannot be used goes into quarantine with the reason: a row, or its bad value alone."""
    from services.ingest.limited_file import FileLimits
    from services.ingest.loading import FileForm, load_file
    from services.ingest.upload_service import describe

    zone = parse_zone(timezone, field="--timezone") if timezone else None
    columns = parse_pairs(column, field="--column", remedy="Write Luna's name, =, the file's name: load_kwh=verbrauch.")
    units = parse_pairs(unit, field="--unit", remedy="Write Luna's name, =, the file's unit: load_kwh=Wh.")
    form = FileForm(kind, zone, columns, frozenset(ignore or []), units, received_at=SystemClock().now(), limits=FileLimits.of(load_settings()))
    with err.status(f"Reading {file.name} …") as status, unit_of_work() as connection:
        clock = find_zone(connection, site)
        report = describe(load_file(connection, site, file, form, progress=lambda rows: status.update(f"Reading {file.name}: {rows:,} rows …")))
    emit(report.model_dump(mode="json"), as_json=as_json, show=lambda: _show(report, clock))


@app.command()
def query(  # noqa: PLR0913 - one per option
    *,
    site: SiteOption,
    series: Annotated[str, typer.Option(help="load_kwh, soc, … of the observations; market_prices:MARKET, slot_forecasts:VERSION:COLUMN, plans:COLUMN.")],
    first: FirstOption,
    end: EndOption,
    resolution: Annotated[str, typer.Option(help="15m, 30m, 1h, or 1d for the site's local days.")] = "15m",
    aggregate: Annotated[str | None, typer.Option(help="sum, mean, min or max; energies are summed by default.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show a stored series; what is unknown stays empty, and what is estimated to a meter's total is said beside it."""
    with unit_of_work() as connection:
        zone, window = find_zone(connection, site), parse_window(connection, site, first, end)
        answer = query_series(connection, site, SeriesQuery(series, *window, resolution, aggregate))
    rows = as_rows(answer)
    document = {"site": site, "series": series, "resolution": resolution, "aggregate": answer.aggregate, "rows": rows, "intervals": list_intervals(answer)}
    document["unusable"] = list_unusable(answer)

    def show() -> None:
        table(["start", series, *answer.shares()], [_cells(row, zone) for row in rows])
        for each in answer.intervals:
            span, energy = f"{say_instant(each.first, zone)} to {say_instant(each.end, zone)}", f"{each.energy_kwh:.3f} kWh"
            certain = energy if each.certainty == "counted" else f"{energy} at least"
            out.print(f"  {span}: {certain}, counted by {each.sensor}; its course is not known", markup=False)
        for day in answer.unusable:
            said = "; ".join(say_fault(reason, language="en") for reason in day.reasons)
            out.print(f"  {day.first.astimezone(zone):%Y-%m-%d}: {day.verdict}, neither trains nor scores: {said}", markup=False)

    emit(document, as_json=as_json, show=show)


@app.command()
def readings(  # noqa: PLR0913 - one per option
    *,
    site: SiteOption,
    sensor: Annotated[str, typer.Option(help="The sensor's name.")],
    first: FirstOption,
    end: EndOption,
    aggregate: Annotated[str | None, typer.Option(help="increase (of a counter), time_weighted_mean or shape; without it readings as received.")] = None,
    resolution: Annotated[str | None, typer.Option(help="15m, 30m, 1h (usual), or 1d for the site's local days.")] = None,
    points: Annotated[int | None, typer.Option(help="How many readings a shape has at most; usually 500.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show a sensor's readings, or what they come to; what is unknown stays empty."""
    with unit_of_work() as connection:
        zone, window = find_zone(connection, site), parse_window(connection, site, first, end)
        rows = as_rows(query_readings(connection, site, ReadingQuery(sensor, *window, aggregate, resolution, points)))
    document = {"site": site, "sensor": sensor, "aggregate": aggregate, "rows": rows}
    headings = list(rows[0]) if rows else ["instant", "value"]
    emit(document, as_json=as_json, show=lambda: table(headings, [_cells(row, zone, seconds=aggregate is None) for row in rows]))


def _cells(row: dict[str, Any], zone: tzinfo, *, seconds: bool = False) -> list[str]:
    instant, value, *known = row.values()
    return [say_instant(datetime.fromisoformat(instant), zone, seconds=seconds), "–" if value is None else f"{value:.3f}", *(f"{share:.0%}" for share in known)]


def _show(report: LoadReply, zone: tzinfo) -> None:
    file_guess.show_counts(report)
    if report.first is not None and report.last is not None:
        span = f"Stored from {say_instant(report.first, zone)} to {say_instant(report.last, zone)}"
        out.print(f"{span}: {report.inserted:,} new, {report.updated:,} changed, {report.unchanged:,} as before.")
    if report.accepted_in_part:
        out.print(f"  {report.accepted_in_part:,} of the accepted without a bad value, which is in quarantine")
    for title, reasons in (("repaired", report.repairs), ("quarantined", report.reasons)):
        for reason, count in sorted(reasons.items(), key=lambda each: -each[1])[:10]:
            out.print(f"  {title} {count:,} × {reason}", markup=False)
    for note in report.notes:
        out.print(f"  {note}", markup=False)
