"""List the trainings of a site's agent, and choose the policies of a day's chart."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import get_args

from sqlalchemy import Connection

from luna.contracts.agent import (
    AGENT_POLICIES,
    SHADOW_POLICIES,
    AgentKind,
    DayPictureRequest,
    version_of,
)
from luna.contracts.agent_standing import AgentRun
from luna.energy.refusals import refuse
from luna.energy.savings import LUNA, POSSIBLE
from luna.energy.site import Site
from luna.energy.timeline import local_midnight, parse_zone
from luna.platform.database import training_runs
from luna.platform.database.agent_status import find_run
from luna.platform.database.training_runs import TrainingRun

KINDS: tuple[AgentKind, ...] = get_args(AgentKind)
VERSIONS: dict[str, AgentKind] = {version_of(kind): kind for kind in AGENT_POLICIES.values()}


def list_runs(
    connection: Connection, site_id: str, *, kinds: Sequence[AgentKind] = KINDS, limit: int = 20
) -> list[AgentRun]:
    """Return at most ``limit`` trainings of each kind, those with the most recent data first.

    Raises:
        NotFoundError: no such site.
    """
    trainings = []
    for version, kind in VERSIONS.items():
        if kind not in kinds:
            continue
        champion = training_runs.latest(connection, site_id, version=version)
        champion_id = None if champion is None else champion.run_id
        runs = training_runs.list_latest(connection, site_id, version=version, limit=limit)
        trainings += [describe_run(run, speaks=run.run_id == champion_id) for run in runs]
    return sorted(trainings, key=lambda run: run.data_until, reverse=True)


def load_run(connection: Connection, site_id: str, run_id: str) -> AgentRun:
    """Return a training of a site's agent.

    Raises:
        NotFoundError: the site has none of that id, or it is a forecast's.
    """
    run = training_runs.load(connection, site_id, run_id)
    if run.version not in VERSIONS:
        raise refuse(
            "not-found",
            field="run_id",
            value=run_id,
            thing="agent-training",
            source="the list of the agent's trainings: run_id",
        )
    champion = training_runs.latest(connection, site_id, version=run.version)
    return describe_run(run, speaks=champion is not None and champion.run_id == run_id)


def describe_run(run: TrainingRun, *, speaks: bool) -> AgentRun:
    """Convert a stored training of an agent to a message."""
    names = AgentRun.model_fields.keys() - {"kind", "speaks", "metrics"}
    return AgentRun(
        kind=VERSIONS[run.version],
        speaks=speaks,
        metrics=dict(run.metrics),
        **{name: getattr(run, name) for name in names},
    )


def choose_picture(connection: Connection, site: Site, day: date) -> DayPictureRequest:
    """Return the policies for the chart of a day.

    Planner and oracle, and the site's agent where it was trained before that week.
    """
    policy = SHADOW_POLICIES[site.antares.shadow_policy_type]
    monday = local_midnight(day - timedelta(days=day.weekday()), parse_zone(site.timezone))
    trained = find_run(connection, site.name, policy=policy, before=monday) is not None
    return DayPictureRequest(
        site_id=site.name, day=day, policies=[LUNA, *([policy] if trained else []), POSSIBLE]
    )
