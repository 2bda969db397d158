"""``luna data``: files into the database, series out of it."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, tzinfo
from functools import partial
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from luna.contracts import FetchCarbonRequest, FetchPricesRequest, FetchWeatherRequest
from luna.contracts.data import CarbonService, LoadReply, PriceService
from luna.contracts.file_guess import FileGuess, FilePreview, GuessReason
from luna.energy.errors import InvalidInputError, UnavailableError
from luna.energy.reading_history import ReadingQuery
from luna.energy.series_query import SeriesQuery, as_rows, list_intervals
from luna.energy.timeline import parse_instant, parse_zone
from luna.house.capabilities import prices as price_capabilities
from luna.house.desk.servers import open_database, unit_of_work
from luna.platform.clock import SystemClock
from luna.platform.database import engine, sites
from luna.platform.database.history import query_series
from luna.platform.database.reading_history import query_readings
from luna.platform.settings import load_settings
from luna.words import say_instant
from luna.words.pages import page_words
from luna.words.quality import list_unusable, say_day_fault, say_series
from services.cli.console import JsonOption, emit, err, out, table, write_json
from services.cli.declared import UTC_ZONE, build_group, emit_reply, parse_pairs, show_reply
from services.cli.options import (
    EndOption,
    FirstOption,
    SiteOption,
    compose_request,
    find_zone,
    parse_window,
)

app = build_group("data", "Load, check and query data.")
app.add_typer(
    build_group(
        "data quarantine", "List rows that were set aside; release, correct or delete one."
    ),
    name="quarantine",
)
SERVICES = " or ".join(", ".join(get_args(PriceService)).rsplit(", ", 1))
CARBON_SERVICES = " or ".join(", ".join(get_args(CarbonService)).rsplit(", ", 1))
MarketFirst = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="Start, in the market's time zone (default: where data is missing).",
    ),
]
MarketEnd = Annotated[str | None, typer.Option("--to", help="End, not included.")]
SiteFirst = Annotated[str, typer.Option("--from", help="Start, in the site's time zone.")]
SiteEnd = Annotated[str, typer.Option("--to", help="End, not included; at most 15 days ahead.")]


@app.command()
def prices(
    *,
    market: Annotated[str, typer.Option(help="The market, as in tariffs: DE-LU, NL, AT, SE3 …")],
    first: MarketFirst = None,
    end: MarketEnd = None,
    source: Annotated[
        str | None, typer.Option(help=f"{SERVICES} alone; default: one after the other.")
    ] = None,
    currency: Annotated[
        str | None,
        typer.Option(help="Currency (default: that of the sites on this market, else its own)."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch a market's day-ahead prices.

    You can repeat it: revised prices are stored next to the first ones.
    """
    from services.ingest.price_collection import fetch_prices
    from services.ingest.sources.prices.registry import market_named

    zone = market_named(market).zone
    window = {
        "first": first and parse_instant(first, field="--from", zone=zone),
        "end": end and parse_instant(end, field="--to", zone=zone),
    }
    request = compose_request(
        FetchPricesRequest, market=market, source=source, currency=currency, **window
    )
    with err.status(f"Fetching prices of {market} …"), open_database() as pool:
        reply = fetch_prices(pool, request, load_settings(), clock=SystemClock())
    faults: list[str] = []
    for entry in reply.markets:
        if not entry.sources and entry.missing:
            faults += entry.faults
    if faults:
        raise UnavailableError(
            f"there are no prices: {' '.join(faults)}", field="market", value=market
        )
    emit_reply(price_capabilities.fetch_prices, reply, as_json=as_json)


@app.command()
def weather(
    *, site: SiteOption, first: SiteFirst, end: SiteEnd, as_json: JsonOption = False
) -> None:
    """Fetch past and forecast weather at the site.

    The weather service gets the location to the kilometre.
    """
    from services.ingest.weather_service import fetch_weather

    with err.status(f"Fetching the weather at {site} …"), open_database() as pool:
        with engine.unit_of_work(pool) as connection:
            window = parse_window(connection, site, first, end)
        request = FetchWeatherRequest(site_id=site, first=window[0], end=window[1])
        reply = fetch_weather(pool, request, load_settings(), clock=SystemClock())
    (entry,) = reply.sites
    if entry.faults and not entry.written:
        raise UnavailableError(f"there is no weather: {entry.faults[0]}", field="site", value=site)
    emit(
        entry.model_dump(mode="json"),
        as_json=as_json,
        show=partial(show_reply, price_capabilities.fetch_weather, reply, {}, UTC_ZONE),
    )


