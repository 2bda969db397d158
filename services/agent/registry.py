"""Kinds of trained agents by name, and loading of their champions.

A kind's champion is its latest accepted training run.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection

from luna.contracts.agent import AGENT_POLICIES, AgentKind
from luna.energy.errors import NotFoundError
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.platform.database import training_runs
from luna.platform.database.training_runs import TrainingRun
from luna.platform.objects import ObjectStore
from services.agent.artefacts import ArtefactError, load_artefact, require_fit
from services.agent.declaration import KindDeclaration
from services.agent.network import NetworkError
from services.agent.policy import TrainedAgent

log = structlog.get_logger(__name__)


@cache
def find_kinds() -> Mapping[AgentKind, KindDeclaration]:
    """Return the declared kinds, imported at the first call."""
    from services.agent.kinds import AGENT_KINDS

    return {declared.kind: declared for declared in AGENT_KINDS}


def find_kind(kind: AgentKind) -> KindDeclaration:
    """Return the declaration of a kind.

    Raises:
        InvalidInputError: it is not declared.
    """
    kinds = find_kinds()
    if kind not in kinds:
        raise refuse(
            "unknown-name", field="kind", value=kind, names=tuple(sorted(kinds)), thing="agent-kind"
        )
    return kinds[kind]


def find_champion(
    connection: Connection,
    site: Site,
    kind: AgentKind,
    *,
    before: datetime | None = None,
    unseen: datetime | None = None,
) -> TrainingRun | None:
    """Return a kind's champion for a site.

    It is the latest accepted training run on no data after ``before``.

    ``unseen``: nor was it accepted on data after that instant, so that later days are an unbiased
    evaluation.
    """
    return training_runs.latest(
        connection, site.name, version=find_kind(kind).version, before=before, unseen=unseen
    )


def load_run(objects: ObjectStore, site: Site, run: TrainingRun, kind: AgentKind) -> TrainedAgent:
    """Return the policy of a training run.

    Raises:
        ArtefactError: its artefact is missing, damaged, or of another format, kind, state version
            or site.
        UnavailableError: the store is away.
    """
    declared = find_kind(kind)
    key = str(run.artefact_key)
    stored = load_artefact(objects, key)
    artefact = require_fit(stored, key, kind=kind, state_version=declared.state_version, site=site)
    return TrainedAgent(
        declared.policy,
        run.run_id,
        declared.load(artefact, site),
        artefact.header.model_dump(mode="json"),
    )


def load_agent(
    connection: Connection,
    objects: ObjectStore,
    site: Site,
    name: str,
    *,
    before: datetime | None = None,
) -> TrainedAgent:
    """Return the champion's policy by its name.

    Neither its training nor its trial used data from ``before`` on.

    Raises:
        InvalidInputError: there is no policy of this name.
        NotFoundError: no training run has training and trial before ``before``.
        ArtefactError: its artefact cannot be used for this site.
        UnavailableError: the store is away.
    """
    if name not in AGENT_POLICIES:
        raise refuse(
            "unknown-name",
            field="policies",
            value=name,
            names=tuple(AGENT_POLICIES),
            thing="learned-policy",
        )
    kind = AGENT_POLICIES[name]
    run = find_champion(connection, site, kind, unseen=before)
    if run is None:
        if before is None:
            raise refuse(
                "agent-untrained", field="policies", value=name, site_id=site.name, kind=kind
            )
        day = before.astimezone(ZoneInfo(site.timezone)).date()
        raise refuse(
            "agent-untrained-before",
            field="policies",
            value=name,
            site_id=site.name,
            kind=kind,
            day=day,
        )
    return load_run(objects, site, run, kind)


def load_agents(
    connection: Connection,
    objects: ObjectStore,
    site: Site,
    *,
    before: datetime | None = None,
    names: Iterable[str] = tuple(AGENT_POLICIES),
) -> list[TrainedAgent]:
    """Return the usable trained policies of these names, in order, and log the others' reasons.

    Args:
        connection: to the database.
        objects: with the artefacts.
        site: that they are to plan for.
        before: neither training nor trial used data from then on.
        names: of ``AGENT_POLICIES``.

    Raises:
        UnavailableError: the object store is away.
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
