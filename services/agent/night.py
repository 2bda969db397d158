"""Runs the agent's nightly work: scores, judgements, and requests of replays and trainings.

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
from luna.energy.economics.charges import begin_charges, slot_surcharge
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
    """Run the nightly work of every site in its night, or of one at once.

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
        if request.site_id:
            due = [sites.load(connection, request.site_id)]
        else:
            due = [site for site in sites.load_all(connection).sites if _is_night(site, now)]
    due = [site for site in due if site.batteries]
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


def _is_night(site: Site, now: datetime) -> bool:
    return now.astimezone(parse_zone(site.timezone)).hour in NIGHT_HOURS


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
        policy = self.policy
        with unit_of_work(self.engine) as connection:
            work = choose_evidence(connection, self.site, policy=policy, yesterday=self.yesterday)
            if wants_training(connection, self.site, policy=policy, now=self.now, lost=lost):
                training = TrainAgentRequest(site_id=self.site.name, kind=AGENT_POLICIES[policy])
                work.append(training)
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
        # The day before yesterday is scored again: yesterday's actuals now value the energy stored
        # at its end.
        rescored = {self.yesterday - DAY, self.yesterday}
        settled = {cost.day for cost in scored.get(self.policy, [])} - rescored
        for number in range(SCORED_BACK):
            day = first + number * DAY
            if day in settled:
                continue
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
            name = self.site.name
            decisions = agent_gates.read_standing(connection, name, policy=self.policy)
            changes = agent_gates.read_turns(connection, name, policy=self.policy)
            history = ModeHistory(self.policy, decisions, changes, self.zone)
            evidence = read_evidence(connection, self.site, policy=self.policy, now=self.now)
            rng = np.random.default_rng(self.yesterday.toordinal())
            entries = judge_modes(evidence, history, now=self.now, rng=rng)
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
    """Store and return the costs of policies on a local day.

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
    verdicts = quality.read(connection, site.name, day, day)
    if not may_use({judged.day: judged.verdict for judged in verdicts}.get(day)):
        raise UnscoredDayError("excluded", "the day is excluded by its quality")
    scene = _read_scene(connection, site, day)
    window = local_days(day, day, ZoneInfo(site.timezone))
    initial_kwh = _read_midnight(connection, site, window.start)
    rules = replace(Rules.of(scene), initial_kwh=initial_kwh)
    issued = read_issued(connection, site, window, policy=policy)
    due = [find_due(issued, start, max_age=max_age) for start in window]
    _require_planned(due, window)
    takes: dict[str, Take] = {
        PLANNER: _take_planners,
        policy: _take_agents,
        policy + EXPORT: _take_agents_sales,
    }
    stored = {name: StoredPlansPolicy(site, window, due, take) for name, take in takes.items()}
    costs = replay_day(scene, rules, window, stored)
    scores.upsert_days(
        connection,
        site.name,
        system_id=SHADOW + policy,
        currency=site.currency,
        days={name: [cost] for name, cost in costs.items()},
    )
    return costs


def _read_midnight(connection: Connection, site: Site, midnight: datetime) -> FloatArray:
    """Return the energy stored in each battery at midnight, ``(batteries, 1)``.

    Raises:
        UnscoredDayError: it was not recorded.
    """
    last_slot = Timeline(midnight - SLOT, SLOT, 1)
    soc = float(observations.read(connection, site.name, last_slot).soc[0])
    if site.batteries and not np.isfinite(soc):
        raise UnscoredDayError("no_soc", "the state of charge at midnight was not recorded")
    stored_kwh = np.empty((len(site.batteries), 1))
    for place, battery in enumerate(site.batteries):
        stored_kwh[place] = np.clip(soc, battery.min_soc, battery.max_soc) * battery.capacity_kwh
    return stored_kwh


def _require_planned(due: Sequence[PlanPair | None], window: Timeline) -> None:
    """Check that planner and agent planned enough of a day.

    Raises:
        UnscoredDayError: they did not.
    """
    planned = 0
    agent_planned = 0
    for pair, start in zip(due, window, strict=True):
        if pair is None:
            continue
        planned += 1
        if _has_agent_plan(pair, start):
            agent_planned += 1
    if min(planned, agent_planned) < LEAST_PLANNED * window.count:
        raise UnscoredDayError(
            "too_few_plans",
            f"the planner planned {planned} and the agent {agent_planned} of {window.count} slots",
        )


def _read_scene(connection: Connection, site: Site, day: date) -> ReplayData:
    """Return the actuals of a day, and of the next if it is recorded.

    The next day's use of the energy stored at midnight gives its value.
    """
    version = find_active(connection, site).forecast_version
    for last in (day + DAY, day):
        request = ReplayRequest(site_id=site.name, from_day=day, to_day=last, policies=["idle"])
        try:
            return read_scene(connection, request, version)
        except (InvalidInputError, NotFoundError) as error:
            fault = error
    raise UnscoredDayError("gaps", fault.message) from fault


def read_issued(
    connection: Connection, site: Site, window: Timeline, *, policy: str
) -> list[PlanPair]:
    """Return the plans that may have been in force within a window, each with the agent's.

    They are in order of issue; the agent's plan is the one based on it.
    """
    spans = plan_slots.list_followed(
        connection, site.name, window.start, window.end, issued_by=window.end
    )
    covering = agent_plans.read_covering(
        connection, site.name, policy=policy, first=window.start, end=window.end
    )
    agents = {}
    for agent_plan, reply in covering:
        agents[agent_plan.based_on] = (reply, agent_plan.issued_at)
    issued = []
    for span in spans:
        agent, agent_at = agents.get(span.plan_id, (None, None))
        issued.append(PlanPair(plans.load(connection, span.plan_id), agent, agent_at))
    return issued


def find_due(issued: Sequence[PlanPair], at: datetime, *, max_age: timedelta) -> PlanPair | None:
    """Return the plan in force in the slot that begins at an instant.

    Of the plans that cover it, that is the last one issued by then, unless it is too old.
    """
    due: PlanPair | None = None
    for pair in issued:
        plan = pair.plan
        end = plan.slots[-1].start + timedelta(minutes=plan.slot_minutes)
        if plan.issued_at <= at and plan.slots[0].start <= at < end:
            due = pair
    if due is None or due.plan.age(at) > max_age:
        return None
    return due


def _has_agent_plan(due: PlanPair, start: datetime) -> bool:
    return due.agent is not None and due.agent_at is not None and due.agent_at <= start


# Returns the thresholds to follow from the planner's and the agent's.
Take = Callable[[Sequence[BatteryPolicy], Sequence[BatteryPolicy]], Sequence[BatteryPolicy]]


def _take_planners(
    planners: Sequence[BatteryPolicy], _agents: Sequence[BatteryPolicy]
) -> Sequence[BatteryPolicy]:
    return planners


def _take_agents(
    _planners: Sequence[BatteryPolicy], agents: Sequence[BatteryPolicy]
) -> Sequence[BatteryPolicy]:
    return agents


def _take_agents_sales(
    planners: Sequence[BatteryPolicy], agents: Sequence[BatteryPolicy]
) -> Sequence[BatteryPolicy]:
    """Return the planner's thresholds with the agent's for selling."""
    return [own.sell_as(theirs) for own, theirs in zip(planners, agents, strict=True)]


class StoredPlansPolicy:
    """Follows a window's stored plans, each while it is in force, as the executor does.

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
        shape = (len(site.batteries), 1)
        self._modes: IntArray = np.full(shape, Mode.SELF_CONSUMPTION, dtype=np.int8)
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
            modes = np.full_like(stored_kwh, Mode.SELF_CONSUMPTION, dtype=np.int8)
            setpoint = whole_range(modes, np.zeros(1, dtype=np.int8))
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
        agents = planners
        if agent is not None:
            agents = [agent.thresholds[battery.name].policy(battery) for battery in batteries]
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
    """Return the first day's costs under stored plans, plain rules and the oracle.

    All begin at the same state of charge. ``value_gain`` is the change in value of the stored
    energy, by the oracle over the whole scene; it makes costs of days comparable.
    """
    oracle = plan_with_hindsight(scene, rules)
    policies: dict[str, Policy] = {
        **stored,
        "idle": PlainPolicy(Mode.HOLD, rules.curtailment),
        "self_consumption": PlainPolicy(Mode.SELF_CONSUMPTION, rules.curtailment),
        "oracle": Committed(oracle.setpoints),
    }
    actuals = replace(
        scene.actuals,
        timeline=window,
        load_kwh=scene.actuals.load_kwh[: window.count],
        pv_kwh=scene.actuals.pv_kwh[: window.count],
    )
    costs = {}
    for name, policy in policies.items():
        counted = CountedPolicy(policy, rules.limits)
        trajectory = simulate(counted, actuals, limits=rules.limits, stored_kwh=rules.initial_kwh)
        cost = _cost(trajectory, scene, rules, oracle)
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
    charges = begin_charges(scene.site.tariff.import_, scene.begin_drawn_kwh)
    costs = costs + slot_surcharge(
        charges, flows.import_kwh[0], trajectory.timeline, zone=scene.zone
    )
    carbon = None
    if scene.carbon_g_per_kwh is not None:
        total = float((flows.import_kwh[0] * scene.carbon_g_per_kwh[:count]).sum())
        carbon = total if np.isfinite(total) else None
    value_before = value_stored_energy(oracle, rules, -1, begin.tolist())
    value_after = value_stored_energy(oracle, rules, count - 1, end.tolist())
    return DayCost(
        day=trajectory.timeline.start.astimezone(scene.zone).date(),
        cost=float(costs.sum()),
        stored_gain=float(rules.terminal_value * (end.sum() - begin.sum())),
        value_gain=value_after - value_before,
        import_carbon_g=carbon,
    )


