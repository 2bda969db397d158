"""Declare a site's issued plans, the changes between them, and their check."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from luna.contracts.message import Message
from luna.contracts.plan import PlanId, PlanReply
from luna.contracts.plan_questions import (
    CheckPlansReply,
    CheckPlansRequest,
    ModeChange,
    PlanChangesReply,
    PlanChangesRequest,
    PlanReason,
    PlanReasonsReply,
    PlanSummary,
)
from luna.contracts.plan_reasons import list_plan_reasons
from luna.energy.errors import ConflictError
from luna.energy.series_query import require_window
from luna.energy.timeline import Instant
from luna.house.capability import (
    CapabilityCall,
    ReplyTable,
    RouteForm,
    SiteName,
    TerminalForm,
    TextTable,
    capability,
)
from luna.platform.database import plans, sites
from luna.platform.paging import Cursor, From, Limit, To, cut_page, read_instant_and_text
from luna.words import Language, Numbers, say_instant, say_mode

SystemId = Annotated[
    str,
    Field(
        max_length=96,
        pattern=r"^[\w.-]+$",
        description=(
            "whose plans: prod drives devices, others are for comparison; request: of a "
            "request's own site"
        ),
    ),
]

IssuedPlan = Annotated[
    str,
    Field(max_length=64, description="the plan's id"),
]
PlanBefore = Annotated[
    PlanId | None,
    Field(description="the plan to compare with; default: the previous one for the same slots"),
]
ReplyLanguage = Annotated[
    Language | None, Field(description="language of the sentences; default: the plan's")
]
LONGEST = timedelta(days=3_660)
_PLAN = "/v1/plans/{plan_id}"


class IssueWindow(Message):
    """Window of the time of issue."""

    from_: Annotated[
        Instant,
        Field(
            alias="from",
            description=("start: a local day, or a time in the site's time zone or with an offset"),
        ),
    ]
    to: Annotated[Instant, Field(description="end, not included; a day means its midnight")]


class PlanList(Message):
    """Issued plans of a site, the newest first."""

    plans: Annotated[
        list[PlanSummary], Field(description="without their slots; each is read by its id")
    ]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


_WORDS = ("plan", "issued", "from", "to", "status")


def _show(plan: PlanSummary, numbers: Numbers) -> list[str]:
    instants = (plan.issued_at, plan.from_, plan.to)
    return [
        plan.plan_id,
        *(say_instant(instant, numbers.zone) for instant in instants),
        plan.status,
        Numbers("en", numbers.zone, plan.currency).money(plan.cost),
    ]


@capability(
    "GET",
    "/v1/sites/{site_id}/plans",
    noun="plans",
    scope="read",
    command="plans list",
    shown=ReplyTable(
        (*_WORDS, "cost"),
        _show,
        "plans",
        words=_WORDS,
        none="There are no plans: run luna plan --site {site_id}.",
    ),
)
def list_plans(  # noqa: PLR0913 - one per parameter of the query
    call: CapabilityCall,
    site_id: SiteName,
    *,
    first: From = None,
    end: To = None,
    system_id: SystemId = "prod",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PlanList:
    """List the plans of a site.

    Return the plans issued from `from` to `to`, newest first, with cost and status.
    """
    after = read_instant_and_text(cursor)
    rows = plans.list_newest(
        call.connection,
        site_id,
        issued=(first, end),
        system_id=system_id,
        after=after,
        limit=limit + 1,
    )
    page, following = cut_page(rows, limit=limit, key=_key_of_plan)
    return PlanList(plans=page, cursor=following)


CHANGE_HEADINGS = ("from", "to", "device", "before", "now", "because of")


def _key_of_plan(plan: PlanSummary) -> tuple[str, str]:
    return plan.issued_at.isoformat(), plan.plan_id


def _show_changes(reply: PlanChangesReply, numbers: Numbers) -> Iterator[str | TextTable]:
    numbers = replace(numbers, zone=ZoneInfo(reply.timezone), currency=reply.currency)
    yield from (cause.text for cause in reply.causes)
    rows = []
    for change, *span in join_changes(reply):
        row = [f"{numbers.weekday(instant)} {numbers.clock(instant)}" for instant in span]
        row.append(change.device)
        modes = [change.before, change.after]
        row += [say_mode(mode, language=numbers.language) for mode in modes]
        row.append(change.cause)
        rows.append(row)
    if rows:
        yield TextTable(CHANGE_HEADINGS, rows, words=CHANGE_HEADINGS[1:])
    else:
        yield "Every mode is as before."


def _continues(run: tuple[ModeChange, datetime, datetime], change: ModeChange) -> bool:
    run_change, _, run_end = run
    if run_end != change.start:
        return False
    return run_change.model_copy(update={"start": change.start}) == change


def join_changes(reply: PlanChangesReply) -> list[tuple[ModeChange, datetime, datetime]]:
    """Return the changes as runs, each with its start and end.

    The same change of a device in slots that follow each other is one run.
    """
    runs: list[tuple[ModeChange, datetime, datetime]] = []
    for change in sorted(reply.changes, key=lambda change: (change.device, change.start)):
        end = change.start + timedelta(minutes=reply.slot_minutes)
        if runs and _continues(runs[-1], change):
            run_change, run_start, _ = runs[-1]
            runs[-1] = (run_change, run_start, end)
        else:
            runs.append((change, change.start, end))
    return sorted(runs, key=lambda run: (run[1], run[0].device))


@capability(
    "GET",
    "/v1/plans/{plan_id}/changes",
    noun="plans",
    scope="read",
    command="plans changes",
    shown=_show_changes,
    errors=(ConflictError,),
    solves=True,
)
def compare_plan(
    _: CapabilityCall, plan_id: PlanId, before: PlanBefore = None, language: ReplyLanguage = None
) -> PlanChangesRequest:
    """Show a plan's changes and which input caused them.

    Put back the previous plan's inputs one by one and plan again: prices, forecasts, battery level,
    cars, site, options.
    """
    return PlanChangesRequest(plan_id=plan_id, before_id=before, language=language)


def _show_check(reply: CheckPlansReply, numbers: Numbers) -> Iterator[str | TextTable]:
    yield f"{reply.plans} plans, {reply.broken} broken"
    if reply.findings:
        rows = []
        for finding in reply.findings:
            start = say_instant(finding.start, numbers.zone) if finding.start else "–"
            rows.append([finding.plan_id, finding.what, f"{finding.off:.6g}", start])
        yield TextTable(("plan", "what", "off", "slot"), rows, words=("what", "slot"))


@capability(
    "POST",
    "/v1/sites/{site_id}/plan-checks",
    noun="plans",
    scope="analyse",
    command="plans check",
    shown=_show_check,
    terminal=TerminalForm(failed=lambda reply: reply.broken > 0),
    status=202,
)
def check_plans(call: CapabilityCall, site_id: SiteName, window: IssueWindow) -> CheckPlansRequest:
    """Check stored plans.

    Check as a job that every plan's energy balances and its cost adds up. The reply lists plans
    that fail; the command then exits with 1.
    """
    require_window(window.from_, window.to, longest=LONGEST)
    sites.key_of(call.connection, site_id)
    return CheckPlansRequest(site_id=site_id, first=window.from_, end=window.to)


@capability(
    "GET",
    "/v1/sites/{site_id}/plans/latest",
    noun="plans",
    scope="read",
    also=("plans show",),
    route=RouteForm(routed=False),
    # Slot by slot it is more than an assistant can read; its tools tell a plan in words.
    for_assistants=False,
)
def read_latest_plan(
    call: CapabilityCall, site_id: SiteName, *, system_id: SystemId = "prod"
) -> PlanReply:
    """Read a site's newest plan.

    Return the plan in use, else the newest one. Its ETag names it: a caller that has it gets 304.
    """
    return plans.load(
        call.connection,
        plans.latest_id(call.connection, site_id, now=call.now, system_id=system_id),
    )


@capability(
    "GET", _PLAN, noun="plans", scope="read", also=("plans show",), route=RouteForm(routed=False)
)
def read_plan(call: CapabilityCall, plan_id: IssuedPlan) -> PlanReply:
    """Read a stored plan.

    Return the plan as it was issued.
    """
    return plans.load(call.connection, plan_id)


_REASONS = ("from", "to", "device", "mode", "reason")


def _describe_reason(reason: PlanReason, numbers: Numbers) -> list[str]:
    span = (say_instant(instant, numbers.zone) for instant in (reason.from_, reason.to))
    return [
        *span,
        reason.device,
        "" if reason.mode is None else say_mode(str(reason.mode), language=numbers.language),
        reason.text,
    ]


@capability(
    "GET",
    f"{_PLAN}/reasons",
    noun="plans",
    scope="read",
    also=("plans reasons",),
    shown=ReplyTable(_REASONS, _describe_reason, "reasons"),
)
def read_plan_reasons(call: CapabilityCall, plan_id: IssuedPlan) -> PlanReasonsReply:
    """Explain a plan.

    Return each device's reasons in words; slots in a row with one reason are one row.
    """
    return list_plan_reasons(plans.load(call.connection, plan_id))


CAPABILITIES = (
    list_plans,
    compare_plan,
    check_plans,
    read_latest_plan,
    read_plan,
    read_plan_reasons,
)
