"""Runs the agent's nightly work: scores plans, judges control modes, and requests replays of
missing days and trainings that are due.

Each step of each site is a transaction of its own and idempotent, so an interrupted night continues
an hour later where it stopped.

A day's score is the cost of the stored plans of planner and agent, and of reference policies, on
the day's actual load, PV and prices. It simulates what the executor does, from the state of charge
measured at midnight on: the plan in force is the last one issued before the slot, with the agent's
plan that is based on it; slots without one follow the planner.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from sqlalchemy import Connection, Engine

from luna.contracts.agent import (
    AGENT_POLICIES,
    EXPORT,
    SHADOW_POLICIES,
    AgentReplayRequest,
    TrainAgentRequest,
    version_of,
)
from luna.contracts.agent_control import ControlMode, GateEntry, NightReply, NightRequest
from luna.contracts.job import Job
from luna.contracts.message import Request
from luna.contracts.plan import PlanReply
from luna.contracts.replay import DayCost, ReplayRequest
from luna.energy.economics.depth_wear import depth_wear
from luna.energy.errors import InvalidInputError, NotFoundError
from luna.energy.physics.mode import Curtailment, IntArray, Mode, SetPoint
from luna.energy.policy import BatteryPolicy, PlanPolicy
from luna.energy.quality_verdict import may_use
from luna.energy.schedule import Committed, PlainPolicy, Policy, whole_range
from luna.energy.simulator import CountedPolicy, Trajectory, price, simulate
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_days, local_midnight, parse_zone
from luna.platform.database import (
    agent_gates,
    agent_plans,
    observations,
    plan_slots,
    plans,
    quality,
    recorded_span,
    scores,
    sites,
    training_runs,
)
from luna.platform.database.agent_plans import SHADOW
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import find_active
from luna.platform.database.savings import read_savings
from luna.platform.queue.task_context import isolate
from luna.platform.queue.task_metrics import TaskCounter
from services.agent.gatekeeper import DailyGain, DaysOfEvidence, ModeHistory, judge_modes
from services.planner.dp.plan import Plan
from services.planner.replay import ReplayData, Rules
from services.planner.replay.policies import MAX_AGE
from services.planner.replay.policy_factory import plan_with_hindsight
from services.planner.replay.results import value_stored_energy
from services.planner.service.inputs import read_scene
from services.planner.service.replay import NIGHT_HOURS, SIMULATION

PLANNER = "mpc"  # policy name of the planner's plans in replays and scores
# Least share of a day's slots that planner and agent must have planned for the day to be scored.
LEAST_PLANNED = 0.5
DAY = timedelta(days=1)
_CURTAILMENT = {
    "free": Curtailment.NONE,
    "no_export": Curtailment.EXPORT,
    "limit": Curtailment.NONE,
    "off": Curtailment.ALL,
}
NIGHTS = TaskCounter("luna_agent_nights_total", "Nights of sites by how they ended.", ["outcome"])
GATES = TaskCounter(
    "luna_agent_gate_decisions_total",
    "Decisions of the gatekeeper about modes of control.",
    ["mode", "state"],
)
log = structlog.get_logger("luna.agent")

# Days back to look for missing scores: a worker may have been away.
SCORED_BACK = 7
# Recorded days before the first training: two weeks for the load model to learn from, two more to
# measure its errors on.
FIRST_TRAINING_DAYS = 28
# Recorded days to replay for evidence: those needed, and a reserve for gaps.
EVIDENCE_DAYS = 220
# Days of one replay, and replays requested in one night.
CHUNK_DAYS = 30
CHUNKS = 3
RETRAIN_AFTER = timedelta(days=7)
RETRAIN_AFTER_LOSS = timedelta(days=2)
REPLAYED = ("idle", "self_consumption", PLANNER, "oracle")


def run_night(
    engine: Engine, request: NightRequest, submit: Callable[[Request], Job], *, now: datetime
) -> NightReply:
    """Run the nightly work of every site whose night it is, or of the named one now.

    A failing site does not stop the others.

    Args:
        engine: of the database.
        request: names one site, or none for all.
        submit: queues a job.
        now: the current instant.

    Raises:
        NotFoundError: no such site.
    """
    with unit_of_work(engine) as connection:
        every = (
            [sites.load(connection, request.site_id)]
            if request.site_id
            else sites.load_all(connection).sites
        )
    due = [
        site
        for site in every
        if site.batteries
        and (request.site_id or now.astimezone(parse_zone(site.timezone)).hour in NIGHT_HOURS)
    ]
    actions: dict[str, list[str]] = {}
    faults: dict[str, str] = {}
    for site in due:
        night = _Night(engine, site, now, submit)

        def fail(error: Exception, site: Site = site) -> None:
            log.error("a night of the agent failed", site_id=site.name, exc_info=error)
            faults[site.name] = str(error)

        isolate(night.run, fail)
        actions[site.name] = night.actions
        NIGHTS.labels("failed" if site.name in faults else "done").inc()
    return NightReply(sites=actions, faults=faults)


@dataclass(frozen=True)
class _Night:
    """Nightly work of one site; ``actions`` lists what was done."""

    engine: Engine
    site: Site
    now: datetime
    submit: Callable[[Request], Job]
    actions: list[str] = field(default_factory=list)

    @property
    def policy(self) -> str:
        return SHADOW_POLICIES[self.site.antares.shadow_policy_type]

    @property
    def zone(self) -> ZoneInfo:
        return parse_zone(self.site.timezone)

    @property
    def yesterday(self) -> date:
        return self.now.astimezone(self.zone).date() - DAY

    def run(self) -> list[str]:
        """Run the due steps, and return their actions."""
        self._score()
        lost = any(entry.reason == "losing_streak" for entry in self._judge())
        with unit_of_work(self.engine) as connection:
            work = choose_evidence(
                connection, self.site, policy=self.policy, yesterday=self.yesterday
            )
            if wants_training(connection, self.site, policy=self.policy, now=self.now, lost=lost):
                work.append(
                    TrainAgentRequest(site_id=self.site.name, kind=AGENT_POLICIES[self.policy])
                )
        for request in work:
            job = self.submit(request)
            self.actions.append(f"asked {request.task} {job.job_id}")
        return self.actions

    def _score(self) -> None:
        with unit_of_work(self.engine) as connection:
            first = self.yesterday - (SCORED_BACK - 1) * DAY
            scored = scores.read_daily(
                connection,
                self.site.name,
                system_id=SHADOW + self.policy,
                first=first,
                last=self.yesterday,
            )
        scored_days = {cost.day for cost in scored.get(self.policy, [])}
        # The day before yesterday once more: yesterday's actuals now value the energy stored at its
        # end.
        rescored = {self.yesterday - DAY, self.yesterday}
        days = [first + number * DAY for number in range(SCORED_BACK)]
        for day in (day for day in days if day not in scored_days or day in rescored):
            try:
                with unit_of_work(self.engine) as connection:
                    score_day(connection, self.site, day, policy=self.policy)
                self.actions.append(f"scored {day}")
            except UnscoredDayError as error:
                self.actions.append(f"left out {day}: {error.reason}")

    def _judge(self) -> list[GateEntry]:
        """Judge each mode once a day, and return the decisions."""
        with unit_of_work(self.engine) as connection:
            last = agent_gates.last_judged(connection, self.site.name, policy=self.policy)
            if last is not None and last.astimezone(self.zone).date() > self.yesterday:
                return []
            decisions, changes = (
                read(connection, self.site.name, policy=self.policy)
                for read in (agent_gates.read_standing, agent_gates.read_turns)
            )
            evidence = read_evidence(connection, self.site, policy=self.policy, now=self.now)
            rng = np.random.default_rng(self.yesterday.toordinal())
            entries = judge_modes(
                evidence,
                ModeHistory(self.policy, decisions, changes, self.zone),
                now=self.now,
                rng=rng,
            )
            for entry in entries:
                agent_gates.record(connection, self.site.name, entry)
        for entry in entries:
            GATES.labels(entry.mode, entry.state or "").inc()
            self.actions.append(f"judged {entry.mode}: {entry.state} ({entry.reason})")
        return entries


class UnscoredDayError(InvalidInputError):
    """A day whose plans cannot be scored; ``reason`` is a code."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, field="day")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class PlanPair:
    """A planner's plan and the agent's plan based on it, if any.

    ``agent_at`` is when the agent's was issued.
    """

    plan: PlanReply
    agent: PlanReply | None = None
    agent_at: datetime | None = None


