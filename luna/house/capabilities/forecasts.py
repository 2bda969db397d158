"""Declare a site's forecasts: their list, their reasons, the driving version."""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from luna.contracts.forecast import DrivingVersion, ForecastVersion, TrainReply, TrainRequest
from luna.contracts.forecast_explanation import ExplainReply, ExplainRequest, SlotExplanation
from luna.contracts.forecast_versions import (
    ActivationReply,
    CardReply,
    CardRequest,
    PromoteRequest,
    RollbackRequest,
    RunId,
)
from luna.contracts.message import Message
from luna.energy.errors import ConflictError
from luna.energy.timeline import Instant
from luna.house.capability import (
    CapabilityCall,
    ReplyTable,
    SiteName,
    TerminalForm,
    TextTable,
    capability,
)
from luna.platform.database import forecast_issues, sites
from luna.platform.paging import Cursor, From, Limit, To, cut_page, read_instant_and_text
from luna.words import Language, Numbers, say_instant
from luna.words.differences import LEAST_KW
from luna.words.phrases import read_texts

_NOUN = "forecasts"
_PATH = "/v1/sites/{site_id}/forecast-versions"
OfVersion = Annotated[ForecastVersion | None, Field(description="only this version")]
OfRun = Annotated[
    RunId | None,
    Field(description="a training of the site; default: the one in use"),
]


def format_driving(
    driving: DrivingVersion, zone: tzinfo, *, planned: str | None = None
) -> Iterator[str]:
    """Yield which version drives the planner and why, and what waits to.

    Args:
        driving: as the reply has it.
        zone: of the site.
        planned: what was planned from; where that is another version, it was asked for.
    """
    since = "" if driving.since is None else f" since {say_instant(driving.since, zone)}"
    model = "" if driving.run_id is None else f", training {driving.run_id}"
    yield f"{driving.forecast_version} drives the planner{since}{model}: {driving.reason}"
    if planned is not None and planned != driving.forecast_version:
        yield f"This was planned from {planned}, as asked for."
    waiting = driving.waiting
    if waiting is None:
        return
    state = (
        f"{waiting.forecast_version} is trained, and {waiting.days} of {waiting.needed} days "
        "are scored"
    )
    if waiting.days >= waiting.needed:
        state = (
            f"{waiting.forecast_version} is trained, and on {waiting.days} scored days it was "
            "not found better"
        )
    when = ""
    if waiting.earliest is not None:
        when = f"; it may take over from {waiting.earliest} on, while `luna up` runs"
    yield f"{state}{when}. Use it now: {waiting.command}"


class IssueSummary(Message):
    """An issue of forecasts of load and PV."""

    forecast_version: Annotated[str, Field(description="which version spoke")]
    issued_at: Annotated[
        Instant, Field(description="time of issue; nothing measured later was used")
    ]
    stage: Annotated[
        str, Field(description="how much history it rests on: cold, profile, young or full")
    ]
    reasons: Annotated[
        list[str], Field(description="codes of what widened its bands; empty: nothing")
    ]
    run_id: Annotated[
        str | None, Field(description="the training whose model spoke; null: none did")
    ]


class IssueList(Message):
    """Issues of a site's forecasts, the newest first."""

    forecasts: Annotated[
        list[IssueSummary],
        Field(description="their values are series: slot_forecasts:VERSION:COLUMN"),
    ]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


