"""Train an agent on a site's history, judge it on unseen days, and store it with its card.

The card has the training data, the scores on unseen days, the intended use and the limits.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version as installed_version
from typing import Any

import structlog
from sqlalchemy import Connection

from luna.contracts.agent import (
    AgentCardRequest,
    AgentKind,
    TrainAgentReply,
    TrainAgentRequest,
    version_of,
)
from luna.contracts.forecast_versions import CardReply
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.platform.database import sites, training_runs
from luna.platform.database.training_runs import TrainingRun
from luna.platform.objects import ObjectStore
from services.agent.artefacts import (
    Artefact,
    ArtefactError,
    Header,
    SiteFacts,
    load_artefact,
    save_artefact,
)
from services.agent.declaration import KindDeclaration, Lesson, TrainedParts
from services.agent.network import NetworkError
from services.agent.policy import AgentPolicy
from services.agent.registry import find_champion, find_kind, load_run
from services.agent.training_history import History, read_history
from services.forecaster.model.artefact import name_digest
from services.forecaster.model.aurora import Progress, keep_quiet
from services.forecaster.model.card import (
    format_training,
    format_window,
    list_figures,
    list_items,
    list_section,
    load_card,
    save_card,
)
from services.planner.replay import ReplaySpec, run
from services.planner.replay.policies import plan_by_planner

INTENDED_USE = (
    (
        "What the battery of this one site does in the next quarter-hours, in shadow beside "
        "the planner, and for it where the gatekeeper says so."
    ),
    (
        "Not for other sites or other batteries, and not for limits of safety: set-points pass "
        "the safety layer whoever proposed them."
    ),
)
LIMITS = (
    (
        "It knows no more of the days ahead than forecasts and published prices say; habits "
        "and tariffs that change surprise it until it is trained again."
    ),
    "With several batteries, or devices or peaks to schedule, the planner's decision stands.",
)


@dataclass(frozen=True, slots=True)
class AgentCard:
    """The model card of an agent: its run, artefact header, and days used and left out."""

    run: TrainingRun
    header: Header
    days: int
    refused: int
    timezone: str = "UTC"

    def facts(self) -> dict[str, Any]:
        """Return the card as JSON values."""
        run = self.run
        training = {
            "run_id": run.run_id,
            "version": run.version,
            "code_version": run.code_version,
            "seed": run.seed,
            "train_seconds": run.train_seconds,
            "accepted": run.accepted,
            "verdict": run.verdict,
            "trigger": run.trigger,
        }
        window = {
            "data_from": self.run.data_from.isoformat(),
            "data_until": self.run.data_until.isoformat(),
            "days": self.days,
            "days_left_out": self.refused,
        }
        origin = self.header.model_dump(
            mode="json", include={"kind", "state_version", "site", "settings", "parts"}
        )
        lineage = {
            "artefact_key": self.run.artefact_key,
            "parent_run_id": self.run.parent_run_id,
            "metrics": dict(self.run.metrics),
        }
        purpose = {
            "intended_use": list(INTENDED_USE),
            "limits": [*LIMITS, *self._own_limits()],
        }
        return training | window | origin | lineage | purpose

    def text(self) -> str:
        """Return the card as Markdown."""
        making = (
            f"{format_window(self.run, self.timezone)}: {self.days} days, {self.refused} left out",
            f"Reads states {self.header.state_version}",
            f"{'In use' if self.run.accepted else 'Not in use'}: {self.run.verdict}",
            format_training(self.run),
        )
        about_scores = (
            "Scores are shares of the oracle's savings over no control, on days that "
            "it had not seen."
        )
        settings = [f"{name}: {value}" for name, value in self.header.settings.items()]
        lines = [
            f"# {self.run.version}: {self.run.run_id}",
            "",
            *list_items(making),
            *list_section("Intended use", INTENDED_USE),
            *list_section("Limits", (*LIMITS, *self._own_limits())),
            *list_figures(about_scores, self.run.metrics),
            *list_section("How it was trained", settings),
        ]
        return "\n".join(lines) + "\n"

    def _own_limits(self) -> Iterator[str]:
        if not self.run.accepted:
            yield "It is not used: it did worse than the agent in use."


log = structlog.get_logger(__name__)
# A new agent may fall short of the champion by this share of the oracle's savings: so much is
# chance on a few weeks of one household.
TOLERANCE = 0.005
NEW = "new"
CHAMPION = "champion"
PLANNER = "planner"
_BESIDE = ("self_consumption", "idle", "oracle")
_SLOTS_PER_PLAN = 4


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision on a new agent, its reason, and the metrics of the trial.

    Metrics are named ``trial.<policy>.<figure>``.
    """

    accepted: bool
    reason: str
    metrics: Mapping[str, float] = field(default_factory=dict)


