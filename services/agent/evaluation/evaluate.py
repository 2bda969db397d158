"""Measure a site's trained policies on unseen days beside planner, plain rules and oracle."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection

from luna.contracts.agent import (
    AGENT_POLICIES,
    EvaluateAgentReply,
    EvaluateAgentRequest,
    TrainAgentRequest,
    UnseenWeek,
)
from luna.contracts.forecast import TrainRequest
from luna.contracts.replay import ReplayReply, ReplayRequest
from luna.energy.errors import InvalidInputError, NotFoundError
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.energy.timeline import local_midnight
from luna.platform.database import sites, training_runs
from luna.platform.database.forecast_activations import find_active
from luna.platform.objects import ObjectStore
from services.agent.artefacts import ArtefactError
from services.agent.evaluation.compare import collect_costs, score_policies
from services.agent.evaluation.days import RULE, EvaluationWeek, choose_unseen_days
from services.agent.evaluation.record import read_record
from services.agent.evaluation.replay import issue_forecasts, replay_agents
from services.agent.registry import find_champion, find_kind, find_kinds, load_agent
from services.agent.training import take_part, train_on
from services.agent.training_history import History, read_history
from services.forecaster.model.aurora import VERSION
from services.forecaster.retraining.training import train_site
from services.planner.replay import Progress
from services.planner.service.replay import Store

# System whose scores of days an evaluation writes.
SYSTEM_ID = "evaluation_agent"
# policies to compare those of the agent with, in the order of the report.
BESIDE = ("idle", "self_consumption", "rule", "mpc", "mpc_scenarios")
# A model trained on everything recorded before a quarter is tried on its last weeks, and has not
# learned from those.
_CLOSE = timedelta(days=45)
# How many trainings of a kind are looked through.
_RUNS = 1000

log = structlog.get_logger("luna.agent")


def evaluate_agents(
    store: Store,
    request: EvaluateAgentRequest,
    *,
    objects: ObjectStore,
    now: datetime,
    progress: Progress,
) -> EvaluateAgentReply:
    """Return every policy's score on unseen days; missing trainings are made first.

    Args:
        store: where replays keep their days; daily costs go to ``daily_scores`` under
            ``evaluation_agent``.
        request: how many days, up to when, which of the agent's policies.
        objects: holds the trained models.
        now: nothing later is learned from.
        progress: receives the steps done, their total and a label.

    Raises:
        NotFoundError: no such site, nothing was recorded, or a policy that is named was never
            trained.
        InvalidInputError: no week can be measured, or a named policy is not one of the agent.
    """
    with store.part() as connection:
        site = sites.load(connection, request.site_id)
        chosen = choose_unseen_days(
            read_record(connection, site), count=request.days, last=request.to_day
        )
        trained = _find_trained(connection, site, request.policies)
    lessons = Lessons(store, site, objects)
    lacking = lessons.find_lacking([week.trained_until for week in chosen.weeks], trained)
    # A training takes about as long as the replay of two weeks
    weeks = len(chosen.weeks)
    trainings = 2 * len(lacking)
    steps = 2 * weeks + trainings
    # Forecasts for replays are issued first: trainings then find most of their days forecast.
    lessons.issue(chosen.weeks, [*BESIDE, *trained], take_part(progress, 0, steps, span=weeks))
    lessons.complete(lacking, take_part(progress, weeks, steps, span=trainings), now=now)
    usable, refused = lessons.sort_out(chosen.weeks, trained)
    replies = []
    for place, week in enumerate(chosen.weeks):
        tell = take_part(progress, weeks + trainings + place, steps, named="replay ")
        replay_request = compose_replay(site, week, [*BESIDE, *usable, "oracle"])
        replies.append(replay_agents(store, replay_request, objects=objects, progress=tell))
    missing = sorted(kind for name, kind in AGENT_POLICIES.items() if name not in trained)
    costs = collect_costs(chosen.weeks, replies)
    return EvaluateAgentReply(
        site_id=site.name,
        rule=RULE,
        days=chosen.days,
        weeks=[_describe(week, reply) for week, reply in zip(chosen.weeks, replies, strict=True)],
        skipped={day.isoformat(): reason for day, reason in chosen.skipped.items()},
        currency=site.currency,
        policies=score_policies(costs, replies),
        missing=missing,
        refused=refused,
    )


def _find_trained(connection: Connection, site: Site, named: Sequence[str]) -> list[str]:
    """Return the agent's named policies, or all that have an accepted training."""
    for name in named:
        if name not in AGENT_POLICIES:
            raise refuse(
                "unknown-name",
                field="policies",
                value=name,
                names=tuple(AGENT_POLICIES),
                thing="learned-policy",
            )
    declared = find_kinds()
    trained = []
    for name, kind in AGENT_POLICIES.items():
        if kind in declared and find_champion(connection, site, kind) is not None:
            trained.append(name)
    for name in named:
        if name not in trained:
            raise refuse(
                "agent-untrained",
                field="policies",
                value=name,
                site_id=site.name,
                kind=AGENT_POLICIES[name],
            )
    return [name for name in trained if name in named or not named]