def score_day(
    connection: Connection, site: Site, day: date, *, policy: str, max_age: timedelta = MAX_AGE
) -> dict[str, DayCost]:
    """Store and return what policies would have cost on a local day.

    A second score, once the next day is recorded too, replaces the first.

    Args:
        connection: to the database.
        site: a stored site.
        day: completely recorded.
        policy: the agent's policy.
        max_age: a plan whose first slot began longer ago is not followed.

    Raises:
        UnscoredDayError: the day is excluded or has gaps, the state of charge at its midnight is
            unknown, or too little was planned.
    """
    verdicts = {
        judged.day: judged.verdict for judged in quality.read(connection, site.name, day, day)
    }
    if not may_use(verdicts.get(day)):
        raise UnscoredDayError("excluded", "the day is excluded by its quality")
    scene = _read_scene(connection, site, day)
    window = local_days(day, day, ZoneInfo(site.timezone))
    issued = read_issued(connection, site, window, policy=policy)
    soc = float(
        observations.read(connection, site.name, Timeline(window.start - SLOT, SLOT, 1)).soc[0]
    )
    if site.batteries and not np.isfinite(soc):
        raise UnscoredDayError("no_soc", "the state of charge at midnight was not recorded")
    initial_kwh = np.array(
        [
            [np.clip(soc, battery.min_soc, battery.max_soc) * battery.capacity_kwh]
            for battery in site.batteries
        ]
    ).reshape(-1, 1)
    rules = replace(Rules.of(scene), initial_kwh=initial_kwh)
    due = [find_due(issued, start, max_age=max_age) for start in window]
    planned = sum(pair is not None for pair in due)
    agent_planned = sum(
        pair is not None and _has_agent_plan(pair, start)
        for pair, start in zip(due, window, strict=True)
    )
    if min(planned, agent_planned) < LEAST_PLANNED * window.count:
        raise UnscoredDayError(
            "too_few_plans",
            f"the planner planned {planned} and the agent {agent_planned} of {window.count} slots",
        )
    takes: dict[str, Take] = {
        PLANNER: lambda planner, _: planner,
        policy: lambda _, agent: agent,
        policy + EXPORT: lambda planner, agent: [
            own.sell_as(theirs) for own, theirs in zip(planner, agent, strict=True)
        ],
    }
    costs = replay_day(
        scene,
        rules,
        window,
        {name: StoredPlansPolicy(site, window, due, take) for name, take in takes.items()},
    )
    scores.upsert_days(
        connection,
        site.name,
        system_id=SHADOW + policy,
        currency=site.currency,
        days={name: [cost] for name, cost in costs.items()},
    )
    return costs


