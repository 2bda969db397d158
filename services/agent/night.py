"""The agent's nightly work: score plans, have missing days replayed, judge modes, and train where that is due.

Each step of each site is a transaction of its own and asks for nothing twice, so a night that is interrupted goes on an hour later where it was.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from sqlalchemy import Connection, Engine

from luna.contracts.agent import AGENT_POLICIES, EXPORT, SHADOW_POLICIES, AgentReplayRequest, TrainAgentRequest, version_of
from luna.contracts.agent_control import ControlMode, GateEntry, NightReply, NightRequest
from luna.contracts.job import Job
from luna.contracts.message import Request
from luna.contracts.replay import DayCost
from luna.energy.site import Site
from luna.energy.timeline import local_midnight, parse_zone
from luna.platform.database import agent_gates, agent_plans, recorded_span, scores, sites, training_runs
from luna.platform.database.agent_plans import SHADOW
from luna.platform.database.engine import unit_of_work
from luna.platform.database.savings import read_savings
from luna.platform.queue.task_context import isolate
from luna.platform.queue.task_metrics import TaskCounter
from services.agent.gatekeeper import DailyGain, DaysOfEvidence, ModeHistory, judge_modes
from services.agent.scorekeeper import DAY, PLANNER, UnscoredDayError, score_day
from services.planner.service.replay import NIGHT_HOURS, SIMULATION

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