class ExplanationQuestion(BaseModel):
    """Forecast to explain."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: Annotated[
        Instant,
        Field(description="the forecast in use then: the last one of the 48 hours before"),
    ]
    slot: Annotated[
        Instant | None,
        Field(description="the quarter-hour of this instant; default: all"),
    ] = None
    version: Annotated[
        ForecastVersion | None,
        Field(description=("aurora_v1.0 or a baseline; default: the version in use, else Aurora")),
    ] = None
    language: Annotated[Language, Field(description="language of the sentences")] = "en"


class Training(Message):
    """Data for a model to learn from."""

    until: Annotated[
        Instant | None, Field(description="nothing after this instant; default: everything")
    ] = None
    seed: Annotated[
        int, Field(ge=0, le=2**31 - 1, description="the same seed and data give the same model")
    ] = 0
    force: Annotated[
        bool, Field(description="use the new model even if it is worse than the current one")
    ] = False


class Promotion(Message):
    """Version to drive the planner from now on, and the reason."""

    forecast_version: Annotated[ForecastVersion, Field(description="aurora_v1.0 or a baseline")]
    run_id: Annotated[
        RunId | None, Field(description="the training to use; default: the newest")
    ] = None
    reason: Annotated[
        str, Field(min_length=1, max_length=512, description="stored with the decision")
    ] = "promoted by hand"


_HEADINGS = ("issued", "version", "stage", "training", "widened by")


def _show(issue: IssueSummary, numbers: Numbers) -> list[str]:
    return [
        say_instant(issue.issued_at, numbers.zone),
        issue.forecast_version,
        issue.stage,
        issue.run_id or "–",
        ", ".join(issue.reasons),
    ]


@capability(
    "GET",
    "/v1/sites/{site_id}/forecasts",
    noun=_NOUN,
    scope="read",
    command="forecast list",
    shown=ReplyTable(
        _HEADINGS,
        _show,
        "forecasts",
        none="There are no forecasts: run luna forecast issue --site {site_id} --at T.",
    ),
)
def list_forecasts(  # noqa: PLR0913 - one per parameter of the query
    call: CapabilityCall,
    site_id: SiteName,
    *,
    first: From = None,
    end: To = None,
    version: OfVersion = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> IssueList:
    """List a site's forecasts.

    Return the forecasts from `from` to `to`, newest first, with their inputs and what widened their
    range.
    """
    after = read_instant_and_text(cursor)
    rows = forecast_issues.list_newest(
        call.connection, site_id, issued=(first, end), version=version, after=after, limit=limit + 1
    )
    page, following = cut_page(rows, limit=limit, key=_key_of_issue)
    return IssueList(forecasts=[_summarise(issue) for issue in page], cursor=following)


def _summarise(issue: forecast_issues.ForecastIssue) -> IssueSummary:
    reasons = list(issue.reasons)
    return IssueSummary(
        forecast_version=issue.forecast_version,
        issued_at=issue.issued_at,
        stage=issue.stage,
        reasons=reasons,
        run_id=issue.run_id,
    )


_EXPLANATION = ("time", "load", "usual", "why", "pv", "usual", "why")
_USUAL_VERSION = "baseline_7_day_avg"


def _key_of_issue(issue: forecast_issues.ForecastIssue) -> tuple[str, str]:
    return issue.issued_at.isoformat(), issue.forecast_version


def _show_explanation(reply: ExplainReply, numbers: Numbers) -> Iterator[str | TextTable]:
    """Yield a forecast's reasons hour by hour, or all those of one quarter-hour."""
    words = read_texts("forecast_command", numbers.language)
    yield (
        f"{reply.forecast_version}, {numbers.day(reply.issued_at)} "
        f"{numbers.clock(reply.issued_at)} ({reply.timezone})"
    )
    yield from reply.conditions
    if reply.forecast_version == _USUAL_VERSION and "no_history" not in reply.reasons:
        yield words["the_usual"]
    if len(reply.slots) == 1:
        slot = reply.slots[0]
        for name, series in (("load", slot.load), ("pv", slot.pv)):
            yield (
                f"\n{words[name]}, {numbers.weekday(slot.start)} {numbers.clock(slot.start)}: "
                f"{series.text}"
            )
            for contribution in series.contributions:
                if abs(contribution.kw) >= LEAST_KW:
                    yield f"  {contribution.text}"
        return
    headings = [words[f"head_{name}"] for name in _EXPLANATION]
    hours = [slot for slot in reply.slots if slot.start.astimezone(numbers.zone).minute == 0]
    hourly = [_describe_slot(slot, numbers) for slot in hours]
    yield TextTable(headings, hourly, words=headings)


def _describe_slot(slot: SlotExplanation, numbers: Numbers) -> list[str]:
    cells = [f"{numbers.weekday(slot.start)} {numbers.clock(slot.start)}"]
    for series in (slot.load, slot.pv):
        felt = (part.text for part in series.contributions if abs(part.kw) >= LEAST_KW)
        largest = next(felt, "")
        cells += [
            numbers.power(series.expected_kw, decimals=2),
            numbers.power(series.usual_kw, decimals=2),
            largest,
        ]
    return cells