def train_agent(
    connection: Connection,
    request: TrainAgentRequest,
    *,
    objects: ObjectStore,
    now: datetime,
    progress: Progress = keep_quiet,
) -> TrainAgentReply:
    """Train an agent on a site's history, compare it with the champion, and store it.

    The last part of the history before ``until`` is held back for the comparison. The stored agent
    is the one of the trial: ``data_until`` is the start of its unseen days. A worse agent is stored
    and not used.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the kind is not declared, or the site has too few usable days.
        UnavailableError: the store of objects is away.
        MachineError: the store is full, cannot be written, or refuses Luna.
    """
    find_kind(request.kind)
    objects.probe()  # before minutes of training for a model that could not be stored
    history = read_history(
        connection,
        request.site_id,
        until=min(request.until or now, now),
        progress=take_part(progress, 0, 3),
    )
    return train_on(
        connection, request, history, objects=objects, progress=take_part(progress, 1, 3, span=2)
    )


def train_on(
    connection: Connection,
    request: TrainAgentRequest,
    recorded: History,
    *,
    objects: ObjectStore,
    progress: Progress = keep_quiet,
) -> TrainAgentReply:
    """Train an agent as ``train_agent`` does, on a history that was read already.

    Raises:
        InvalidInputError: the kind is not declared, or there are too few usable days.
        UnavailableError: the store of objects is away.
        MachineError: the store is full, cannot be written, or refuses Luna.
    """
    begun = time.perf_counter()
    declared = find_kind(request.kind)
    site = sites.load(connection, request.site_id)
    history, holdout = recorded.split()
    until = history.scene.timeline.end

    def find(kind: AgentKind) -> Artefact | None:
        return find_teacher(connection, objects, site, kind, before=until)

    lesson = Lesson(
        history=history,
        seed=request.seed,
        steps=request.steps,
        progress=take_part(progress, 0, 2),
        teacher=find,
    )
    artefact = compose_artefact(declared, site, lesson, declared.train(lesson))
    champion = _load_champion(connection, objects, site, request.kind, before=until)
    policy = declared.load(artefact, site)
    rival = champion.policy if champion else None
    verdict = hold_trial(holdout, policy, rival, progress=take_part(progress, 1, 2))
    trained = Trained(
        artefact=artefact,
        history=history,
        tried_until=holdout.scene.timeline.end,
        verdict=verdict,
        seconds=time.perf_counter() - begun,
        parent_run_id=champion.run.run_id if champion else None,
    )
    run = record_training(connection, objects, site, trained)
    if not run.accepted:
        log.warning("agent is not used", run_id=run.run_id, reason=run.verdict)
    return TrainAgentReply(
        run_id=run.run_id,
        kind=artefact.header.kind,
        state_version=artefact.header.state_version,
        data_from=run.data_from,
        data_until=run.data_until,
        accepted=run.accepted,
        verdict=run.verdict,
        artefact_key=str(run.artefact_key),
        train_seconds=run.train_seconds,
        metrics=dict(run.metrics),
    )


@dataclass(frozen=True, slots=True)
class Champion:
    """The training run in use, and its policy."""

    run: TrainingRun
    policy: AgentPolicy


def find_teacher(
    connection: Connection, objects: ObjectStore, site: Site, kind: AgentKind, *, before: datetime
) -> Artefact | None:
    """Return another kind's usable artefact trained on no data after ``before``, or None."""
    run = find_champion(connection, site, kind, before=before)
    try:
        return None if run is None else load_artefact(objects, str(run.artefact_key))
    except ArtefactError as error:
        log.warning("teacher is not used", site=site.name, kind=kind, reason=str(error))
        return None


def _load_champion(
    connection: Connection, objects: ObjectStore, site: Site, kind: AgentKind, *, before: datetime
) -> Champion | None:
    """Return a site's champion trained on no data after ``before``.

    None without one, or where its artefact cannot be used.
    """
    run = find_champion(connection, site, kind, before=before)
    try:
        return None if run is None else Champion(run, load_run(objects, site, run, kind).policy)
    except (ArtefactError, NetworkError) as error:
        log.warning("the agent in use cannot be used", site=site.name, kind=kind, reason=str(error))
        return None


