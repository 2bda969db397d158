"""The agent's nightly work: score plans, have missing days replayed, judge modes, and train where that is due.

Each step of each site is a transaction of its own and asks for nothing twice, so a night that is interrupted goes on an hour later where it was.

A score is what the stored plans of planner and agent would have cost on a day, beside what could have been: the day's load, sun and prices do not depend on
them. Each slot is followed as the executor follows it, from the state of charge that was measured at midnight on: the plan in force is the last one issued
before the slot, the agent's is the one made beside it. A slot without a plan of the agent is the planner's, as it would be on the device.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from sqlalchemy import Connection, Engine

from luna.contracts.agent import AGENT_POLICIES, EXPORT, SHADOW_POLICIES, AgentReplayRequest, TrainAgentRequest, version_of
from luna.contracts.agent_control import ControlMode, GateEntry, NightReply, NightRequest
from luna.contracts.job import Job
from luna.contracts.message import Request
from luna.contracts.plan import PlanReply
from luna.contracts.replay import DayCost, ReplayRequest
from luna.energy.errors import InvalidInputError, NotFoundError
from luna.energy.judgement import may_use
from luna.energy.physics.mode import Curtailment, IntArray, Mode, SetPoint
from luna.energy.policy import BatteryPolicy, PlanPolicy
from luna.energy.schedule import Committed, PlainPolicy, Policy, whole_range
from luna.energy.simulator import CountedPolicy, Trajectory, price, simulate
from luna.energy.site import Site
from luna.energy.timeline import SLOT, FloatArray, Timeline, floor_to, local_days, local_midnight, parse_zone
from luna.energy.wear import depth_wear
from luna.platform.database import agent_gates, agent_plans, observations, plan_slots, plans, quality, recorded_span, scores, sites, training_runs
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

# What the planner's chain is called.
PLANNER = "mpc"
# The share of a day's slots that the agent has to have planned for the day to count.
LEAST_PLANNED = 0.5
DAY = timedelta(days=1)
_CURTAILMENT = {"free": Curtailment.NONE, "no_export": Curtailment.EXPORT, "limit": Curtailment.NONE, "off": Curtailment.ALL}
NIGHTS = TaskCounter("luna_agent_nights_total", "Nights of sites by how they ended.", ["outcome"])
GATES = TaskCounter("luna_agent_gate_decisions_total", "Decisions of the gatekeeper about modes of control.", ["mode", "state"])
log = structlog.get_logger("luna.agent")

# Days that are looked at for scores that are missing: a worker may have been away.
SCORED_BACK = 7
# Recorded days before the first training: two weeks are what a model of a load needs, two more what its errors are seen on.
FIRST_TRAINING_DAYS = 28
# Recorded days that are replayed for evidence: what is needed, and what gaps may take away.
EVIDENCE_DAYS = 220
# Days of one replay, and replays that are asked for in one night.
CHUNK_DAYS, CHUNKS = 30, 3
RETRAIN_AFTER, RETRAIN_AFTER_LOSS = timedelta(days=7), timedelta(days=2)
REPLAYED = ("idle", "self_consumption", PLANNER, "oracle")


class UnscoredDayError(InvalidInputError):
    """A day whose plans cannot be scored; ``reason`` is a code."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, field="day")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class PlanPair:
    """A plan as it may be in force: its own thresholds, and those of the agent where it made any; ``agent_at`` is when it did."""

    plan: PlanReply
    agent: PlanReply | None = None
    agent_at: datetime | None = None