def read_evidence(
    connection: Connection, site: Site, *, policy: str, now: datetime
) -> dict[ControlMode, DaysOfEvidence]:
    """Return the evidence of each mode: replayed days and days in shadow.

    On them the agent's plan was followed as far as the mode allows.
    """
    replayed = scores.read_daily(connection, site.name, system_id=SIMULATION)
    shadow = scores.read_daily(connection, site.name, system_id=SHADOW + policy)
    planned = agent_plans.count(connection, site.name, policy=policy, since=now - timedelta(days=7))
    names: dict[ControlMode, str] = {"export_only": policy + EXPORT, "full_control": policy}
    evidence = {}
    for mode, name in names.items():
        evidence[mode] = DaysOfEvidence(
            pair_days(replayed, name), pair_days(shadow, name), planned.slots, planned.interventions
        )
    return evidence


def pair_days(costs: Mapping[str, list[DayCost]], policy: str) -> list[DailyGain]:
    """Return the gains of a policy over the planner, and of the oracle over no control, by day.

    Days without the costs of all four are left out.
    """

    def settle(name: str) -> dict[date, float]:
        return {cost.day: cost.settled for cost in costs.get(name, [])}

    own = settle(policy)
    planner = settle(PLANNER)
    oracle = settle("oracle")
    idle = settle("idle")
    corrected = {cost.day: cost.corrected or 0 for cost in costs.get(policy, [])}
    gains = []
    for day in sorted(own.keys() & planner.keys() & oracle.keys() & idle.keys()):
        gain = planner[day] - own[day]
        possible = idle[day] - oracle[day]
        gains.append(DailyGain(day, gain, possible, corrected[day]))
    return gains


