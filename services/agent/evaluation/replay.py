"""Replays of stored sites with policies that were learned: each by what it had learned before the window."""

from collections.abc import Collection
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from luna.contracts.agent import AGENT_POLICIES
from luna.contracts.replay import ReplayReply, ReplayRequest
from luna.database import sites
from luna.errors import NotFoundError
from luna.objects import ObjectStore
from luna.site import Site
from luna.timeline import local_midnight
from services.agent.registry import load_agents
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
        NotFoundError: one has no such training.
    """
    wanted = [name for name in names if name in AGENT_POLICIES]
    if not wanted:
        return {}
    agents = load_agents(connection, objects, site, before=before, kinds=[AGENT_POLICIES[name] for name in wanted])
    learned = {agent.name: LearnedPolicy(agent.policy.plan, agent.run_id) for agent in agents}
    for name in wanted:
        if name not in learned:
            raise untrained(site, name, before=before)
    return learned


def untrained(site: Site, name: str, *, before: datetime) -> NotFoundError:
    """Return the error that says of which policy there is no training, and which command trains it."""
    day = before.astimezone(ZoneInfo(site.timezone)).date().isoformat()
    remedy = f"Train it on what was recorded before: luna agent train --site {site.name} --kind {AGENT_POLICIES[name]} --until {day}."
    return NotFoundError(f"was never trained on what was recorded before {day}", field="policies", value=name, remedy=remedy)