@app.command()
def carbon(
    *,
    site: SiteOption,
    first: FirstOption,
    end: EndOption,
    source: Annotated[
        str | None, typer.Option(help=f"{CARBON_SERVICES} alone; default: one after the other.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch past and forecast carbon intensity of the site's grid.

    You can repeat it: revised values are stored next to the first ones.
    """
    from services.ingest.carbon_collection import fetch_carbon

    with err.status(f"Fetching the carbon intensity at {site} …"), open_database() as pool:
        with engine.unit_of_work(pool) as connection:
            window = parse_window(connection, site, first, end)
        request = compose_request(
            FetchCarbonRequest, site_id=site, first=window[0], end=window[1], source=source
        )
        reply = fetch_carbon(pool, request, load_settings(), clock=SystemClock())
    (entry,) = reply.sites
    if not entry.sources and entry.missing:
        reasons = " ".join(entry.faults) or "no service has any for this time."
        raise UnavailableError(f"there is no carbon intensity: {reasons}", field="site", value=site)
    emit_reply(price_capabilities.fetch_carbon, reply, as_json=as_json)


@app.command()
def guess(
    file: Annotated[
        Path, typer.Argument(help="A CSV, Excel (.xlsx) or JSON file with any columns.")
    ],
    *,
    site: SiteOption,
    choose: Annotated[
        list[str] | None,
        typer.Option(
            help="Answer an open question: zone=UTC, column:Wert=import_kwh. May be repeated."
        ),
    ] = None,
    store: Annotated[
        bool,
        typer.Option("--store", help="Store the rows as shown, if no question is open."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Recognise the columns of any file and show the result; ``--store`` stores it."""
    from services.ingest.file_guess.guess import guess_file
    from services.ingest.limited_file import FileLimits
    from services.ingest.loading import FileForm, load_file
    from services.ingest.upload_service import describe

    limits = FileLimits.of(load_settings())
    with err.status(f"Reading {file.name} …") as status, unit_of_work() as connection:
        zone = sites.load(connection, site).timezone
        choices = _parse_choices(choose or [])
        result = guess_file(
            file, file_name=file.name, timezone=zone, choices=choices, limits=limits
        )
        loaded = None
        if store:
            if result.reading is None:
                raise InvalidInputError(
                    "the file leaves a question open",
                    field="--choose",
                    remedy=" ".join(_say_questions(result)),
                )

            def report_rows(rows: int) -> None:
                status.update(f"Reading {file.name}: {rows:,} rows …")

            form = FileForm.of_reading(
                result.reading, scratch=None, received_at=SystemClock().now(), limits=limits
            )
            loaded = describe(load_file(connection, site, file, form, progress=report_rows))
    document = {
        "guess": result.model_dump(mode="json"),
        "loaded": None if loaded is None else loaded.model_dump(mode="json"),
    }

    def show() -> None:
        _show_guess(result)
        if loaded is not None:
            show_counts(loaded, title="Stored")
            reasons = [f"{count:,}: {reason}" for reason, count in loaded.reasons.items()]
            for sentence in [*loaded.notes, *reasons]:
                out.print(f"  {sentence}", markup=False)

    emit(document, as_json=as_json, show=show)


def _parse_choices(texts: Iterable[str]) -> dict[str, str]:
    """Parse answers to questions about a file, such as ``zone=UTC``.

    Raises:
        InvalidInputError: a text has another form.
    """
    choices = {}
    for text in texts:
        # A column's name may contain an equals sign, a choice does not.
        key, _, chosen = text.rpartition("=")
        if not key or not chosen:
            raise InvalidInputError(
                "needs a question and an answer",
                field="--choose",
                value=text,
                remedy="Write it as in --choose zone=UTC.",
            )
        choices[key] = chosen
    return choices


def show_counts(loaded: LoadReply, *, title: str | None = None) -> None:
    """Print the counts of a file's rows."""
    names = ("rows", "accepted", "repaired", "quarantined", "duplicated")
    table(names, [[f"{getattr(loaded, name):,}" for name in names]], title=title)


def _show_guess(guess: FileGuess) -> None:
    for reason in guess.reasons:
        out.print(f"  {_say(reason)}", markup=False)
    rows = []
    for column in guess.columns:
        figures = column.measure if column.stored_as != "nothing" else ""
        why = "; ".join(map(_say, column.reasons))
        rows.append([column.name, column.stored_as, column.unit, figures, column.confidence, why])
    headings = ["column", "stored as", "unit", "figures", "sure", "why"]
    table(headings, rows, words=headings)
    if guess.preview is not None and guess.preview.first is not None:
        _show_totals(guess.preview)
    for question in _say_questions(guess):
        out.print(question, markup=False)


def _show_totals(preview: FilePreview) -> None:
    """Print the total of each series by month."""
    names = [series.name for series in preview.series]
    values = {(total.month, total.name): total.value for total in preview.totals}
    rows = []
    for month in sorted({month for month, _ in values}):
        totals = [values.get((month, name)) for name in names]
        rows.append([month, *("–" if total is None else f"{total:,.3f}" for total in totals)])
    words = page_words("file_guess", "en")
    title = words("totals")
    if not preview.whole:
        title = f"{title} ({words('totals_part')})"
    headings = [say_series(name, language="en") for name in names]
    table(["month", *headings], rows, title=title)


def _say_questions(guess: FileGuess) -> list[str]:
    sentences: list[str] = []
    words = page_words("file_guess", "en")
    for question in guess.questions:
        sentence = words(f"question_{question.code}", column=question.column or "")
        assumed = f"; taken: {question.likely}" if question.likely else ""
        sentences.append(
            f"{sentence} --choose '{question.key}={'|'.join(question.choices)}'{assumed}"
        )
    return sentences


def _say(reason: GuessReason) -> str:
    return page_words("file_guess", "en")(f"reason_{reason.code}", **reason.figures)


@app.command()
def load(  # noqa: PLR0913 - one per option
    file: Annotated[
        Path,
        typer.Argument(
            help="A CSV, JSON lines, JSON or Parquet file; the first three also as gzip."
        ),
    ],
    *,
    site: SiteOption,
    kind: Annotated[
        str, typer.Option(help="Kind of data: observations, prices, weather, carbon or readings.")
    ],
    timezone: Annotated[
        str | None,
        typer.Option(
            help=(
                "Time zone of times without an offset, such as Europe/Berlin (default: the site's)."
            )
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                "Luna's column and the file's: load_kwh=verbrauch, slot_start=Datum+Uhrzeit. "
                "May be repeated."
            )
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(help="Ignore this column of the file. May be repeated.")
    ] = None,
    unit: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                "A column's unit in the file: load_kwh=Wh, soc=%, spot_price=EUR/MWh. May be "
                "repeated."
            )
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Load a file.

    You can repeat it. Rows and values that Luna cannot use are set aside with the reason.
    """
    from services.ingest.limited_file import FileLimits
    from services.ingest.loading import FileForm, load_file
    from services.ingest.upload_service import describe

    zone = parse_zone(timezone, field="--timezone") if timezone else None
    columns = parse_pairs(
        column,
        field="--column",
        remedy="Write Luna's name, =, the file's name: load_kwh=verbrauch.",
    )
    units = parse_pairs(
        unit, field="--unit", remedy="Write Luna's name, =, the file's unit: load_kwh=Wh."
    )
    form = FileForm(
        kind=kind,
        zone=zone,
        renamed=columns,
        ignored=frozenset(ignore or []),
        units=units,
        received_at=SystemClock().now(),
        limits=FileLimits.of(load_settings()),
    )
    with err.status(f"Reading {file.name} …") as status, unit_of_work() as connection:

        def report_rows(rows: int) -> None:
            status.update(f"Reading {file.name}: {rows:,} rows …")

        clock = find_zone(connection, site)
        report = describe(load_file(connection, site, file, form, progress=report_rows))
    if as_json:
        write_json(report.model_dump(mode="json"))
        return
    show_counts(report)
    if report.first is not None and report.last is not None:
        first = say_instant(report.first, clock)
        last = say_instant(report.last, clock)
        out.print(
            f"Stored from {first} to {last}: {report.inserted:,} new, {report.updated:,} changed, "
            f"{report.unchanged:,} unchanged."
        )
    if report.accepted_in_part:
        out.print(
            f"  {report.accepted_in_part:,} of the accepted without a bad value, which is "
            "in quarantine"
        )
    for title, reasons in (("repaired", report.repairs), ("quarantined", report.reasons)):
        for reason, count in Counter(reasons).most_common(10):
            out.print(f"  {title} {count:,} × {reason}", markup=False)
    for note in report.notes:
        out.print(f"  {note}", markup=False)


@app.command()
def query(  # noqa: PLR0913 - one per option
    *,
    site: SiteOption,
    series: Annotated[
        str,
        typer.Option(
            help=(
                "The series: load_kwh, soc, …, market_prices:MARKET, "
                "slot_forecasts:VERSION:COLUMN or plans:COLUMN."
            )
        ),
    ],
    first: FirstOption,
    end: EndOption,
    resolution: Annotated[
        str, typer.Option(help="Resolution: 15m, 30m, 1h, or 1d (the site's local days).")
    ] = "15m",
    aggregate: Annotated[
        str | None, typer.Option(help="Aggregate: sum, mean, min or max (default for energy: sum).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show a stored series.

    Unknown values stay empty; estimated ones are marked.
    """
    with unit_of_work() as connection:
        zone = find_zone(connection, site)
        window = parse_window(connection, site, first, end)
        answer = query_series(connection, site, SeriesQuery(series, *window, resolution, aggregate))
    rows = as_rows(answer)
    document = {
        "site": site,
        "series": series,
        "resolution": resolution,
        "aggregate": answer.aggregate,
        "rows": rows,
        "intervals": list_intervals(answer),
        "unusable": list_unusable(answer),
    }

    def show() -> None:
        table(["start", series, *answer.shares()], [_cells(row, zone) for row in rows])
        for interval in answer.intervals:
            span = f"{say_instant(interval.first, zone)} to {say_instant(interval.end, zone)}"
            energy = f"{interval.energy_kwh:.3f} kWh"
            if interval.certainty != "counted":
                energy = f"{energy} at least"
            sentence = f"{span}: {energy}, counted by {interval.sensor}; only the total is known"
            out.print(f"  {sentence}", markup=False)
        for day in answer.unusable:
            date = f"{day.first.astimezone(zone):%Y-%m-%d}"
            faults = "; ".join(say_day_fault(fault) for fault in day.faults)
            sentence = f"{date}: {day.verdict}, left out of training and scores: {faults}"
            out.print(f"  {sentence}", markup=False)

    emit(document, as_json=as_json, show=show)


@app.command()
def readings(  # noqa: PLR0913 - one per option
    *,
    site: SiteOption,
    sensor: Annotated[str, typer.Option(help="The sensor's name.")],
    first: FirstOption,
    end: EndOption,
    aggregate: Annotated[
        str | None,
        typer.Option(
            help=(
                "Aggregate: increase (of a counter), time_weighted_mean or shape (default: "
                "all readings)."
            )
        ),
    ] = None,
    resolution: Annotated[
        str | None,
        typer.Option(help="Resolution: 15m, 30m, 1h, or 1d (the site's local days); default: 1h."),
    ] = None,
    points: Annotated[
        int | None, typer.Option(help="Most readings of a shape (default: 500).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show a sensor's readings, or their aggregate.

    Unknown values stay empty.
    """
    with unit_of_work() as connection:
        zone = find_zone(connection, site)
        window = parse_window(connection, site, first, end)
        question = ReadingQuery(sensor, *window, aggregate, resolution, points)
        rows = as_rows(query_readings(connection, site, question))

    def show() -> None:
        headings = list(rows[0]) if rows else ["instant", "value"]
        table(headings, [_cells(row, zone, seconds=aggregate is None) for row in rows])

    document = {"site": site, "sensor": sensor, "aggregate": aggregate, "rows": rows}
    emit(document, as_json=as_json, show=show)


def _cells(row: dict[str, Any], zone: tzinfo, *, seconds: bool = False) -> list[str]:
    instant, value, *shares = row.values()
    return [
        say_instant(datetime.fromisoformat(instant), zone, seconds=seconds),
        "–" if value is None else f"{value:.3f}",
        *(f"{share:.0%}" for share in shares),
    ]