def score_day(connection: Connection, site: Site, day: date, *, policy: str, max_age: timedelta = MAX_AGE) -> dict[str, DayCost]:
    """Return what policies would have cost on a local day, and store it; scored again, once the day after is recorded too, it takes the first one's place.

    Args:
        connection: to the database.
        site: a stored one.
        day: recorded whole.
        policy: the agent's.
        max_age: a plan whose first slot began longer ago is not followed.

    Raises:
        UnscoredDayError: the day is excluded or has gaps, the state of charge at its midnight is unknown, or too little was planned.
    """
    verdicts = {each.day: each.verdict for each in quality.read(connection, site.name, day, day)}
    if not may_use(verdicts.get(day)):
        raise UnscoredDayError("excluded", "the day is excluded by its quality")
    scene = _read_scene(connection, site, day)
    window = local_days(day, day, ZoneInfo(site.timezone))
    issued = read_issued(connection, site, window, policy=policy)
    soc = float(observations.read(connection, site.name, Timeline(window.start - SLOT, SLOT, 1)).soc[0])
    if site.batteries and not np.isfinite(soc):
        raise UnscoredDayError("no_soc", "the state of charge at midnight was not recorded")
    initial_kwh = np.array([[np.clip(soc, battery.min_soc, battery.max_soc) * battery.capacity_kwh] for battery in site.batteries]).reshape(-1, 1)
    rules = replace(Rules.of(scene), initial_kwh=initial_kwh)
    due = [find_due(issued, start, max_age=max_age) for start in window]
    planned = sum(each is not None for each in due)
    agent_planned = sum(each is not None and _has_come(each, start) for each, start in zip(due, window, strict=True))
    if min(planned, agent_planned) < LEAST_PLANNED * window.count:
        raise UnscoredDayError("too_few_plans", f"the planner planned {planned} and the agent {agent_planned} of {window.count} slots")
    takes: dict[str, Take] = {
        PLANNER: lambda planner, _: planner,
        policy: lambda _, agent: agent,
        policy + EXPORT: lambda planner, agent: [own.sell_as(theirs) for own, theirs in zip(planner, agent, strict=True)],
    }
    costs = replay_day(scene, rules, window, {name: StoredChain(site, window, due, take) for name, take in takes.items()})
    scores.upsert_days(connection, site.name, system_id=SHADOW + policy, currency=site.currency, days={name: [cost] for name, cost in costs.items()})
    return costs


def _read_scene(connection: Connection, site: Site, day: date) -> ReplayData:
    """Return the actual values of a day, and of the day after it where that is recorded: by it the energy left at midnight is valued."""
    version = find_active(connection, site).forecast_version
    for last in (day + DAY, day):
        try:
            return read_scene(connection, ReplayRequest(site_id=site.name, from_day=day, to_day=last, policies=["idle"]), version)
        except (InvalidInputError, NotFoundError) as error:
            fault = error
    raise UnscoredDayError("gaps", fault.message) from fault


def read_issued(connection: Connection, site: Site, window: Timeline, *, policy: str) -> list[PlanPair]:
    """Return the plans that may have been in force within a window, in order of issue, each with the agent's beside it."""
    spans = plan_slots.list_followed(connection, site.name, window.start, window.end, issued_by=window.end)
    covering = agent_plans.read_covering(connection, site.name, policy=policy, first=window.start, end=window.end)
    beside = {agent_plan.based_on: (reply, agent_plan.issued_at) for agent_plan, reply in covering}
    return [PlanPair(plans.load(connection, span.plan_id), *beside.get(span.plan_id, (None, None))) for span in spans]


def find_due(issued: Sequence[PlanPair], at: datetime, *, max_age: timedelta) -> PlanPair | None:
    """Return the plan in force in the slot that begins at an instant: of those that cover it the last one issued by then, unless it is too old."""
    due: PlanPair | None = None
    for each in issued:
        plan = each.plan
        if plan.issued_at <= at and plan.slots[0].start <= at < plan.slots[-1].start + timedelta(minutes=plan.slot_minutes):
            due = each
    return due if due is not None and floor_to(at, SLOT) - floor_to(due.plan.slots[0].start, SLOT) <= max_age else None


def _has_come(due: PlanPair, start: datetime) -> bool:
    return due.agent is not None and due.agent_at is not None and due.agent_at <= start


# Returns what is followed of the planner's thresholds and the agent's.
Take = Callable[[Sequence[BatteryPolicy], Sequence[BatteryPolicy]], Sequence[BatteryPolicy]]


