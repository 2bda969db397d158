"""Replays of stored sites with policies that were learned: each by what it had learned before the window."""

from collections.abc import Collection
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from luna.contracts.agent import AGENT_POLICIES
from luna.contracts.replay import ReplayReply, ReplayRequest
from luna.database import sites
from luna.objects import ObjectStore
from luna.site import Site
from luna.timeline import local_midnight
from services.agent.registry import load_agent
from services.forecaster.versions.hindsight import ensure_forecasts
from services.planner.replay import Progress
from services.planner.service.replay import LearnedPolicy, Store, find_missing, replay_on


def replay_learned(store: Store, request: ReplayRequest, *, objects: ObjectStore, progress: Progress | None = None) -> ReplayReply:
    """Return what every policy costs a stored site over the window, learned ones among them; forecasts that were not issued then are issued first.

    Raises:
        NotFoundError: no such site, or a policy was never trained on what was recorded before the window.
        InvalidInputError: observations or prices are missing, the window is upside down, a policy is unknown.
    """
    with store.part() as connection:
        site = sites.load(connection, request.site_id)
        before = local_midnight(request.from_day, ZoneInfo(site.timezone))
        learned = load_learned(connection, site, request.policies, before=before, objects=objects)
        missing = find_missing(connection, request)
    if missing is not None:
        with store.part() as connection:
            ensure_forecasts(connection, missing, objects=objects)
    return replay_on(store, request, learned=learned, progress=progress)


def load_learned(connection: Connection, site: Site, names: Collection[str], *, before: datetime, objects: ObjectStore) -> dict[str, LearnedPolicy]:
    """Return those of the policies that were learned, each by its latest accepted training on nothing from ``before`` on.

    Raises:
        NotFoundError: one has no such training; says which command trains it.
        ArtefactError: what was trained cannot be used for this site.
    """
    agents = [load_agent(connection, objects, site, name, before=before) for name in names if name in AGENT_POLICIES]
    return {agent.name: LearnedPolicy(agent.policy.plan, agent.run_id) for agent in agents}
