"""``luna forecast``: train Aurora, issue forecasts, compare versions."""

from datetime import timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from luna.contracts.forecast import EvaluateReply, EvaluateRequest, IssueRequest, TrainReply
from luna.energy.errors import InvalidInputError
from luna.energy.outlook import Forecast, Quantiles
from luna.platform.clock import SystemClock
from luna.platform.desk.servers import open_object_store, unit_of_work
from luna.words import Numbers, say_instant
from luna.words.compromises import condition
from services.cli import forecast_explain, forecast_scenarios, forecast_versions
from services.cli.console import JsonOption, emit, follow_progress, out, table
from services.cli.declared import build_group
from services.cli.forecast_versions import add_money
from services.cli.options import FirstDayOption, LastDayOption, SiteOption, compose_request, find_zone, parse_site_instants
from services.cli.shared_sentences import show_driving

UNITS = {"min": timedelta(minutes=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def issue(
    *,
    site: SiteOption,
    at: Annotated[str, typer.Option(help="When the forecast is issued; nothing measured after it is used.")],
    to: Annotated[str | None, typer.Option(help="Issue again and again until this instant, itself included.")] = None,
    every: Annotated[str, typer.Option(help="How often, with --to: 15m, 1h, 6h.")] = "1h",
    version: Annotated[str | None, typer.Option(help="aurora_v1.0 (default) or a baseline.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Issue forecasts of load and PV for 48 hours and store them; quantiles per slot of the last one are shown."""
    minutes = _parse_minutes(every, field="--every")
    from services.forecaster.service import issue_forecasts

    with unit_of_work() as connection, follow_progress("Forecasting") as progress:
        zone, instants = find_zone(connection, site), parse_site_instants(connection, site, at=at, to=to)
        request = compose_request(IssueRequest, site_id=site, **instants, every_minutes=minutes, forecast_version=version)
        issued = issue_forecasts(connection, request, objects=open_object_store(), now=SystemClock().now(), progress=progress)
    last = issued.batch.forecast(len(issued.batch.issued_at) - 1)
    document = issued.reply().model_dump(mode="json") | {"forecast": _describe(last)}
    emit(document, as_json=as_json, show=lambda: _show_forecast(last, issued.batch.stage, issued.batch.reasons[-1], zone=zone))


def evaluate(  # noqa: PLR0913 - one per option
    *,
    site: SiteOption,
    first: FirstDayOption,
    last: LastDayOption,
    versions: Annotated[
        str, typer.Option(help="Comma-separated; skill is against the first baseline named.")
    ] = "aurora_v1.0,baseline_like_days,baseline_7_day_avg,seasonal_naive",
    every: Annotated[str, typer.Option(help="How often a forecast is issued: 1h, 6h.")] = "6h",
    money: Annotated[bool, typer.Option("--money", help="Replay the days: what each version's errors cost in the plan.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare versions with what happened, each forecast from nothing known after its issue."""
    days = {"from_day": first, "to_day": last}
    request = compose_request(EvaluateRequest, site_id=site, **days, versions=versions.split(","), every_minutes=_parse_minutes(every, field="--every"))
    from services.forecaster.versions.comparison import evaluate_versions

    with unit_of_work() as connection, follow_progress("Evaluating") as progress:
        objects = open_object_store()
        reply = evaluate_versions(connection, request, objects=objects, progress=progress)
        if money:
            reply = add_money(connection, request, reply, objects=objects, progress=progress)
    emit(reply.model_dump(mode="json"), as_json=as_json, show=lambda: _show_scores(reply))


def _parse_minutes(text: str, *, field: str) -> int:
    """Return the minutes that a duration such as ``15m``, ``6h`` or ``1d`` names.

    Raises:
        InvalidInputError: no such duration.
    """
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = UNITS.get(text[len(digits) :])
    if unit is None or not digits.isdecimal() or int(digits) == 0:
        raise InvalidInputError("no duration", field=field, value=text, remedy="Write a number and a unit: 15m, 6h or 1d.")
    return int(digits) * unit // timedelta(minutes=1)


def _describe(forecast: Forecast) -> list[dict[str, Any]]:
    def parts(name: str, quantiles: Quantiles, slot: int) -> dict[str, float]:
        values = {"": quantiles.expected, "_p10": quantiles.p10, "_p50": quantiles.p50, "_p90": quantiles.p90}
        return {f"{name}{suffix}_kwh": round(float(value[slot]), 6) for suffix, value in values.items()}

    return [
        {"slot_start": start.isoformat(), **parts("load", forecast.load_kwh, slot), **parts("pv", forecast.pv_kwh, slot)}
        for slot, start in enumerate(forecast.timeline)
    ]


def _show_training(reply: TrainReply, numbers: Numbers) -> None:
    out.print(f"Trained {reply.forecast_version} on {reply.days} {'day' if reply.days == 1 else 'days'} in {reply.train_seconds:.1f} s: run {reply.run_id}")
    out.print(f"{'Accepted' if reply.accepted else 'Not used'}: {reply.verdict}")
    if not any(name.endswith("mae_kwh") for name in reply.metrics):
        out.print("Nothing was learned yet, for that takes 14 known days of a series: forecasts come from recent days in wide bands.")
    table(["what", "value"], [[name, f"{value:.4g}"] for name, value in reply.metrics.items()])
    if reply.driving is not None:
        show_driving(reply.driving, numbers.zone)


def _show_forecast(forecast: Forecast, stage: str, reasons: tuple[str, ...], *, zone: ZoneInfo) -> None:
    out.print(f"{forecast.version} issued {say_instant(forecast.issued_at, zone)}, stage: {stage}; energies per hour, kWh")
    rows, numbers = [], Numbers("en", zone, "EUR")
    for first in range(0, len(forecast.timeline) - 3, 4):
        hour = slice(first, first + 4)
        series = [getattr(quantiles, part)[hour].sum() for quantiles in (forecast.load_kwh, forecast.pv_kwh) for part in ("p10", "expected", "p90")]
        start = forecast.timeline.start + first * forecast.timeline.step
        rows.append([f"{numbers.day(start)} {numbers.clock(start)}", *(f"{value:.2f}" for value in series)])
    table([f"hour, {zone.key}", "load low", "load", "load high", "PV low", "PV", "PV high"], rows)
    for code in reasons:
        out.print(f"Wider than usual: {condition(code, language='en')}")


def _show_scores(reply: EvaluateReply) -> None:
    rows = [
        [
            version,
            name,
            f"{score.mae:.4f}",
            f"{score.rmse:.4f}",
            f"{score.pinball:.4f}",
            f"{score.coverage_80:.0%}",
            f"{score.skill:+.1%}",
            "–" if found.regret_per_day is None else f"{found.regret_per_day:.4f}",
        ]
        for version, found in reply.versions.items()
        for name, score in found.series.items()
    ]
    headings = ["version", "series", "MAE kWh", "RMSE kWh", "pinball", "in 80 % band", "skill", "error costs a day"]
    table(headings, rows, title=f"{reply.origins} origins")


app = build_group(
    "forecast",
    "Train Aurora, issue forecasts, compare versions.",
    shown={"explain": forecast_explain.show_explanation, "train": _show_training},
)
app.command()(issue)
app.command()(evaluate)
forecast_explain.register(app)
forecast_scenarios.register(app)
forecast_versions.register(app)