def _read_scene(connection: Connection, site: Site, day: date) -> ReplayData:
    """Return the actuals of a day, and of the next where it is recorded: the energy stored at
    midnight is valued by its use then.
    """
    version = find_active(connection, site).forecast_version
    for last in (day + DAY, day):
        try:
            return read_scene(
                connection,
                ReplayRequest(site_id=site.name, from_day=day, to_day=last, policies=["idle"]),
                version,
            )
        except (InvalidInputError, NotFoundError) as error:
            fault = error
    raise UnscoredDayError("gaps", fault.message) from fault


def read_issued(
    connection: Connection, site: Site, window: Timeline, *, policy: str
) -> list[PlanPair]:
    """Return the plans that may have been in force within a window, in order of issue, each with
    the agent's plan based on it.
    """
    spans = plan_slots.list_followed(
        connection, site.name, window.start, window.end, issued_by=window.end
    )
    covering = agent_plans.read_covering(
        connection, site.name, policy=policy, first=window.start, end=window.end
    )
    agents = {agent_plan.based_on: (reply, agent_plan.issued_at) for agent_plan, reply in covering}
    return [
        PlanPair(plans.load(connection, span.plan_id), *agents.get(span.plan_id, (None, None)))
        for span in spans
    ]


def find_due(issued: Sequence[PlanPair], at: datetime, *, max_age: timedelta) -> PlanPair | None:
    """Return the plan in force in the slot that begins at an instant: of those that cover it the
    last one issued by then, unless it is too old.
    """
    due: PlanPair | None = None
    for pair in issued:
        plan = pair.plan
        if plan.issued_at <= at and plan.slots[0].start <= at < plan.slots[-1].start + timedelta(
            minutes=plan.slot_minutes
        ):
            due = pair
    return due if due is not None and due.plan.age(at) <= max_age else None


def _has_agent_plan(due: PlanPair, start: datetime) -> bool:
    return due.agent is not None and due.agent_at is not None and due.agent_at <= start


# The thresholds to follow, of the planner's and the agent's.
Take = Callable[[Sequence[BatteryPolicy], Sequence[BatteryPolicy]], Sequence[BatteryPolicy]]