class StoredChain:
    """Stored plans, one after the other, as the executor follows them on a window.

    Args:
        site: whose plans they are.
        window: the slots that are decided.
        due: the plan in force in each of them; None: the inverters are alone.
        take: selects from the two plans.
    """

    def __init__(self, site: Site, window: Timeline, due: Sequence[PlanPair | None], take: Take) -> None:
        self._site, self._window, self._due, self._take = site, window, due, take
        self._capacity = np.array([[battery.capacity_kwh] for battery in site.batteries])
        self._modes: IntArray = np.full((len(site.batteries), 1), Mode.SELF_CONSUMPTION, dtype=np.int8)
        self._policies: dict[tuple[str, bool], PlanPolicy | None] = {}

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return the set-point of ``slot`` of the window."""
        start, due = self._window.start + slot * SLOT, self._due[slot]
        policy = None
        if due is not None:
            with_agent = _has_come(due, start)
            key = (due.plan.plan_id, with_agent)
            if key not in self._policies:
                self._policies[key] = self._make_policy(due.plan, due.agent if with_agent else None)
            policy = self._policies[key]
        if due is None or policy is None:
            setpoint = whole_range(np.full_like(stored_kwh, Mode.SELF_CONSUMPTION, dtype=np.int8), np.zeros(1, dtype=np.int8))
        else:
            place = (start - due.plan.slots[0].start) // timedelta(minutes=due.plan.slot_minutes)
            setpoint = policy.decide(int(place), stored_kwh / self._capacity, self._modes)
        self._modes = setpoint.mode
        return setpoint

    def _make_policy(self, plan: PlanReply, agent: PlanReply | None) -> PlanPolicy | None:
        """Return what a plan makes of any state of charge; None for one that has no thresholds, as of sites without batteries."""
        batteries = self._site.batteries
        if any(each.name not in plan.thresholds for each in batteries):
            return None
        own = [plan.thresholds[each.name].policy(each) for each in batteries]
        theirs = own if agent is None else [agent.thresholds[each.name].policy(each) for each in batteries]
        count = len(plan.slots)
        curtailment, limit = np.zeros(count, dtype=np.int8), np.full(count, np.inf)
        if plan.pv is not None:
            curtailment = np.array([_CURTAILMENT[mode] for mode in plan.pv.mode], dtype=np.int8)
            limit = np.array([np.inf if value is None else value for value in plan.pv.limit_kw])
        return PlanPolicy(self._take(own, theirs), curtailment, limit)


def replay_day(scene: ReplayData, rules: Rules, window: Timeline, chains: Mapping[str, Policy]) -> dict[str, DayCost]:
    """Return what chains of plans, plain rules and the oracle cost on the first day of a scene, from the same stored energy on.

    ``value_gain`` is what the batteries' energy gained in worth by the oracle's value over the whole scene: by it costs of days may be compared.
    """
    oracle = plan_with_hindsight(scene, rules)
    plain = {name: PlainPolicy(mode, rules.curtailment) for name, mode in (("idle", Mode.HOLD), ("self_consumption", Mode.SELF_CONSUMPTION))}
    policies: dict[str, Policy] = {**chains, **plain, "oracle": Committed(oracle.setpoints)}
    costs = {}
    for name, policy in policies.items():
        counted = CountedPolicy(policy, rules.limits)
        whole = scene.actuals
        part = replace(whole, timeline=window, load_kwh=whole.load_kwh[: window.count], pv_kwh=whole.pv_kwh[: window.count])
        cost = _cost(simulate(counted, part, limits=rules.limits, stored_kwh=rules.initial_kwh), scene, rules, oracle)
        costs[name] = cost.model_copy(update={"corrected": int(counted.corrected[0])})
    return costs


def _cost(trajectory: Trajectory, scene: ReplayData, rules: Rules, oracle: Plan) -> DayCost:
    count = trajectory.timeline.count
    flows, begin, end = trajectory.flows, rules.initial_kwh[:, 0], trajectory.flows.stored_kwh[:, 0, -1]
    costs = price(trajectory, import_price=rules.import_price[:count], export_price=rules.export_price[:count], wear_price=rules.wear_price).total
    costs = costs + depth_wear(scene.site.batteries, flows.stored_kwh, rules.initial_kwh)
    carbon = None if scene.carbon_g_per_kwh is None else float((flows.import_kwh[0] * scene.carbon_g_per_kwh[:count]).sum())
    worth = [value_stored_energy(oracle, rules, slot, stored.tolist()) for slot, stored in ((-1, begin), (count - 1, end))]
    return DayCost(
        day=trajectory.timeline.start.astimezone(scene.zone).date(),
        cost=float(costs.sum()),
        stored_gain=float(rules.terminal_value * (end.sum() - begin.sum())),
        value_gain=worth[1] - worth[0],
        import_carbon_g=carbon if carbon is not None and np.isfinite(carbon) else None,
    )


@dataclass(frozen=True)
class _Night:
    """One site's night; ``did`` lists its actions."""

    engine: Engine
    site: Site
    now: datetime
    ask: Callable[[Request], Job]
    did: list[str] = field(default_factory=list)

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
            work = choose_evidence(connection, self.site, policy=self.policy, yesterday=self.yesterday)
            if wants_training(connection, self.site, policy=self.policy, now=self.now, lost=lost):
                work.append(TrainAgentRequest(site_id=self.site.name, kind=AGENT_POLICIES[self.policy]))
        for request in work:
            job = self.ask(request)
            self.did.append(f"asked {request.task} {job.job_id}")
        return self.did

    def _score(self) -> None:
        with unit_of_work(self.engine) as connection:
            first = self.yesterday - (SCORED_BACK - 1) * DAY
            scored = scores.read_daily(connection, self.site.name, system_id=SHADOW + self.policy, first=first, last=self.yesterday)
        scored_days = {cost.day for cost in scored.get(self.policy, [])}
        # The day before yesterday once more: since yesterday is recorded, what was left at its end is valued by what came.
        again = {self.yesterday - DAY, self.yesterday}
        days = [first + number * DAY for number in range(SCORED_BACK)]
        for day in (day for day in days if day not in scored_days or day in again):
            try:
                with unit_of_work(self.engine) as connection:
                    score_day(connection, self.site, day, policy=self.policy)
                self.did.append(f"scored {day}")
            except UnscoredDayError as error:
                self.did.append(f"left out {day}: {error.reason}")

    def _judge(self) -> list[GateEntry]:
        """Judge each mode once a day, and return the decisions."""
        with unit_of_work(self.engine) as connection:
            last = agent_gates.last_judged(connection, self.site.name, policy=self.policy)
            if last is not None and last.astimezone(self.zone).date() > self.yesterday:
                return []
            standing, turns = (load_rows(connection, self.site.name, policy=self.policy) for load_rows in (agent_gates.read_standing, agent_gates.read_turns))
            evidence = read_evidence(connection, self.site, policy=self.policy, now=self.now)
            rng = np.random.default_rng(self.yesterday.toordinal())
            entries = judge_modes(evidence, ModeHistory(self.policy, standing, turns), now=self.now, rng=rng)
            for entry in entries:
                agent_gates.record(connection, self.site.name, entry)
        for entry in entries:
            GATES.labels(entry.mode, entry.state or "").inc()
            self.did.append(f"judged {entry.mode}: {entry.state} ({entry.reason})")
        return entries


