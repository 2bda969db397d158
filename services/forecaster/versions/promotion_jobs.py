"""Promotion and rollback at the edge: fetch, decide, store. Tasks and commands both come through here."""

from dataclasses import asdict
from datetime import date, datetime

from sqlalchemy import Connection

from luna.contracts.forecast_versions import ActivationReply, CandidateReply, PromoteRequest, RollbackRequest, SiteJudgement
from luna.database import forecast_activations, forecast_scores, sites, training_runs
from luna.database.forecast_activations import DEFAULT_VERSION, Activation, ActiveVersion
from luna.database.forecast_status import find_review_start
from luna.errors import ConflictError, InvalidInputError, NotFoundError
from luna.site import Site
from services.forecaster.jobs import VERSIONS, find_run
from services.forecaster.model.aurora import VERSION
from services.forecaster.versions.promotion import Comparison, Shadow, choose_version


def promote_by_hand(connection: Connection, request: PromoteRequest) -> ActivationReply:
    """Let a version drive the planner of a site.

    Raises:
        NotFoundError: no such site, version or training.
        InvalidInputError: a training is named for a baseline, which has none.
        ConflictError: Aurora was never trained for the site.
    """
    site = sites.load(connection, request.site_id)
    run_id = choose_run(connection, request)
    changed = forecast_activations.activate(connection, site.name, Activation(request.forecast_version, request.reason, "hand", run_id))
    return tell_active(connection, site, changed=changed)


def choose_run(connection: Connection, request: PromoteRequest) -> str | None:
    """Return the training that is to speak for the version: the one named, else the latest; None for a baseline."""
    if request.forecast_version not in VERSIONS:
        remedy = f"Known are {', '.join(VERSIONS)}."
        raise NotFoundError("no such forecast version", field="forecast_version", value=request.forecast_version, remedy=remedy)
    if request.forecast_version != VERSION:
        if request.run_id is not None:
            raise InvalidInputError("a baseline is not trained", field="run_id", value=request.run_id, remedy="Leave it out.")
        return None
    if request.run_id is not None:
        return training_runs.load(connection, request.site_id, request.run_id).run_id
    latest = training_runs.latest(connection, request.site_id, version=VERSION)
    if latest is None:
        remedy = f"Train it first: luna forecast train --site {request.site_id}."
        raise ConflictError("it was never trained for this site", field="forecast_version", value=VERSION, remedy=remedy)
    return latest.run_id


def roll_back(connection: Connection, request: RollbackRequest) -> ActivationReply:
    """Go back to what drove the planner before the last decision that still stands.

    Raises:
        NotFoundError: no such site.
        ConflictError: there is nothing to go back to.
    """
    site = sites.load(connection, request.site_id)
    decisions = forecast_activations.history(connection, site.name)
    before, last = forecast_activations.find_previous(decisions), decisions[0]
    taken_back = last.forecast_version if last.run_id is None else f"{last.forecast_version}, training {last.run_id}"
    version, run_id = (DEFAULT_VERSION, None) if before is None else (before.forecast_version, before.run_id)
    changed = forecast_activations.activate(connection, site.name, Activation(version, f"taken back: {taken_back}", "rollback", run_id))
    return tell_active(connection, site, changed=changed)


def promote_by_rule(connection: Connection, site: Site, *, now: datetime, awaits_costs: bool = False) -> SiteJudgement:
    """Let the version drive the planner that the rule chooses, unless the owner pinned one; return how all compare.

    Args:
        awaits_costs: what days cost is still being reckoned, so that nothing is decided yet.
    """
    active = forecast_activations.find_active(connection, site)
    chosen, compared = review_versions(connection, site, active)
    promoted = chosen is not None and not active.pinned and not awaits_costs
    if chosen is not None and promoted:
        won = next(comparison for comparison in compared if comparison.version == chosen)
        run = find_run(connection, site, chosen, before=now)
        evidence = won.evidence() | {"against": active.forecast_version}
        forecast_activations.activate(connection, site.name, Activation(chosen, won.reason, "rule", run.run_id if run else None, evidence))
    return SiteJudgement(
        site_id=site.name,
        active_forecast_version=chosen if promoted else active.forecast_version,
        pinned=active.pinned,
        promoted=promoted,
        candidates=_tell_candidates(compared),
    )


def describe_candidates(connection: Connection, site: Site, active: ActiveVersion) -> list[CandidateReply]:
    """Return how every other version that was scored compares with the active one."""
    return _tell_candidates(review_versions(connection, site, active)[1])


def _tell_candidates(compared: list[Comparison]) -> list[CandidateReply]:
    return [CandidateReply(**asdict(comparison)) for comparison in compared]


def review_versions(connection: Connection, site: Site, active: ActiveVersion) -> tuple[str | None, list[Comparison]]:
    """Return which version the rule would choose, None where the active one should stay, and how each candidate compares."""
    last_day = forecast_scores.last_day(connection, site.name)
    if last_day is None:
        return None, []
    shadows = read_shadows(connection, site.name, first=find_review_start(site, active, last_day), last=last_day)
    candidates = {version: shadow for version, shadow in shadows.items() if version != active.forecast_version}
    return choose_version(shadows.get(active.forecast_version, Shadow({}, {})), candidates)


def read_shadows(connection: Connection, site_id: str, *, first: date, last: date) -> dict[str, Shadow]:
    """Return what every version that was scored did in shadow on the days of issue from ``first`` to ``last``."""
    losses: dict[str, dict[date, dict[str, float]]] = {}
    for score in forecast_scores.read(connection, site_id, first, last):
        losses.setdefault(score.forecast_version, {}).setdefault(score.day, {})[score.series] = score.pinball
    regrets = forecast_scores.read_regrets(connection, site_id, list(losses), first=first, last=last)
    return {version: Shadow(days, regrets[version]) for version, days in losses.items()}


def tell_active(connection: Connection, site: Site, *, changed: bool) -> ActivationReply:
    """Return the message about what drives the planner now."""
    active = forecast_activations.find_active(connection, site)
    return ActivationReply(forecast_version=active.forecast_version, run_id=active.run_id, pinned=active.pinned, changed=changed, reason=active.reason)
