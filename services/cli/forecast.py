"""``luna forecast``: train Aurora, issue forecasts, draw them, compare versions."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import numpy as np
import typer
from sqlalchemy import Connection

from luna.contracts.forecast import EvaluateReply, EvaluateRequest, IssueRequest
from luna.contracts.forecast_explanation import ExplainRequest, IssueScenariosRequest
from luna.contracts.forecast_view import view_explained
from luna.contracts.replay import ReplayRequest
from luna.energy.errors import InvalidInputError
from luna.energy.outlook import Forecast
from luna.house.capabilities.forecast_orders import evaluate_forecasts, read_forecast_versions
from luna.house.desk.servers import open_object_store, unit_of_work
from luna.platform.clock import SystemClock
from luna.platform.database import forecasts, observations, sites
from luna.platform.database.forecast_scenarios import describe
from luna.platform.objects import ObjectStore
from luna.platform.written_files import make_writable, write_whole
from luna.words import Language, Numbers, say_instant
from luna.words.charts.forecast import draw_forecast_page, draw_forecast_picture
from luna.words.compromises import condition
from services.cli.console import JsonOption, emit, follow_progress, out, table, write_json
from services.cli.declared import build_group, emit_reply
from services.cli.options import (
    FirstDayOption,
    LastDayOption,
    SiteOption,
    compose_request,
    find_zone,
    parse_site_instants,
)

if TYPE_CHECKING:
    from services.planner.replay import Progress
UNITS = {
    "min": timedelta(minutes=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
SCENARIO_NOTES = {
    "few_error_paths": (
        "Less than two weeks of forecasts can be compared with measured values; Luna uses "
        "typical errors."
    ),
    "few_prices": ("Few prices are known: later prices are those of the last two weeks."),
    "no_prices": "Too few prices are known to forecast later ones.",
}


def issue(
    *,
    site: SiteOption,
    at: Annotated[str, typer.Option(help="Time of issue; Luna uses nothing measured later.")],
    to: Annotated[
        str | None, typer.Option(help="Repeat until this time; the time is included.")
    ] = None,
    every: Annotated[
        str, typer.Option(help="With --to: time between two forecasts: 15m, 1h, 6h.")
    ] = "1h",
    version: Annotated[
        str | None, typer.Option(help="aurora_v1.0 (default) or a baseline.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Issue and store forecasts of consumption and PV for 48 hours.

    Shows the quantiles of the last one by quarter-hour.
    """
    minutes = _parse_minutes(every, field="--every")
    from services.forecaster.forecast_issue import issue_forecasts

    with unit_of_work() as connection, follow_progress("Forecasting") as progress:
        zone = find_zone(connection, site)
        instants = parse_site_instants(connection, site, at=at, to=to)
        request = compose_request(
            IssueRequest, site_id=site, **instants, every_minutes=minutes, forecast_version=version
        )
        issued = issue_forecasts(
            connection,
            request,
            objects=open_object_store(),
            now=SystemClock().now(),
            progress=progress,
        )
    last = issued.batch.forecast(len(issued.batch.issued_at) - 1)
    if as_json:
        write_json(issued.reply().model_dump(mode="json") | {"forecast": _list_slots(last)})
        return
    out.print(
        f"{last.version} issued {say_instant(last.issued_at, zone)}, stage: "
        f"{issued.batch.stage}; energies per hour, kWh"
    )
    headings = [f"hour, {zone.key}", "load low", "load", "load high", "PV low", "PV", "PV high"]
    table(headings, _list_hours(last, zone))
    for code in issued.batch.reasons[-1]:
        out.print(f"Wider than usual: {condition(code, language='en')}")


def _list_slots(forecast: Forecast) -> list[dict[str, str | float]]:
    """Return the expected energy and the quantiles of each slot, for machines."""
    columns = {}
    for name, quantiles in (("load", forecast.load_kwh), ("pv", forecast.pv_kwh)):
        columns[f"{name}_kwh"] = quantiles.expected
        columns[f"{name}_p10_kwh"] = quantiles.p10
        columns[f"{name}_p50_kwh"] = quantiles.p50
        columns[f"{name}_p90_kwh"] = quantiles.p90
    rows = []
    for slot, start in enumerate(forecast.timeline):
        row: dict[str, str | float] = {"slot_start": start.isoformat()}
        for name, column in columns.items():
            row[name] = round(float(column[slot]), 6)
        rows.append(row)
    return rows