def run_night(engine: Engine, request: NightRequest, ask: Callable[[Request], Job], *, now: datetime) -> NightReply:
    """Do each site's night, the named one's at once; what is wrong with one site keeps no other waiting.

    Args:
        engine: of the database.
        request: names a site, or none.
        ask: accepts a job.
        now: the instant.

    Raises:
        NotFoundError: no such site.
    """
    with unit_of_work(engine) as connection:
        every = [sites.load(connection, request.site_id)] if request.site_id else sites.load_all(connection).sites
    due = [site for site in every if site.batteries and (request.site_id or now.astimezone(parse_zone(site.timezone)).hour in NIGHT_HOURS)]
    actions: dict[str, list[str]] = {}
    faults: dict[str, str] = {}
    for site in due:
        night = _Night(engine, site, now, ask)

        def fail(error: Exception, site: Site = site) -> None:
            log.error("a night of the agent failed", site_id=site.name, exc_info=error)
            faults[site.name] = str(error)

        isolate(night.run, fail)
        actions[site.name] = night.did
        NIGHTS.labels("failed" if site.name in faults else "done").inc()
    return NightReply(sites=actions, faults=faults)


def read_evidence(connection: Connection, site: Site, *, policy: str, now: datetime) -> dict[ControlMode, DaysOfEvidence]:
    """Return the days that each mode is judged by, replayed and in shadow, with as much of the agent's plan as the mode takes."""
    replayed = scores.read_daily(connection, site.name, system_id=SIMULATION)
    beside = scores.read_daily(connection, site.name, system_id=SHADOW + policy)
    planned = agent_plans.count(connection, site.name, policy=policy, since=now - timedelta(days=7))
    names: dict[ControlMode, str] = {"export_only": policy + EXPORT, "full_control": policy}
    return {mode: DaysOfEvidence(pair_days(replayed, name), pair_days(beside, name), planned.slots, planned.interventions) for mode, name in names.items()}