@capability(
    "GET",
    "/v1/sites/{site_id}/forecasts/explanation",
    noun=_NOUN,
    scope="read",
    command="forecast explain",
    shown=_show_explanation,
    errors=(ConflictError,),
    solves=True,
)
def explain_forecast(
    _: CapabilityCall, site_id: SiteName, question: ExplanationQuestion
) -> ExplainRequest:
    """Explain a forecast.

    Return how much each cause adds to the mean of the last seven days, slot by slot, in kW and in
    words. A terminal shows hours.
    """
    return ExplainRequest(
        site_id=site_id,
        at=question.at,
        slot=question.slot,
        forecast_version=question.version,
        language=question.language,
    )


def _show_training(reply: TrainReply, numbers: Numbers) -> Iterator[str | TextTable]:
    days = "day" if reply.days == 1 else "days"
    yield (
        f"Trained {reply.forecast_version} on {reply.days} {days} in {reply.train_seconds:.1f} s: "
        f"run {reply.run_id}"
    )
    yield f"{'Accepted' if reply.accepted else 'Not used'}: {reply.verdict}"
    if not any(name.endswith("mae_kwh") for name in reply.metrics):
        yield (
            "Nothing was learned yet, for that takes 14 known days of a series: forecasts come "
            "from recent days in wide bands."
        )
    metrics = [[name, f"{value:.4g}"] for name, value in reply.metrics.items()]
    yield TextTable(("what", "value"), metrics)
    if reply.driving is not None:
        yield from format_driving(reply.driving, numbers.zone)


@capability(
    "POST",
    f"{_PATH}/trainings",
    noun=_NOUN,
    scope="analyse",
    command="forecast train",
    shown=_show_training,
    status=202,
    solves=True,
)
def train_forecast(call: CapabilityCall, site_id: SiteName, training: Training) -> TrainRequest:
    """Train a forecast model on a site's history.

    Train Aurora as a job; its reply says whether the new model is in use. Until then the previous
    model stays in use.
    """
    sites.key_of(call.connection, site_id)
    return TrainRequest(
        site_id=site_id,
        until=training.until,
        seed=training.seed,
        trigger="force" if training.force else "hand",
    )


def show_card(reply: CardReply, _: Numbers) -> Iterator[str]:
    """Yield what a terminal shows of a trained model's card: Markdown."""
    yield reply.text


@capability(
    "GET",
    f"{_PATH}/card",
    noun=_NOUN,
    scope="read",
    command="forecast card",
    shown=show_card,
    terminal=TerminalForm(options={"run_id": "run"}),
)
def read_model_card(_: CapabilityCall, site_id: SiteName, *, run_id: OfRun = None) -> CardRequest:
    """Read the card of a trained model.

    Return a model's training data, quality and purpose, as facts and in Markdown.
    """
    return CardRequest(site_id=site_id, run_id=run_id)


def _format_activation(reply: ActivationReply, _: Numbers) -> Iterator[str]:
    model = "" if reply.run_id is None else f" with training {reply.run_id}"
    yield f"{reply.forecast_version}{model} drives the planner: {reply.reason}"
    if reply.pinned:
        yield (
            "The owner's pin stands above this decision; take "
            "forecasting.active_forecast_version out of the site to let it hold."
        )


@capability(
    "POST",
    f"{_PATH}/promote",
    noun=_NOUN,
    scope="operate",
    command="forecast promote",
    shown=_format_activation,
    terminal=TerminalForm(options={"forecast_version": "version"}),
    errors=(ConflictError,),
)
def promote_forecast(_: CapabilityCall, site_id: SiteName, promotion: Promotion) -> PromoteRequest:
    """Use a forecast version for plans.

    Use the version from the next plan on. An owner's choice takes precedence. 409 if Aurora was
    never trained.
    """
    fields: dict[str, Any] = promotion.model_dump()
    return PromoteRequest(site_id=site_id, **fields)


@capability(
    "POST",
    f"{_PATH}/rollback",
    noun=_NOUN,
    scope="operate",
    command="forecast rollback",
    shown=_format_activation,
    errors=(ConflictError,),
)
def roll_back_forecast(_: CapabilityCall, site_id: SiteName) -> RollbackRequest:
    """Go back to the previous forecast version.

    Undo the last decision. 409 if there is none.
    """
    return RollbackRequest(site_id=site_id)


CAPABILITIES = (
    list_forecasts,
    explain_forecast,
    train_forecast,
    read_model_card,
    promote_forecast,
    roll_back_forecast,
)
