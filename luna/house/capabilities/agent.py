"""Declare the agent's status, scores, decisions, trainings and plans, and its control."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil
from typing import Annotated

from pydantic import BeforeValidator, Field

from luna.contracts.agent import (
    AGENT_POLICIES,
    AgentCardRequest,
    AgentKind,
    Comparison,
    EvaluateAgentReply,
    EvaluateAgentRequest,
    PolicyScore,
    RunId,
    TrainAgentReply,
    TrainAgentRequest,
)
from luna.contracts.agent_control import AgentStatus, GateEntry, GateEvidence, ShadowPlanSummary
from luna.contracts.agent_standing import (
    AgentRun,
    AgentScores,
    AgentSettings,
    AgentSettingsChange,
    ScorePeriod,
    SlotDecision,
)
from luna.contracts.message import Message
from luna.contracts.plan import PlanReply
from luna.energy.refusals import refuse
from luna.energy.series_query import require_window
from luna.energy.site import Site
from luna.energy.timeline import SLOT, Day, Instant, Timeline, floor_to, local_midnight, parse_zone
from luna.house import agent_service
from luna.house.capabilities.forecasts import show_card
from luna.house.capability import (
    CapabilityCall,
    ReplyTable,
    RouteForm,
    SiteName,
    Tagged,
    TerminalForm,
    TextTable,
    capability,
)
from luna.platform.database import agent_gates, agent_plans, agent_runs, agent_status, sites
from luna.platform.database.agent_scores import read_agent_scores
from luna.platform.database.agent_slots import read_agent_slots
from luna.platform.paging import (
    Cursor,
    From,
    Limit,
    To,
    cut_page,
    read_instant_and_text,
    read_number,
)
from luna.words import Language, Numbers, say_instant, say_mode, say_policy, split_policies

_NOUN = "agent"
_PATH = "/v1/sites/{site_id}/agent"
DAY = timedelta(days=1)
WEEK = timedelta(days=7)

ReplyLanguage = Annotated[Language, Field(description="language of the sentences")]
OfKind = Annotated[AgentKind | None, Field(description="only this kind")]
Period = Annotated[ScorePeriod, Field(description="up to yesterday, in the site's time zone")]
RunName = Annotated[RunId, Field(description="the training's id, as in the list")]
AgentPlan = Annotated[str, Field(max_length=64, description="the plan's id, as in the list")]
SiteVersion = Annotated[
    int | None,
    Field(description=('the version to change, from the ETag: "3"; default: the current one')),
]
RunLimit = Annotated[int, Field(ge=1, le=100, description="of each kind")]


class SlotList(Message):
    """Deciders of the slots of a window, in order."""

    slots: Annotated[
        list[SlotDecision], Field(description="those in which anything was decided or planned")
    ]
    cursor: Annotated[None, Field(description="always null: a window is one page")] = None


class RunList(Message):
    """Trainings of the agent, of each kind the one with the most recent data first."""

    runs: Annotated[list[AgentRun], Field(description="of every kind that was asked for")]
    cursor: Annotated[None, Field(description="always null: `limit` counts by kind")] = None


class GateList(Message):
    """Decisions about the modes of control, the latest first; rows are only ever added."""

    gates: Annotated[list[GateEntry], Field(description="with the evidence that each rests on")]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


class ShadowPlanList(Message):
    """Plans of the agent, the newest first."""

    plans: Annotated[
        list[ShadowPlanSummary], Field(description="without their slots; each is read by its id")
    ]
    cursor: Annotated[str | None, Field(description="of the next page; null: this is the last")]


class TrainingOrder(Message):
    """Data and kind of a training of the agent."""

    kind: Annotated[AgentKind, Field(description="which agent")] = "value"
    until: Annotated[
        Instant | None,
        Field(description="use only what was known before; default: now"),
    ] = None
    seed: Annotated[
        int, Field(ge=0, le=2**32 - 1, description="the same seed and data give the same model")
    ] = 0
    steps: Annotated[
        int, Field(ge=1_000, le=100_000_000, description="of reinforcement learning")
    ] = 2_000_000


def _read_policies(value: object) -> object:
    """Return the names in a text as a list; anything else unchanged."""
    if isinstance(value, str):
        return split_policies(value)
    return value


class EvaluationOrder(Message):
    """On which unseen days agents are measured."""

    days: Annotated[int, Field(ge=7, le=366, description="number")] = 100
    to_day: Annotated[
        Day | None,
        Field(description="the last local day, included; default: the last complete one"),
    ] = None
    policies: Annotated[
        list[str],
        BeforeValidator(_read_policies),
        Field(max_length=16, description="learned policies; default: all trained ones"),
    ] = []


def _show_status(status: AgentStatus, numbers: Numbers) -> Iterator[str | TextTable]:
    if status.trained_at is None:
        trained = "not trained"
    else:
        learned_until = say_instant(status.trained_at, numbers.zone)
        trained = f"{status.run_id}, learned until {learned_until}"
    yield f"{status.site_id}: {say_policy(status.policy, language='en')}, {trained}"
    latest = ""
    if status.last_shadow_plan is not None:
        latest = f", the last one {say_instant(status.last_shadow_plan, numbers.zone)}"
    yield (
        f"Mode {status.mode}, asked for: {status.wanted}. {status.shadow_plans} plans in "
        f"shadow{latest}."
    )
    yield TextTable(
        ("mode", "evidence", "days", "over mpc, points", "corrected slots"),
        _list_evidence(status),
        words=("mode", "evidence"),
    )
    yield TextTable(
        ("mode", "state", "why"),
        [[mode.mode, mode.state, mode.reason] for mode in status.modes],
        words=("state", "why"),
    )
    yield f"Next: {status.next_step}"
    if status.next_step_code == "train":
        yield f"luna agent train --site {status.site_id} --kind {AGENT_POLICIES[status.policy]}"


def _list_evidence(status: AgentStatus) -> list[list[str]]:
    judged: list[tuple[str, GateEvidence]] = []
    for mode_status in status.modes:
        judged += [(mode_status.mode, evidence) for evidence in mode_status.evidence]
    if not judged:
        judged = [("full_control", evidence) for evidence in status.evidence]
    rows = []
    for mode, evidence in judged:
        days = f"{evidence.days} of {evidence.needed}"
        points = _describe_points(evidence)
        rows.append([mode, evidence.kind, days, points, str(evidence.violations)])
    return rows


def _describe_points(comparison: Comparison | GateEvidence | None) -> str:
    if comparison is None or comparison.points is None:
        return "–"
    if comparison.low is None or comparison.high is None:
        return "–"
    return f"{comparison.points:+.2f} [{comparison.low:+.2f}, {comparison.high:+.2f}]"


@capability("GET", _PATH, command="agent status", shown=_show_status, noun=_NOUN, scope="read")
def read_agent(
    call: CapabilityCall, site_id: SiteName, language: ReplyLanguage = "en"
) -> AgentStatus:
    """Read the status of Antares.

    Return the trained model, its evidence, the state of each mode of control, and what is missing
    for the next step.
    """
    return agent_status.read_status(
        call.connection, sites.load(call.connection, site_id), now=call.now, language=language
    )


def _show_scores(scores: AgentScores, numbers: Numbers) -> Iterator[str | TextTable]:
    numbers = replace(numbers, currency=scores.currency)
    yield f"{scores.from_day} to {scores.to_day}: {len(scores.days)} days that all were scored on"
    rows = [
        [
            say_policy(name, language="en"),
            numbers.money(policy.cost),
            numbers.money(policy.saved),
            numbers.share(policy.share),
        ]
        for name, policy in scores.policies.items()
    ]
    yield TextTable(("policy", "cost", "saved", "of what was possible"), rows)
    if scores.over_mpc is not None:
        yield (
            f"Cheaper than the planner by {numbers.money(scores.over_mpc.gain, signed=True)}, "
            f"ahead on {scores.over_mpc.days_ahead} of them."
        )


@capability(
    "GET", f"{_PATH}/scores", command="agent scores", shown=_show_scores, noun=_NOUN, scope="read"
)
def list_agent_scores(
    call: CapabilityCall, site_id: SiteName, period: Period = "month"
) -> AgentScores:
    """Compare the cost of planner, agent and oracle.

    Return the cost of each on the days on which all were scored, and how much cheaper the agent was
    than the planner.
    """
    return read_agent_scores(
        call.connection, sites.load(call.connection, site_id), period, now=call.now
    )


def _describe_slot(slot: SlotDecision, numbers: Numbers) -> list[str]:
    decided = (slot.planner_mode, slot.agent_mode)
    modes = ["–" if mode is None else say_mode(mode, language="en") for mode in decided]
    return [
        say_instant(slot.start, numbers.zone),
        slot.decided_by or "–",
        slot.reason or "–",
        *modes,
    ]


_SLOT = ("slot", "by", "why", "planner", "agent")


@capability(
    "GET",
    f"{_PATH}/slots",
    command="agent slots",
    shown=ReplyTable(
        _SLOT, _describe_slot, "slots", none="There are no decisions and plans in this period."
    ),
    noun=_NOUN,
    scope="read",
)
def list_agent_slots(
    call: CapabilityCall, site_id: SiteName, *, first: From = None, end: To = None
) -> SlotList:
    """List who decided each slot.

    Return what the batteries did in each slot, who decided it and why, and what both plans would
    have done. Default: today so far.
    """
    site = sites.load(call.connection, site_id)
    window = choose_window(site, first, end, now=call.now)
    return SlotList(slots=read_agent_slots(call.connection, site, window))


def choose_window(
    site: Site, first: datetime | None, end: datetime | None, *, now: datetime
) -> Timeline:
    """Return the slots from ``first`` to ``end``.

    Without ``first`` they begin at the site's midnight; without ``end`` they end a day later, but
    not after the slot that is now.

    Raises:
        InvalidInputError: none, or more than a week.
    """
    zone = parse_zone(site.timezone)
    if first is not None:
        begin = floor_to(first, SLOT)
    else:
        begin = local_midnight(now.astimezone(zone).date(), zone)
    last = end
    if last is None:
        last = min(begin + DAY, floor_to(now, SLOT) + SLOT)
    require_window(begin, last, longest=WEEK)
    # A slot that the window ends in counts.
    return Timeline(begin, SLOT, ceil((last - begin) / SLOT))


def _describe_run(run: AgentRun, numbers: Numbers) -> list[str]:
    return [
        run.run_id,
        run.kind,
        say_instant(run.data_until, numbers.zone),
        "yes" if run.speaks else "no",
        run.verdict,
    ]


@capability(
    "GET",
    f"{_PATH}/runs",
    command="agent runs",
    shown=ReplyTable(
        ("training", "kind", "learned until", "in use", "verdict"),
        _describe_run,
        "runs",
        none="There is no training yet: run luna agent train.",
    ),
    noun=_NOUN,
    scope="read",
)
def list_agent_runs(
    call: CapabilityCall, site_id: SiteName, kind: OfKind = None, *, limit: RunLimit = 20
) -> RunList:
    """List trainings of the agent.

    Return the data of each training, whether its model is in use, and its result on unseen days.
    """
    kinds = agent_runs.KINDS if kind is None else (kind,)
    runs = agent_runs.list_runs(call.connection, site_id, kinds=kinds, limit=limit)
    return RunList(runs=runs)


@capability(
    "GET",
    f"{_PATH}/runs/{{run_id}}",
    command="agent card",
    shown=show_card,
    terminal=TerminalForm(options={"run_id": "run"}),
    noun=_NOUN,
    scope="read",
)
def read_agent_run(call: CapabilityCall, site_id: SiteName, run_id: RunName) -> AgentCardRequest:
    """Read the card of a training of the agent.

    Return a model's training data, quality and purpose, as facts and in Markdown.
    """
    run = agent_runs.load_run(call.connection, site_id, run_id)
    return AgentCardRequest(site_id=site_id, kind=run.kind, run_id=run.run_id)


def _describe_gate(gate: GateEntry, numbers: Numbers) -> list[str]:
    return [
        say_instant(gate.at, numbers.zone),
        gate.mode,
        gate.state or gate.kind,
        gate.reason,
        gate.decided_by,
    ]


GATES = ReplyTable(
    ("decided", "mode", "state", "why", "by"),
    _describe_gate,
    "gates",
    none="There are no decisions yet.",
)


@capability("GET", f"{_PATH}/gates", command="agent gates", shown=GATES, noun=_NOUN, scope="read")
def list_agent_gates(
    call: CapabilityCall, site_id: SiteName, *, limit: Limit = 50, cursor: Cursor = None
) -> GateList:
    """List decisions about the agent's control.

    Return the decisions of gatekeeper and people with their evidence, newest first.
    """
    rows = agent_gates.list_newest(
        call.connection, site_id, before=read_number(cursor), limit=limit + 1
    )
    page, following = cut_page(rows, limit=limit, key=lambda row: (row[0],))
    return GateList(gates=[entry for _, entry in page], cursor=following)


def _describe_plan(plan: ShadowPlanSummary, numbers: Numbers) -> list[str]:
    return [
        say_instant(plan.issued_at, numbers.zone),
        say_policy(plan.policy, language="en"),
        plan.plan_id or "–",
        plan.verdict.code,
    ]


@capability(
    "GET",
    f"{_PATH}/plans",
    command="agent plans",
    shown=ReplyTable(
        ("issued", "policy", "plan", "verdict"),
        _describe_plan,
        "plans",
        none="The agent has made no plan yet.",
    ),
    noun=_NOUN,
    scope="read",
)
def list_agent_plans(
    call: CapabilityCall,
    site_id: SiteName,
    *,
    first: From = None,
    end: To = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ShadowPlanList:
    """List the agent's plans.

    Return the agent's plans from `from` to `to`, newest first, with the gatekeeper's verdict.
    """
    after = read_instant_and_text(cursor)
    rows = agent_plans.list_newest(
        call.connection, site_id, issued=(first, end), after=after, limit=limit + 1
    )
    page, following = cut_page(rows, limit=limit, key=_key_of_plan)
    return ShadowPlanList(plans=page, cursor=following)


@capability(
    "GET",
    f"{_PATH}/plans/{{shadow_id}}",
    route=RouteForm(tag="names this plan"),
    alone="what the page Antares draws; luna agent plans lists them",
    # Slot by slot it is more than an assistant can read.
    for_assistants=False,
    noun=_NOUN,
    scope="read",
)
def read_agent_plan(
    call: CapabilityCall, site_id: SiteName, shadow_id: AgentPlan
) -> Tagged[PlanReply]:
    """Read a plan of the agent.

    Return a stored plan of the agent. It controls devices only if the gatekeeper approved it.
    """
    sites.key_of(call.connection, site_id)
    plan = agent_plans.load(call.connection, shadow_id)
    if plan.site != site_id:
        raise refuse(
            "not-found",
            field="shadow_id",
            value=shadow_id,
            thing="agent-plan",
            source="the list of the agent's plans: plan_id",
        )
    return Tagged(plan, shadow_id)


def _show_training(reply: TrainAgentReply, numbers: Numbers) -> Iterator[str]:
    learned = (
        f"{say_instant(reply.data_from, numbers.zone)} to "
        f"{say_instant(reply.data_until, numbers.zone)}"
    )
    yield f"{reply.run_id}: learned from {learned} in {reply.train_seconds:.0f} s"
    use = "It is used from now on" if reply.accepted else "It is not used"
    yield f"{use}: {reply.verdict}."


@capability(
    "POST",
    f"{_PATH}/trainings",
    command="agent train",
    shown=_show_training,
    noun=_NOUN,
    scope="analyse",
    status=202,
    solves=True,
)
def train_agent(call: CapabilityCall, site_id: SiteName, order: TrainingOrder) -> TrainAgentRequest:
    """Train the agent on a site's history.

    Train as a job; its reply says whether the new model is in use. Until then the previous model
    stays in use.
    """
    sites.key_of(call.connection, site_id)
    return TrainAgentRequest(site_id=site_id, **dict(order))


SCORE_HEADINGS = (
    "policy",
    "cost",
    "score",
    "over mpc, points",
    "p",
    "over self-consumption",
    "mode changes/day",
)


def _key_of_plan(plan: ShadowPlanSummary) -> tuple[str, str]:
    return plan.issued_at.isoformat(), plan.based_on


def _show_evaluation(reply: EvaluateAgentReply, numbers: Numbers) -> Iterator[str | TextTable]:
    numbers = replace(numbers, currency=reply.currency)
    yield f"{reply.site_id}: {len(reply.days)} unseen days, {reply.days[0]} to {reply.days[-1]}"
    scores = [_describe_score(name, score, numbers) for name, score in reply.policies.items()]
    yield TextTable(SCORE_HEADINGS, scores)
    wrong = []
    for name, score in reply.policies.items():
        if score.violations or score.unmet_kwh:
            policy = say_policy(name, language="en")
            wrong.append(f"{policy}: {score.violations} breaches, {score.unmet_kwh:.1f} kWh unmet")
    if wrong:
        yield f"Wrong: {'; '.join(wrong)}"
    else:
        yield "No limit was broken, all demand was met."
    weeks = []
    for week in reply.weeks:
        is_whole = week.days == 7
        weeks.append(f"{week.first}" if is_whole else f"{week.first} ({week.days})")
    yield f"Weeks from: {', '.join(weeks)}"
    yield reply.rule
    for day, reason in reply.skipped.items():
        yield f"Skipped {day}: {reason}"
    for policy, reason in reply.refused.items():
        yield f"{say_policy(policy, language='en')} {reason}"
    if reply.missing:
        yield (
            f"Never trained: {', '.join(reply.missing)}; luna agent train --site "
            f"{reply.site_id} --kind KIND"
        )


def _describe_score(name: str, score: PolicyScore, numbers: Numbers) -> list[str]:
    share = "–" if score.score is None else numbers.share(score.score, decimals=1)
    interval = ""
    if score.low is not None and score.high is not None:
        interval = f" [{score.low * 100:.1f}, {score.high * 100:.1f}]"
    p_value = "–" if score.over_mpc is None else f"{score.over_mpc.p_value:.3f}"
    return [
        say_policy(name, language="en"),
        numbers.money(score.cost),
        share + interval,
        _describe_points(score.over_mpc),
        p_value,
        _describe_points(score.over_self_consumption),
        f"{score.mode_changes_per_day:.1f}",
    ]


@capability(
    "POST",
    f"{_PATH}/evaluations",
    command="agent evaluate",
    shown=_show_evaluation,
    terminal=TerminalForm(options={"to_day": "to"}),
    noun=_NOUN,
    scope="analyse",
    status=202,
    solves=True,
)
def evaluate_agent(
    call: CapabilityCall, site_id: SiteName, order: EvaluationOrder
) -> EvaluateAgentRequest:
    """Measure trained agents on unseen days.

    Compare the agent as a job with planner, plain rules and oracle on unseen days. A hundred days
    take ten minutes to an hour, mostly for missing trainings.
    """
    sites.key_of(call.connection, site_id)
    return EvaluateAgentRequest(site_id=site_id, **dict(order))


@capability(
    "POST",
    f"{_PATH}/withdrawal",
    noun=_NOUN,
    scope="operate",
    command="agent withdraw",
    shown=GATES,
)
def withdraw_agent(call: CapabilityCall, site_id: SiteName) -> GateList:
    """Take control from the agent.

    End every mode of control at once; the planner decides from the next check on. Only a person
    can give control back: `PUT …/agent/settings`.
    """
    return GateList(
        gates=agent_service.withdraw(call.connection, site_id, by=call.by, now=call.now),
        cursor=None,
    )


@capability(
    "PUT",
    f"{_PATH}/settings",
    noun=_NOUN,
    scope="configure",
    local_command="site add",
    route=RouteForm(tag="the site's version, for If-Match", changes="version"),
    # Asked with the password like arming: it may widen what the agent decides.
    critical=True,
)
def change_agent(
    call: CapabilityCall,
    site_id: SiteName,
    change: AgentSettingsChange,
    version: SiteVersion = None,
) -> Tagged[AgentSettings]:
    """Change the agent and its permissions.

    Store the settings as the site's next version. A mode takes effect once it is offered; naming a
    withdrawn mode gives it back. 412 if the site has changed meanwhile.
    """
    site, changed = agent_service.change_settings(
        call.connection, site_id, change, version=version, by=call.by, now=call.now
    )
    return Tagged(agent_service.read_settings(site), changed)


CAPABILITIES = (
    read_agent,
    list_agent_scores,
    list_agent_slots,
    list_agent_runs,
    read_agent_run,
    list_agent_gates,
    list_agent_plans,
    read_agent_plan,
    train_agent,
    evaluate_agent,
    withdraw_agent,
    change_agent,
)