def pair_days(costs: Mapping[str, list[DayCost]], policy: str) -> list[DailyGain]:
    """Return what a policy saved beside the planner on each day of which both are known, with what the oracle saved."""
    settled = {name: {each.day: each.settled for each in days} for name, days in costs.items()}
    settled_costs = [settled.get(name, {}) for name in (policy, PLANNER, "oracle", "idle")]
    own, planner, oracle, idle = settled_costs
    days = sorted(set.intersection(*(set(each) for each in settled_costs)))
    corrected = {each.day: each.corrected or 0 for each in costs.get(policy, [])}
    return [DailyGain(day, planner[day] - own[day], idle[day] - oracle[day], corrected[day]) for day in days]


def choose_evidence(connection: Connection, site: Site, *, policy: str, yesterday: date) -> list[Request]:
    """Return the requests that turn recorded days into evidence: the first training, from before these days, then replays of those that lack one."""
    zone, span = parse_zone(site.timezone), recorded_span.of_site(connection, site.name)
    if span is None:
        return []
    first = max(span[0].astimezone(zone).date() + FIRST_TRAINING_DAYS * DAY, yesterday - (EVIDENCE_DAYS - 1) * DAY)
    if first > yesterday:
        return []
    begin = local_midnight(first, zone)
    if training_runs.latest(connection, site.name, version=version_of(AGENT_POLICIES[policy]), unseen=begin) is None:
        return [TrainAgentRequest(site_id=site.name, kind=AGENT_POLICIES[policy], until=begin)]
    policies = [*REPLAYED, policy, policy + EXPORT]
    scored = scores.read_daily(connection, site.name, system_id=SIMULATION, first=first, last=yesterday)
    replayed = set.intersection(*({day.day for day in scored.get(name, [])} for name in policies[-2:]))
    savings = read_savings(connection, site, first=first, last=yesterday)
    ready = {day.day for day in savings.counted} | {day.day for day in savings.left_out if day.code == "not_replayed"}
    # Runs of neighbouring days, none longer than a replay is to be.
    spans: list[list[date]] = []
    for day in sorted(ready - replayed):
        if spans and day - spans[-1][-1] == DAY and len(spans[-1]) < CHUNK_DAYS:
            spans[-1].append(day)
        else:
            spans.append([day])
    return [AgentReplayRequest(site_id=site.name, from_day=days[0], to_day=days[-1], policies=policies, explain_loss=False) for days in spans[:CHUNKS]]


def wants_training(connection: Connection, site: Site, *, policy: str, now: datetime, lost: bool) -> bool:
    """Return whether the agent is to learn anew: weekly, and, after a losing streak, sooner; a first time only once there is something to learn from."""
    span = recorded_span.of_site(connection, site.name)
    if span is None or span[1] - span[0] < timedelta(days=FIRST_TRAINING_DAYS):
        return False
    newest = training_runs.list_latest(connection, site.name, version=version_of(AGENT_POLICIES[policy]), limit=1)
    return not newest or newest[0].knowledge_cutoff <= now - (RETRAIN_AFTER_LOSS if lost else RETRAIN_AFTER)