@dataclass(frozen=True, slots=True)
class Lessons:
    """The trainings of one site that an evaluation rests on."""

    store: Store
    site: Site
    objects: ObjectStore

    def find_lacking(
        self, quarters: Iterable[date], names: Sequence[str]
    ) -> list[tuple[date, str]]:
        """Return the missing trainings as pairs of quarter and policy, quarters in order.

        A training is missing if none knows all that was recorded before the quarter.
        """
        lacking = []
        with self.store.part() as connection:
            for quarter in sorted(set(quarters)):
                until = self._midnight(quarter)
                for name in names:
                    version = find_kind(AGENT_POLICIES[name]).version
                    if not _was_trained(connection, self.site, version, until=until):
                        lacking.append((quarter, name))
        return lacking

    def complete(
        self, lacking: Sequence[tuple[date, str]], progress: Progress, *, now: datetime
    ) -> None:
        """Train each policy on what was recorded before its quarter.

        The history is read once: what is made for the last quarter holds the others'.

        A policy that learns nothing from so little, or whose training is not accepted, is one of an
        older training then, or none.
        """
        if not lacking:
            return
        parts = len(lacking) + 1
        with self.store.part() as connection:
            until = min(self._midnight(lacking[-1][0]), now)
            longest = read_history(
                connection, self.site.name, until=until, progress=take_part(progress, 0, parts)
            )
        window = longest.scene.timeline
        done = 1
        for quarter, quarter_policies in groupby(lacking, key=itemgetter(0)):
            quarter_start = self._midnight(quarter)
            history = longest.within(window.start, min(quarter_start, window.end))
            for _, name in quarter_policies:
                request = TrainAgentRequest(
                    site_id=self.site.name, kind=AGENT_POLICIES[name], until=quarter_start
                )
                tell = take_part(progress, done, parts, named=f"{name} until {quarter}: ")
                self._train(request, history, tell)
                done += 1

    def _train(self, request: TrainAgentRequest, history: History, progress: Progress) -> None:
        try:
            with self.store.part() as connection:
                train_on(connection, request, history, objects=self.objects, progress=progress)
        except InvalidInputError as error:
            log.warning(
                "agent not trained for its evaluation",
                site=self.site.name,
                kind=request.kind,
                until=str(request.until),
                reason=str(error),
            )

    def issue(
        self, weeks: Sequence[EvaluationWeek], policies: list[str], progress: Progress
    ) -> None:
        """Issue the weeks' missing forecasts, by models trained on all before their quarter."""
        for place, week in enumerate(weeks):
            progress(place, len(weeks), f"forecasts for {week.first}")
            self._train_forecaster(self._midnight(week.trained_until))
            tell = take_part(progress, place, len(weeks), named=f"forecasts for {week.first}: ")
            replay_request = compose_replay(self.site, week, policies)
            issue_forecasts(
                self.store, self.site, replay_request, objects=self.objects, progress=tell
            )

    def _train_forecaster(self, until: datetime) -> None:
        """Train the site's forecast model on all before ``until``, unless this was done already.

        Nothing is trained where the site's active forecasts are of another version.
        """
        with self.store.part() as connection:
            if find_active(connection, self.site).forecast_version != VERSION:
                return
            if _was_trained(connection, self.site, VERSION, until=until):
                return
            request = TrainRequest(site_id=self.site.name, until=until)
            train_site(connection, request, objects=self.objects)

    def sort_out(
        self, weeks: Sequence[EvaluationWeek], names: Iterable[str]
    ) -> tuple[list[str], dict[str, str]]:
        """Return the policies with a training for every week, and the others with a reason."""
        usable = []
        refused = {}
        for name in names:
            try:
                self._require(name, weeks)
                usable.append(name)
            except (NotFoundError, ArtefactError) as error:
                refused[name] = str(error)
        return usable, refused

    def _require(self, name: str, weeks: Sequence[EvaluationWeek]) -> None:
        with self.store.part() as connection:
            for week in weeks:
                load_agent(
                    connection, self.objects, self.site, name, before=self._midnight(week.first)
                )

    def _midnight(self, day: date) -> datetime:
        return local_midnight(day, ZoneInfo(self.site.timezone))


def _was_trained(connection: Connection, site: Site, version: str, *, until: datetime) -> bool:
    """Return whether a training knows all that was recorded before ``until`` and nothing later.

    Its trial counts as well. It does not matter whether the model was accepted.
    """
    runs = training_runs.list_latest(connection, site.name, version=version, limit=_RUNS)
    return any(until - _CLOSE <= run.data_until and run.knowledge_cutoff <= until for run in runs)


def compose_replay(site: Site, week: EvaluationWeek, policies: list[str]) -> ReplayRequest:
    """Return the request of a week's replay under these policies."""
    fixed: dict[str, Any] = {"system_id": SYSTEM_ID, "episodes": None, "explain_loss": False}
    return ReplayRequest(
        site_id=site.name, from_day=week.first, to_day=week.last, policies=policies, **fixed
    )


def _describe(week: EvaluationWeek, reply: ReplayReply) -> UnseenWeek:
    run_ids = {}
    for name, policy in reply.policies.items():
        if policy.run_id is not None:
            run_ids[name] = policy.run_id
    return UnseenWeek(
        first=week.first, days=week.days, trained_until=week.trained_until, run_ids=run_ids
    )
