"""Declare orders of forecasts: issue, scenarios, comparison, and the driving version."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from luna.contracts.forecast import EvaluateReply, EvaluateRequest, ForecastVersion, IssueRequest
from luna.contracts.forecast_explanation import IssueScenariosRequest
from luna.contracts.forecast_versions import ForecastStatus, ShadowRecord
from luna.contracts.message import Message
from luna.energy.errors import ConflictError
from luna.energy.timeline import Day, Instant
from luna.house.capabilities.forecasts import format_driving
from luna.house.capability import CapabilityCall, SiteName, TextTable, capability
from luna.platform.database import forecast_status, sites
from luna.words import Numbers, say_instant

_NOUN = "forecasts"
_PATH = "/v1/sites/{site_id}/forecasts"


class ForecastOrder(Message):
    """Forecasts to issue."""

    at: Annotated[
        Instant | None,
        Field(description="time of issue, nothing measured later is used; default: now"),
    ] = None
    forecast_version: Annotated[ForecastVersion | None, Field(description="default: Aurora")] = None


class ScenarioOrder(Message):
    """Scenarios to make."""

    at: Annotated[
        Instant | None,
        Field(description="use the last forecast of the hour before; default: now"),
    ] = None
    count: Annotated[int, Field(ge=1, le=30, description="number")] = 10
    forecast_version: Annotated[
        ForecastVersion | None, Field(description="default: the version in use")
    ] = None


class Evaluation(Message):
    """Versions to compare, and the days to compare them on."""

    from_day: Annotated[Day, Field(description="the first local day")]
    to_day: Annotated[Day, Field(description="the last local day, included")]
    versions: Annotated[
        list[ForecastVersion],
        Field(min_length=1, max_length=16, description="skill compares with the first baseline"),
    ] = [
        "aurora_v1.0",
        "baseline_like_days",
        "baseline_7_day_avg",
        "seasonal_naive",
    ]
    every_minutes: Annotated[
        int, Field(ge=15, le=1440, description="minutes between two forecasts")
    ] = 360


@capability(
    "POST",
    _PATH,
    noun=_NOUN,
    scope="operate",
    local_command="forecast issue",
    status=201,
    errors=(ConflictError,),
    solves=True,
)
def issue_forecast(call: CapabilityCall, site_id: SiteName, order: ForecastOrder) -> IssueRequest:
    """Issue a forecast.

    Issue and store a forecast of load and PV for 48 hours. For many, send a job: `POST /v1/jobs`
    with `forecaster.forecast.issue`.
    """
    return IssueRequest(
        site_id=site_id, at=order.at or call.now, forecast_version=order.forecast_version
    )


@capability(
    "POST",
    f"{_PATH}/scenarios",
    noun=_NOUN,
    scope="analyse",
    local_command="forecast scenarios",
    status=201,
    errors=(ConflictError,),
    solves=True,
)
def issue_scenarios(
    call: CapabilityCall, site_id: SiteName, order: ScenarioOrder
) -> IssueScenariosRequest:
    """Make scenarios for a forecast.

    Make and store joint scenarios of load, PV and prices from past forecast errors.
    """
    return IssueScenariosRequest(
        site_id=site_id,
        at=order.at or call.now,
        count=order.count,
        forecast_version=order.forecast_version,
    )


def _show_scores(reply: EvaluateReply, _: Numbers) -> Iterator[TextTable]:
    rows = []
    for version, scored in reply.versions.items():
        regret = "–" if scored.regret_per_day is None else f"{scored.regret_per_day:.4f}"
        for name, score in scored.series.items():
            rows.append(
                [
                    version,
                    name,
                    f"{score.mae:.4f}",
                    f"{score.rmse:.4f}",
                    f"{score.pinball:.4f}",
                    f"{score.coverage_80:.0%}",
                    f"{score.skill:+.1%}",
                    regret,
                ]
            )
    headings = (
        "version",
        "series",
        "MAE kWh",
        "RMSE kWh",
        "pinball",
        "in 80 % band",
        "skill",
        "error costs a day",
    )
    yield TextTable(headings, rows, title=f"{reply.origins} origins")


@capability(
    "POST",
    f"{_PATH}/evaluations",
    noun=_NOUN,
    scope="analyse",
    local_command="forecast evaluate",
    shown=_show_scores,
    status=202,
    solves=True,
)
def evaluate_forecasts(
    call: CapabilityCall, site_id: SiteName, evaluation: Evaluation
) -> EvaluateRequest:
    """Compare forecast versions with measured values.

    Score versions as a job, each forecast with what was known at its issue.
    """
    sites.key_of(call.connection, site_id)
    return EvaluateRequest(site_id=site_id, **evaluation.model_dump())


def _show_status(status: ForecastStatus, numbers: Numbers) -> Iterator[str | TextTable]:
    numbers = replace(numbers, currency=status.currency)
    if status.driving is not None:
        yield from format_driving(status.driving, numbers.zone)
    yield from (_describe_shadow(record, numbers) for record in status.shadow)
    if not status.shadow:
        yield (
            "No version was scored in shadow yet: a day is scored when the 48 hours after it "
            "have passed."
        )
    for candidate in status.candidates:
        yield f"{candidate.version}: {candidate.reason}"
    decisions = [
        [
            say_instant(decision.decided_at, numbers.zone),
            decision.forecast_version,
            decision.run_id or "–",
            decision.decided_by,
            decision.reason,
        ]
        for decision in status.decisions
    ]
    if decisions:
        headings = ("decided", "version", "training", "by", "reason")
        yield TextTable(headings, decisions, title="decisions", words=headings)
    trainings = [
        [
            run.run_id,
            run.trigger,
            f"{run.data_until.astimezone(numbers.zone):%Y-%m-%d}",
            f"{run.train_seconds:.1f}",
            "in use or may be" if run.accepted else f"refused: {run.verdict}",
        ]
        for run in status.trainings
    ]
    if trainings:
        yield TextTable(
            ("training", "trigger", "learned until", "seconds", "model"),
            trainings,
            title="trainings",
            words=("trigger", "model"),
        )
    yield f"Next training: {status.next_training}."
    if status.drift:
        yield f"The site has changed since its model was trained: {'; '.join(status.drift)}."


def _describe_shadow(record: ShadowRecord, numbers: Numbers) -> TextTable:
    rows = []
    for version, scored in record.versions.items():
        regret = "–"
        if scored.regret_per_day is not None:
            regret = numbers.money(scored.regret_per_day)
        for name, series in scored.series.items():
            rows.append(
                [
                    version,
                    name,
                    str(series.days),
                    f"{series.mae:.4f}",
                    f"{series.rmse:.4f}",
                    f"{series.pinball:.4f}",
                    "–" if series.coverage_80 is None else f"{series.coverage_80:.0%}",
                    regret,
                ]
            )
    headings = (
        "version",
        "series",
        "days",
        "MAE kWh",
        "RMSE kWh",
        "pinball",
        "in 80 % band",
        "error costs a day",
    )
    return TextTable(
        headings,
        rows,
        title=f"in shadow, issued {record.from_day} to {record.to_day}",
        words=headings[1:2],
    )


@capability(
    "GET",
    "/v1/sites/{site_id}/forecast-versions",
    noun=_NOUN,
    scope="read",
    local_command="forecast status",
    shown=_show_status,
)
def read_forecast_versions(call: CapabilityCall, site_id: SiteName) -> ForecastStatus:
    """Show the forecast version in use.

    Return the active version and why, the results of all over two and four weeks, the last
    decisions and trainings.
    """
    return forecast_status.read_status(call.connection, site_id, at=call.now)


CAPABILITIES = (
    issue_forecast,
    issue_scenarios,
    evaluate_forecasts,
    read_forecast_versions,
)
