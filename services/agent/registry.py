"""Kinds of trained agents, each one declaration: its name, its states, its training and its loader.

Every package beside this module that has a module ``kind`` declares its own there. A kind's champion is its latest accepted training.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection

import services.agent
from luna.contracts.agent import AGENT_POLICIES, AgentKind, version_of
from luna.energy.errors import NotFoundError
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.platform.database import training_runs
from luna.platform.database.training_runs import TrainingRun
from luna.platform.objects import ObjectStore
from services.agent.artefacts import Artefact, ArtefactError, load_artefact, require_fit
from services.agent.history import History
from services.agent.network import NetworkError
from services.agent.policy import AgentPolicy, TrainedAgent
from services.forecaster.model.aurora import Progress, keep_quiet

log = structlog.get_logger(__name__)
# Returns what another kind learned at the same site, for who begins from that; None where nothing was.
FindTeacher = Callable[[AgentKind], Artefact | None]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a trainer is given: a site's history, and nothing from after it.

    ``steps`` are those of reinforcement learning, ``teacher`` finds what another kind learned from no more than this history.
    """

    history: History
    seed: int = 0
    steps: int = 2_000_000
    progress: Progress = keep_quiet
    teacher: FindTeacher = lambda _: None


@dataclass(frozen=True, slots=True)
class TrainedParts:
    """What a trainer hands back: named parts (LightGBM text, safetensors, JSON), how it was trained, and figures."""

    parts: Mapping[str, bytes]
    settings: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


Train = Callable[[Lesson], TrainedParts]
Load = Callable[[Artefact, Site], AgentPolicy]


@dataclass(frozen=True, slots=True)
class KindDeclaration:
    """A kind of agent. ``any_site``: what is trained serves other homes as well."""

    kind: AgentKind
    state_version: str
    train: Train
    load: Load
    any_site: bool = False

    @property
    def policy(self) -> str:
        """What a replay, a shadow plan and a score call it."""
        return next(name for name, kind in AGENT_POLICIES.items() if kind == self.kind)

    @property
    def version(self) -> str:
        """What its trainings are kept under."""
        return version_of(self.kind)


_KINDS: dict[AgentKind, KindDeclaration] = {}


def agent_kind(kind: AgentKind, *, state_version: str, load: Load, any_site: bool = False) -> Callable[[Train], Train]:
    """Declare the trainer of a kind, and what makes its policy of an artefact."""

    def declare(train: Train) -> Train:
        _KINDS[kind] = KindDeclaration(kind, state_version, train, load, any_site)
        return train

    return declare


def find_kinds() -> Mapping[AgentKind, KindDeclaration]:
    """Return every kind that is declared."""
    for package in iter_modules(services.agent.__path__, f"{services.agent.__name__}."):
        if package.ispkg and find_spec(f"{package.name}.kind") is not None:
            import_module(f"{package.name}.kind")
    return _KINDS


def find_kind(kind: AgentKind) -> KindDeclaration:
    """Return the declaration of a kind.

    Raises:
        InvalidInputError: nobody declares it.
    """
    kinds = find_kinds()
    if kind not in kinds:
        raise refuse("no-such-agent-kind", field="kind", value=kind, names=tuple(sorted(kinds)))
    return kinds[kind]


def find_champion(connection: Connection, site: Site, kind: AgentKind, *, before: datetime | None = None, unseen: datetime | None = None) -> TrainingRun | None:
    """Return the training of a kind that speaks for a site: the latest accepted one that learned from nothing after ``before``.

    ``unseen``: nor was it accepted by anything after that, so that days from then on say what it is worth.
    """
    return training_runs.latest(connection, site.name, version=find_kind(kind).version, before=before, unseen=unseen)


def load_run(objects: ObjectStore, site: Site, run: TrainingRun, kind: AgentKind) -> TrainedAgent:
    """Return the policy of a training.

    Raises:
        ArtefactError: its artefact is missing, damaged, of another format, kind or state version, or that of another site.
        UnavailableError: the store is away.
    """
    declared, key = find_kind(kind), str(run.artefact_key)
    artefact = require_fit(load_artefact(objects, key), key, kind=kind, state_version=declared.state_version, site=site)
    return TrainedAgent(declared.policy, run.run_id, declared.load(artefact, site), artefact.header.model_dump(mode="json"))


def load_agent(connection: Connection, objects: ObjectStore, site: Site, name: str, *, before: datetime | None = None) -> TrainedAgent:
    """Return the trained policy of this name by its champion; neither what it learned from nor its trial reaches beyond ``before``.

    Raises:
        InvalidInputError: no kind is called so.
        NotFoundError: nothing was trained, and tried, on data from before.
        ArtefactError: what was trained cannot be used for this site.
        UnavailableError: the store is away.
    """
    if name not in AGENT_POLICIES:
        raise refuse("no-such-trained-policy", field="policies", value=name, names=tuple(AGENT_POLICIES))
    kind = AGENT_POLICIES[name]
    run = find_champion(connection, site, kind, unseen=before)
    if run is None:
        if before is None:
            raise refuse("agent-untrained", field="policies", value=name, site_id=site.name, kind=kind)
        day = before.astimezone(ZoneInfo(site.timezone)).date()
        raise refuse("agent-untrained-before", field="policies", value=name, site_id=site.name, kind=kind, day=day)
    return load_run(objects, site, run, kind)


def load_agents(
    connection: Connection, objects: ObjectStore, site: Site, *, before: datetime | None = None, names: Iterable[str] = tuple(AGENT_POLICIES)
) -> list[TrainedAgent]:
    """Return the trained policies of these names that can be used, in order; why one cannot is logged.

    Args:
        connection: open.
        objects: where artefacts are.
        site: for which they are to speak; of those trained for it.
        before: nothing from then on was learned from, nor decided whether it is used.
        names: of ``AGENT_POLICIES``.

    Raises:
        UnavailableError: the store of objects is away.
    """
    declared = find_kinds()
    agents = []
    for name in names:
        if AGENT_POLICIES.get(name) not in declared:
            continue
        try:
            agents.append(load_agent(connection, objects, site, name, before=before))
        except NotFoundError:
            log.info("nothing was trained", site=site.name, policy=name)
        except (ArtefactError, NetworkError) as error:
            log.warning("trained agent is not used", site=site.name, policy=name, reason=str(error))
    return agents