def hold_trial(
    holdout: History,
    new: AgentPolicy,
    champion: AgentPolicy | None,
    *,
    progress: Progress = keep_quiet,
) -> Verdict:
    """Return the verdict of a replay of the unseen days.

    A new agent is accepted within ``TOLERANCE`` of the champion, or without one.
    """
    agents = {NEW: new.plan, PLANNER: plan_by_planner}
    if champion is not None:
        agents[CHAMPION] = champion.plan
    totals = dict.fromkeys((*agents, *_BESIDE), 0.0)
    scenes = list(holdout.runs())
    spec = ReplaySpec(tuple(totals), _SLOTS_PER_PLAN, agents=agents)
    for place, scene in enumerate(scenes):
        tell = take_part(progress, place, len(scenes), named="trial ")
        reply = run(scene, spec, progress=tell).reply
        for name, replayed in reply.policies.items():
            totals[name] += replayed.cost
    possible = totals["idle"] - totals["oracle"]
    scores = dict.fromkeys(totals, 0.0)
    if possible > 0:
        for name, cost in totals.items():
            scores[name] = (totals["idle"] - cost) / possible
    metrics = {f"trial.{name}.cost": cost for name, cost in totals.items()}
    metrics |= {f"trial.{name}.score": score for name, score in scores.items()}
    metrics["trial.days"] = float(len(holdout.days))
    reason = (
        f"it reached {scores[NEW]:.1%} of the oracle's savings on {len(holdout.days)} unseen "
        f"days, the planner {scores[PLANNER]:.1%}"
    )
    if CHAMPION not in scores:
        return Verdict(accepted=True, reason=f"there was none before; {reason}", metrics=metrics)
    reason = f"{reason}, the agent in use {scores[CHAMPION]:.1%}"
    return Verdict(scores[NEW] >= scores[CHAMPION] - TOLERANCE, reason, metrics)


def compose_artefact(
    declared: KindDeclaration, site: Site, lesson: Lesson, trained: TrainedParts
) -> Artefact:
    """Return the artefact of a training's parts."""
    window = lesson.history.scene.timeline
    header = Header(
        kind=declared.kind,
        state_version=declared.state_version,
        site=SiteFacts.of(site),
        data_from=window.start,
        data_until=window.end,
        seed=lesson.seed,
        metrics=dict(trained.metrics),
        settings=dict(trained.settings),
    )
    return Artefact(header, trained.parts)


def record_training(
    connection: Connection, objects: ObjectStore, site: Site, trained: "Trained"
) -> TrainingRun:
    """Store a trained agent, its card and last its run, which puts it to use.

    Raises:
        UnavailableError: the store of objects is away.
        MachineError: the store is full, cannot be written, or refuses Luna.
    """
    header = trained.artefact.header
    key = save_artefact(trained.artefact, objects)
    version = version_of(header.kind)
    run_id = f"{version}.{site.name}.{header.data_until:%Y%m%dT%H%MZ}.{name_digest(key)[:16]}"
    run = TrainingRun(
        run_id=run_id,
        version=version,
        data_from=header.data_from,
        data_until=header.data_until,
        code_version=installed_version("luna-energy"),
        seed=header.seed,
        train_seconds=trained.seconds,
        metrics=header.metrics | dict(trained.verdict.metrics),
        artefact_key=key,
        parent_run_id=trained.parent_run_id,
        accepted=trained.verdict.accepted,
        verdict=trained.verdict.reason,
        tried_until=trained.tried_until,
    )
    batch = trained.history.episodes
    card = AgentCard(
        run=run,
        header=header,
        days=batch.episodes.size,
        refused=len(batch.refused),
        timezone=site.timezone,
    )
    save_card(card, objects)
    training_runs.save(connection, site.name, run)
    return training_runs.load(connection, site.name, run.run_id)


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished training with its trial: ``tried_until`` is the end of the trial's days."""

    artefact: Artefact
    history: History
    tried_until: datetime
    verdict: Verdict
    seconds: float
    parent_run_id: str | None = None


def describe_agent(
    connection: Connection, objects: ObjectStore, request: AgentCardRequest
) -> CardReply:
    """Return the card of a training run, by default the champion's of the kind.

    Raises:
        NotFoundError: no such site or training run, no champion, or no card.
        UnavailableError: the store of objects is away.
    """
    site = sites.load(connection, request.site_id)
    run: TrainingRun | None
    if request.run_id:
        run = training_runs.load(connection, site.name, request.run_id)
    else:
        run = find_champion(connection, site, request.kind)
    if run is None:
        raise refuse(
            "agent-untrained",
            field="kind",
            value=request.kind,
            site_id=site.name,
            kind=request.kind,
        )
    text, facts = load_card(run, objects, field="run_id", remedy="Train again: luna agent train.")
    return CardReply(facts=facts, text=text)


def take_part(
    progress: Progress, place: int, of: int, *, span: int = 1, named: str = ""
) -> Progress:
    """Return the progress of ``span`` of ``of`` equal parts, from part ``place`` on.

    ``named`` is a prefix of its labels.
    """

    def tell(count: int, total: int, label: str) -> None:
        progress(place * total + span * count, of * total, f"{named}{label}")

    return tell