class StoredPlansPolicy:
    """Policy of a window's stored plans, each followed while it is in force, as the executor does.

    Args:
        site: the site of the plans.
        window: the slots to decide.
        due: the plan in force in each slot; None: inverters run self-consumption.
        take: combines the thresholds of planner and agent.
    """

    def __init__(
        self, site: Site, window: Timeline, due: Sequence[PlanPair | None], take: Take
    ) -> None:
        self._site = site
        self._window = window
        self._due = due
        self._take = take
        self._capacity = np.array([[battery.capacity_kwh] for battery in site.batteries])
        self._modes: IntArray = np.full(
            (len(site.batteries), 1), Mode.SELF_CONSUMPTION, dtype=np.int8
        )
        self._policies: dict[tuple[str, bool], PlanPolicy | None] = {}

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return the set-point of ``slot`` of the window."""
        start = self._window.start + slot * SLOT
        due = self._due[slot]
        policy = None
        if due is not None:
            with_agent = _has_agent_plan(due, start)
            key = (due.plan.plan_id, with_agent)
            if key not in self._policies:
                self._policies[key] = self._make_policy(due.plan, due.agent if with_agent else None)
            policy = self._policies[key]
        if due is None or policy is None:
            setpoint = whole_range(
                np.full_like(stored_kwh, Mode.SELF_CONSUMPTION, dtype=np.int8),
                np.zeros(1, dtype=np.int8),
            )
        else:
            place = (start - due.plan.slots[0].start) // timedelta(minutes=due.plan.slot_minutes)
            setpoint = policy.decide(int(place), stored_kwh / self._capacity, self._modes)
        self._modes = setpoint.mode
        return setpoint

    def _make_policy(self, plan: PlanReply, agent: PlanReply | None) -> PlanPolicy | None:
        """Return a plan's set-points by state of charge.

        None for a plan without thresholds, as of sites without batteries.
        """
        batteries = self._site.batteries
        if any(battery.name not in plan.thresholds for battery in batteries):
            return None
        planners = [plan.thresholds[battery.name].policy(battery) for battery in batteries]
        agents = (
            planners
            if agent is None
            else [agent.thresholds[battery.name].policy(battery) for battery in batteries]
        )
        count = len(plan.slots)
        curtailment = np.zeros(count, dtype=np.int8)
        limit = np.full(count, np.inf)
        if plan.pv is not None:
            curtailment = np.array([_CURTAILMENT[mode] for mode in plan.pv.mode], dtype=np.int8)
            limit = np.array([np.inf if value is None else value for value in plan.pv.limit_kw])
        return PlanPolicy(self._take(planners, agents), curtailment, limit)


def replay_day(
    scene: ReplayData, rules: Rules, window: Timeline, stored: Mapping[str, Policy]
) -> dict[str, DayCost]:
    """Return what stored plans, plain rules and the oracle cost on the first day of a scene, all
    from the same state of charge.

    ``value_gain`` is the change in worth of the stored energy, valued by the oracle over the whole
    scene; it makes costs of days comparable.
    """
    oracle = plan_with_hindsight(scene, rules)
    plain = {
        name: PlainPolicy(mode, rules.curtailment)
        for name, mode in (("idle", Mode.HOLD), ("self_consumption", Mode.SELF_CONSUMPTION))
    }
    policies: dict[str, Policy] = {**stored, **plain, "oracle": Committed(oracle.setpoints)}
    costs = {}
    for name, policy in policies.items():
        counted = CountedPolicy(policy, rules.limits)
        whole = scene.actuals
        part = replace(
            whole,
            timeline=window,
            load_kwh=whole.load_kwh[: window.count],
            pv_kwh=whole.pv_kwh[: window.count],
        )
        cost = _cost(
            simulate(counted, part, limits=rules.limits, stored_kwh=rules.initial_kwh),
            scene,
            rules,
            oracle,
        )
        costs[name] = cost.model_copy(update={"corrected": int(counted.corrected[0])})
    return costs


def _cost(trajectory: Trajectory, scene: ReplayData, rules: Rules, oracle: Plan) -> DayCost:
    count = trajectory.timeline.count
    flows = trajectory.flows
    begin = rules.initial_kwh[:, 0]
    end = trajectory.flows.stored_kwh[:, 0, -1]
    costs = price(
        trajectory,
        import_price=rules.import_price[:count],
        export_price=rules.export_price[:count],
        wear_price=rules.wear_price,
    ).total
    costs = costs + depth_wear(scene.site.batteries, flows.stored_kwh, rules.initial_kwh)
    carbon = (
        None
        if scene.carbon_g_per_kwh is None
        else float((flows.import_kwh[0] * scene.carbon_g_per_kwh[:count]).sum())
    )
    worth = [
        value_stored_energy(oracle, rules, slot, stored.tolist())
        for slot, stored in ((-1, begin), (count - 1, end))
    ]
    return DayCost(
        day=trajectory.timeline.start.astimezone(scene.zone).date(),
        cost=float(costs.sum()),
        stored_gain=float(rules.terminal_value * (end.sum() - begin.sum())),
        value_gain=worth[1] - worth[0],
        import_carbon_g=carbon if carbon is not None and np.isfinite(carbon) else None,
    )


def read_evidence(
    connection: Connection, site: Site, *, policy: str, now: datetime
) -> dict[ControlMode, DaysOfEvidence]:
    """Return the evidence of each mode: replayed days and days in shadow, with the agent's plan
    followed as far as the mode allows.
    """
    replayed = scores.read_daily(connection, site.name, system_id=SIMULATION)
    shadow = scores.read_daily(connection, site.name, system_id=SHADOW + policy)
    planned = agent_plans.count(connection, site.name, policy=policy, since=now - timedelta(days=7))
    names: dict[ControlMode, str] = {"export_only": policy + EXPORT, "full_control": policy}
    return {
        mode: DaysOfEvidence(
            pair_days(replayed, name), pair_days(shadow, name), planned.slots, planned.interventions
        )
        for mode, name in names.items()
    }


def pair_days(costs: Mapping[str, list[DayCost]], policy: str) -> list[DailyGain]:
    """Return a policy's gain over the planner, and the oracle's over no control, on each day that
    has the costs of all four.
    """
    settled = {name: {cost.day: cost.settled for cost in days} for name, days in costs.items()}
    settled_costs = [settled.get(name, {}) for name in (policy, PLANNER, "oracle", "idle")]
    own, planner, oracle, idle = settled_costs
    days = sorted(set.intersection(*(set(by_day) for by_day in settled_costs)))
    corrected = {cost.day: cost.corrected or 0 for cost in costs.get(policy, [])}
    return [
        DailyGain(day, planner[day] - own[day], idle[day] - oracle[day], corrected[day])
        for day in days
    ]


def choose_evidence(
    connection: Connection, site: Site, *, policy: str, yesterday: date
) -> list[Request]:
    """Return the requests that produce missing evidence: a first training on data before these
    days, then replays of days without one.
    """
    zone = parse_zone(site.timezone)
    span = recorded_span.of_site(connection, site.name)
    if span is None:
        return []
    first = max(
        span[0].astimezone(zone).date() + FIRST_TRAINING_DAYS * DAY,
        yesterday - (EVIDENCE_DAYS - 1) * DAY,
    )
    if first > yesterday:
        return []
    begin = local_midnight(first, zone)
    if (
        training_runs.latest(
            connection, site.name, version=version_of(AGENT_POLICIES[policy]), unseen=begin
        )
        is None
    ):
        return [TrainAgentRequest(site_id=site.name, kind=AGENT_POLICIES[policy], until=begin)]
    policies = [*REPLAYED, policy, policy + EXPORT]
    scored = scores.read_daily(
        connection, site.name, system_id=SIMULATION, first=first, last=yesterday
    )
    replayed = set.intersection(
        *({day.day for day in scored.get(name, [])} for name in policies[-2:])
    )
    savings = read_savings(connection, site, first=first, last=yesterday)
    ready = {day.day for day in savings.counted} | {
        day.day for day in savings.left_out if day.code == "not_replayed"
    }
    # Runs of consecutive days, each at most as long as one replay.
    spans: list[list[date]] = []
    for day in sorted(ready - replayed):
        if spans and day - spans[-1][-1] == DAY and len(spans[-1]) < CHUNK_DAYS:
            spans[-1].append(day)
        else:
            spans.append([day])
    return [
        AgentReplayRequest(
            site_id=site.name,
            from_day=days[0],
            to_day=days[-1],
            policies=policies,
            explain_loss=False,
        )
        for days in spans[:CHUNKS]
    ]


def wants_training(
    connection: Connection, site: Site, *, policy: str, now: datetime, lost: bool
) -> bool:
    """Return whether a training is due: weekly, sooner after a losing streak, the first once enough
    days are recorded.
    """
    span = recorded_span.of_site(connection, site.name)
    if span is None or span[1] - span[0] < timedelta(days=FIRST_TRAINING_DAYS):
        return False
    newest = training_runs.list_latest(
        connection, site.name, version=version_of(AGENT_POLICIES[policy]), limit=1
    )
    return not newest or newest[0].knowledge_cutoff <= now - (
        RETRAIN_AFTER_LOSS if lost else RETRAIN_AFTER
    )
