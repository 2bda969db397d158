"""How the forecasts of a site stand, with what only the forecaster can tell. Commands come through here."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from luna.contracts.forecast_versions import ForecastStatus
from luna.energy.site import Site
from luna.energy.timeline import parse_zone
from luna.platform.database import forecast_activations, forecast_status, sites, training_runs
from luna.platform.database.training_runs import TrainingRun
from luna.words import say_instant
from services.forecaster.model.aurora import VERSION
from services.forecaster.retraining.renewal import WEEK_DAYS, assign_turn, find_due, find_last_turn, list_drift
from services.forecaster.versions.promotion import describe_candidates


def describe_status(connection: Connection, site_id: str, *, now: datetime) -> ForecastStatus:
    """Return how the forecasts of a site stand: also how the rule sees every version, signs of drift, and when a training is due.

    Raises:
        NotFoundError: no such site.
    """
    site = sites.load(connection, site_id)
    run = training_runs.latest(connection, site_id, version=VERSION)
    details = {
        "candidates": describe_candidates(connection, site, forecast_activations.find_active(connection, site)),
        "drift": list_drift(connection, site, run, now=now) if run else [],
        "next_training": _tell_next_training(connection, site, run, now=now),
    }
    return forecast_status.read_status(connection, site_id, at=now).model_copy(update=details)


def _tell_next_training(connection: Connection, site: Site, run: TrainingRun | None, *, now: datetime) -> str:
    """Return when a training is due next, or why one is due now."""
    due = find_due(connection, site, now=now)
    if due is not None:
        return f"due now: {due.reason}"
    if run is None or not run.learned:
        return "when two weeks are known"
    zone = parse_zone(site.timezone)
    turn = find_last_turn(assign_turn(site.name), now, zone).astimezone(zone) + timedelta(days=WEEK_DAYS)
    return f"in its weekly turn, {say_instant(turn, zone)}, or when it drifts"