def choose_evidence(
    connection: Connection, site: Site, *, policy: str, yesterday: date
) -> list[Request]:
    """Return the requests that produce missing evidence.

    A first training uses data from before the days of evidence; then days without a replay are
    replayed.
    """
    zone = parse_zone(site.timezone)
    span = recorded_span.of_site(connection, site.name)
    if span is None:
        return []
    first_trained = span[0].astimezone(zone).date() + FIRST_TRAINING_DAYS * DAY
    first = max(first_trained, yesterday - (EVIDENCE_DAYS - 1) * DAY)
    if first > yesterday:
        return []
    begin = local_midnight(first, zone)
    kind = AGENT_POLICIES[policy]
    trained = training_runs.latest(connection, site.name, version=version_of(kind), unseen=begin)
    if trained is None:
        return [TrainAgentRequest(site_id=site.name, kind=kind, until=begin)]
    scored = scores.read_daily(
        connection, site.name, system_id=SIMULATION, first=first, last=yesterday
    )
    replayed = {cost.day for cost in scored.get(policy, [])}
    replayed &= {cost.day for cost in scored.get(policy + EXPORT, [])}
    savings = read_savings(connection, site, first=first, last=yesterday)
    ready = {day.day for day in savings.counted}
    ready |= {day.day for day in savings.left_out if day.code == "not_replayed"}
    requests: list[Request] = []
    for days in _cut_runs(ready - replayed)[:CHUNKS]:
        request = AgentReplayRequest(
            site_id=site.name,
            from_day=days[0],
            to_day=days[-1],
            policies=[*REPLAYED, policy, policy + EXPORT],
            explain_loss=False,
        )
        requests.append(request)
    return requests


def _cut_runs(days: set[date]) -> list[list[date]]:
    """Return runs of consecutive days, each at most as long as one replay."""
    runs: list[list[date]] = []
    for day in sorted(days):
        if runs and day - runs[-1][-1] == DAY and len(runs[-1]) < CHUNK_DAYS:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def wants_training(
    connection: Connection, site: Site, *, policy: str, now: datetime, lost: bool
) -> bool:
    """Return whether a training is due: weekly, sooner after a losing streak.

    The first is due once enough days are recorded.
    """
    span = recorded_span.of_site(connection, site.name)
    if span is None or span[1] - span[0] < timedelta(days=FIRST_TRAINING_DAYS):
        return False
    newest = training_runs.list_latest(
        connection, site.name, version=version_of(AGENT_POLICIES[policy]), limit=1
    )
    if not newest:
        return True
    interval = RETRAIN_AFTER_LOSS if lost else RETRAIN_AFTER
    return newest[0].knowledge_cutoff <= now - interval
