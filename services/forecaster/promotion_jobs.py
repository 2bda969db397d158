"""Promotion and rollback at the edge: fetch, decide, store. Tasks and commands both come through here."""

from sqlalchemy import Connection

from luna.contracts.forecast_versions import ActivationReply, PromoteRequest, RollbackRequest
from luna.database import forecast_activations, sites, training_runs
from luna.database.forecast_activations import DEFAULT_VERSION, Activation
from luna.errors import ConflictError, InvalidInputError, NotFoundError
from luna.site import Site
from services.forecaster.aurora import VERSION
from services.forecaster.jobs import VERSIONS


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


def tell_active(connection: Connection, site: Site, *, changed: bool) -> ActivationReply:
    """Return the message about what drives the planner now."""
    active = forecast_activations.find_active(connection, site)
    return ActivationReply(forecast_version=active.forecast_version, run_id=active.run_id, pinned=active.pinned, changed=changed, reason=active.reason)