def _list_hours(forecast: Forecast, zone: ZoneInfo) -> list[list[str]]:
    """Return rows with each hour's energies between P10 and P90, in kWh."""
    numbers = Numbers("en", zone, "EUR")
    rows = []
    for first in range(0, len(forecast.timeline) - 3, 4):
        hour = slice(first, first + 4)
        start = forecast.timeline.start + first * forecast.timeline.step
        row = [f"{numbers.day(start)} {numbers.clock(start)}"]
        for quantiles in (forecast.load_kwh, forecast.pv_kwh):
            columns = (quantiles.p10, quantiles.expected, quantiles.p90)
            row += [f"{column[hour].sum():.2f}" for column in columns]
        rows.append(row)
    return rows


def evaluate(  # noqa: PLR0913 - one per option
    *,
    site: SiteOption,
    first: FirstDayOption,
    last: LastDayOption,
    versions: Annotated[
        str,
        typer.Option(help="Versions, separated by commas; skill compares with the first baseline."),
    ] = "aurora_v1.0,baseline_like_days,baseline_7_day_avg,seasonal_naive",
    every: Annotated[str, typer.Option(help="Time between two forecasts: 1h, 6h.")] = "6h",
    money: Annotated[
        bool,
        typer.Option(
            "--money", help="Also replay the days and show the cost of each version's errors."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare forecast versions with the measured values."""
    request = compose_request(
        EvaluateRequest,
        site_id=site,
        from_day=first,
        to_day=last,
        versions=versions.split(","),
        every_minutes=_parse_minutes(every, field="--every"),
    )
    from services.forecaster.versions.comparison import evaluate_versions

    with unit_of_work() as connection, follow_progress("Evaluating") as progress:
        objects = open_object_store()
        reply = evaluate_versions(connection, request, objects=objects, progress=progress)
        if money:
            reply = add_money(connection, request, reply, objects=objects, progress=progress)
    emit_reply(evaluate_forecasts, reply, as_json=as_json)


def _parse_minutes(text: str, *, field: str) -> int:
    """Return the minutes that a duration such as ``15m``, ``6h`` or ``1d`` names.

    Raises:
        InvalidInputError: no such duration.
    """
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = UNITS.get(text[len(digits) :])
    if unit is None or not digits.isdecimal() or int(digits) == 0:
        raise InvalidInputError(
            "no duration",
            field=field,
            value=text,
            remedy="Write a number and a unit: 15m, 6h or 1d.",
        )
    return int(digits) * unit // timedelta(minutes=1)


def plot(
    *,
    site: SiteOption,
    at: Annotated[
        str,
        typer.Option(help="Draw the forecast in use at this time."),
    ],
    to: Annotated[Path, typer.Option("--out", help="Write the picture to FILE.svg or FILE.html.")],
    version: Annotated[
        str | None,
        typer.Option(
            help=("aurora_v1.0 or a baseline (default: the version in use, else Aurora).")
        ),
    ] = None,
    language: Annotated[Language, typer.Option(help="Language of the picture.")] = "en",
    as_json: JsonOption = False,
) -> None:
    """Draw a forecast with its range, the usual course and the measured values."""
    if to.suffix not in (".svg", ".html"):
        raise InvalidInputError(
            "the file's ending names no kind of picture",
            field="--out",
            value=str(to),
            remedy="Name a file that ends in .svg or .html.",
        )
    from services.forecaster.explanation import stored_explanations

    make_writable(to.parent)
    with unit_of_work() as connection:
        instants = parse_site_instants(connection, site, at=at)
        request = compose_request(
            ExplainRequest, site_id=site, **instants, forecast_version=version, language=language
        )
        reply = stored_explanations.explain_forecast(
            connection, request, objects=open_object_store()
        )
        described = sites.load(connection, site)
        forecast = forecasts.read_all(
            connection,
            site,
            version=reply.forecast_version,
            first=reply.issued_at,
            last=reply.issued_at,
        )[0]
        happened = observations.read(connection, site, forecast.timeline)
    numbers = Numbers(language, ZoneInfo(described.timezone), described.currency)
    view = view_explained(described, reply, forecast, happened, numbers=numbers)
    draw = draw_forecast_picture if to.suffix == ".svg" else draw_forecast_page
    write_whole(to, draw(view))
    document = {
        "file": str(to),
        "forecast_version": view.version,
        "issued_at": view.issued_at.isoformat(),
    }
    emit(document, as_json=as_json, show=partial(out.print, f"Drawn: {to}"))


def scenarios(
    *,
    site: SiteOption,
    at: Annotated[
        str, typer.Option(help="Use the last forecast issued in the hour before this time.")
    ],
    count: Annotated[int, typer.Option(help="Number of scenarios, 1 to 30.")] = 10,
    version: Annotated[
        str | None,
        typer.Option(help="aurora_v1.0 or a baseline (default: the version in use)."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make and store scenarios of consumption, PV and prices from past errors."""
    from services.forecaster.scenarios.joint_scenarios import issue_requested

    with unit_of_work() as connection:
        request = compose_request(
            IssueScenariosRequest,
            site_id=site,
            **parse_site_instants(connection, site, at=at),
            count=count,
            forecast_version=version,
        )
        zone = find_zone(connection, site)
        issued = issue_requested(connection, request, objects=open_object_store())
    scenarios = issued.scenarios
    if as_json:
        write_json(issued.reply().model_dump(mode="json") | {"paths": describe(scenarios)})
        return
    hours = scenarios.timeline.count / 4
    out.print(
        f"{scenarios.version} issued {say_instant(scenarios.issued_at, zone)}: "
        f"{scenarios.probability.size} scenarios of the next {hours:.0f} hours"
    )
    rows = []
    for path in np.argsort(-scenarios.probability, kind="stable"):
        row = [
            str(path + 1),
            f"{scenarios.probability[path]:.0%}",
            f"{scenarios.load_kwh[path].sum():.1f}",
            f"{scenarios.pv_kwh[path].sum():.1f}",
        ]
        for market_paths in scenarios.spot_price.values():
            prices = market_paths[path]
            known_prices = prices[np.isfinite(prices)]
            row.append(f"{known_prices.mean():.4f}" if known_prices.size else "–")
        rows.append(row)
    price_headings = [f"mean price {market}" for market in scenarios.spot_price]
    table(["scenario", "probability", "load kWh", "PV kWh", *price_headings], rows)
    for reason in scenarios.reasons:
        out.print(SCENARIO_NOTES[reason])


def add_money(
    connection: Connection,
    request: EvaluateRequest,
    reply: EvaluateReply,
    *,
    objects: ObjectStore,
    progress: "Progress",
) -> EvaluateReply:
    """Return the reply with the daily cost of each version's errors.

    The window is planned anew whenever a forecast is issued.

    Raises:
        InvalidInputError: observations or prices of the window are missing.
    """
    from services.forecaster.versions.hindsight import ensure_forecasts
    from services.planner.service.replay import find_missing, replay_site

    versions = dict(reply.versions)
    days = (request.to_day - request.from_day).days + 1
    for version, score in reply.versions.items():
        question = ReplayRequest(
            site_id=request.site_id,
            from_day=request.from_day,
            to_day=request.to_day,
            policies=["mpc", "mpc_perfect"],
            every_minutes=request.every_minutes,
            system_id=f"evaluation_forecast_{version}",
            forecast_version=version,
        )
        missing = find_missing(connection, question)
        if missing is not None:
            ensure_forecasts(connection, missing, objects=objects, progress=progress)
        policies = replay_site(connection, question, progress=progress).policies
        regret = (policies["mpc"].cost - policies["mpc_perfect"].cost) / days
        versions[version] = score.model_copy(update={"regret_per_day": regret, "regret_days": days})
    return reply.model_copy(update={"versions": versions})


def status(*, site: SiteOption, as_json: JsonOption = False) -> None:
    """Show the forecast version in use, the others' results, and the last trainings."""
    from services.forecaster.versions.promotion import describe_status

    with unit_of_work() as connection:
        zone = find_zone(connection, site)
        versions = describe_status(connection, site, now=SystemClock().now())
    emit_reply(read_forecast_versions, versions, as_json=as_json, zone=zone)


app = build_group("forecast", "Train Aurora, issue forecasts, compare versions.")
app.command()(issue)
app.command()(evaluate)
app.command()(plot)
app.command()(scenarios)
app.command()(status)
